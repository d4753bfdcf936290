"""Tasks in processes of their own, a wave of them side by side, so that a failure costs only itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from experiments.gpu_check.findings import Facts
from experiments.gpu_check.tasks import TURN, Case, Task

ROOT = Path(__file__).parents[2]
CORES_EACH = 2  # at least, for a process that compiles or computes what the device is compared with

_LAST_LINES = 12

Tell = Callable[[Facts], None]


def carry_out(
    waves: Iterable[Sequence[Task]],
    device: str,
    deadline: float,
    tell: Tell,
    done: set[Case],
) -> list[Case]:
    """Do the tasks, wave by wave.

    Args:
        waves: Tasks that may go on side by side.
        device: What is checked: "cuda" or "cpu".
        deadline: When to stop whatever is going on, by `time.monotonic`.
        tell: Is given each finding at once.
        done: What need not be found any more.

    Returns:
        The cases of which nothing was told.
    """
    cores = os.cpu_count() or 1
    most = max(1, cores // CORES_EACH)
    left: list[Case] = []
    with tempfile.TemporaryDirectory() as scratch:
        for wave in waves:
            tasks = [task for whole in wave if (task := whole.without(done)).cases]
            for start in range(0, len(tasks), most):
                together = tasks[start : start + most]
                if time.monotonic() >= deadline:
                    left += [case for task in together for case in task.cases]
                    continue
                threads = max(1, cores // len(together))
                with ExitStack() as ended:
                    workers = [
                        ended.enter_context(Worker(task, device, scratch, threads))
                        for task in together
                    ]
                    _supervise(workers, deadline, tell)
                left += [case for worker in workers for case in worker.left]
    return left


def _supervise(workers: Sequence[Worker], deadline: float, tell: Tell) -> None:
    """Listen to all at once until each has ended or waits for its turn; then give them their turns."""
    lock = threading.Lock()

    def tell_one_at_a_time(facts: Facts) -> None:
        with lock:
            tell(facts)

    def stop() -> None:
        for worker in workers:
            worker.stop()

    timer = threading.Timer(deadline - time.monotonic(), stop)
    timer.start()
    try:
        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(lambda worker: worker.listen(tell_one_at_a_time), workers))
        for worker in workers:
            while worker.waits:
                worker.give_turn()
                worker.listen(tell)
    finally:
        timer.cancel()


class Worker:
    """A process that does a task; it ends with the context.

    Attributes:
        left: Cases of which it has told nothing yet.
        waits: Whether it waits for its turn.
    """

    def __init__(self, task: Task, device: str, scratch: str, threads: int) -> None:
        self.left = list(task.cases)
        self.waits = False
        self._device = device
        self._stopped = False
        name = f"{task.agent}-{task.way}-{task.precision}-{task.lanes}"
        self._errors = Path(scratch) / f"{name}.txt"
        limits = dict.fromkeys(("OMP_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS"), str(threads))
        module = "experiments.gpu_check.worker"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, device, scratch, task.text()],
                cwd=ROOT,
                env=limits | os.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # so that what compiles for it ends with it
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        with suppress(BrokenPipeError), self._process:
            pass  # waits, and closes the pipes

    def listen(self, tell: Tell) -> None:
        """Tell what it finds until it asks for its turn or ends; an end before all is found is a finding."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.waits = line.strip() == TURN
            if self.waits:
                return
            finding = json.loads(line)
            self.left.remove(Case(finding["stage"], finding["case"]))
            tell(finding)
        status = self._process.wait()
        if self.left and not self._stopped:
            lost = self.left.pop(0)
            last_lines = self._errors.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            error = f"the process ended with exit status {status}"
            found = {"stage": lost.stage, "case": lost.name, "on": self._device, "ok": False}
            tell(found | {"errors": [{"error": error, "at": last_lines}]})

    def give_turn(self) -> None:
        """Let it go on: the device is its own until it has told what it found."""
        assert self._process.stdin is not None
        self.waits = False
        with suppress(BrokenPipeError):  # it was stopped as it waited
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """End it, and what it has started."""
        self._stopped = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
