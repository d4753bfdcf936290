"""A job of a sweep within Slurm, without Slurm: the job's process, its runs, and the signals it gets."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from experiments.sweep.run_log import RunLog
from tests.experiments.sweep.counting_tasks import break_run, counting_task, is_done, processes

LONG = 10_000


class Jobs:
    """Starts jobs as Slurm does; `requeued` tells what they asked of scontrol."""

    def __init__(self, folder):
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        scontrol = programs / "scontrol"
        scontrol.write_text(f'#!/bin/sh\necho "$@" >> {folder}/scontrol\n')
        scontrol.chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"

    @contextmanager
    def started(self, *tasks, retries=0, threads=1, **environment):
        """The first of two jobs, which carries out the tasks, while it runs."""
        described = [{"id": task.id, "command": task.command} for task in tasks]
        plan = self.logs / "mbgen-1.json"
        plan.write_text(
            json.dumps({"retries": retries, "threads": threads, "jobs": [described, []]})
        )
        slurm = {"PATH": self.path, "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "0"}
        with subprocess.Popen(
            [sys.executable, "-m", "experiments.sweep.slurm_job", str(plan)],
            env=os.environ | slurm | environment,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def carry_out(self, *tasks, **given):
        with self.started(*tasks, **given) as process:
            return process.wait(timeout=60)

    def log(self, task):
        return RunLog.of(task.id, self.logs)

    @property
    def requeued(self):
        file = self.folder / "scontrol"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path)


def wait_until_counting(jobs, *tasks):
    end = time.monotonic() + 30
    while not all("counting" in jobs.log(task).tail() for task in tasks):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_is_carried_out_and_its_output_is_in_its_log(jobs, tmp_path):
    task = counting_task(tmp_path, "run")
    assert jobs.carry_out(task) == 0
    assert is_done(task)
    assert "counting from 0" in jobs.log(task).tail()
    assert jobs.log(task).last() == "finished"


def test_the_runs_of_a_job_run_side_by_side(jobs, tmp_path):
    tasks = [counting_task(tmp_path, name, LONG) for name in "abc"]
    with jobs.started(*tasks) as process:
        wait_until_counting(jobs, *tasks)
        assert process.poll() is None


def test_a_run_that_fails_is_tried_again_up_to_the_cap_and_hides_no_other(jobs, tmp_path):
    broken, whole = counting_task(tmp_path, "broken"), counting_task(tmp_path, "whole", 20)
    break_run(broken)
    assert jobs.carry_out(broken, whole, retries=2) == 1
    assert len(processes(broken)) == 3
    assert is_done(whole)
    assert "the disc is on fire" in jobs.log(broken).tail()
    assert "exit status 3" in jobs.log(broken).tail()


def test_attempts_of_earlier_jobs_count(jobs, tmp_path):
    broken = counting_task(tmp_path, "broken")
    break_run(broken)
    jobs.carry_out(broken, retries=1)
    assert jobs.carry_out(broken, retries=2) == 1
    assert len(processes(broken)) == 3


def test_a_run_that_is_killed_is_tried_again(jobs, tmp_path):
    task = counting_task(tmp_path, "run", 40)
    with jobs.started(task, retries=1) as process:
        wait_until_counting(jobs, task)
        os.kill(processes(task)[0], signal.SIGKILL)
        assert process.wait(timeout=60) == 0
    assert is_done(task)
    assert jobs.log(task).attempts() == 2


def test_near_the_time_limit_runs_write_checkpoints_and_the_job_is_queued_again(jobs, tmp_path):
    short, long = counting_task(tmp_path, "short"), counting_task(tmp_path, "long", LONG)
    with jobs.started(short, long) as process:
        wait_until_counting(jobs, long)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(timeout=60) == 0
    assert jobs.requeued == ["requeue 7_0"]
    assert int((long.folder / "checkpoint").read_text()) < LONG
    assert jobs.log(long).last() == "interrupted"
    assert jobs.log(long).attempts() == 0


def test_a_cancelled_job_leaves_checkpoints_and_is_not_queued_again(jobs, tmp_path):
    task = counting_task(tmp_path, "run", LONG)
    with jobs.started(task, retries=1) as process:
        wait_until_counting(jobs, task)
        os.killpg(process.pid, signal.SIGTERM)  # Slurm tells every process of the job
        assert process.wait(timeout=60) == 0
    assert jobs.requeued == []
    assert (task.folder / "checkpoint").exists()
    assert len(processes(task)) == 1
    assert jobs.log(task).attempts() == 0


def shell_task(results, script):
    """A task whose run is a script of the shell."""
    return replace(counting_task(results, "shell"), command=("sh", "-c", script))


def test_a_run_that_dies_of_its_job_being_cancelled_has_not_failed(jobs, tmp_path):
    task = shell_task(tmp_path, "echo counting; exec sleep 60")
    with jobs.started(task, retries=1) as process:
        wait_until_counting(jobs, task)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert jobs.log(task).attempts() == 0


def test_a_job_that_is_cancelled_near_its_time_limit_stays_cancelled(jobs, tmp_path):
    task = shell_task(tmp_path, "trap '' TERM; echo counting; sleep 1; exit 130")
    with jobs.started(task) as process:
        wait_until_counting(jobs, task)
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert jobs.log(task).last() == "interrupted"
    assert jobs.requeued == []


def test_a_run_that_somebody_interrupts_is_left_alone(jobs, tmp_path):
    task = counting_task(tmp_path, "run", LONG)
    with jobs.started(task, retries=1) as process:
        wait_until_counting(jobs, task)
        os.kill(processes(task)[0], signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert len(processes(task)) == 1
    assert jobs.log(task).attempts() == 0
    assert jobs.requeued == []


def test_an_attempt_that_was_lost_with_its_node_does_not_count_as_a_failure(jobs, tmp_path):
    task = counting_task(tmp_path, "run")
    jobs.log(task).mark("started")
    assert jobs.carry_out(task, SLURM_RESTART_COUNT="1") == 0
    assert jobs.log(task).attempts() == 1


def test_a_run_that_has_finished_is_not_started_again_with_its_job(jobs, tmp_path):
    done, left = (counting_task(tmp_path, name) for name in ("done", "left"))
    assert jobs.carry_out(done) == 0
    for restart in ("1", "2", "3"):
        assert jobs.carry_out(done, left, SLURM_RESTART_COUNT=restart) == 0
    assert len(processes(done)) == len(processes(left)) == 1


def test_an_attempt_that_was_killed_with_its_job_counts_as_a_failure(jobs, tmp_path):
    task = counting_task(tmp_path, "run")
    jobs.log(task).mark("started")
    assert jobs.carry_out(task) == 1
    assert not is_done(task)


def test_a_run_has_the_threads_that_the_sweep_gives_it(jobs, tmp_path):
    task = counting_task(tmp_path, "run")
    prints = (sys.executable, "-c", "import os; print('threads', os.environ['OMP_NUM_THREADS'])")
    jobs.carry_out(replace(task, command=prints), threads=3)
    assert "threads 3" in jobs.log(task).tail()
