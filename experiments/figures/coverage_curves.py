"""Section 2 along training: when seeds come to be right, and models to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from experiments.analysis.statistics import Interval
from experiments.figures.intervals import draw_interval
from experiments.figures.style import ACCENT, BELLMAN, INK, MODEL, picture, shared_legend

_LINES: Mapping[str, tuple[str, str]] = {
    "dqn": (BELLMAN, "-"),
    "1-step": (MODEL, "--"),
    "10-step": (ACCENT, "-."),
}


class CoverageCurve(NamedTuple):
    """One agent on one dataset.

    Attributes:
        coverage: Of the dataset.
        arm: The agent.
        step: Updates at each evaluation.
        right: Share of seeds that are right, in the cell where it is least.
        predicted: Share of next cells that the model predicts; NaN where there is no model.
    """

    coverage: str
    arm: str
    step: Int[np.ndarray, " evaluation"]
    right: Float[np.ndarray, " evaluation"]
    predicted: Interval


def draw_coverage_curves(found: Sequence[CoverageCurve], path: Path) -> None:
    """A column for each dataset: above what agents choose, below what models predict.

    Args:
        found: Of each agent and dataset that is there.
        path: Where to; the suffix decides the format.

    Raises:
        ValueError: The picture cannot be written.
    """
    coverages = list(dict.fromkeys(curve.coverage for curve in found))
    columns = max(len(coverages), 1)
    with picture(path, 3.0 * columns + 2.0, 5.4) as figure:
        axes = figure.subplots(2, columns, squeeze=False, sharex=True, sharey="row")
        axes[0, 0].set_ylabel("share of seeds that are right\nin the worst cell")
        axes[1, 0].set_ylabel("share of next cells\nthat the model predicts")
        for column, coverage in enumerate(coverages):
            above, below = axes[:, column]
            above.set_title(coverage)
            below.set_xlabel("updates")
            above.axhline(0.5, color=INK, linestyle=":", linewidth=1.2, label="majority")
            above.set_ylim(-0.03, 1.03)
            for curve in found:
                if curve.coverage == coverage:
                    colour, line = _LINES[curve.arm]
                    look = {"color": colour, "linestyle": line}
                    above.plot(curve.step, curve.right, label=curve.arm, **look)
                    if curve.predicted.seeds.any():
                        draw_interval(below, curve.step, curve.predicted, color=colour, alpha=0.2)
                        below.plot(curve.step, curve.predicted.estimate, **look)
        shared_legend(figure, tuple(_LINES))
