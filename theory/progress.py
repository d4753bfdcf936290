"""How long computations tell what share of them is done."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Told the fraction done, from 0 to 1, now and then."""


def silent(fraction: float) -> None:
    """The progress report of who does not want one."""
