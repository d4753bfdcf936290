"""How often an optimal policy is settled over all true models of a class, by what was observed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import (
    BELLMAN,
    GREY,
    MAX_NAME,
    MODEL,
    picture,
    short,
    whole_numbers,
)

if TYPE_CHECKING:
    from theory import AllTruths


def draw_truths(report: AllTruths, path: Path) -> None:
    """The share that settles a policy, in the mean and for the worst truth: by pairs, and by steps.

    Raises:
        ValueError: if the path cannot be written.
    """
    with picture(path, 10.0, 4.3) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, rows, label in zip(
            panels,
            (report.subsets, report.trajectories),
            ("pairs observed, uniformly", "steps of random actions"),
            strict=True,
        ):
            amounts = [row.amount for row in rows]
            for name, sides, colour, line in (
                ("Bellman equation alone, $H_B$", [r.bellman for r in rows], BELLMAN, "s-"),
                ("model class, $H_M$", [r.model for r in rows], MODEL, "o--"),
            ):
                axes.plot(amounts, [s.settled for s in sides], line, color=colour, label=name)
                known = [s.least_settled for s in sides if s.least_settled is not None]
                axes.plot(amounts[: len(known)], known, ":", color=colour, linewidth=1.2)
            axes.set(xlabel=label, ylim=(-0.05, 1.05))
            whole_numbers(axes.xaxis)
        panels[0].set(ylabel="how often a policy is settled")
        panels[0].set_title(short(report.name, MAX_NAME), parse_math=False)
        if report.queries is not None:
            trees = report.queries
            panels[1].set_title(
                f"chosen queries, worst truth: {trees.worst_model} by model, {trees.worst_bellman} by Bellman"
            )
        panels[0].plot([], [], ":", color=GREY, label="dotted: the worst truth")
        handles, _ = panels[0].get_legend_handles_labels()
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
