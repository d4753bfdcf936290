"""What the gates of the structured model cost: their price, and the noise with which they learn.

Planned after `structure`, whose model was right less often than the simple one: a pilot on fixed data of ProcMaze,
with none of these seeds, said that this is price and noise together, and not the small networks. Each is taken away
by itself, beside the runs of `structure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from experiments.analysis.claims import Claim
from experiments.runs.scales import ScaleName
from experiments.studies.ingredients import ingredient_tasks
from experiments.studies.structure import (
    FACTORED,
    STRUCTURED,
    earns_more,
    measured_run,
    quality_study,
    right_more_often,
)
from experiments.studies.study import PlannedRun

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": "ProcMaze 4 and PanFlute 9, 29,000 updates, the 5 seeds of `structure`.",
    "paper": "ProcMaze and PanFlute at the tuned sizes, 1,000,000 updates, 30 seeds.",
}
FREE = {**STRUCTURED, "gate_price": 0.0}
NOISELESS = {**STRUCTURED, "gate_noise": False}


def runs(scale: ScaleName) -> list[PlannedRun]:
    """The simple model and the structured one as in `structure`, and the latter without price or without noise."""
    ways: list[tuple[str, Mapping[str, Any]]] = [
        ("structure", {}),
        ("structure", STRUCTURED),
        ("gates", NOISELESS),
        ("gates", FREE),
    ]
    return [
        measured_run(study, scale, env, size, how)
        for env, size in ingredient_tasks(scale).items()
        if env in FACTORED
        for study, how in ways
    ]


STUDY = quality_study(
    name="gates",
    title="What the gates of the structured model cost",
    source="ours, after `structure`",
    scales=SCALES,
    runs=runs,
    picture="What gates cost: their price, and noise in learning",
    claims=(
        Claim(
            "X-gate-price",
            "On ProcMaze, after as many samples, the structured model is right more often about recombined states "
            "where its gates have no price",
            "ours, after a pilot",
            partial(right_more_often, better=FREE, worse=STRUCTURED, envs=("ProcMaze",)),
        ),
        Claim(
            "X-gate-noise",
            "On ProcMaze, after as many samples, the structured model is right more often about recombined states "
            "where its gates learn without noise",
            "ours, after a pilot",
            partial(right_more_often, better=NOISELESS, worse=STRUCTURED, envs=("ProcMaze",)),
        ),
        Claim(
            "X-noiseless-accuracy",
            "On ProcMaze and PanFlute, after as many samples, the structured model without noise in its gates is right "
            "more often than the simple one about recombined states",
            "ours, after a pilot",
            partial(right_more_often, better=NOISELESS, worse={}, envs=FACTORED),
        ),
        Claim(
            "X-noiseless",
            "On ProcMaze the agent of the structured model without noise in its gates beats the simple model's",
            "ours, after a pilot",
            partial(earns_more, structured=NOISELESS),
        ),
    ),
)
