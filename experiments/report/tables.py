"""Tables of a page: a head and rows, and what every page says of the runs that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from experiments.runs.stored_run import StoredRun


class Table(NamedTuple):
    """A table with its head."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def run_table(runs: Iterable[tuple[str, StoredRun]]) -> Table:
    """Where each run was made, with what code, and how long it took.

    Args:
        runs: Name and run.
    """
    columns = ("run", "seeds", "steps", "hours", "processor", "precision", "commit", "clean")
    return Table("What was run", columns, [_run_row(name, run) for name, run in runs])


def hours_of(run: StoredRun) -> float:
    """What its processes took, one after the other."""
    return float(sum(sitting["seconds"] for sitting in run.provenance["sittings"])) / 3600


def _run_row(name: str, run: StoredRun) -> tuple[object, ...]:
    sittings, place = run.provenance["sittings"], run.provenance["place"]
    return (
        name, len(run.settings.seeds), run.settings.steps, hours_of(run),
        _told(sitting["processor"] for sitting in sittings), place["precision"],
        _told((sitting["commit"] or "unknown")[:9] for sitting in sittings),
        _clean([sitting["clean"] for sitting in sittings]),
    )  # fmt: skip


def _clean(told: Sequence[bool | None]) -> bool | str:
    """Whether the code was as committed, wherever that is known."""
    return False if False in told else "unknown" if None in told else True


def _told(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))
