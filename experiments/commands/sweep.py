"""Many runs, carried out here or by Slurm: `mbgen sweep`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.arguments import budget_seconds
from experiments.commands.sweep_progress import shown_progress, tell_failed
from experiments.commands.terminal import console, facts
from experiments.interrupts import asked_to_stop
from experiments.runs.lane_settings import DEVICES, require_integer, require_one_of
from experiments.runs.run_folder import State
from experiments.runs.scales import SCALES
from experiments.storage.folder_lock import lock
from experiments.studies.registry import chosen_studies
from experiments.studies.study import PlannedRun, manifest
from experiments.sweep.local import Ended, carry_out
from experiments.sweep.manifest import MANIFEST, add_to_manifest, read_manifest
from experiments.sweep.plan import done_by_folder, lay_out_all, states_of, tasks_of
from experiments.sweep.rooms import EXECUTORS, rooms_for
from experiments.sweep.run_log import LOGS, RunLog
from experiments.sweep.slurm import USUAL, SlurmOptions, Standing, submit
from experiments.sweep.task import Task


def sweep(
    what: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="smoke|desk|paper|MANIFEST")],
    *,
    study: tuple[str, ...] = (),
    results: Path = Path("results"),
    executor: str = "local",
    device: str = "auto",
    workers: int | None = None,
    per_device: int | None = None,
    budget: str | None = None,
    retries: int = 1,
    renew: bool = False,
    dry_run: bool = False,
    cluster: SlurmOptions = USUAL,
) -> int:
    """Carry out every run of a scale, or of a manifest, that is not finished; stop and go on at any moment.

    The runs' folders are the truth: what is finished is skipped, what was cut short goes on from its checkpoint.
    Ctrl-C writes checkpoints. Exit status 0 if all is finished, 1 if some failed or some are left (or with Slurm),
    130 if interrupted.

    Args:
        what: A scale, or a manifest: a JSON object a line with the keys id, settings and priority.
        study: Only the runs of these studies.
        results: Folder of the results; the runs lie below in a folder named by the scale or the manifest.
        executor: local, or slurm: submit job arrays and leave; the same command later says how far they are and
            submits what is missing.
        device: Where runs that begin compute: cpu, cuda, or auto, a GPU if there is one.
        workers: Runs side by side, each with one thread; as many as there are cores if not given.
        per_device: In place of workers, with --device cuda: runs side by side on each GPU; 1 if not given.
        budget: Time after which runs are asked to stop: seconds, or like 90m, 2h.
        retries: How often a run that fails is tried again.
        renew: Begin anew the runs that a version of the code with other results has computed.
        dry_run: Print what would be done, and how long it would take, and end.
        cluster: What to ask Slurm for, with --executor slurm.
    """
    require_one_of("executor", executor, EXECUTORS)
    require_one_of("device", device, DEVICES)
    require_integer("retries", retries, 0, 1_000)
    if executor != "slurm" and cluster != USUAL:
        raise ValueError(f"options for Slurm are given, but the executor is {executor}")
    for name, value in (("workers", workers), ("budget", budget)):
        if executor == "slurm" and value is not None:
            raise ValueError(
                f"--{name} is of a local sweep; accepted with Slurm: --parallel, --per-job, --time"
            )
    rooms = rooms_for(executor, device, workers, per_device)
    seconds = budget_seconds(budget)
    planned, complaints, folder = _planned(what, study, results)
    for complaint in complaints:
        print(f"mbgen: {complaint}", file=sys.stderr)
    states = states_of(planned, folder)
    if dry_run:
        _show_plan(what, tasks_of(planned, folder), states, sum(room.runs for room in rooms))
        return 0
    with lock(folder):
        add_to_manifest(folder / MANIFEST, planned)
        lay_out_all(planned, folder, renew=renew)
        older = () if renew else _older(planned, states)
        todo = [task for task in tasks_of(planned, folder, device) if task.id not in older]
        if executor == "slurm":
            found = submit(
                todo, folder / LOGS, cluster, done=done_by_folder(planned), retries=retries
            )
            return _conclude_submission(found, folder / LOGS, older, complaints)
        with asked_to_stop() as interrupted, shown_progress() as (report, tell):
            ended = carry_out(
                todo, folder / LOGS, done=done_by_folder(planned), rooms=rooms, retries=retries,
                budget=seconds, interrupted=interrupted, report=report, tell=tell,
            )  # fmt: skip
    return _conclude(ended, folder / LOGS, older, complaints)


def _planned(
    what: str, study: Sequence[str], results: Path
) -> tuple[list[PlannedRun], list[str], Path]:
    if what in SCALES:
        return manifest(chosen_studies(study), what), [], results / what  # type: ignore[arg-type]
    path = Path(what)
    if not path.is_file():
        raise ValueError(
            f"there is no scale and no manifest {what!r}; accepted: {', '.join(SCALES)}, or a file"
        )
    if study:
        raise ValueError("--study chooses among the runs of a scale; a manifest says what is run")
    runs, complaints = read_manifest(path)
    folder = path.parent if path.name == MANIFEST else results / path.stem
    return runs, complaints, folder


def _older(planned: Sequence[PlannedRun], states: dict[str, State]) -> tuple[str, ...]:
    return tuple(run.id for run in planned if states[run.id] == "older version")


def _conclude(ended: Ended, logs: Path, older: Sequence[str], complaints: Sequence[str]) -> int:
    console().print(
        facts(
            "Sweep",
            [
                ("finished", len(ended.done)),
                ("left, to be gone on with", len(ended.left)),
                ("failed", len(ended.failed)),
                ("of an older results version", len(older)),
            ],
        )
    )
    tell_failed(ended.failed, logs)
    _tell_older(older)
    if ended.reason is not None:
        print(
            f"mbgen: {ended.reason}; {len(ended.left)} runs are left, the same command goes on",
            file=sys.stderr,
        )
    if ended.reason == "interrupted":
        return 130
    return int(bool(ended.left or ended.failed or older or complaints))


def _conclude_submission(
    found: Standing, logs: Path, older: Sequence[str], complaints: Sequence[str]
) -> int:
    console().print(
        facts(
            "Sweep on Slurm",
            [
                ("finished", len(found.done)),
                ("on their way", len(found.queued)),
                ("submitted now", len(found.missing)),
                ("failed", len(found.failed)),
                ("of an older results version", len(older)),
            ],
        )
    )
    tell_failed(found.failed, logs)
    for task in found.unstarted:
        print(
            f"mbgen: {task.id} was submitted before, and its job was gone before it began; "
            f"{RunLog.of(task.id, logs).tail(1)}",
            file=sys.stderr,
        )
    _tell_older(older)
    unfinished = found.queued or found.missing or found.failed
    return int(bool(unfinished or older or complaints))


def _tell_older(older: Sequence[str]) -> None:
    if older:
        print(
            f"mbgen: {len(older)} runs are of an older results version, {older[0]} among them; "
            "--renew begins them anew",
            file=sys.stderr,
        )


def _show_plan(what: str, tasks: Sequence[Task], states: dict[str, State], workers: int) -> None:
    screen = console()
    left = [task for task in tasks if states[task.id] != "finished"]
    seconds = sum(task.seconds for task in left)
    for task in tasks:
        screen.print(f"{states[task.id]:<14} {task.seconds / 60:7.0f} min  {task.id}")
    screen.print(
        facts(
            f"Sweep {what}",
            [
                ("runs", len(tasks)),
                ("finished", len(tasks) - len(left)),
                ("core hours left, about", seconds / 3600),
                (f"hours with {workers} side by side, about", seconds / 3600 / workers),
            ],
        )
    )
