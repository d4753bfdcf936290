"""How long: does what 29,000 updates show still hold after 100,000?

The step sizes were tuned for 1,000,000 updates. After 29,000 on ProcMaze, ER with the simple agent's step size and
temperature is about as good as the simple agent itself (`mixture`), and in low data, where the tuned step sizes are
smaller, neither has begun to learn (`online`). So the same agents learn for longer, on seeds of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, above
from experiments.runs.scales import ScaleName, steps_for
from experiments.studies.ingredients import PRIORITY
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import variants_study
from experiments.tasks import REGIMES

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": "ProcMaze 4, both regimes, 100,000 updates, 5 seeds that no other study has.",
    "paper": "ProcMaze 4, both regimes, 1,000,000 updates, 30 seeds that no other study has.",
}
AGENTS: tuple[dict[str, Any], ...] = (
    {"agent": "er"},
    {"agent": "simple"},
    {"agent": "simple", "real_share": 1.0},
)
"""The last is ER with the simple agent's step size and temperature."""
_SEED = 100
"""Added to the scale's first seed."""
_SIZE: Mapping[ScaleName, int] = {"smoke": 2, "desk": 4, "paper": 4}


def runs(scale: ScaleName) -> list[PlannedRun]:
    """The three agents in both regimes, high data first."""
    found = []
    for regime in REGIMES:
        extent = {"steps": steps_for(regime, 100_000)} if scale == "desk" else {}
        found += [
            plan(
                "horizon", scale, priority=PRIORITY, seed=_SEED, env="ProcMaze",
                size=_SIZE[scale], regime=regime, **extent, **agent,
            )
            for agent in AGENTS
        ]  # fmt: skip
    return found


def _over(cells: Cells, regime: str, worse: Mapping[str, dict[str, Any]]) -> list[Comparison]:
    found = []
    for size in cells.values("size"):
        of: dict[str, Any] = {"env": "ProcMaze", "size": size, "regime": regime}
        simple = cells.final(agent="simple", **of)
        found += [above(label, simple, cells.final(**of, **each)) for label, each in worse.items()]
    return found


def imagining_helps(cells: Cells) -> list[Comparison]:
    """In high data the simple model's agent ends above itself with real transitions alone."""
    return _over(cells, "high", {"imagined above real": AGENTS[2]})


def low_data_too(cells: Cells) -> list[Comparison]:
    """In low data the simple model's agent ends above ER, and above itself with real transitions alone."""
    return _over(cells, "low", {"above ER": AGENTS[0], "imagined above real": AGENTS[2]})


STUDY = variants_study(
    name="horizon",
    title="Replay and the simple model on ProcMaze for longer",
    source="ours",
    scales=SCALES,
    runs=runs,
    picture="After a long run",
    usual="as it is",
    claims=(
        Claim(
            "H-imagined",
            "On ProcMaze in high data the simple model's agent ends a long run above itself with real transitions "
            "alone",
            "ours",
            imagining_helps,
        ),
        Claim(
            "H-low",
            "On ProcMaze in low data the simple model's agent ends a long run above ER, and above itself with real "
            "transitions alone",
            "ours",
            low_data_too,
        ),
    ),
)
