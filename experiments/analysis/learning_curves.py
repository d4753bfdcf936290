"""Numbers that a learning curve comes down to: final performance, and when it first was good."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

FINAL_EVALUATIONS = 10
"""The last evaluations of a lane, whose mean is its final performance (paper, section 4)."""

GOOD_SHARE = 0.9
"""Of the way from the uniformly random policy to the best: where a curve counts as good."""

TAKEN_OFF_SHARE = 0.5
"""Of the same way: where a lane counts as having taken off."""


def final_performance(
    performance: Float[np.ndarray, "lane evaluation"],
) -> Float[np.ndarray, " lane"]:
    """Mean of each lane's last ten evaluations; NaN where the lane diverged."""
    final: np.ndarray = performance[:, -FINAL_EVALUATIONS:].mean(axis=1)
    return final


def steps_to(
    step: Int[np.ndarray, " evaluation"],
    curve: Float[np.ndarray, " evaluation"],
    level: float,
) -> int | None:
    """Environment steps at which the curve first reaches the level; None if it does not."""
    reached = np.flatnonzero(curve >= level)
    return int(step[reached[0]]) if len(reached) else None


def lanes_above(performance: Float[np.ndarray, "lane evaluation"], level: float) -> int:
    """How many lanes' final performance reaches the level."""
    return int((final_performance(performance) >= level).sum())
