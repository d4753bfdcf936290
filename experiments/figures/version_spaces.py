"""What a dataset leaves open, H_M(D) and H_B(D): by its size, and until optimal behaviour is settled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import (
    BELLMAN,
    GREY,
    MAX_NAME,
    MODEL,
    picture,
    plain_numbers,
    short,
    whole_numbers,
)

if TYPE_CHECKING:
    from theory import Identifiability, TheoremReport


def draw_sizes(report: TheoremReport, path: Path) -> None:
    """|H_M(D)| and |H_B(D)| by |D|, averaged over the datasets of each size.

    Raises:
        ValueError: if the datasets were not gone through, or the path cannot be written.
    """
    if not report.by_size:
        raise ValueError(
            f"{report.name} has too many datasets to draw their sizes; accepted: fewer pairs"
        )
    sizes = [row.size for row in report.by_size]
    with picture(path, 6.4, 4.0) as figure:
        axes = figure.subplots()
        curves = (
            (
                "Bellman equation alone, $|H_B(D)|$",
                [r.mean_HB for r in report.by_size],
                BELLMAN,
                "s-",
            ),
            ("model class, $|H_M(D)|$", [r.mean_HM for r in report.by_size], MODEL, "o--"),
        )
        for label, means, colour, line in curves:
            axes.plot(sizes, means, line, color=colour, label=label)
        positive = min(mean for _, means, _, _ in curves for mean in means) > 0
        axes.set_yscale(
            "log" if positive else "symlog", **({} if positive else {"linthresh": 1e-2})
        )
        plain_numbers(axes)
        axes.set(
            xlabel="transitions observed, |D|",
            ylabel="optimal q left open (mean)",
        )
        title = f"{short(report.name, MAX_NAME)}, gamma = {short(str(report.gamma), 16)}"
        axes.set_title(title, parse_math=False)
        whole_numbers(axes.xaxis)
        axes.legend()


def draw_identifiability(curves: Identifiability, path: Path) -> None:
    """What is left open, and how often optimal behaviour is settled, by the number of observed pairs.

    Raises:
        ValueError: if the path cannot be written.
    """
    observed = [row.observed for row in curves.rows]
    criteria = (
        ("Bellman equation alone, $H_B$", [r.bellman for r in curves.rows], BELLMAN, "s-"),
        ("model class, $H_M$", [r.model for r in curves.rows], MODEL, "o--"),
    )
    with picture(path, 10.0, 4.3) as figure:
        left, right = figure.subplots(1, 2)
        for label, rows, colour, line in criteria:
            left.plot(observed, [r.hypotheses for r in rows], line, color=colour, label=label)
            right.plot(observed, [r.policy for r in rows], line, color=colour, label=label)
            actions = [sum(r.state_action) / len(r.state_action) for r in rows]
            right.plot(observed, actions, ":", color=colour, linewidth=1.2)
        right.plot([], [], ":", color=GREY, label="dotted: one state's action, mean over states")
        left.set_yscale("log")
        plain_numbers(left)
        left.set(ylabel="optimal q left open (mean)")
        left.set_title(short(curves.name, MAX_NAME), parse_math=False)
        right.set(
            ylabel="share of sets that settle it",
            title="an optimal policy is settled",
            ylim=(-0.05, 1.05),
        )
        for axes in (left, right):
            axes.set_xlabel("state-action pairs observed")
            whole_numbers(axes.xaxis)
        figure.legend(
            handles=[*left.get_lines(), right.get_lines()[-1]], loc="outside lower center", ncols=3
        )
