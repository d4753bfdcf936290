"""Steps to near-optimal performance on a frozen model, and how smooth that model is (paper, figure 4, right)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.statistics import mean_interval
from experiments.figures.intervals import bar
from experiments.figures.style import ACCENT, BELLMAN, INK, picture

_STEPS, _REWARD = BELLMAN, ACCENT


class FrozenPoint(NamedTuple):
    """A time at which the model was frozen.

    Attributes:
        model_steps: Environment steps until then.
        steps: Of each seed until near-optimal; NaN if never.
        reward: Of each seed, that the model expects where most ends are active.
    """

    model_steps: int
    steps: Float[np.ndarray, " seed"]
    reward: Float[np.ndarray, " seed"]


def draw_frozen(
    points: Sequence[FrozenPoint], path: Path, *, pipes: int, ends: int, limit: int
) -> None:
    """Both against the time of freezing; an arrow with a number tells how many seeds never came to it.

    Args:
        points: That are there.
        path: Where to; the suffix decides the format.
        pipes: Of the flute.
        ends: Active ones at which the reward is expected.
        limit: Steps that each value function had; a black line.

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 7.6, 4.4) as figure:
        axes = figure.subplots()
        other = axes.twinx()
        other.grid(visible=False)
        other.spines["right"].set_visible(True)
        axes.set_title(
            f"Value functions from scratch on frozen simple models, {pipes} pipes", pad=26
        )
        axes.set_xscale("log")
        axes.set_xlabel("environment steps after which the model was frozen")
        axes.set_ylabel("steps to 95 % of the best", color=_STEPS)
        other.set_ylabel(f"reward expected at {ends} active ends", color=_REWARD)
        when = [point.model_steps for point in points]
        if points:
            axes.set_xticks(when, [f"{each:,}" for each in when])
            axes.minorticks_off()
            steps = [mean_interval(point.steps) for point in points]
            reward = [mean_interval(point.reward) for point in points]
            for place, intervals, colour, marker, line, name in (
                (axes, steps, _STEPS, "o", "-", "mean of the seeds that came to it"),
                (other, reward, _REWARD, "^", "--", "reward that the model expects"),
            ):
                place.errorbar(
                    when, [float(each.estimate) for each in intervals],
                    yerr=[float(bar(each)) for each in intervals],
                    color=colour, marker=marker, linestyle=line, capsize=3, label=name,
                )  # fmt: skip
            for point in points:
                if never := int(np.isnan(point.steps).sum()):
                    axes.annotate(
                        f"{never}", (point.model_steps, limit), (0, 16), textcoords="offset points",
                        ha="center", color=_STEPS, arrowprops={"arrowstyle": "<-", "color": _STEPS},
                    )  # fmt: skip
        axes.axhline(limit, color=INK, linewidth=1.4, label="all the steps there were")
        axes.set_ylim(0, 1.06 * limit)
        other.set_ylim(bottom=0)
        (lines, labels), (others, more) = (a.get_legend_handles_labels() for a in (axes, other))
        figure.legend([*lines, *others], [*labels, *more], loc="outside lower center", ncols=2)
