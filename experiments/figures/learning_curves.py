"""Pictures of runs: performance over steps, beside the best and the random policy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from experiments.analysis.statistics import Interval, mean_interval
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import draw_interval
from experiments.figures.style import ACCENT, GREY, INK, MODEL, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    agent: LOOKS[agent].colour for agent in ("er", "simple", "perfect", "categorical", "gaussian")
}
"""Of the agents; a run that is called otherwise takes the first that is left."""


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
        draw_interval(axes, step, interval, color=MODEL, alpha=0.2, label="95 % interval")
        axes.plot(step, interval.estimate, color=MODEL, label=f"mean of {lanes} lanes")
        _draw_frame(axes, title, optimal, uniform, ACCENT)
        axes.legend()


def draw_comparison(
    path: Path,
    title: str,
    curves: Sequence[tuple[str, Int[np.ndarray, " evaluation"], Interval]],
    *,
    optimal: float,
    uniform: float,
) -> None:
    """The mean of each run with its 95 % interval, and two reference lines.

    Args:
        path: Where to.
        title: Of the picture.
        curves: Label, steps, and the mean over lanes at each; an agent's name has its own colour.
        optimal: Of the best policy.
        uniform: Of the uniformly random policy.

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 7.0, 4.2) as figure:
        axes = figure.subplots()
        labels = {label for label, _, _ in curves}
        spare = cycle([_COLOURS[agent] for agent in _COLOURS if agent not in labels] or [INK])
        for label, step, mean in curves:
            colour = _COLOURS.get(label) or next(spare)
            draw_interval(axes, step, mean, color=colour, alpha=0.15)
            first, last = int(mean.seeds[0]), int(mean.seeds[-1])
            lanes = f"{first} lanes" if first == last else f"{first} lanes, at the end {last}"
            # A label that begins with a low line is left out of legends.
            axes.plot(step, mean.estimate, color=colour, label=f"\u200b{label} ({lanes})")
        _draw_frame(axes, title, optimal, uniform, INK)
        legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        for text in legend.get_texts():
            text.set_parse_math(False)


def _draw_frame(axes: Axes, title: str, optimal: float, uniform: float, colour: str) -> None:
    """The two reference lines, that of the best policy in this colour, and what is written around."""
    if np.isfinite(optimal):
        axes.axhline(optimal, color=colour, linestyle="--", linewidth=1.2, label="optimal")
    if np.isfinite(uniform):
        axes.axhline(uniform, color=GREY, linestyle=":", linewidth=1.2, label="uniformly random")
    axes.set_title(title)
    axes.set_xlabel("environment steps of a lane")
    axes.set_ylabel("performance of the greedy policy")
