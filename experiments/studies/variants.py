"""Studies that set agents and variants of them side by side on the same tasks: what all of them have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, above
from experiments.figures.task_curves import draw_curves
from experiments.figures.variants import draw_variants
from experiments.runs.scales import ScaleName
from experiments.studies.study import PlannedRun, Study


def variants_study(
    *,
    name: str,
    title: str,
    source: str,
    scales: Mapping[ScaleName, str],
    runs: Callable[[ScaleName], Sequence[PlannedRun]],
    picture: str,
    usual: str,
    claims: tuple[Claim, ...],
) -> Study:
    """A study whose figure and table are the final performance of every cell.

    Args:
        name: Of its command.
        title: In words.
        source: Figure or section of the paper, or "ours".
        scales: What is run at each scale and why, in words.
        runs: The runs of a scale.
        picture: Title of the figure.
        usual: What the figure says where nothing is varied.
        claims: That it decides.
    """
    return Study(
        name=name,
        title=title,
        source=source,
        scales=scales,
        runs=runs,
        analyse=Cells,
        draw=partial(draw_variants, title=picture, usual=usual),
        rows=Cells.table,
        words=Cells.in_words,
        curves=draw_curves,
        claims=claims,
    )


def ends_above(
    cells: Cells, env: str, better: Mapping[str, Any], worse: Mapping[str, Any]
) -> list[Comparison]:
    """In high data, at each planned size of an environment: the one's final performance is above the other's.

    Args:
        cells: Of the study.
        env: The environment.
        better: Settings of the one, agent and what varies.
        worse: Settings of the other.
    """
    found = []
    for size in cells.values("size", env=env):
        one, other = (
            cells.final(env=env, size=size, regime="high", **of) for of in (better, worse)
        )
        found.append(above(f"{env} {size}", one, other))
    return found
