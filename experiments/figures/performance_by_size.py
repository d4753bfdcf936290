"""Final performance by size, a panel for each environment and regime, in the manner of figure 3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.analysis.cells import Cells
from experiments.analysis.reference import Reference
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import bar
from experiments.figures.style import GREY, INK, picture, shared_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_LABELS = {
    "ProcMaze": "grid size",
    "ButtonGrid": "buttons",
    "PanFlute": "pipes",
    "OpenGrid": "grid size",
}
UNITS = {
    "ProcMaze": "return",
    "OpenGrid": "return",
    "ButtonGrid": "reward a step",
    "PanFlute": "reward a step",
}


def draw_performance_by_size(cells: Cells, path: Path) -> None:
    """Final performance: the mean over seeds with its 95 % interval; the best policy dashed, the random one dotted.

    Args:
        cells: Of the study; a cell that has not finished is left out.
        path: Where to; the suffix decides the format.

    Raises:
        ValueError: The picture cannot be written.
    """
    environments = list(dict.fromkeys(cell.settings.env for cell in cells))
    regimes = [name for name in ("high", "low") if cells.values("size", regime=name)]
    width, height = 3.6 * len(environments) + 1.5, 2.9 * len(regimes) + 0.4
    with picture(path, width, height) as figure:
        axes = figure.subplots(len(regimes), len(environments), squeeze=False)
        for row, regime in enumerate(regimes):
            for column, env in enumerate(environments):
                _panel(axes[row, column], cells, env, regime)
        figure.suptitle(
            "Final performance of the greedy policy", x=0.01, ha="left", fontweight="bold"
        )
        shared_legend(figure, [look.label for look in LOOKS.values()])


def _panel(axes: Axes, cells: Cells, env: str, regime: str) -> None:
    sizes = cells.values("size", env=env, regime=regime)
    axes.set_title(f"{env}, {regime} data")
    axes.set_xlabel(SIZE_LABELS[env])
    axes.set_ylabel(f"final performance ({UNITS[env]})")
    if not sizes:
        _leave_empty(axes, "not part of this scale")
        return
    axes.set_xticks(sizes)
    axes.set_xlim(min(sizes) - 0.5, max(sizes) + 0.5)
    agents = [name for name in LOOKS if cells.values("size", env=env, regime=regime, agent=name)]
    step = 0.03 * (max(sizes) - min(sizes) + 1)
    references: dict[int, Reference] = {}
    for place, agent in enumerate(agents):
        look = LOOKS[agent]
        found = [
            (size, cell.mean, cell.reference)
            for size in sizes
            if (cell := cells.find(env=env, regime=regime, size=size, agent=agent)) and cell.mean
        ]
        references |= {size: reference for size, _, reference in found}
        if not found:
            continue
        shift = step * (place - (len(agents) - 1) / 2)  # intervals beside, not behind each other
        x = [size + shift for size, _, _ in found]
        y = [float(mean.estimate) for _, mean, _ in found]
        half = [float(bar(mean)) for _, mean, _ in found]
        axes.errorbar(
            x, y, yerr=half, label=look.label, color=look.colour, marker=look.marker,
            linestyle=look.line, capsize=2.5, elinewidth=1.2, linewidth=1.5,
        )  # fmt: skip
    known = sorted(references)
    if not known:
        _leave_empty(axes, "no run has finished yet")
        return
    best = [references[size].optimal for size in known]
    uniform = [references[size].uniform for size in known]
    axes.plot(known, best, color=INK, linestyle="--", linewidth=1.1, marker="_", label="optimal")
    axes.plot(
        known, uniform, color=GREY, linestyle=":", linewidth=1.3, marker="_", label="uniformly random"
    )  # fmt: skip


def _leave_empty(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, ha="center", va="center", color=GREY, transform=axes.transAxes)
    axes.set_yticks([])
    axes.grid(visible=False)
