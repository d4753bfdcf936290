"""One agent in one environment, learning online in many lanes: `mbgen run`."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from experiments.commands.arguments import Json
from experiments.commands.terminal import cell, console, facts
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from experiments.runs.online_run import Moment
    from experiments.runs.settings import RunSettings


def run(
    *,
    agent: str,
    env: str,
    size: int,
    regime: str,
    out: Path,
    lanes: int | None = None,
    seed: int = 0,
    steps: int | None = None,
    scale: str = "paper",
    device: str = "auto",
    step_size: float | None = None,
    temperature: float | None = None,
    precision: str = "highest",
    acceleration: str = "auto",
    rollout_length: int | None = None,
    buffer: int = 100_000,
    clipped_logit_sampling: bool = False,
    stale_reset_observation: bool = False,
    spontaneous: bool = True,
    checkpoint_minutes: float = 5.0,
    tensorboard: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    json: Json = None,
) -> int:
    """An agent learns online in many lanes at once; its learning curve, and checkpoints to go on from.

    Exit status 130 if interrupted, after a checkpoint: the same command with --resume goes on.

    Args:
        agent: er, simple, categorical, gaussian or perfect.
        env: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case.
        size: Pipes, buttons, or grid size.
        regime: high (one update a step) or low (ten).
        out: Folder of the results.
        lanes: Independent runs side by side; 30 at the scale paper, 4 at desk, 2 at smoke.
        seed: Of the first lane; the next ones count up.
        steps: Of each lane; by the scale and the regime if not given.
        scale: smoke (seconds), desk (minutes to an hour), paper.
        device: cpu, cuda, or auto: a GPU if there is one.
        step_size: Of the Q-network; the tuned one if not given (on OpenGrid, where none was tuned,
            ProcMaze's).
        temperature: Of the softmax behaviour; as with the step size.
        precision: Of products: highest, high or bf16.
        acceleration: auto, none, compile or graph; auto compiles on a CPU what is long enough to pay.
        rollout_length: Steps of a rollout, a divisor of 320; 10 if not given, and 1 for er.
        buffer: Transitions that a lane remembers.
        clipped_logit_sampling: A quirk of the authors' code, in the simple model.
        stale_reset_observation: A quirk of the authors' code, in episodic environments.
        spontaneous: Whether spontaneous transitions are on.
        checkpoint_minutes: Between checkpoints, which are written at evaluations; 0 is at each.
        tensorboard: Also write the curves for TensorBoard, into the folder.
        resume: Go on with the run in the folder.
        overwrite: Replace the run in the folder.
        json: Write the summary as JSON; "-" is standard output.
    """
    if not 0 <= checkpoint_minutes < math.inf:
        raise ValueError(f"checkpoint_minutes is {checkpoint_minutes}; accepted: 0 or more")
    if tensorboard and find_spec("tensorboard") is None:
        raise ValueError("--tensorboard needs tensorboard, which is not installed")
    require_writable(json)
    from experiments.runs.online_run import execute, finished_summary, memory_bytes
    from experiments.runs.settings import run_settings

    settings = run_settings(
        agent=agent,
        env=env,
        size=size,
        regime=regime,
        scale=scale,
        lanes=lanes,
        seed=seed,
        steps=steps,
        device=device,
        step_size=step_size,
        temperature=temperature,
        precision=precision,
        acceleration=acceleration,
        rollout_length=rollout_length,
        buffer=buffer,
        clipped_logit_sampling=clipped_logit_sampling,
        stale_reset_observation=stale_reset_observation,
        spontaneous=spontaneous,
    )
    screen = console(json)
    if resume and not overwrite and (summary := finished_summary(settings, out)):
        screen.print(f"The run in {out} is complete: {settings.steps:,} steps.")
        write_json(summary, json)
        return 0
    screen.print(facts(f"mbgen run: {settings.title}", _before(settings, memory_bytes(settings))))
    with (
        _interrupts() as interrupted,
        _progress(settings.steps) as shown,
        _tensorboard(out / "tensorboard" if tensorboard else None) as recorded,
    ):

        def report(moment: Moment) -> None:
            shown(moment)
            recorded(moment)

        outcome = execute(
            settings,
            out,
            resume=resume,
            overwrite=overwrite,
            checkpoint_seconds=60 * checkpoint_minutes,
            interrupted=interrupted,
            report=report,
        )
    if outcome.summary is None:
        print(
            f"mbgen: interrupted after {outcome.steps:,} of {settings.steps:,} steps; "
            "--resume goes on",
            file=sys.stderr,
        )
        return 130
    screen.print(facts("Final performance", _after(outcome.summary)))
    for lane in outcome.summary["diverged"]:
        print(
            f"mbgen: lane {lane['lane']} (seed {lane['seed']}) diverged: no performance from "
            f"step {lane['step']} on",
            file=sys.stderr,
        )
    write_json(outcome.summary, json)
    return 0


COMMANDS: dict[str, Callable[..., int]] = {"run": run}


def _before(settings: RunSettings, memory: dict[str, int]) -> list[tuple[str, object]]:
    parts = ", ".join(f"{name} {size / 2**20:,.0f}" for name, size in memory.items())
    return [
        ("lanes", len(settings.seeds)),
        ("steps of a lane", settings.steps),
        ("step size", settings.step_sizes[0]),
        ("temperature", settings.temperatures[0]),
        ("device", f"{settings.device}, acceleration {settings.acceleration}"),
        ("memory, about", f"{sum(memory.values()) / 2**20:,.0f} MiB: {parts}"),
    ]


def _after(summary: dict[str, Any]) -> list[tuple[str, object]]:
    reference = summary["reference"]
    width = summary["half_width"]
    interval = "" if width is None else f" ± {cell(width)}"
    return [
        (f"mean of {summary['lanes_in_mean']} lanes", f"{cell(summary['mean'])}{interval}"),
        ("optimal", reference["optimal"]),
        ("uniformly random", reference["uniform"]),
        ("diverged lanes", len(summary["diverged"])),
        ("steps a second, all lanes", summary["lane_steps_per_second"]),
    ]


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Within, the first interrupt only answers the question whether there was one; a second stops at once."""
    seen = False

    def note(_number: int, _frame: object) -> None:
        nonlocal seen
        seen = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: seen
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[Moment], None]]:
    """On a terminal's standard error: how far, how fast, how long still, and how well."""
    screen = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=screen,
        transient=True,
    )
    task = bar.add_task("starting", total=steps)

    def show(moment: Moment) -> None:
        text = f"{moment.speed:,.0f} steps/s, performance {cell(moment.performance)}"
        bar.update(task, completed=moment.steps, description=text)

    with bar if screen.is_terminal else nullcontext():
        yield show


@contextmanager
def _tensorboard(folder: Path | None) -> Iterator[Callable[[Moment], None]]:
    """Each evaluation as scalars in that folder; a resumed run hides what it measures again."""
    if folder is None:
        yield lambda _: None
        return
    from torch.utils.tensorboard import SummaryWriter

    writer: SummaryWriter | None = None

    def record(moment: Moment) -> None:
        nonlocal writer
        if writer is None:
            writer = SummaryWriter(folder, purge_step=moment.steps)
        if moment.evaluated:
            for name, column in moment.measured._asdict().items():
                if name != "step":
                    for lane, value in enumerate(column[-1]):
                        writer.add_scalar(f"{name}/lane {lane}", value, moment.steps)

    try:
        yield record
    finally:
        if writer is not None:
            writer.close()
