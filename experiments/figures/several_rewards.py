"""The gap between H_M and H_B by the number of reward functions that are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import BELLMAN, MAX_NAME, MODEL, picture, short, whole_numbers

if TYPE_CHECKING:
    from theory import SeveralRewards


def draw_gap(report: SeveralRewards, path: Path) -> None:
    """The gap as a share of all pairs of models: its mean over the sets of each size, between least and largest.

    Raises:
        ValueError: if the path cannot be written.
    """
    added = [row.added for row in report.rows]
    pairs = report.models**2
    with picture(path, 6.4, 4.0) as figure:
        axes = figure.subplots()
        axes.fill_between(
            added,
            [row.least / pairs for row in report.rows],
            [row.most / pairs for row in report.rows],
            color=BELLMAN,
            alpha=0.2,
            linewidth=0,
            label="least to largest",
        )
        axes.plot(
            added, [row.mean / pairs for row in report.rows], "s-", color=BELLMAN, label="mean gap"
        )
        closed = [row.closed / row.sets for row in report.rows]
        axes.plot(added, closed, "o--", color=MODEL, label="share of sets without a gap")
        axes.set(xlabel="rewards known besides the class's own", ylabel="share", ylim=(-0.05, 1.05))
        axes.set_title(short(report.name, MAX_NAME), parse_math=False)
        whole_numbers(axes.xaxis)
        axes.legend()
