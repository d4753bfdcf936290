"""Files that are whole or absent, and checks before the work that they can be written."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

PART = ".mbgen-"
"""With what the name of a file begins that is being written."""

LONGEST_WRITE = 3600.0
"""Seconds without a change after which such a file has been left behind by a process that was killed."""


def write_whole(path: Path, write: Callable[[Path], object] | None) -> None:
    """Write a file through a temporary one beside it, so that it is never seen half-written.

    The new file is on the disc before it takes the old one's place: after a crash one of the two is
    there, whole. Links are followed; what is no ordinary file, such as a device, is written to as it is.
    What a process that was killed left half-written beside it an hour ago or earlier is removed.

    Args:
        path: the file.
        write: is given the path to write to; None to try only whether it could.

    Raises:
        ValueError: if it cannot be written.
    """
    try:
        whole = path.resolve()
        if whole.is_dir():
            raise ValueError(f"{path} is a folder; accepted: a file to write")
        if not whole.parent.is_dir():
            raise ValueError(f"{path} cannot be written: there is no folder {path.parent}")
        if whole.exists() and not whole.is_file():
            if write is not None:
                write(path)
            return
        _remove_left_behind(whole.parent)
        part = whole.with_name(f"{PART}{secrets.token_hex(8)}{path.suffix}")
        part.touch(exist_ok=False)
        try:
            if write is not None:
                write(part)
                _flush(part)
                part.replace(whole)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None


def write_text(path: Path, text: str) -> None:
    """Write a text, in UTF-8, as :func:`write_whole` does."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def require_writable(*targets: str | Path | None) -> None:
    """Fail before the work starts, not after, if a result could not be written.

    Raises:
        ValueError: naming the path and what is wrong with it.
    """
    for target in targets:
        if target is not None and target != "-":
            write_whole(Path(target), None)


def names_in(folder: Path) -> set[str]:
    """What the folder holds, without what is or was being written."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(PART)}


def make_folder(path: Path) -> None:
    """Make a folder, and those that it lies in, where there are none.

    Raises:
        ValueError: naming the folder and why it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be made a folder: {error.strerror}") from None


def require_folder(path: Path, *, overwrite: bool) -> None:
    """Refuse a folder for results that cannot be made, or holds something already.

    Raises:
        ValueError: naming the folder and what is wrong with it.
    """
    try:
        if path.is_dir():
            if names_in(path) and not overwrite:
                raise ValueError(f"{path} is not empty; accepted: a new folder, or --overwrite")
            with TemporaryFile(dir=path):
                pass
        elif path.exists():
            raise ValueError(f"{path} is no folder; accepted: a folder for the results")
        else:
            write_whole(path, None)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None


def _remove_left_behind(folder: Path) -> None:
    """Remove what killed processes left half-written, where it may be removed."""
    for part in folder.glob(f"{PART}*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > LONGEST_WRITE:
                part.unlink()


def _flush(path: Path) -> None:
    """Wait until the disc holds the file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
