"""What models of PanFlute expect, by the number of active pipe ends (paper, figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.statistics import mean_interval
from experiments.figures.agents import LOOKS, Look
from experiments.figures.intervals import bar
from experiments.figures.style import INK, picture, shared_legend, whole_numbers
from experiments.runs.forecast_table import Forecasts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRUTH = Look("truth (perfect model)", INK, "D", (0, (1, 1)))  # type: ignore[arg-type]


class Expectation(NamedTuple):
    """Whose model expects what."""

    agent: str
    forecasts: Forecasts


def draw_forecasts(found: Sequence[Expectation], path: Path) -> None:
    """Two panels: reward by the ends active now, and the probability that all are next by those active next.

    Args:
        found: Of each model that is there; the truth is drawn from the first one's data.
        path: Where to; the suffix decides the format.

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 10.5, 4.0) as figure:
        reward, active = figure.subplots(1, 2)
        reward.set_title("Expected reward")
        reward.set_xlabel("pipe ends active now")
        reward.set_ylabel("reward of the step")
        active.set_title("Expected probability that all ends are active next")
        active.set_xlabel("pipe ends truly active next")
        active.set_ylabel("probability")
        for agent, forecasts in found:
            _line(reward, LOOKS[agent], forecasts.reward)
            _line(active, LOOKS[agent], forecasts.all_active)
        if found:
            _line(reward, TRUTH, found[0].forecasts.true_reward)
            _line(active, TRUTH, found[0].forecasts.true_all_active)
        for axes in (reward, active):
            whole_numbers(axes.xaxis)
        shared_legend(figure)


def _line(axes: Axes, look: Look, values: Float[np.ndarray, "seed ends"]) -> None:
    mean = mean_interval(values)
    known = mean.seeds > 0
    axes.errorbar(
        np.flatnonzero(known), mean.estimate[known], yerr=bar(mean)[known], label=look.label,
        color=look.colour, marker=look.marker, linestyle=look.line, capsize=2, linewidth=1.6,
    )  # fmt: skip
