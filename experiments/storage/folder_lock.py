"""A folder held by one process at a time, by a lock that ends with the process, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"
"""The file that is locked; it stays, and means nothing by itself."""


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
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{folder} is in use: another process works there; accepted: a folder of its own"
            ) from None
        yield


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
