"""A run's log: what it says of attempts, and its last lines."""

import pytest

from experiments.sweep.run_log import RunLog


@pytest.fixture
def log(tmp_path):
    return RunLog.of("study/run", tmp_path)


def marked(log, *events):
    for event in events:
        log.mark(event)
    return log


def test_a_log_that_is_not_there_tells_of_no_attempt(log):
    assert log.attempts() == 0
    assert log.last() is None
    assert log.tail() == ""


@pytest.mark.parametrize(
    ("events", "attempts"),
    [
        (["submitted"], 0),
        (["started", "interrupted", "started", "interrupted"], 0),
        (["started", "failed"], 1),
        (["started", "failed", "started", "interrupted", "started", "failed"], 2),
        (["started", "finished"], 1),
        (["started"], 1),  # its process was killed with everything that could tell
    ],
)
def test_a_start_that_was_not_interrupted_is_an_attempt(log, events, attempts):
    assert marked(log, *events).attempts() == attempts


def test_what_a_process_wrote_before_it_was_killed_hides_no_mark(log):
    marked(log, "started")
    with log.path.open("ab") as file:
        file.write(b"half a line \xff")
    assert marked(log, "failed").last() == "failed"


def test_the_tail_is_the_last_lines_that_say_something(log):
    marked(log, "started")
    with log.path.open("a") as file:
        file.write("first\n\nsecond\nthird\n\n")
    assert log.tail(2) == "second\nthird"
