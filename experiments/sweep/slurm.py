"""A sweep on a Slurm cluster: submit what is missing as job arrays, leave, and come back.

What is done is read from the runs' folders, what is on its way from squeue, and what has failed from
the runs' logs, so that any process may come back, on any machine that sees these files. The folder
of logs also holds, for each array, a file that says which runs its jobs carry out.
"""

from __future__ import annotations

import math
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from experiments.storage.json_files import read_json, write_json
from experiments.sweep.run_log import RunLog
from experiments.sweep.task import Task, interpreter

PAUSES = (2.0, 5.0, 15.0, 30.0)
"""Seconds to wait before Slurm is asked again, when its controller did not answer."""

_UNANSWERED = (
    "timed out",
    "unable to contact slurm controller",
    "temporarily",
    "zero bytes were transmitted",
)
_OPTION = re.compile(r"([a-z][a-z-]*)=(.*)")
_Item = TypeVar("_Item")
_OURS = (
    "account", "array", "cpus-per-task", "job-name", "mem", "nodes", "ntasks", "open-mode", "output", "partition",
    "requeue", "signal", "time", "wrap",
)  # fmt: skip


@dataclass(frozen=True)
class SlurmOptions:
    """What a sweep asks Slurm for.

    Attributes:
        partition: Where the jobs run; None is the cluster's default.
        account: Who pays; None is the user's default.
        time: Seconds that a job may take. Runs that take longer go on in the same job, queued again.
        grace: Seconds before the end of that time at which runs are asked to write a checkpoint.
        memory: Bytes of each run; None takes the runs' own estimates.
        cpus: Cores of each run, and its threads.
        gpus: GPUs of each job, which its runs share.
        per_job: Runs side by side in one job.
        parallel: Jobs of one array that may run at once; None leaves that to Slurm.
        array_size: Jobs in one array, at most. Slurm's own limit is usually 1,000; less where a user may
            queue fewer jobs.
        slurm: More options of sbatch, each KEY=VALUE.

    Raises:
        ValueError: An option is out of range, or `slurm` names one that the sweep sets itself.
    """

    partition: str | None = None
    account: str | None = None
    time: float = 4 * 3600.0
    grace: float = 300.0
    memory: int | None = None
    cpus: int = 1
    gpus: int = 0
    per_job: int = 1
    parallel: int | None = None
    array_size: int = 1000
    slurm: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        least = {"memory": 1, "cpus": 1, "gpus": 0, "per_job": 1, "parallel": 1, "array_size": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name} is {value}; accepted: {low} or more")
        # Slurm may send the signal a minute early, and a job must have time to get somewhere.
        if not 0 < self.grace <= self.time / 2 < math.inf:
            raise ValueError(
                f"time is {self.time:g} s with a grace of {self.grace:g} s; "
                "accepted: a grace over 0, and twice as much time or more"
            )
        for option in self.slurm:
            named = _OPTION.fullmatch(option)
            if named is None or named[1] in _OURS:
                raise ValueError(
                    f"slurm option {option!r}; accepted: KEY=VALUE with a long option of sbatch, "
                    f"other than {', '.join(sorted(_OURS))}"
                )


USUAL = SlurmOptions()


@dataclass(frozen=True)
class Standing:
    """Where the tasks of a sweep stand; each is in one of the first four groups.

    Attributes:
        done: Their folders say so.
        queued: Not done, and in Slurm's queue or running.
        failed: Tried as often as allowed; the end of the log says why.
        missing: All others.
        unstarted: Those of the missing whose last job left the queue before the run began: it was
            cancelled, or could not start.
    """

    done: tuple[Task, ...]
    queued: tuple[Task, ...]
    failed: tuple[Task, ...]
    missing: tuple[Task, ...]
    unstarted: tuple[Task, ...]


def standing(
    tasks: Sequence[Task], logs: Path, done: Callable[[Task], bool], retries: int
) -> Standing:
    """Where the tasks stand, by their folders, squeue and their logs.

    Args:
        tasks: Of the whole sweep.
        logs: Folder of the logs.
        done: Whether a task is done, by its folder.
        retries: How often a run that fails is tried again.

    Raises:
        ValueError: There is no Slurm here, or squeue refuses.
    """
    queue = _queued(logs)  # before the folders: what ends meanwhile is then seen as done
    groups: dict[str, list[Task]] = {"done": [], "queued": [], "failed": [], "missing": []}
    for task in tasks:
        if done(task):
            group = "done"
        elif task.id in queue:
            group = "queued"
        elif RunLog.of(task.id, logs).attempts() > retries:
            group = "failed"
        else:
            group = "missing"
        groups[group].append(task)
    unstarted = (
        task for task in groups["missing"] if RunLog.of(task.id, logs).last() == "submitted"
    )
    return Standing(
        **{name: tuple(group) for name, group in groups.items()}, unstarted=tuple(unstarted)
    )


def submit(
    tasks: Sequence[Task],
    logs: Path,
    options: SlurmOptions,
    *,
    done: Callable[[Task], bool],
    retries: int,
) -> Standing:
    """Submit the missing tasks in their order, as job arrays, without waiting for them.

    Args:
        tasks: Of the whole sweep.
        logs: Folder of the logs, on a file system that the cluster's nodes share.
        options: What to ask Slurm for.
        done: Whether a task is done, by its folder.
        retries: How often a run that fails is tried again.

    Returns:
        Where the tasks stood; those that were missing are submitted now.

    Raises:
        ValueError: There is no Slurm here, or it refuses; arrays that it took before stay with it.
    """
    found = standing(tasks, logs, done, retries)
    jobs = list(_chunks(found.missing, options.per_job))
    submitted = 0
    for array in _chunks(jobs, options.array_size):
        try:
            _submit_array(array, logs, options, retries)
        except ValueError as refusal:
            before = f"; {submitted} runs were submitted before" if submitted else ""
            raise ValueError(f"{refusal}{before}") from None
        submitted += sum(map(len, array))
    return found


def ask(command: Sequence[str], happened: Callable[[], bool] = lambda: False) -> str:
    """What a command of Slurm prints, asked again after a while if the controller did not answer.

    Args:
        command: The command and its arguments.
        happened: Asked before each further try, whether the command was obeyed though the answer was lost.

    Raises:
        ValueError: It is not installed, or refuses, or was not answered in the last try either.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise ValueError(
                f"there is no {command[0]} here; accepted: a machine that submits to Slurm"
            ) from None
        if answer.returncode == 0:
            return answer.stdout
        said = " ".join(answer.stderr.split())
        unanswered = any(sign in said.lower() for sign in _UNANSWERED)
        pause = next(pauses, None) if unanswered else None
        if pause is None:
            raise ValueError(f"{command[0]} refuses: {said}")
        time.sleep(pause)
        if happened():
            return ""


def _submit_array(
    jobs: Sequence[Sequence[Task]], logs: Path, options: SlurmOptions, retries: int
) -> None:
    name = f"mbgen-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    logs.mkdir(parents=True, exist_ok=True)
    plan = logs.resolve() / f"{name}.json"
    carried = [[{"id": task.id, "command": task.command} for task in job] for job in jobs]
    write_json({"retries": retries, "threads": options.cpus, "jobs": carried}, str(plan))
    ask(_sbatch(jobs, plan, options), happened=lambda: name in _listed())
    for job in jobs:
        for task in job:
            RunLog.of(task.id, logs).mark("submitted", f"as a job of the array {name}")


def _sbatch(jobs: Sequence[Sequence[Task]], plan: Path, options: SlurmOptions) -> list[str]:
    """The call of sbatch for these jobs, which `plan` describes to them."""
    memory = max(sum(options.memory or task.memory for task in job) for job in jobs)
    limit = f"%{options.parallel}" if options.parallel else ""
    asked = {
        "job-name": plan.stem,
        "array": f"0-{len(jobs) - 1}{limit}",
        "output": str(plan.with_name(f"{plan.stem}-%a.out")),
        "open-mode": "append",
        "nodes": 1,
        "ntasks": 1,
        "cpus-per-task": options.cpus * options.per_job,
        "mem": f"{math.ceil(memory / 2**20)}M",
        "time": math.ceil(options.time / 60),
        "signal": f"B:USR1@{math.ceil(options.grace)}",
        "partition": options.partition,
        "account": options.account,
        "gres": f"gpu:{options.gpus}" if options.gpus else None,
    }
    asked |= dict(option.split("=", 1) for option in options.slurm)
    work = shlex.join([*interpreter(), "-m", "experiments.sweep.slurm_job", str(plan)])
    given = [f"--{key}={value}" for key, value in asked.items() if value is not None]
    # The signal would end a job that has yet to learn how to answer it.
    return ["sbatch", "--requeue", *given, f"--wrap=trap '' USR1; exec {work}"]


def _queued(logs: Path) -> set[str]:
    """The ids of the tasks whose jobs wait or run."""
    found = set()
    for name, indices in _listed().items():
        plan = logs / f"{name}.json"
        if plan.is_file():
            jobs = read_json(plan).get("jobs", [])
            try:
                found |= {task["id"] for index in indices for task in jobs[index]}
            except (TypeError, LookupError):
                raise ValueError(
                    f"{plan} is no array of jobs; accepted: what mbgen sweep wrote"
                ) from None
    return found


def require_slurm() -> None:
    """Refuse to plan for a Slurm that does not answer.

    Raises:
        ValueError: There is no Slurm here, or squeue refuses.
    """
    _listed()


def _listed() -> dict[str, list[int]]:
    """The user's job arrays in the queue, by name, with the indices of their jobs that are not over."""
    found: dict[str, list[int]] = {}
    for line in ask(["squeue", "--me", "--array", "--noheader", "--format=%K %j"]).splitlines():
        index, _, name = line.strip().partition(" ")
        if index.isdecimal():
            found.setdefault(name, []).append(int(index))
    return found


def _chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
