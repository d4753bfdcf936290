"""The command `mbgen`: finds the subcommand, runs it, and turns bad input into one line and an exit status.

Exit status: 0 done, 1 the answer is no, 2 bad input, 130 interrupted.

A subcommand's module is imported when that command is asked for, and no other: `mbgen --help` needs none. What is
imported here is little, since an interrupt before `main` is the interpreter's to answer.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NamedTuple, TextIO, cast

from experiments.interrupts import interrupts_between_imports
from experiments.lasting_output import LastingOutput

_MOST = 2**63


class Command(NamedTuple):
    """A subcommand: a function that returns an exit status, whose signature and docstring say what it takes.

    Attributes:
        place: The module, within `experiments`, and the function.
        help: The first line of the function's docstring; of a study, its title.
        study: The study whose command this is, the function's first argument; None if it is none.
    """

    place: str
    help: str
    study: str | None = None

    def load(self) -> Callable[..., int]:
        """The function, after importing its module."""
        module, _, name = self.place.partition(":")
        function: Callable[..., int] = getattr(
            importlib.import_module(f"experiments.{module}"), name
        )
        if self.study is None:
            return function
        bound: Any = functools.partial(function, self.study)
        functools.update_wrapper(bound, function)
        # Through it, the signature would be the function's, with the study among the arguments.
        del bound.__wrapped__
        return cast("Callable[..., int]", bound)


class Group(NamedTuple):
    """Subcommands under one name.

    Attributes:
        help: What they are about.
        members: By name.
    """

    help: str
    members: Mapping[str, Command | Group]


def study(name: str, title: str) -> Command:
    """The command of a study."""
    return Command("commands.study:study", title, name)


# fmt: off
THEOREM = Group("Theorem 1, checked exactly over classes of small MDPs.", {
    "check": Command("commands.theorem.check:check",
        "Check the three parts of the theorem over every dataset of a class, or over one dataset or evidence."),
    "identify": Command("commands.theorem.identify:identify",
        "How many observed transitions of a true model settle its optimal actions, under H_M and under H_B."),
    "samples": Command("commands.theorem.samples:samples",
        "How many observations of every pair, or steps of episodes, settle an optimal policy: these are samples."),
    "truths": Command("commands.theorem.truths:truths",
        "How much data settle an optimal policy, over every true model of a class: the mean and the worst of them."),
    "census": Command("commands.theorem.census:census",
        "Count all maps of N states and K actions by their optimal values, without enumerating them."),
    "witness": Command("commands.theorem.witness:witness",
        "The smallest realizable dataset of a class whose inclusion is proper."),
    "verify": Command("commands.theorem.verify:verify",
        "Check a certificate by the independent verifier."),
    "smallest": Command("commands.theorem.smallest:smallest",
        "The smallest class and dataset with a proper inclusion, by (|S|, |A|, |M|, |D|), over all classes of a box."),
    "rewards": Command("commands.theorem.rewards:rewards",
        "How many reward functions it takes until value functions know what a model knows."),
    "export": Command("commands.theorem.export:export",
        "Write a model of a class for Storm (drn), PRISM (prism), Graphviz (dot), or numpy and QuantEcon (npz)."),
    "discount": Command("commands.theorem.discount:discount",
        "The values of gamma in (0, 1) at which the structure of a class changes, exactly."),
    "prove": Command("commands.theorem.prove:prove",
        "Have z3 prove part 3 for all real rewards and all maps of N states and K actions at once."),
    "gallery": Command("commands.theorem.gallery:gallery",
        "The built-in classes."),
    "explore": Command("commands.theorem.explore:explore",
        "A page on which one observes transitions of a class, and sees what H_M and H_B leave open."),
    "decide": Command("commands.theorem.decide:decide",
        "Decide what needs no statistics: Theorem 1, its proof, and the identities of replay and planning."),
})
ENV = Group("The environments: pictures, structure, best play.", {
    "list": Command("commands.env.listing:list_environments",
        "The environments at their usual sizes, with all their settings."),
    "render": Command("commands.env.render:render",
        "Draw states side by side (PNG), or a film of them (GIF), under uniformly random actions."),
    "scopes": Command("commands.env.scopes:scopes",
        "What each factor of the next state depends on, exactly, and what a factored model saves."),
    "optimum": Command("commands.env.optimum:optimum",
        "The best and the uniformly random performance of an evaluation, and the best long-run rate."),
    "coverage": Command("commands.coverage:coverage",
        "What each dataset of the maze of section 2 settles, exactly: by H_M, by H_B, and for each agent."),
})
BENCH = Group("How fast it is on this machine, and how far its answers hold: every figure is made while you wait.", {
    "theory": Command("benchmarks.exact_enumeration:bench_theory",
        "Speed of the exact enumeration, beside QuantEcon's DiscreteDP in the same run where that is installed."),
    "tabular": Command("benchmarks.table_updates:bench_tabular",
        "Updates a second of replay and of models, for several seeds side by side, in PanFlute 4."),
    "environments": Command("benchmarks.environment_steps:bench_environments",
        "Steps a second of each environment at several numbers of copies, and mazes a second."),
    "deep": Command("benchmarks.agent_updates:bench_deep",
        "Milliseconds an update on ProcMaze 4, and the share reached of the matrix-product rate."),
    "contention": Command("benchmarks.contention:bench_contention",
        "How much slower updates are beside processes that keep the other cores busy, by number of threads."),
    "ask": Command("benchmarks.answered_questions:bench_ask",
        "How often `mbgen ask` answers falsely, by what ends the question, and how often it finds a difference."),
})
MBGEN = Group("When does a learned model beat experience replay?", {
    "theorem": THEOREM,
    "env": ENV,
    "bench": BENCH,
    "tabular": Command("commands.tabular:tabular",
        "Learning curves of replay, a tabular model and a factored model, against the exact optimum."),
    "run": Command("commands.run:run",
        "An agent learns online in many lanes at once; its learning curve, and checkpoints to go on from."),
    "sweep": Command("commands.sweep:sweep",
        "Carry out every run of a scale, or of a manifest, that is not finished; stop and go on at any moment."),
    "ask": Command("commands.ask:ask",
        "Would a learned model help here? Groups of seeds are run until that is decided, or the budget is spent."),
    "status": Command("commands.status:status",
        "How far the run or the sweep in a folder is, how fast, how long still, and its curve so far."),
    "maze-coverage": study("maze-coverage", "What replay and rollouts make of partly covered mazes"),
    "online": study("online", "Replay against learned models, online, by size and amount of data"),
    "smoothing": study("smoothing", "What learned models of PanFlute expect after 10,000 steps"),
    "frozen-model": study("frozen-model", "A value function from scratch on a simple model frozen early or late"),
    "unfactored": study("unfactored", "ER against learned models where nothing is factored"),
    "sensitivity": study("sensitivity", "Sensitivity to step size and temperature"),
    "rollout-length": study("rollout-length", "Rollouts of 10 steps against 1"),
    "no-spontaneous": study("no-spontaneous", "Without spontaneous transitions, and with their second form"),
    "quirks": study("quirks", "Two quirks of the authors' code, on and off"),
    "precision": study("precision", "Products in float32 and in bfloat16: whether learning is the same"),
    "mixture": study("mixture", "Real transitions among the imagined ones"),
    "counterfactual": study("counterfactual", "Transitions recombined factor by factor, without a learned model"),
    "baselines": study("baselines", "ER with ten times the updates, and ER by priority"),
    "structure": study("structure", "A model whose features each see a learned few others"),
    "gates": study("gates", "What the gates of the structured model cost"),
    "value-equivalence": study("value-equivalence", "Latent models of rewards and values alone"),
    "horizon": study("horizon", "Replay and the simple model on ProcMaze for longer"),
    "claims": Command("commands.claims:claims",
        "Every claim with its evidence, its verdict by a rule fixed beforehand, and that after Holm's correction."),
    "costs": Command("commands.costs:costs",
        "What finished runs took on which device, and what all runs of a scale would take."),
    "report": Command("commands.report:report",
        "One HTML page with every claim, its evidence and its figures, and an explorer of Theorem 1."),
    "intervals": Command("commands.intervals:intervals",
        "How often each 95 % interval covers the truth, by simulation: with few seeds, skewed data and ties."),
    "compare": Command("commands.compare:compare",
        "Draw finished runs on the same task in one picture, and print how each ended."),
    "completion": Command("commands.completion:completion",
        "Print a script with which a shell completes the words after mbgen."),
    "demo": Command("commands.demo:demo",
        "Check Theorem 1 over the gallery, certify a witness, learn in tables and online, and draw the pictures."),
})
# fmt: on

# The extra that provides a package which the light base lacks.
EXTRAS = {
    "gymnasium": "deep",
    "jinja2": "report",
    "markupsafe": "report",
    "safetensors": "deep",
    "torch": "deep",
    "z3": "proof",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `mbgen` with these arguments, the process's own if None; returns the exit status."""
    with _lasting_streams() as output:
        status = _answer(sys.argv[1:] if arguments is None else arguments)
        output.flush()
        if status or output.failure is None or isinstance(output.failure, BrokenPipeError):
            return status
        return _complain(f"standard output failed: {output.failure.strerror}", 2)


@contextmanager
def _lasting_streams() -> Iterator[LastingOutput]:
    """Within, neither output can stop the work, and one that was closed from the start leads nowhere."""
    with os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8") as nowhere:
        output, errors = (LastingOutput(stream or nowhere) for stream in (sys.stdout, sys.stderr))
        with redirect_stdout(cast("TextIO", output)), redirect_stderr(cast("TextIO", errors)):
            yield output


def _answer(words: Sequence[str]) -> int:
    try:
        with interrupts_between_imports():
            return parse(words)()
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except ImportError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _complain(
            f"this needs {error.name}, which is not installed: pip install '.[{extra}]' in the source tree",
            2,
        )
    except (ValueError, OSError) as error:
        return _complain(str(error), 2)
    except MemoryError as error:
        return _complain(f"there is not enough memory for this: {error or 'less is needed'}", 2)
    except ArithmeticError as error:
        if type(error) is not ArithmeticError:  # a division by zero is a fault of ours
            raise
        return _complain(str(error), 2)


def _complain(message: str, status: int) -> int:
    line = " ".join(message.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    print(f"mbgen: {shown}", file=sys.stderr)
    return status


def parse(words: Sequence[str]) -> Callable[[], int]:
    """The call that the words ask for: of a command with its arguments, or of help.

    Raises:
        ValueError: with one line, if they ask for nothing that exists.
    """
    name, group, rest = "mbgen", MBGEN, list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            return functools.partial(_print_help, name, group)
        if word == "--version" and group is MBGEN:
            return _print_version
        if word not in group.members:
            raise ValueError(
                f"{name} has no command {word!r}; accepted: {', '.join(group.members)}"
            )
        name, member = f"{name} {word}", group.members[word]
        if isinstance(member, Command):
            return _bound(name, member.load(), rest)
        group = member
    raise ValueError(f"{name} needs a command; accepted: {', '.join(group.members)}")


def _print_version() -> int:
    """The version that is installed, or that of this checkout."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"mbgen {version('mbgen')}")
    except PackageNotFoundError:
        print("mbgen, run from a folder without being installed")
    return 0


def _print_help(name: str, group: Group) -> int:
    """What the group holds, a line for each member."""
    import shutil
    import textwrap

    columns = shutil.get_terminal_size().columns
    indent = max(map(len, group.members)) + 4
    print(f"usage: {name} COMMAND [--help] ...\n\n{textwrap.fill(group.help, columns)}\n")
    for member, entry in group.members.items():
        print(
            textwrap.fill(
                entry.help,
                columns,
                initial_indent=f"  {member}".ljust(indent),
                subsequent_indent=" " * indent,
            )
        )
    return 0


def _bound(name: str, command: Callable[..., int], words: Sequence[str]) -> Callable[[], int]:
    """The command's call with the arguments that the words mean: parsing ends before work begins."""
    import tyro

    from experiments.parsing_complaints import in_one_line

    @functools.wraps(command)
    def bind(*args: object, **kwargs: object) -> Callable[[], int]:
        for name, value in kwargs.items():
            _require_machine_numbers(name, value)
        _require_machine_numbers("", args)
        return functools.partial(command, *args, **kwargs)

    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            call: Callable[[], int] = tyro.cli(
                bind, prog=name, args=words, config=(tyro.conf.OmitArgPrefixes,)
            )
    except SystemExit as stop:
        if stop.code in (0, None):  # it was --help
            return lambda: 0
        raise ValueError(in_one_line(complaint.getvalue())) from None
    return call


def _require_machine_numbers(name: str, value: object) -> None:
    """Refuse whole numbers that no machine's arithmetic holds, wherever they stand in an argument."""
    from dataclasses import fields, is_dataclass

    if isinstance(value, int) and not -_MOST <= value < _MOST:
        raise ValueError(
            f"--{name.replace('_', '-')} is {value}; accepted: whole numbers below 2^63"
        )
    if isinstance(value, tuple):
        for each in value:
            _require_machine_numbers(name, each)
    elif is_dataclass(value):
        for field in fields(value):
            _require_machine_numbers(field.name, getattr(value, field.name))
