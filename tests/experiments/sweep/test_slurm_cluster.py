"""A sweep on a real Slurm, which is this machine alone."""

import json
import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from experiments.cli import main
from experiments.runs.settings import run_settings
from experiments.studies.study import PlannedRun
from experiments.sweep.manifest import write_manifest
from experiments.sweep.run_log import RunLog
from experiments.sweep.slurm import SlurmOptions, submit
from tests.experiments.sweep.counting_tasks import break_run, counting_task, is_done, processes
from tests.experiments.sweep.slurm_node import NoStartError, missing_programs, slurm_node

LONG = 10_000


@pytest.fixture(scope="module", autouse=True)
def cluster():
    if missing := missing_programs():
        pytest.skip(f"Slurm is not installed: there is no {', '.join(missing)}")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        try:
            environment = stack.enter_context(slurm_node())
        except NoStartError as reason:
            pytest.skip(str(reason))
        for name in ("PATH", "SLURM_CONF"):
            patch.setenv(name, environment[name])
        yield


class Sweep:
    def __init__(self, folder):
        self.folder = folder
        self.logs = folder / "logs"

    def task(self, name, count=1):
        return counting_task(self.folder, name, count)

    def submit(self, *tasks, **options):
        return submit(tasks, self.logs, SlurmOptions(**options), done=is_done, retries=1)

    def log(self, task):
        return RunLog.of(task.id, self.logs)

    def started(self, *tasks, **options):
        """Submit the tasks and wait until their runs count."""
        self.submit(*tasks, **options)
        wait_until(lambda: all("counting" in self.log(task).tail() for task in tasks))


@pytest.fixture
def sweep(tmp_path):
    yield Sweep(tmp_path)
    slurm("scancel", "--me")
    wait_until(queue_is_empty)


def slurm(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wait_until(holds, seconds=90.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, slurm("squeue", "--long")
        time.sleep(0.2)


def queue_is_empty():
    return not slurm("squeue", "--noheader")


def leave_one_number(task):
    """All but the last number to count in the checkpoint of the task's run; what it had reached before."""
    checkpoint = task.folder / "checkpoint"
    reached = int(checkpoint.read_text())
    checkpoint.write_text(str(LONG - 1))
    return reached


def start_what_waits(task):
    """Once the task's job was put back into the queue, start it sooner than after Slurm's two minutes.

    A node refuses to start a job within the second in which it has ended it.
    """
    waiting = ("squeue", "--noheader", "--array", "--states=PENDING", "--format=%i %r")
    wait_until(lambda: "BeginTime" in slurm(*waiting))
    assert leave_one_number(task) < LONG
    for line in slurm(*waiting).splitlines():  # a job that preempted it may still be ending
        job, reason = line.split(maxsplit=1)
        if reason == "BeginTime":
            slurm("scontrol", "update", f"JobId={job}", "StartTime=now+3")


def parent(process):
    """The process that started a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)[1])


def test_a_sweep_is_submitted_and_left_and_a_run_that_fails_hides_no_other(sweep):
    whole, broken = sweep.task("whole", 10), sweep.task("broken")
    break_run(broken)
    assert sweep.submit(broken, whole).missing == (broken, whole)
    assert sweep.submit(broken, whole).queued == (broken, whole)
    wait_until(queue_is_empty)
    found = sweep.submit(broken, whole)
    assert (found.done, found.failed) == ((whole,), (broken,))
    assert len(processes(broken)) == 2
    assert "the disc is on fire" in sweep.log(broken).tail()


def test_a_cancelled_job_goes_on_from_its_checkpoint_when_its_user_comes_back(sweep):
    task = sweep.task("run", LONG)
    sweep.started(task)
    slurm("scancel", "--me")
    wait_until(queue_is_empty)
    assert leave_one_number(task) < LONG
    assert sweep.submit(task).missing == (task,)
    wait_until(lambda: is_done(task))
    assert sweep.log(task).attempts() == 1


def test_a_job_that_is_killed_is_a_failed_attempt_and_is_submitted_again(sweep):
    task = sweep.task("run", 50)
    sweep.started(task)
    (run,) = processes(task)
    for process in (parent(run), run):
        os.kill(process, signal.SIGKILL)
    wait_until(queue_is_empty)
    assert sweep.submit(task).missing == (task,)
    wait_until(lambda: is_done(task))
    assert sweep.log(task).attempts() == 2


def test_a_preempted_job_goes_on_by_itself(sweep):
    task = sweep.task("run", LONG)
    sweep.started(task)
    slurm("srun", "--partition=urgent", "--cpus-per-task=8", "--mem=1000", "true")
    start_what_waits(task)
    wait_until(lambda: is_done(task))
    assert sweep.log(task).attempts() == 1


def test_a_job_out_of_time_goes_on_by_itself(sweep):
    task, quick = sweep.task("run", LONG), sweep.task("quick")
    sweep.started(task, quick, per_job=2, time=60.0, grace=30.0)
    start_what_waits(task)
    wait_until(lambda: is_done(task))
    assert sweep.log(task).attempts() == 1


def test_the_command_submits_a_sweep_and_comes_back_until_all_is_done(sweep, capsys):
    pytest.importorskip("torch")
    from tests.experiments.runs.killed_runs import TINY

    manifest = sweep.folder / "tiny.jsonl"
    write_manifest(manifest, [PlannedRun("study/run", run_settings(**TINY))])
    command = ["sweep", str(manifest), "--results", str(sweep.folder), "--executor", "slurm"]
    command += ["--memory", str(2**29)]
    assert main([*command, "--partition", "nope"]) == 2
    assert "invalid partition specified: nope" in capsys.readouterr().err
    assert main(command) == 1
    wait_until(queue_is_empty, 300.0)
    assert main(command) == 0


def test_the_command_asks_a_question_in_turns_the_pilot_and_then_a_group(sweep):
    pytest.importorskip("torch")
    out = sweep.folder / "question"
    command = ["ask", "--env", "PanFlute", "--size", "2", "--scale", "smoke", "--seeds", "3"]
    command += ["--groups", "1", "--alpha", "0.01", "--out", str(out)]
    command += ["--executor", "slurm", "--memory", str(2**29)]
    answers = []
    for _turn in range(3):
        assert main(command) == 1  # so few seeds decide nothing at that alpha
        wait_until(queue_is_empty, 300.0)
        answers.append(json.loads((out / "answer.json").read_text())["groups"])
    finished = {path.parent.parent.name for path in out.glob("*/*/summary.json")}
    assert finished == {"pilot", "group-01"}
    assert answers == [0, 0, 1]
