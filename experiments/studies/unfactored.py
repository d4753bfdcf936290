"""Without factored structure a model has nothing to generalize by (paper, appendix C).

OpenGrid shows one feature for each cell: what was learned in one says nothing about another. The
paper's size is not in its text; nothing was tuned on it, so that it takes ProcMaze's settings.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, above
from experiments.runs.scales import ScaleName
from experiments.runs.settings import AGENTS
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import variants_study

SCALES: Mapping[ScaleName, str] = {
    "smoke": "2 by 2 cells, 100 updates: that everything runs.",
    "desk": (
        "8 by 8 cells, 29,000 updates, 5 seeds: as many as tell the agents apart on ProcMaze 4, which has "
        "the same rewards and four times the features."
    ),
    "paper": "8 by 8 cells, 1,000,000 updates, 30 seeds.",
}


def _size(scale: ScaleName) -> int:
    return 2 if scale == "smoke" else 8


def runs(scale: ScaleName) -> list[PlannedRun]:
    """ER, the learned models and the perfect one, in high data."""
    return [
        plan(
            "unfactored",
            scale,
            priority=3,
            agent=agent,
            env="OpenGrid",
            size=_size(scale),
            regime="high",
        )
        for agent in AGENTS
    ]


def er_wins(cells: Cells) -> list[Comparison]:
    """ER's final performance is above the simple model's."""
    (size,) = cells.values("size")
    of = {"env": "OpenGrid", "size": size, "regime": "high"}
    er = cells.final(agent="er", **of)
    return [above("ER above the simple model", er, cells.final(agent="simple", **of))]


STUDY = variants_study(
    name="unfactored",
    title="ER against learned models where nothing is factored",
    source="appendix C",
    scales=SCALES,
    runs=runs,
    picture="Without factored structure",
    usual="as usual",
    claims=(
        Claim(
            "C-unfactored",
            "Without factored structure ER beats the learned (simple) model",
            "appendix C",
            er_wins,
        ),
    ),
)
