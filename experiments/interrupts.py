"""Ctrl-C: not lost while modules are imported, nor taken for another error; and long work that stops in good order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.01


@contextmanager
def interrupts_between_imports() -> Iterator[None]:
    """Within, an interrupt in the middle of an import is raised when that is over; a second one at once.

    Importing runs callbacks that drop every exception, and code that catches all of them: an interrupt raised there
    prints a traceback, or the program goes on as if there had been none. Others, as NumPy's comparisons, raise an
    error of their own for it, which is an interrupt after all. Where interrupts are ignored, or somebody else
    answers them, nothing changes.
    """
    waiting = raised = False

    def answer(number: int, frame: FrameType | None) -> None:
        nonlocal waiting, raised
        if _importing(frame) and not (waiting and number == signal.SIGINT):
            waiting = True
            signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_LOOKS)
        else:
            waiting, raised = False, True
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = signal.signal(signal.SIGALRM, answer)
    signal.signal(signal.SIGINT, answer)
    try:
        yield
    except Exception as error:
        if raised:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, before)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Within, the first Ctrl-C or request to end only answers the question whether there was one.

    A second one stops at once.
    """
    seen = False
    before: dict[signal.Signals, Any] = {}

    def note(_number: int, _frame: object) -> None:
        nonlocal seen
        seen = True
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, note)
    try:
        yield lambda: seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
