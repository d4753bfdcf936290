"""What commands show on a terminal while they work."""

import time

import pytest

from experiments.commands.terminal import cell, progress
from experiments.commands.theorem.estimates import telling
from theory.certificates.hitting_sets import SearchEstimate


def written_until(capsys, text, seconds=20.0):
    """What standard error has got by the time the text is there."""
    written, end = "", time.monotonic() + seconds
    while text not in written and time.monotonic() < end:
        time.sleep(0.01)
        written += capsys.readouterr().err
    return written


def test_work_that_takes_long_is_shown_on_a_terminal_with_the_words_it_gives(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the stream for a terminal
    monkeypatch.setattr("experiments.commands.terminal.QUIET_SECONDS", 0.01)
    with progress("starting") as report:
        assert "starting" in written_until(capsys, "starting")
        report(0.5)
        telling(report, "half of it")(SearchEstimate("size 3", 100.0, 12.3))
        shown = written_until(capsys, "12 s")
    assert "half of it, size 3: about 12 s" in shown
    assert "50%" in shown


def test_quick_work_leaves_nothing_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("working") as report:
        report(1.0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("fails", [False, True])
def test_without_a_terminal_nothing_is_shown(monkeypatch, capsys, fails):
    monkeypatch.setattr("experiments.commands.terminal.QUIET_SECONDS", 0.01)
    try:
        with progress("working") as report:
            report(0.5, "half of it")
            time.sleep(0.1)
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert capsys.readouterr().err == ""


def test_numbers_too_long_to_read_are_rounded_and_others_are_not():
    assert cell(123_456_789) == "123,456,789"
    assert cell(2**2048) == "about 3.23e+616"
