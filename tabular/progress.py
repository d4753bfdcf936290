"""How long computations tell what share of them is done."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Told the fraction done, from 0 to 1, now and then."""


def silent(fraction: float) -> None:
    """The progress report of who does not want one."""


def part_of(report: Progress, part: int, parts: int) -> Progress:
    """The report of one part, the first is 0, of work in parts that take about as long."""
    return lambda fraction: report((part + fraction) / parts)
