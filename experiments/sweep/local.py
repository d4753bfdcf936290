"""A sweep on this machine: processes side by side on the cores or on each GPU, each with one thread.

Two threads beside another busy process are ten times slower and more; one thread loses nothing. An
interrupt, or the end of the budget, asks every run to write its checkpoint, and the next sweep goes on
from there. What is done is read from the runs' folders, never from a file of the sweep's own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from experiments.runs.run_folder import read_progress
from experiments.storage.folder_lock import is_locked
from experiments.sweep.run_log import RunLog
from experiments.sweep.task import INTERRUPTED, Task

POLL_SECONDS = 0.2
LEAST_FREE_BYTES = 64 * 2**20
"""Of the disc: with less no run is started."""


class Room(NamedTuple):
    """Where runs go side by side: the cores, or one GPU.

    Attributes:
        runs: So many at most.
        memory: Bytes that they may take together; one alone may take more.
        environment: Variables that tell a process that it is here.
    """

    runs: int
    memory: int
    environment: Mapping[str, str] = {}


class Standing(NamedTuple):
    """Where a sweep stands.

    Attributes:
        total: Tasks in all.
        done: Tasks that are finished.
        running: Tasks under way, with the share done of each.
        seconds_left: Estimated, with the workers that it has.
    """

    total: int
    done: int
    running: dict[str, float]
    seconds_left: float


class Ended(NamedTuple):
    """How a sweep ended.

    Attributes:
        done: Tasks that are finished.
        failed: Tasks that failed as often as allowed.
        left: Tasks that can be gone on with.
        reason: Why it stopped before the end, if it did.
    """

    done: tuple[Task, ...]
    failed: tuple[Task, ...]
    left: tuple[Task, ...]
    reason: str | None


@dataclass
class _Worker:
    task: Task
    room: int
    process: subprocess.Popen[bytes]
    log: RunLog
    started: float = field(default_factory=time.monotonic)
    share_before: float = 0.0


def carry_out(
    tasks: Sequence[Task],
    logs: Path,
    *,
    done: Callable[[Task], bool],
    rooms: Sequence[Room],
    retries: int,
    budget: float | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Standing], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Carry out what is not done, in the order given, until all is done or it is stopped.

    Args:
        tasks: Of the whole sweep.
        logs: Folder of the runs' logs.
        done: Whether a task is done, by its folder.
        rooms: Where runs go side by side.
        retries: How often a run that fails is tried again.
        budget: Seconds after which runs are asked to stop; None is no end.
        interrupted: Asked often; once it is true, runs are asked to stop.
        report: Told often where the sweep stands.
        tell: Told in words what happened to a run.
    """
    sweep = _Sweep(tasks, logs, done, rooms, retries, tell)
    start = time.monotonic()
    reason = None
    while reason is None and (sweep.waiting or sweep.workers):
        if interrupted():
            reason = "interrupted"
        elif budget is not None and time.monotonic() - start > budget:
            reason = "the budget is spent"
        elif sweep.disc_is_full:
            reason = f"the disc of {logs} is full"
        else:
            sweep.start_what_fits()
            time.sleep(POLL_SECONDS)
            sweep.collect()
            report(sweep.standing())
    sweep.stop()
    left = [task for task in tasks if task not in sweep.failed and not done(task)]
    finished = tuple(task for task in tasks if done(task))
    return Ended(finished, tuple(sweep.failed), tuple(left), reason)


class _Sweep:
    """The processes of a sweep, and what waits for one."""

    def __init__(
        self, tasks: Sequence[Task], logs: Path, done: Callable[[Task], bool],
        rooms: Sequence[Room], retries: int, tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.tasks, self.logs, self.done = tasks, logs, done
        self.rooms, self.retries, self.tell = rooms, retries, tell
        self.waiting = [task for task in tasks if not done(task)]
        self.finished = len(tasks) - len(self.waiting)
        self.workers: list[_Worker] = []
        self.failed: list[Task] = []
        self.attempts: dict[str, int] = {}
        self.places = sum(room.runs for room in rooms)
        self.taken = self.expected = 0.0

    @property
    def disc_is_full(self) -> bool:
        """Whether too little is free for a checkpoint."""
        there = next(path for path in (self.logs, *self.logs.parents) if path.exists())
        return shutil.disk_usage(there).free < LEAST_FREE_BYTES

    def start_what_fits(self) -> None:
        """Fill the rooms with the first tasks whose memory is there.

        A run that another process still works on waits for it: that of a sweep which was killed, perhaps.
        """
        for task in list(self.waiting):
            room = self._room_for(task)
            if room is not None and not is_locked(task.folder):
                self.waiting.remove(task)
                self.workers.append(self._start(task, room))

    def _room_for(self, task: Task) -> int | None:
        """The emptiest room that the task fits into."""
        there = [
            [w.task.memory for w in self.workers if w.room == i] for i in range(len(self.rooms))
        ]
        fits = [
            index
            for index, (room, memory) in enumerate(zip(self.rooms, there, strict=True))
            if not memory or (len(memory) < room.runs and sum(memory) + task.memory <= room.memory)
        ]
        return min(fits, key=lambda index: len(there[index]), default=None)

    def _start(self, task: Task, room: int) -> _Worker:
        log = RunLog.of(task.id, self.logs)
        self.attempts[task.id] = self.attempts.get(task.id, 0) + 1
        log.mark("started", f"attempt {self.attempts[task.id]}")
        one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with log.path.open("ab") as output:
            process = subprocess.Popen(
                task.command,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **one_thread, **self.rooms[room].environment},
                start_new_session=True,  # the terminal's Ctrl-C is the sweep's to answer
            )  # fmt: skip
        _be_as_nice(process.pid)
        self.tell(f"begun: {task.id}")
        return _Worker(task, room, process, log, share_before=_share(task))

    def collect(self, *, stopping: bool = False) -> None:
        """Take in the processes that have ended; `stopping` whether they were asked to."""
        for worker in list(self.workers):
            status = worker.process.poll()
            if status is None:
                continue
            self.workers.remove(worker)
            if stopping and status == INTERRUPTED:
                worker.log.mark("interrupted")
                self.tell(f"stopped, to be gone on with: {worker.task.id}")
            else:
                self._ended(worker, status)

    def _ended(self, worker: _Worker, status: int) -> None:
        task, seconds = worker.task, time.monotonic() - worker.started
        if self.done(task):  # whatever its status: the folder is the truth
            worker.log.mark("finished", f"after {seconds:.0f} s")
            self.finished += 1
            self.taken += seconds
            self.expected += task.seconds * (1 - worker.share_before)
            self.tell(f"done: {task.id}, {seconds:,.0f} s")
            return
        worker.log.mark("failed", f"with exit status {status}")
        if self.attempts[task.id] <= self.retries:
            self.waiting.append(task)
            self.tell(f"failed with exit status {status}, tried again later: {task.id}")
        else:
            self.failed.append(task)
            self.tell(f"failed with exit status {status}, given up: {task.id}")

    def stop(self) -> None:
        """Ask what runs to write a checkpoint and end; a Ctrl-C meanwhile ends it at once."""
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)
        while self.workers:
            try:
                time.sleep(POLL_SECONDS / 4)
                self.collect(stopping=True)
            except KeyboardInterrupt:
                for worker in self.workers:
                    worker.process.kill()

    def standing(self) -> Standing:
        """Where the sweep stands now."""
        running = {worker.task.id: _share(worker.task) for worker in self.workers}
        pace = self.taken / self.expected if self.expected else 1.0
        left = sum(task.seconds for task in self.waiting)
        left += sum(worker.task.seconds * (1 - running[worker.task.id]) for worker in self.workers)
        return Standing(len(self.tasks), self.finished, running, pace * left / self.places)


def _be_as_nice(process: int) -> None:
    """Let the session of a run be as nice as the sweep: Linux may give each session the same share of the cores."""
    with suppress(OSError):  # there are no such groups here, or it has ended
        Path(f"/proc/{process}/autogroup").write_text(str(os.nice(0)))


def _share(task: Task) -> float:
    """How much of a task is done, as it says itself."""
    progress = read_progress(task.folder)
    return progress.steps / progress.total if progress else 0.0
