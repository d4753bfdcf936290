"""One job of a sweep, within Slurm: its runs side by side, each tried again if it fails.

    python -m experiments.sweep.slurm_job PLAN.json

The file, written by `experiments.sweep.slurm`, lists the runs of every job of an array; Slurm says
in the environment which job this is. The exit status is 1 if a run has failed for good.

When the time limit is near, Slurm sends this process SIGUSR1: the runs are asked to write a
checkpoint, and the job goes back into the queue. When a job is cancelled or preempted, Slurm sends
SIGTERM to all its processes, the runs among them: nothing is started again here, and whether the
job comes back is Slurm's decision.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.sweep.run_log import RunLog
from experiments.sweep.slurm import ask
from experiments.sweep.task import INTERRUPTED


class Run(NamedTuple):
    """One run of the job.

    Attributes:
        command: The process to start.
        log: Where its output goes.
    """

    command: Sequence[str]
    log: RunLog


class Job:
    """The runs of a job, in processes of their own.

    Attributes:
        name: The job, as `scontrol` knows it.
        retries: How often a run that fails is tried again.
        environment: Of the runs.
        processes: Those that are alive, by their process ids.
        interrupted: Number of runs that were interrupted.
        failed: Number of runs that failed as often as allowed.
        near_limit: Whether Slurm said that the job's time is nearly up.
        ended: Whether Slurm is ending the job.
    """

    def __init__(self, name: str, retries: int, threads: int) -> None:
        self.name = name
        self.retries = retries
        self.environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.processes: dict[int, tuple[subprocess.Popen[bytes], Run]] = {}
        self.interrupted = 0
        self.failed = 0
        self.near_limit = False
        self.ended = False

    def carry_out(self, runs: Sequence[Run]) -> None:
        """Start the runs, and wait until each has finished, failed for good, or been interrupted."""
        signal.signal(signal.SIGUSR1, self._stop_runs)
        signal.signal(signal.SIGTERM, self._note_end)
        for run in runs:
            self._start(run)
        while self.processes:
            number, status = os.wait()
            process, run = self.processes.pop(number)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode == 0:
                run.log.mark("finished")
            elif process.returncode == INTERRUPTED or self.near_limit or self.ended:
                run.log.mark("interrupted", f"with exit status {process.returncode}")
                self.interrupted += 1
            else:
                run.log.mark("failed", f"with exit status {process.returncode}")
                self._start(run)

    def _start(self, run: Run) -> None:
        if run.log.attempts() > self.retries:
            self.failed += 1
            return
        run.log.mark("started", f"in job {self.name} on {os.uname().nodename}")
        with run.log.path.open("ab") as output:
            process = subprocess.Popen(
                run.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
            )
        self.processes[process.pid] = process, run
        if self.near_limit:  # the signal came while the process was being made
            process.terminate()

    def _stop_runs(self, _number: int, _frame: object) -> None:
        self.near_limit = True
        for process, _ in list(self.processes.values()):
            process.terminate()

    def _note_end(self, _number: int, _frame: object) -> None:
        self.ended = True


def main(plan_file: str) -> int:
    """Carry out the job that the environment names; returns the exit status."""
    array, index = (os.environ[f"SLURM_ARRAY_{name}_ID"] for name in ("JOB", "TASK"))
    path = Path(plan_file)
    plan = json.loads(path.read_text(encoding="utf-8"))
    runs = [
        Run(run["command"], RunLog.of(run["id"], path.parent)) for run in plan["jobs"][int(index)]
    ]
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")):
        for run in runs:
            if run.log.last() == "started":  # nobody was left to say how it ended
                run.log.mark("interrupted", "when its job was preempted or its node was lost")
        runs = [run for run in runs if run.log.last() != "finished"]
    job = Job(f"{array}_{index}", plan["retries"], plan["threads"])
    job.carry_out(runs)
    if job.interrupted and job.near_limit and not job.ended:
        ask(["scontrol", "requeue", job.name])
    return 1 if job.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
