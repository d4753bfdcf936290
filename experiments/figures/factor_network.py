"""The dynamic Bayesian network of an environment's factors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import ACCENT, BELLMAN, GREY, INK, MODEL, PAPER, picture

if TYPE_CHECKING:
    from tabular import FactoredStructure


def draw_network(title: str, structure: FactoredStructure, path: Path) -> None:
    """The two-slice network: factors now on the left, what follows on the right."""
    from matplotlib.patches import FancyArrowPatch

    from tabular import dynamic_bayesian_network

    graph = dynamic_bayesian_network(structure)
    cause = ("cause", 0)
    slices = [[node for node in graph if node[1] == side and node != cause] for side in (0, 1)]
    place = {node: (float(node[1]), -row) for nodes in slices for row, node in enumerate(nodes)}
    rows = len(slices[1]) + 1
    outlines = {"cause": BELLMAN, "reward": ACCENT, "terminal": ACCENT}
    if cause in graph:
        place[cause] = (0.5, 1 - rows)
    with picture(path, 7.0, 1.4 + 0.42 * rows) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set(xlim=(-0.45, 1.45), ylim=(-rows + 0.4, 0.9))
        for start, end in graph.edges:
            colour = MODEL
            if start[0] == end[0]:
                colour = GREY
            elif cause in (start, end):
                colour = BELLMAN
            axes.add_patch(
                FancyArrowPatch(
                    place[start],
                    place[end],
                    arrowstyle="-|>",
                    mutation_scale=9,
                    shrinkA=6,
                    shrinkB=6,
                    color=colour,
                    alpha=0.8,
                    linewidth=1.1,
                )
            )
        for node, (x, y) in place.items():
            outline = outlines.get(node[0], INK)
            axes.plot(x, y, "o", markersize=9, color=PAPER, markeredgecolor=outline)
            axes.text(
                x + (0.05 if x else -0.05),
                y,
                node[0],
                horizontalalignment="left" if x else "right",
                verticalalignment="center",
            )
        axes.text(0, 0.65, "now", horizontalalignment="center", color=GREY)
        axes.text(1, 0.65, "next", horizontalalignment="center", color=GREY)
        axes.set_title(title, fontsize=8)
        figure.supxlabel(
            "An edge: some action needs it, once the cause is given.  Grey: a factor's own past.",
            fontsize=9,
        )
