"""A folder held by one process at a time, by a lock that ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

LOCK = ".lock"
"""The file that is locked; it stays, and means nothing by itself."""

_TRIES, _PAUSE = 10, 0.03  # seconds


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Make the folder and hold it against other processes.

    Raises:
        ValueError: Another process holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        raise ValueError(f"{folder} cannot be written: {error.strerror}") from None
    with file:
        if not _held(file):
            raise ValueError(
                f"{folder} is in use: another process works there; accepted: a folder of its own"
            )
        yield


def _held(file: IO[str]) -> bool:
    """Lock the file, unless another process keeps it; one that only looks lets it go at once."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE)
    return False


def is_locked(folder: Path) -> bool:
    """Whether a process holds the folder now."""
    path = folder / LOCK
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
