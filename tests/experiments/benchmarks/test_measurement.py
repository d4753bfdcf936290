"""What every benchmark measures by: the loop, the record and what is told of it."""

import json

import pytest

from experiments.benchmarks.measurement import (
    Measurement,
    best_rates,
    once,
    present,
    require_positive,
)


class Clock:
    """A clock that work moves on."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)

    def work(self, *seconds, done=1):
        """Takes so long in each call, again and again, and does so much in each."""
        calls = iter(seconds * 100)

        def work():
            self.now += next(calls)
            return done

        return work


def test_the_best_repeat_counts(monkeypatch):
    clock = Clock(monkeypatch)
    assert best_rates(clock.work(4.0, 2.0, 8.0), repeats=3) == [0.5]
    assert clock.now == 14.0


def test_a_measurement_takes_the_least_time_and_counts_what_was_done(monkeypatch):
    clock = Clock(monkeypatch)
    assert best_rates(clock.work(1.0, done=5), seconds=2.5, repeats=1) == [5.0]
    assert clock.now == 3.0


def test_works_take_turns(monkeypatch):
    clock, order = Clock(monkeypatch), []

    def named(name):
        def work():
            clock.now += 1.0
            order.append(name)
            return 1

        return work

    best_rates(named("a"), named("b"), repeats=2)
    assert order == ["a", "b", "a", "b"]


def test_one_call_is_one():
    assert once(lambda: "anything")() == 1


@pytest.mark.parametrize(
    ("value", "target", "met", "text"),
    [
        (3.0, {"at_least": 3.0}, True, "3 or more"),
        (2.9, {"at_least": 3.0}, False, "3 or more"),
        (2.9, {"below": 3.0}, True, "below 3"),
        (3.0, {"below": 3.0}, False, "below 3"),
        (3.0, {}, None, ""),
        (None, {"at_least": 3.0}, None, "3 or more"),
    ],
)
def test_a_target_is_met_or_missed(value, target, met, text):
    measurement = Measurement("speed", value, "m/s", **target)
    assert measurement.met is met
    assert measurement.target == text


def test_what_is_told_holds_every_number_and_the_status_says_whether_a_target_is_missed(capsys):
    good = Measurement("one", 5.0, "m/s", at_least=4, details={"lanes": 2})
    bad = Measurement("two", 3.0, "m/s", at_least=4, details={"lanes": 8})
    assert present("test", "a machine", [good], {"repeats": 3}, None, "A note.") == 0
    shown = capsys.readouterr().out
    assert "mbgen bench test: a machine" in shown
    assert "lanes" in shown
    assert "A note." in shown
    assert present("test", "a machine", [good, bad], {"repeats": 3}, "-") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["repeats"] == 3
    assert [figure["lanes"] for figure in told["figures"]] == [2, 8]
    assert [figure["met"] for figure in told["figures"]] == [True, False]


@pytest.mark.parametrize(
    ("value", "accepted"), [(0, "1 or more"), (-2, "1 or more"), (0.0, "more than 0")]
)
def test_what_cannot_be_measured_with_is_refused(value, accepted):
    with pytest.raises(ValueError, match=f"seconds is {value}; accepted: {accepted}"):
        require_positive(threads=None, seconds=value)
