"""How often an optimal policy is settled, by the number of observations of each pair, or of steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import (
    ACCENT,
    BELLMAN,
    GREY,
    MAX_NAME,
    MODEL,
    picture,
    short,
    whole_numbers,
)

if TYPE_CHECKING:
    from theory import SampleCurves
    from theory.criteria.sample_curves import Share


def draw_samples(curves: SampleCurves, path: Path) -> None:
    """The share of samples that settle a policy, with its interval where it was drawn, and that rule the truth out.

    Raises:
        ValueError: if the path cannot be written.
    """
    sides: list[tuple[str, list[int], list[Share], str, str]] = [
        (
            name,
            [row.observations for row in rows],
            [row.model.settled if by_model else row.bellman.settled for row in rows],
            colour,
            line,
        )
        for name, rows, by_model, colour, line in (
            ("Bellman equation alone, $H_B$", curves.rows, False, BELLMAN, "s-"),
            ("model class, $H_M$", curves.rows, True, MODEL, "o--"),
            ("all choices of the same options", curves.product, True, ACCENT, "^:"),
        )
        if rows
    ]
    amounts = [row.observations for row in curves.rows]
    sides.append(
        ("the truth is ruled out", amounts, [r.ruled_out for r in curves.rows], GREY, "x-")
    )
    with picture(path, 7.0, 4.6) as figure:
        axes = figure.subplots()
        for name, x, shares, colour, line in sides:
            axes.plot(x, [share.share for share in shares], line, color=colour, label=name)
            low, high = [share.low for share in shares], [share.high for share in shares]
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        amount = "observations of each pair" if curves.start is None else "steps"
        axes.set(xlabel=amount, ylabel="how often", ylim=(-0.05, 1.05))
        whole_numbers(axes.xaxis)
        title = f"{curves.name}: a policy is settled"
        axes.set_title(short(title, MAX_NAME), parse_math=False)
        figure.legend(loc="outside lower center", ncols=2)
