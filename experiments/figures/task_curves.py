"""Learning curves of a study, a panel for each task (paper, appendix H)."""

from __future__ import annotations

from pathlib import Path

from experiments.analysis.cells import Cell, Cells, variant
from experiments.analysis.statistics import mean_interval
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import draw_interval
from experiments.figures.style import GREY, INK, picture, shared_legend

_COLUMNS = 4
_VARIANT_LINES = ("-", "--", ":", "-.")


def draw_curves(cells: Cells, path: Path) -> None:
    """Performance of the greedy policy over steps: mean over seeds with its 95 % interval.

    An agent has its colour; its variants differ by their lines.

    Args:
        cells: Of a study; tasks of which no run has finished are left out.
        path: Where to; the suffix decides the format.

    Raises:
        ValueError: The picture cannot be written.
    """
    tasks: dict[str, list[Cell]] = {}
    for cell in cells:
        settings = cell.settings
        if cell.run is not None:
            title = f"{settings.env} {settings.size}, {settings.regime} data"
            tasks.setdefault(title, []).append(cell)
    columns = min(max(len(tasks), 1), _COLUMNS)
    rows = -(-len(tasks) // columns) or 1
    with picture(path, 4.2 * columns + 3.6, 3.2 * rows + 0.8) as figure:  # the legend beside
        axes = figure.subplots(rows, columns, squeeze=False)
        for spare in axes.flat[len(tasks) :]:
            spare.set_axis_off()
        for each, (title, group) in zip(axes.flat, sorted(tasks.items()), strict=False):
            each.set_title(title)
            each.set_xlabel("environment steps of a lane")
            each.set_ylabel("performance")
            lines: dict[str, int] = {}
            for cell in group:
                assert cell.run is not None
                agent, varied = cell.settings.agent, variant(cell.settings)
                line = _VARIANT_LINES[lines.setdefault(agent, 0) % len(_VARIANT_LINES)]
                lines[agent] += 1
                look, step = LOOKS[agent], cell.run.measured.step
                mean = mean_interval(cell.run.performance)
                draw_interval(each, step, mean, color=look.colour, alpha=0.15)
                label = f"{look.label}, {varied}" if varied else look.label
                each.plot(
                    step,
                    mean.estimate,
                    color=look.colour,
                    linestyle=line,
                    linewidth=1.6,
                    label=label,
                )
            for number, known in enumerate(dict.fromkeys(cell.reference for cell in group)):
                best, random = ("_", "_") if number else ("optimal", "uniformly random")
                each.axhline(known.optimal, color=INK, linestyle="--", linewidth=1.0, label=best)
                each.axhline(known.uniform, color=GREY, linestyle=":", linewidth=1.2, label=random)
        shared_legend(figure)
