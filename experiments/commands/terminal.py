"""What commands print: tables for people, progress on a terminal."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from experiments.storage.whole_files import require_writable

PICTURES = (".png", ".svg", ".pdf")
QUIET_SECONDS = 1.0
PIPE_WIDTH = 120
LONG = 10**18


def console(json_target: str | None = None) -> Console:
    """Where tables go: standard output, or nowhere if JSON has standard output to itself.

    Names are printed as they are: nothing in square brackets is a style.
    """
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(
        quiet=json_target == "-", highlight=False, markup=False, emoji=False, width=width
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Group:
    """A titled table with text to the left and numbers and answers to the right; single words and these never wrap."""
    drawn = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_header=any(columns))
    for index, column in enumerate(columns):
        text = all(isinstance(row[index], str) for row in rows)
        wraps = text and any(" " in cell(row[index]) for row in rows)
        drawn.add_column(Text(column), justify="left" if text else "right", no_wrap=not wraps)
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
        return f"{value:,}" if abs(value) < LONG else f"about {Decimal(value):.3g}"
    if isinstance(value, float) and not math.isfinite(value):
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def interval_cell(estimate: float, low: float, high: float) -> str:
    """A number with its interval."""
    return f"{cell(estimate)} [{cell(low)}, {cell(high)}]"


class Report(Protocol):
    """Takes the fraction done, and what to say beside the bar from now on; None leaves either as it is."""

    def __call__(self, fraction: float | None, text: str | None = None) -> None: ...


@contextmanager
def progress(description: str) -> Iterator[Report]:
    """A bar on a terminal's standard error, for work that takes over a second; it is told how far the work is."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(description, total=1.0)
    later = threading.Timer(QUIET_SECONDS, bar.start)

    def report(fraction: float | None, text: str | None = None) -> None:
        bar.update(task, completed=fraction, description=text)

    if bar.console.is_terminal:
        later.start()
    try:
        yield report
    finally:
        if bar.console.is_terminal:
            later.cancel()
            later.join()
        if bar.live.is_started:
            bar.stop()


@contextmanager
def waiting(description: str) -> Iterator[None]:
    """A spinner on a terminal's standard error, for work that cannot say how far it is."""
    screen = Console(stderr=True, markup=False)
    with screen.status(description) if screen.is_terminal else nullcontext():
        yield


def require_picture(path: Path | None) -> None:
    """Refuse a picture's path that cannot be written or has no picture's suffix.

    Raises:
        ValueError: naming the path and what is accepted.
    """
    if path is not None and path.suffix.lower() not in PICTURES:
        raise ValueError(f"{path} is no picture's name; accepted: {', '.join(PICTURES)}")
    require_writable(path)
