"""A sweep on this machine, with runs that only count."""

import os
import signal
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from experiments.storage.folder_lock import lock
from experiments.sweep import local
from experiments.sweep.local import POLL_SECONDS, Room, carry_out
from experiments.sweep.run_log import RunLog
from tests.experiments.sweep.counting_tasks import break_run, counting_task, is_done, processes

GIBIBYTE = 2**30


def swept(tasks, tmp_path, workers=2, **changed):
    options = {"done": is_done, "rooms": [Room(workers, GIBIBYTE)], "retries": 1}
    return carry_out(tasks, tmp_path / "logs", **options | changed)


def test_every_run_is_carried_out_and_what_is_done_is_not_started_again(tmp_path):
    tasks = [counting_task(tmp_path, name) for name in "abc"]
    ended = swept(tasks, tmp_path)
    assert ended.done == tuple(tasks)
    assert (ended.failed, ended.left, ended.reason) == ((), (), None)
    swept(tasks, tmp_path)
    assert [len(processes(task)) for task in tasks] == [1, 1, 1]


def test_a_run_that_fails_is_tried_again_up_to_the_cap_and_the_others_go_on(tmp_path):
    bad, good = counting_task(tmp_path, "bad"), counting_task(tmp_path, "good")
    break_run(bad)
    ended = swept([bad, good], tmp_path, retries=2)
    assert ended.failed == (bad,)
    assert ended.done == (good,)
    assert len(processes(bad)) == 3
    assert "the disc is on fire" in RunLog.of(bad.id, tmp_path / "logs").tail()


def test_the_order_is_kept_by_one_worker(tmp_path):
    tasks = [counting_task(tmp_path, name) for name in "cab"]
    begun = []
    swept(tasks, tmp_path, workers=1, tell=begun.append)
    assert [line for line in begun if line.startswith("begun")] == [
        f"begun: {task.id}" for task in tasks
    ]


def test_an_interrupt_leaves_checkpoints_from_which_the_next_sweep_goes_on(tmp_path):
    task = counting_task(tmp_path, "long", count=40)
    ended = swept([task], tmp_path, interrupted=lambda: bool(processes(task)))
    assert ended.reason == "interrupted"
    assert ended.left == (task,)
    assert int((task.folder / "checkpoint").read_text()) < 40
    assert RunLog.of(task.id, tmp_path / "logs").last() == "interrupted"
    assert swept([task], tmp_path).done == (task,)
    assert len(processes(task)) == 2


def test_an_interrupted_run_has_the_time_that_its_checkpoint_takes(tmp_path):
    task = counting_task(tmp_path, "slow", count=40, pause=4 * POLL_SECONDS)
    swept([task], tmp_path, interrupted=lambda: bool(processes(task)))
    assert RunLog.of(task.id, tmp_path / "logs").last() == "interrupted"
    assert int((task.folder / "checkpoint").read_text()) < 40


def test_a_second_interrupt_ends_what_is_writing_its_checkpoint(tmp_path):
    """Pressed until it is heard: Python drops an interrupt that comes while it collects garbage.

    Whoever starts the tests in the background of a shell has them ignore interrupts.
    """
    task, over = counting_task(tmp_path, "stuck", count=40, pause=600.0), threading.Event()

    def press():
        while not over.wait(4 * POLL_SECONDS):
            os.kill(os.getpid(), signal.SIGINT)

    def interrupted():
        if found := bool(processes(task)):
            threading.Thread(target=press, daemon=True).start()
        return found

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        ended = swept([task], tmp_path, interrupted=interrupted)
    finally:
        over.set()
        signal.signal(signal.SIGINT, before)
    assert (ended.reason, ended.left) == ("interrupted", (task,))
    assert not (task.folder / "checkpoint").exists()


def test_the_budget_stops_a_sweep_in_good_order(tmp_path):
    tasks = [counting_task(tmp_path, name, count=200) for name in "ab"]

    def begun(_):
        end = time.monotonic() + 60  # what has not begun leaves no checkpoint
        while not processes(tasks[0]) and time.monotonic() < end:
            time.sleep(0.01)

    ended = swept(tasks, tmp_path, workers=1, budget=0.5, report=begun)
    assert ended.reason == "the budget is spent"
    assert ended.left == tuple(tasks)
    assert (tasks[0].folder / "checkpoint").exists()
    assert not tasks[1].folder.exists()


def test_runs_that_do_not_fit_into_memory_together_run_one_after_the_other(tmp_path):
    big = [counting_task(tmp_path, name, count=4, memory=GIBIBYTE) for name in "ab"]
    most = []
    ended = swept(big, tmp_path, report=lambda s: most.append(len(s.running)))
    assert ended.done == tuple(big)
    assert max(most) == 1


def test_each_gpu_has_its_share_of_the_runs_and_each_run_is_told_its_gpu(tmp_path):
    tasks = [counting_task(tmp_path, name, count=20) for name in "abcdef"]
    gpus = [Room(2, GIBIBYTE, {"CUDA_VISIBLE_DEVICES": name}) for name in ("3", "5")]
    most = []
    ended = swept(tasks, tmp_path, rooms=gpus, report=lambda s: most.append(len(s.running)))
    assert ended.done == tuple(tasks)
    assert max(most) == 4
    seen = [RunLog.of(task.id, tmp_path / "logs").tail() for task in tasks[:4]]
    assert [next(gpu for gpu in "35" if f"on GPU {gpu}" in log) for log in seen] == [*"3535"]


def test_a_gpu_without_memory_for_two_runs_has_one_at_a_time(tmp_path):
    tasks = [counting_task(tmp_path, name, count=20, memory=GIBIBYTE) for name in "abc"]
    most = []
    ended = swept(
        tasks, tmp_path, rooms=[Room(2, GIBIBYTE)] * 2, report=lambda s: most.append(len(s.running))
    )
    assert ended.done == tuple(tasks)
    assert max(most) == 2


def test_a_full_disc_stops_a_sweep_before_anything_is_started(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(local.shutil, "disk_usage", lambda _: usage)
    task = counting_task(tmp_path, "a")
    ended = swept([task], tmp_path)
    assert ended.reason == f"the disc of {tmp_path / 'logs'} is full"
    assert not task.folder.exists()


def test_a_run_that_is_killed_is_tried_again(tmp_path):
    task = counting_task(tmp_path, "a", count=10)
    killed = threading.Event()

    def kill(_):
        if processes(task) and not killed.is_set():
            killed.set()
            os.kill(processes(task)[0], signal.SIGKILL)

    ended = swept([task], tmp_path, report=kill)
    assert ended.done == (task,)
    assert len(processes(task)) == 2


def test_a_run_that_another_process_works_on_waits_for_it_and_costs_no_attempt(tmp_path):
    held, free = (counting_task(tmp_path, name) for name in ("held", "free"))
    started = []
    with ExitStack() as another:
        another.enter_context(lock(held.folder))

        def leave(standing):
            if standing.done and not started:
                started.append(processes(held))
                another.close()

        assert swept([held, free], tmp_path, retries=0, report=leave).done == (held, free)
    assert started == [[]]


def test_the_runs_of_a_nice_sweep_are_as_nice(tmp_path, monkeypatch):
    """By their session too, which has a share of its own where Linux gives one to each."""
    groups = Path("/proc/self/autogroup")
    if not groups.exists() or not groups.read_text().strip():
        pytest.skip("processes are not grouped by their session here")
    seen = []

    def look(_):
        for run in processes(task):
            with suppress(OSError):  # it has ended
                seen.append(Path(f"/proc/{run}/autogroup").read_text())

    task = counting_task(tmp_path, "a", count=20)
    monkeypatch.setattr(local.os, "nice", lambda _: 7)
    swept([task], tmp_path, report=look)
    assert seen[-1].split()[-1] == "7"


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_time_left_counts_what_waits_and_what_runs(tmp_path, share, monkeypatch):
    monkeypatch.setattr(local, "_share", lambda _: share)
    tasks = [counting_task(tmp_path, name, count=6, pause=0.1) for name in "ab"]
    standings = []
    swept(tasks, tmp_path, workers=1, report=standings.append)
    first = standings[0]
    assert first.total == 2
    assert first.seconds_left == pytest.approx(0.6 + 0.6 * (1 - share))
