"""What every benchmark measures by and tells: one record, one timing loop, one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.commands.terminal import console, table
from experiments.storage.json_files import write_json

Work = Callable[[], int]
"""Does something, and says how many of what is counted it did."""


@dataclass(frozen=True)
class Measurement:
    """One number, and what it should be.

    Attributes:
        what: What was measured.
        value: The number, the best of the repeats; None where it could not be run.
        unit: Of the value.
        at_least: The target of what should be high; None if there is none.
        below: The target of what should be low; None if there is none.
        details: What else belongs to it, by name: settings, and other numbers of the same measurement.
    """

    what: str
    value: float | None
    unit: str
    at_least: float | None = None
    below: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The target as text; empty if there is none."""
        if self.at_least is not None:
            return f"{self.at_least:g} or more"
        return "" if self.below is None else f"below {self.below:g}"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none, or nothing was run."""
        if self.value is None:
            return None
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.below is None else self.value < self.below

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        numbers = {"what": self.what, "value": self.value, "unit": self.unit}
        return {**numbers, **self.details, "target": self.target or None, "met": self.met}


def best_rates(*works: Work, seconds: float = 0.0, repeats: int = 3) -> list[float]:
    """How many a second each work does, at its best.

    The works take turns, so that all meet the same machine. Whatever compiles has done so before.

    Args:
        works: What is timed.
        seconds: The least time for one measurement, which is a single call of the work if that takes longer.
        repeats: Measurements of each work; the best counts.
    """
    best = [0.0] * len(works)
    for _ in range(repeats):
        for index, work in enumerate(works):
            start, done, elapsed = time.perf_counter(), 0, 0.0
            while not done or elapsed < seconds:
                done += work()
                elapsed = time.perf_counter() - start
            best[index] = max(best[index], done / elapsed)
    return best


def once(work: Callable[[], object]) -> Work:
    """The work as one of what is counted."""

    def counted() -> int:
        work()
        return 1

    return counted


def present(
    name: str,
    machine: str,
    measurements: Sequence[Measurement],
    settings: Mapping[str, Any],
    json: str | None,
    *notes: str,
) -> int:
    """Print and write what a benchmark measured.

    Args:
        name: Of the benchmark.
        machine: What it ran on, in words.
        measurements: At least one, all with the same names of details.
        settings: How it was measured.
        json: Write it as JSON; "-" is standard output, None nowhere.
        notes: What to know for reading the table.

    Returns:
        The exit status: 1 if a target is missed.
    """
    details = list(measurements[0].details)
    columns = ("", *(detail.replace("_", " ") for detail in details), "measured", "unit")
    rows = [
        (m.what, *(m.details[detail] for detail in details), m.value, m.unit, m.target, m.met)
        for m in measurements
    ]
    screen = console(json)
    screen.print(table(f"mbgen bench {name}: {machine}", (*columns, "target", "met"), rows), *notes)
    figures = [measurement.plain() for measurement in measurements]
    write_json({"machine": machine, **settings, "figures": figures}, json)
    return 1 if any(measurement.met is False for measurement in measurements) else 0


def require_positive(**values: float | None) -> None:
    """Refuse what cannot be measured with.

    Raises:
        ValueError: A value is 0 or less, or a whole number below 1; None passes.
    """
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, int) and value < 1:
            raise ValueError(f"{name} is {value}; accepted: 1 or more")
        if not value > 0:
            raise ValueError(f"{name} is {value}; accepted: more than 0")
