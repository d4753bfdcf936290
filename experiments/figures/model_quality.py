"""What learned models get right: a panel for each task, by how new a state is and after how many steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.analysis.cells import Cell, Cells, variant
from experiments.analysis.statistics import mean_interval
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import bar
from experiments.figures.style import GREY, picture
from experiments.runs.quality_table import HORIZONS, NOVELTY


def draw_model_quality(cells: Cells, path: Path, title: str) -> None:
    """Accuracy of the model of every agent and variant, with 95 % intervals over seeds.

    Args:
        cells: Of the study, whose runs measure the quality of their models.
        path: Where to; the suffix decides the format.
        title: Of the picture.

    Raises:
        ValueError: The picture cannot be written.
    """
    tasks: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        tasks.setdefault((cell.settings.env, cell.settings.size), []).append(cell)
    groups = [
        f"{novelty}\nafter {horizon} step{'s' * (horizon > 1)}"
        for horizon in HORIZONS
        for novelty in NOVELTY
    ]
    with picture(path, 9.0, 2.6 * max(len(tasks), 1) + 1.0) as figure:
        axes = figure.subplots(max(len(tasks), 1), 1, squeeze=False)[:, 0]
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        for each, ((env, size), own) in zip(axes, tasks.items(), strict=False):
            each.set_title(f"{env} {size}: probability of the whole true state, by its novelty")
            each.set_xticks(range(len(groups)), groups)
            each.set_xlim(-0.5, len(groups) - 0.5)
            each.set_ylim(-0.02, 1.02)
            for place, cell in enumerate(own):
                label = f"{LOOKS[cell.settings.agent].label} {variant(cell.settings)}".strip()
                if cell.run is None or cell.run.model_quality is None:
                    each.annotate(f"{label}: not finished", (0.01, 0.03 + 0.1 * (len(own) - 1 - place)),
                                  xycoords="axes fraction", color=GREY)  # fmt: skip
                    continue
                accuracy = cell.run.model_quality.accuracy.reshape(len(cell.settings.seeds), -1)
                mean = mean_interval(accuracy)
                known = np.flatnonzero(mean.seeds > 0)
                each.errorbar(
                    known + 0.12 * (place - (len(own) - 1) / 2), mean.estimate[known],
                    yerr=bar(mean)[known], label=label, color=LOOKS[cell.settings.agent].colour,
                    marker="so^D"[place % 4], markerfacecolor="white" if place else None,
                    capsize=2, linestyle="none",
                )  # fmt: skip
        told = [
            label for each in axes for label in zip(*each.get_legend_handles_labels(), strict=True)
        ]
        by_label = {label: handle for handle, label in told}
        if by_label:
            figure.legend(by_label.values(), by_label, loc="outside lower left", ncols=2)
