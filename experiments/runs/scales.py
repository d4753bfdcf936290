"""How much is run: seconds for a test, hours on two cores, or what the paper ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from experiments.runs.settings import LEARNING_STARTS
from experiments.tasks import REGIMES

ScaleName = Literal["smoke", "desk", "paper"]
SCALES: tuple[str, ...] = get_args(ScaleName)


class Extent(NamedTuple):
    """Independent runs, and environment steps of each."""

    lanes: int
    steps: int


def steps_for(regime: str, updates: int) -> int:
    """Environment steps after which a lane has made so many updates."""
    return LEARNING_STARTS + updates // REGIMES[regime].updates_per_step


EXTENTS: Mapping[str, Mapping[str, Extent]] = {
    "smoke": {regime: Extent(2, steps_for(regime, 100)) for regime in REGIMES},
    "desk": {regime: Extent(5, steps_for(regime, 29_000)) for regime in REGIMES},
    "paper": {regime: Extent(30, REGIMES[regime].steps) for regime in REGIMES},
}
"""The usual extent at each scale and in each regime; a study may have its own. Updates happen at all of them."""
