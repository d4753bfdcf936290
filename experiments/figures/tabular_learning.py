"""Learning curves of tables: a panel for each environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from experiments.analysis.statistics import mean_interval
from experiments.figures.style import ACCENT, BELLMAN, GREY, MODEL, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"replay": BELLMAN, "table": ACCENT, "factored": MODEL}


class Panel(NamedTuple):
    """The curves of one environment.

    Attributes:
        title: What stands above them.
        unit: Of performance.
        stops: After how many steps the greedy policy was evaluated; the first is before any.
        performance: Of each agent.
        optimal: The best performance.
        uniform: That of the uniformly random policy.
    """

    title: str
    unit: str
    stops: Int[np.ndarray, " evaluation"]
    performance: Mapping[str, Float[np.ndarray, "seed evaluation"]]
    optimal: float
    uniform: float


def draw_panels(
    panels: Sequence[Panel], names: Mapping[str, str], explained: Mapping[str, str], path: Path
) -> None:
    """Means over seeds with their intervals, and the reference lines.

    Args:
        panels: One for each environment.
        names: Of the agents, for people.
        explained: What each agent learns from, in two lines.
        path: The picture.

    Raises:
        ValueError: The path cannot be written.
    """
    from matplotlib.lines import Line2D

    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    agents = list(panels[0].performance)
    seeds = len(panels[0].performance[agents[0]])
    with picture(path, 3.9 * max(across, 1.6), 3.1 * down + 0.5) as figure:
        grid = list(figure.subplots(down, across, squeeze=False).flat)
        for panel, axes in zip(panels, grid, strict=False):
            _draw_panel(panel, axes)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        handles = [Line2D([], [], color=COLOURS[agent], linewidth=3) for agent in agents]
        if len(grid) > len(panels):
            texts = [f"{names[agent]}\n{explained[agent]}" for agent in agents]
            grid[-1].legend(handles, texts, loc="center left", fontsize=10.5, labelspacing=1.2)
        else:
            texts = [names[agent] for agent in agents]
            figure.legend(handles, texts, loc="outside upper center", ncols=len(agents))
        measured = f"mean of {seeds} seeds, 95 % intervals" if seeds > 1 else "1 seed"
        separator = " " if across > 1 else "\n"
        figure.supxlabel(
            f"steps in the environment{separator}({measured}; exact performance of greedy play)",
            fontsize=10,
        )


def _draw_panel(panel: Panel, axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    stops = panel.stops[1:]
    means = np.stack([values[:, 1:].mean(axis=0) for values in panel.performance.values()])
    best, random = panel.optimal, panel.uniform
    dips = means.min() < random - 0.05 * (best - random)
    for reference, height, above in (("optimal", best, True), ("uniform", random, dips)):
        axes.axhline(height, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.annotate(
            reference,
            (0.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3 if above else -3),
            textcoords="offset points",
            verticalalignment="bottom" if above else "top",
            color=GREY,
            fontsize=8.5,
        )
    for agent, values in panel.performance.items():
        interval = mean_interval(values[:, 1:])
        if interval.seeds.min() > 1:
            axes.fill_between(
                stops, interval.low, interval.high, color=COLOURS[agent], alpha=0.18, linewidth=0
            )
        axes.plot(stops, interval.estimate, color=COLOURS[agent])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps:,g}"))
    axes.set_xlim(stops[0], max(stops[-1], stops[0] + 1))
    axes.margins(y=0.12)
    axes.set_title(panel.title)
    axes.set_ylabel(panel.unit)
