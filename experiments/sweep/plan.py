"""From planned runs to tasks: where each lies, what starts it, what it costs, and whether it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from experiments.runs.costs import estimated_memory, estimated_seconds
from experiments.runs.run_folder import CHECKPOINT, CONFIG, State, lay_out, state_of
from experiments.storage.folder_lock import is_locked
from experiments.studies.study import PlannedRun
from experiments.sweep.task import Task, interpreter


def by_turn(planned: Iterable[PlannedRun]) -> list[PlannedRun]:
    """The runs in the order in which a sweep begins them: the most telling first, and among these the longest."""
    return sorted(planned, key=lambda run: (run.priority, -estimated_seconds(run.settings)))


def tasks_of(planned: Iterable[PlannedRun], results: Path, device: str = "auto") -> list[Task]:
    """A task for each run, the most telling first and among these the longest.

    Args:
        planned: The runs.
        results: Folder below which each has its own, named by its id.
        device: "cpu", "cuda", or "auto": a GPU if there is one. Runs that have a checkpoint stay where they began.
    """
    return [
        Task(
            id=run.id,
            folder=results / run.id,
            command=_command(results / run.id, device),
            seconds=estimated_seconds(run.settings),
            memory=estimated_memory(run.settings),
        )
        for run in by_turn(planned)
    ]


def states_of(planned: Iterable[PlannedRun], results: Path) -> dict[str, State]:
    """Where each run stands, by its folder.

    Raises:
        ValueError: A folder holds another run, or cannot be read.
    """
    return {run.id: state_of(results / run.id, run.settings) for run in planned}


def lay_out_all(planned: Iterable[PlannedRun], results: Path, *, renew: bool) -> None:
    """Write the config.json of every run that has none, from which its process takes the settings.

    Args:
        planned: The runs.
        results: Folder below which each has its own.
        renew: Begin anew what an older version of the code computed.

    Raises:
        ValueError: A folder cannot be written, or holds another run.
    """
    for run in planned:
        folder = results / run.id
        state = state_of(folder, run.settings)
        if is_locked(folder):
            continue
        if (state == "older version" and renew) or not (folder / CONFIG).exists():
            lay_out(folder, run.settings)


def _command(folder: Path, device: str) -> tuple[str, ...]:
    options = ["--settings", str(folder / CONFIG), "--out", str(folder), "--resume"]
    if device != "auto" and not (folder / CHECKPOINT).exists():
        options += ["--device", device]
    return (*interpreter(), "-m", "experiments", "run", *options)


def done_by_folder(planned: Iterable[PlannedRun]) -> Callable[[Task], bool]:
    """What tells whether a task of these runs is done, by its folder."""
    settings = {run.id: run.settings for run in planned}
    return lambda task: state_of(task.folder, settings[task.id]) == "finished"
