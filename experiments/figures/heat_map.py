"""Heat maps over step size and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.figures.style import GREY, INK, picture

_COLUMNS = 5


class Map(NamedTuple):
    """One heat map.

    Attributes:
        title: Above it.
        rows: Step sizes, ascending.
        columns: Temperatures, ascending.
        values: Final performance; NaN is drawn as missing.
        low: The value at the dark end of the colours: the uniformly random policy's.
        high: The value at the bright end: the best policy's.
        marked: Step size and temperature that are framed.
    """

    title: str
    rows: Sequence[float]
    columns: Sequence[float]
    values: Float[np.ndarray, "row column"]
    low: float
    high: float
    marked: tuple[float, float]


def draw_heat_maps(maps: Sequence[Map], path: Path, title: str) -> None:
    """Maps side by side, each with its own colours from the random to the best policy.

    Args:
        maps: At least one.
        path: Where to; the suffix decides the format.
        title: Of the picture.

    Raises:
        ValueError: The picture cannot be written.
    """
    from matplotlib.patches import Rectangle

    columns = min(len(maps), _COLUMNS)
    rows = -(-len(maps) // columns)
    with picture(path, 4.4 * columns, 3.8 * rows + 0.3) as figure:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        axes = figure.subplots(rows, columns, squeeze=False)
        for spare in axes.flat[len(maps) :]:
            spare.set_axis_off()
        for each, drawn in zip(axes.flat, maps, strict=False):
            each.set_title(drawn.title, fontsize=9.5)
            each.set_facecolor("#DDDFE2")
            image = each.imshow(
                drawn.values, origin="lower", aspect="auto", cmap="cividis",
                vmin=drawn.low, vmax=drawn.high,
            )  # fmt: skip
            each.grid(visible=False)
            each.set_xticks(range(len(drawn.columns)), [f"{v:.3g}" for v in drawn.columns])
            each.set_yticks(range(len(drawn.rows)), [f"{v:.3g}" for v in drawn.rows])
            each.tick_params(axis="x", rotation=45)
            each.set_xlabel("temperature")
            each.set_ylabel("step size of the Q-network")
            row, column = drawn.rows.index(drawn.marked[0]), drawn.columns.index(drawn.marked[1])
            frame = Rectangle(
                (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2
            )
            each.add_patch(frame)
            if drawn.values.size <= 30:
                for (at_row, at_column), value in np.ndenumerate(drawn.values):
                    known = np.isfinite(value)
                    dark = known and value < drawn.low + 0.5 * (drawn.high - drawn.low)
                    each.text(
                        at_column, at_row, f"{value:.3g}" if known else "–", ha="center",
                        va="center", color=GREY if not known else "white" if dark else INK,
                    )  # fmt: skip
            bar = figure.colorbar(image, ax=each, shrink=0.85)
            bar.set_label("uniformly random to best", fontsize=8)
