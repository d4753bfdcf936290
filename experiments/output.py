"""What commands print and write: tables for people, JSON for programs, files that are whole or absent."""

from __future__ import annotations

import json
import math
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

PICTURES = (".png", ".svg", ".pdf")
QUIET_SECONDS = 1.0
PIPE_WIDTH = 120


def console(json_target: str | None = None) -> Console:
    """Where tables go: standard output, or nowhere if JSON has standard output to itself.

    Names are printed as they are: nothing in square brackets is a style.
    """
    closed = sys.stdout is None  # as after `mbgen ... >&-`
    width = PIPE_WIDTH if closed or not sys.stdout.isatty() else None
    quiet = closed or json_target == "-"
    return Console(quiet=quiet, highlight=False, markup=False, emoji=False, width=width)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Group:
    """A titled table with text to the left, and numbers and answers, which never wrap, to the right."""
    drawn = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_header=any(columns))
    for index, column in enumerate(columns):
        text = all(isinstance(row[index], str) for row in rows)
        drawn.add_column(Text(column), justify="left" if text else "right", no_wrap=not text)
    for row in rows:
        drawn.add_row(*(Text(cell(value)) for value in row))
    return Group("", Text(title, style="bold"), drawn)


def facts(title: str, rows: Sequence[tuple[str, object]]) -> Group:
    """A titled table of one fact a line, without a head."""
    return table(title, ("", ""), [(what, cell(value)) for what, value in rows])


def cell(value: object) -> str:
    """A number or answer as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


@contextmanager
def progress(description: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's standard error for work that takes over a second; it is told the fraction done."""
    screen = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
    )
    task = bar.add_task(description, total=1.0)
    start, shown = time.monotonic(), False

    def report(fraction: float) -> None:
        nonlocal shown
        if not shown and screen.is_terminal and time.monotonic() - start > QUIET_SECONDS:
            bar.start()
            shown = True
        if shown:
            bar.update(task, completed=fraction)

    try:
        yield report
    finally:
        if shown:
            bar.stop()


@contextmanager
def waiting(description: str) -> Iterator[None]:
    """A spinner on a terminal's standard error, for work that cannot say how far it is."""
    screen = Console(stderr=True, markup=False)
    with screen.status(description) if screen.is_terminal else nullcontext():
        yield


def plain(value: Any) -> Any:
    """Dataclasses, fractions, paths and tuples as what JSON has; a float that is not a number as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (Fraction, Path)):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(value: Any, target: str | None) -> None:
    """Write JSON to a path, to standard output for "-", or nowhere for None."""
    if target is None:
        return
    text = json.dumps(plain(value), indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
    else:
        write_whole(Path(target), lambda path: path.write_text(text, encoding="utf-8"))


def require_writable(*targets: str | Path | None) -> None:
    """Fail before the work starts, not after, if a result could not be written.

    Raises:
        ValueError: naming the path and what is wrong with it.
    """
    for target in targets:
        if target is not None and target != "-":
            write_whole(Path(target), None)


def require_picture(path: Path | None) -> None:
    """Refuse a picture's path that cannot be written or has no picture's suffix.

    Raises:
        ValueError: naming the path and what is accepted.
    """
    if path is not None and path.suffix.lower() not in PICTURES:
        raise ValueError(f"{path} is no picture's name; accepted: {', '.join(PICTURES)}")
    require_writable(path)


def write_whole(path: Path, write: Callable[[Path], object] | None) -> None:
    """Write a file through a temporary one beside it, so that it is never seen half-written.

    Links are followed; what is no ordinary file, such as a device, is written to as it is.

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
                write(whole)
            return
        part = whole.with_name(f".mbgen-{secrets.token_hex(8)}{whole.suffix}")
        part.touch(exist_ok=False)
        try:
            if write is not None:
                write(part)
                part.replace(whole)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
