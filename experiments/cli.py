"""The command `mbgen`: parses, runs, and turns bad input into one line and an exit status.

Exit status: 0 done, 1 the answer is no, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr

import tyro

from experiments.benchmarks import (
    agent_updates,
    environment_steps,
    exact_enumeration,
    table_updates,
)
from experiments.commands import (
    compare,
    demo,
    env_pictures,
    env_structure,
    run,
    tabular,
    theorem,
)

# The extra that provides a package which the light base lacks.
EXTRAS = {
    "gymnasium": "deep",
    "safetensors": "deep",
    "torch": "deep",
    "z3": "proof",
}

Command = Callable[..., int]


def deferred(command: Command) -> Callable[..., Callable[[], int]]:
    """The command's signature, but calling it returns the call to make: parsing ends before work begins."""

    @functools.wraps(command)
    def bind(*args: object, **kwargs: object) -> Callable[[], int]:
        return functools.partial(command, *args, **kwargs)

    return bind


def _group(commands: Mapping[str, Command]) -> tyro.extras.SubcommandApp:
    app = tyro.extras.SubcommandApp()
    for name, command in commands.items():
        app.command(name=name)(deferred(command))
    return app


def _app() -> tyro.extras.SubcommandApp:
    app = tyro.extras.SubcommandApp()
    env = env_pictures.COMMANDS | env_structure.COMMANDS
    benches = (
        exact_enumeration.COMMANDS
        | table_updates.COMMANDS
        | environment_steps.COMMANDS
        | agent_updates.COMMANDS
    )
    app.command(_group(theorem.COMMANDS), name="theorem", help=theorem.__doc__)
    app.command(_group(env), name="env", help="The environments: pictures, structure, best play.")
    app.command(_group(benches), name="bench", help=exact_enumeration.__doc__)
    for name, command in (tabular.COMMANDS | run.COMMANDS | compare.COMMANDS).items():
        app.command(name=name)(deferred(command))
    app.command(name="demo")(deferred(demo.demo))
    return app


def parse(arguments: Sequence[str]) -> Callable[[], int]:
    """The call that the arguments ask for.

    Raises:
        ValueError: with one line, if they ask for nothing that exists.
        SystemExit: after --help, with status 0.
    """
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            call: Callable[[], int] = _app().cli(
                prog="mbgen",
                description="When does a learned model beat experience replay?",
                args=list(arguments),
                config=(tyro.conf.OmitArgPrefixes,),
                sort_subcommands=False,
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise ValueError(_one_line(complaint.getvalue())) from None
    return call


def _one_line(box: str) -> str:
    """The text of tyro's framed complaint, without frame and rules."""
    lines = []
    for framed in box.splitlines()[1:-1]:
        line = framed.strip("│ ─╭╮╰╯")
        if line.startswith("For full helptext"):
            break
        if line:
            lines.append(line)
    return " ".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `mbgen` with these arguments, the process's own if None; returns the exit status."""
    try:
        return parse(sys.argv[1:] if arguments is None else arguments)()
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left
        return 0
    except ImportError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _complain(
            f"this needs {error.name}, which is not installed: pip install 'mbgen[{extra}]'", 2
        )
    except (ValueError, OSError) as error:
        return _complain(str(error), 2)


def _complain(message: str, status: int) -> int:
    print(f"mbgen: {' '.join(message.split())}", file=sys.stderr)
    return status
