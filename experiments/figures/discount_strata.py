"""|H_Q| along gamma, and where an answer changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.style import EQUAL, GREY, MAX_NAME, PROPER, picture, short, whole_numbers

if TYPE_CHECKING:
    from theory.discount.algebraic_numbers import AlgebraicNumber
    from theory.discount.discount_strata import DiscountStrata, Stratum


NEAREST_NAMES = 0.03  # of the width, so that the names of two gammas do not touch


def draw_strata(strata: DiscountStrata, path: Path) -> None:
    """|H_Q| along gamma; the values of gamma where |H_Q| or an answer changes are named, all others are ticks.

    Raises:
        ValueError: if the path cannot be written.
    """
    shown = {
        row.lower
        for before, row, after in zip(
            strata.strata, strata.strata[1:], strata.strata[2:], strict=False
        )
        if row.kind == "point" and len({_seen(before), _seen(row), _seen(after)}) > 1
    }
    with picture(path, 8.0, 4.4) as figure:
        axes = figure.subplots()
        answers = (
            (True, PROPER, "a proper inclusion exists"),
            (False, EQUAL, "$H_M(D) = H_B(D)$ for every realizable $D$"),
        )
        for strict, colour, label in answers:
            rows = [row for row in strata.strata if row.strict == strict]
            for row in rows:
                if row.kind == "interval":
                    ends = row.lower.approximation, row.upper.approximation
                    axes.plot(
                        ends,
                        [row.value_functions] * 2,
                        color=colour,
                        linewidth=3,
                        solid_capstyle="projecting",
                    )
                elif row.lower in shown:
                    where = row.lower.approximation
                    axes.plot([where], [row.value_functions], "o", color=colour, zorder=3)
            if rows:
                axes.plot([], [], color=colour, linewidth=3, label=label)
        others = [n.approximation for n in strata.breakpoints if n not in shown]
        if others:
            axes.plot(
                others,
                [0.02] * len(others),
                "|",
                color=GREY,
                markersize=7,
                transform=axes.get_xaxis_transform(),
                label="only the transitions or values change",
            )
        for number in shown:
            axes.axvline(number.approximation, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
        named = _apart(sorted(shown, key=lambda number: number.approximation))
        top = axes.secondary_xaxis("top")
        top.set_xticks(
            [number.approximation for number in named],
            [_closed(number) for number in named],
            rotation=40,
            ha="left",
            rotation_mode="anchor",
            fontsize=8,
        )
        top.spines["top"].set_visible(False)
        heights = [row.value_functions for row in strata.strata]
        room = max(1.0, 0.12 * (max(heights) - min(heights)))
        axes.set(
            xlim=(0, 1),
            ylim=(min(heights) - room, max(heights) + room),
            xlabel="discount gamma",
            ylabel="distinct optimal q, $|H_Q|$",
        )
        title = f"{short(strata.name, MAX_NAME)}: where in gamma the structure changes"
        axes.set_title(title, parse_math=False)
        whole_numbers(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=3)


def _seen(row: Stratum) -> tuple[int, bool]:
    """What the picture shows of a stratum."""
    return row.value_functions, row.strict


def _apart(numbers: Iterable[AlgebraicNumber]) -> list[AlgebraicNumber]:
    """From left to right, those that keep their distance from the last one taken."""
    taken: list[AlgebraicNumber] = []
    for number in numbers:
        if not taken or number.approximation - taken[-1].approximation >= NEAREST_NAMES:
            taken.append(number)
    return taken


def _closed(number: AlgebraicNumber) -> str:
    if number.closed_form is None or len(number.closed_form) > 24:
        return f"{number.approximation:.4f}\u2026"
    return re.sub(r"\*?sqrt\((\d+)\)", "\u221a\\1", number.closed_form)
