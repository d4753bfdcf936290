"""Variants side by side: a panel for each task, an interval for each agent and variant."""

from __future__ import annotations

from pathlib import Path

from experiments.analysis.cells import Cell, Cells, variant
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import bar
from experiments.figures.performance_by_size import UNITS
from experiments.figures.style import GREY, INK, picture


def draw_variants(cells: Cells, path: Path, title: str, usual: str) -> None:
    """Final performance of every agent and variant, with 95 % intervals and one dot for each seed.

    Args:
        cells: Of the study; a cell that has not finished says so.
        path: Where to; the suffix decides the format.
        title: Of the picture.
        usual: What is written where nothing is varied.

    Raises:
        ValueError: The picture cannot be written.
    """
    tasks: dict[tuple[str, int, str], list[Cell]] = {}
    for cell in cells:
        settings = cell.settings
        tasks.setdefault((settings.env, settings.size, settings.regime), []).append(cell)
    most = max((len(group) for group in tasks.values()), default=1)
    with picture(path, 9.0, len(tasks) * (0.34 * most + 1.0) + 0.4) as figure:
        axes = figure.subplots(max(len(tasks), 1), 1, squeeze=False)[:, 0]
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        for each, ((env, size, regime), group) in zip(axes, tasks.items(), strict=False):
            each.set_title(f"{env} {size}, {regime} data")
            each.set_xlabel(f"final performance ({UNITS[env]})")
            labels = [
                f"{LOOKS[cell.settings.agent].label}, {variant(cell.settings) or usual}"
                for cell in group
            ]
            each.set_yticks(range(len(group)), labels)
            each.set_ylim(len(group) - 0.5, -0.5)
            for row, cell in enumerate(group):
                look = LOOKS[cell.settings.agent]
                if cell.final is None or cell.mean is None:
                    each.annotate("not finished", (0.01, row), xycoords=("axes fraction", "data"),
                                  va="center", color=GREY)  # fmt: skip
                    continue
                filled = look.colour if variant(cell.settings) == "" else "white"
                each.plot(cell.final, [row] * len(cell.final), "|", color=look.colour, alpha=0.5)
                each.errorbar(
                    [float(cell.mean.estimate)], [row], xerr=[float(bar(cell.mean))], color=look.colour,
                    marker=look.marker, markerfacecolor=filled, capsize=3, linestyle="none",
                )  # fmt: skip
            known = [(row, cell.reference) for row, cell in enumerate(group) if cell.run]
            for number, (row, reference) in enumerate(known):  # a variant may have its own
                best, random = ("_", "_") if number else ("optimal", "uniformly random")
                ends = (row - 0.5, row + 0.5)
                each.vlines(reference.optimal, *ends, INK, "--", label=best, linewidth=1.1)
                each.vlines(reference.uniform, *ends, GREY, ":", label=random, linewidth=1.3)
            if known:
                each.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
