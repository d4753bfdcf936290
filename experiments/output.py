"""What commands print and write: tables for people, JSON for programs, files that are whole or absent."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Json = Annotated[str | None, tyro.conf.arg(metavar="PATH")]
PICTURES = (".png", ".svg", ".pdf")
QUIET_SECONDS = 1.0
PIPE_WIDTH = 120


def console(json_target: str | None = None) -> Console:
    """Where tables go: standard output, or nowhere if JSON has standard output to itself."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(quiet=json_target == "-", highlight=False, width=width)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Group:
    """A titled table with text to the left, and numbers and answers, which never wrap, to the right."""
    drawn = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_header=any(columns))
    for index, column in enumerate(columns):
        text = all(isinstance(row[index], str) for row in rows)
        drawn.add_column(column, justify="left" if text else "right", no_wrap=not text)
    for row in rows:
        drawn.add_row(*map(cell, row))
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
    """A bar on standard error for work that takes over a second; it is told the fraction done."""
    bar = Progress(
        TextColumn(description),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(description, total=1.0)
    start, shown = time.monotonic(), False

    def report(fraction: float) -> None:
        nonlocal shown
        if not shown and time.monotonic() - start > QUIET_SECONDS:
            bar.start()
            shown = True
        if shown:
            bar.update(task, completed=fraction)

    try:
        yield report
    finally:
        if shown:
            bar.stop()


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
        if target is None or target == "-":
            continue
        path = Path(target)
        if path.is_dir():
            raise ValueError(f"{path} is a folder; accepted: a file to write")
        if not path.parent.is_dir():
            raise ValueError(f"{path} cannot be written: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ValueError(f"{path} cannot be written: permission denied")


def require_picture(path: Path | None) -> None:
    """Refuse a picture's path that cannot be written or has no picture's suffix.

    Raises:
        ValueError: naming the path and what is accepted.
    """
    if path is not None and path.suffix.lower() not in PICTURES:
        raise ValueError(f"{path} is no picture's name; accepted: {', '.join(PICTURES)}")
    require_writable(path)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file through a temporary one beside it, so that it is never seen half-written.

    Raises:
        ValueError: if it cannot be written.
    """
    require_writable(path)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        try:
            write(Path(name))
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
