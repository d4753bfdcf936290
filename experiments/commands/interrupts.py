"""Asking long work to stop in good order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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
