"""The picture of a run: performance over steps, beside the best and the random policy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from experiments.figures import ACCENT, GREY, MODEL, picture
from experiments.statistics import mean_interval


def draw_learning_curve(
    path: Path,
    title: str,
    step: Int[np.ndarray, " evaluation"],
    performance: Float[np.ndarray, "lane evaluation"],
    *,
    optimal: float,
    uniform: float,
) -> None:
    """Mean over lanes with its 95 % interval, each lane as a thin line, and two reference lines.

    Raises:
        ValueError: The picture cannot be written.
    """
    interval = mean_interval(performance)
    lanes = len(performance)
    with picture(path, 7.0, 4.2) as figure:
        axes = figure.subplots()
        axes.plot(step, performance.T, color=MODEL, linewidth=0.5, alpha=0.35)
        known = np.isfinite(interval.half_width) & (interval.seeds > 0)
        axes.fill_between(
            step,
            np.where(known, interval.low, np.nan),
            np.where(known, interval.high, np.nan),
            color=MODEL,
            alpha=0.2,
            linewidth=0,
            label="95 % interval",
        )
        axes.plot(step, interval.estimate, color=MODEL, label=f"mean of {lanes} lanes")
        axes.axhline(optimal, color=ACCENT, linestyle="--", linewidth=1.2, label="optimal")
        axes.axhline(uniform, color=GREY, linestyle=":", linewidth=1.2, label="uniformly random")
        axes.set_title(title)
        axes.set_xlabel("environment steps of a lane")
        axes.set_ylabel("performance of the greedy policy")
        axes.legend()
