"""How an interval looks: a band along a curve, or a bar at a point; neither where nothing is known of the spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from experiments.analysis.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_interval(
    axes: Axes, step: Int[np.ndarray, " evaluation"], interval: Interval, **style: Any
) -> None:
    """The band between its ends, left out where there is none."""
    known = np.isfinite(interval.half_width) & (interval.seeds > 0)
    low, high = (np.where(known, end, np.nan) for end in (interval.low, interval.high))
    axes.fill_between(step, low, high, linewidth=0, **style)


def bar(interval: Interval) -> Float[np.ndarray, "*measured"]:
    """Half of the length of an error bar: 0 where there is none."""
    return np.where(np.isfinite(interval.half_width), interval.half_width, 0.0)
