"""Ctrl-C stops a command in one line at any moment, in the middle of its imports too."""

import importlib
import signal
import subprocess
import sys
import time

import pytest

from experiments.interrupts import interrupts_between_imports

PRESSED_WHILE_IMPORTED = """
import signal
caught = 0
for _ in range({presses}):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        caught += 1
"""

INTERRUPTED_AT_AN_IMPORT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupter:
    def find_spec(name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Interrupter)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupter)
from experiments.cli import main
sys.exit(main())
"""


@pytest.fixture
def pressed(tmp_path, monkeypatch):
    """Makes a module that is interrupted while it is imported, and catches what is raised there."""
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def module(presses):
        name = f"pressed_{presses}"
        (tmp_path / f"{name}.py").write_text(PRESSED_WHILE_IMPORTED.format(presses=presses))
        return importlib.import_module(name)

    yield module
    signal.signal(signal.SIGINT, before)
    for name in [name for name in sys.modules if name.startswith("pressed_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "module", ["tyro", "experiments.commands.theorem.discount", "numpy", "theory"]
)
def test_ctrl_c_during_an_import_is_told_in_one_line(module):
    code = INTERRUPTED_AT_AN_IMPORT.format(module=module)
    words = ("theorem", "discount", "tabular-3x2-generic")
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"mbgen: interrupted\n")


def test_an_interrupt_waits_for_the_end_of_an_import_and_is_not_lost(pressed):
    caught = []

    def work():
        caught.append(pressed(1).caught)
        time.sleep(60)

    with pytest.raises(KeyboardInterrupt), interrupts_between_imports():
        work()
    assert caught == [0]


def test_a_second_interrupt_does_not_wait(pressed):
    with interrupts_between_imports():
        assert pressed(2).caught == 1


def test_without_an_import_an_interrupt_is_raised_at_once(pressed):
    with pytest.raises(KeyboardInterrupt), interrupts_between_imports():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("others", [signal.SIG_IGN, lambda *_: None])
def test_who_ignores_interrupts_or_answers_them_goes_on_to(pressed, others):
    signal.signal(signal.SIGINT, others)
    with interrupts_between_imports():
        signal.raise_signal(signal.SIGINT)
        assert pressed(1).caught == 0
    assert signal.getsignal(signal.SIGINT) is others


def test_afterwards_all_is_as_before(pressed):
    alarm = signal.getsignal(signal.SIGALRM)
    with interrupts_between_imports():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGALRM) is alarm


def test_an_interrupt_that_a_library_takes_for_an_error_is_one(pressed):
    def interrupted_within_a_comparison():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise TypeError("cannot compare") from None  # as NumPy does

    with pytest.raises(KeyboardInterrupt), interrupts_between_imports():
        interrupted_within_a_comparison()
    with pytest.raises(TypeError, match="cannot compare"), interrupts_between_imports():
        raise TypeError("cannot compare")
