"""Rollouts of 10 steps against 1, with 320 transitions an update either way (paper, appendix I).

With rollouts of one step 320 replayed transitions start them, and the model learns from all 320, as the
paper's text says.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison
from experiments.runs.scales import ScaleName
from experiments.studies.online import ablation_tasks, online_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "ProcMaze 4 and PanFlute 9, simple and perfect model, 29,000 updates, 5 seeds; the runs with 10 steps "
        "are those of `online`. ButtonGrid would need three times the steps, and is left to the paper's scale."
    ),
    "paper": "All three environments at the tuned sizes, 1,000,000 updates, 30 seeds.",
}
AGENTS = ("simple", "perfect")


def runs(scale: ScaleName) -> list[PlannedRun]:
    """Both lengths for each model and task, in high data."""
    found = []
    for env, size in ablation_tasks(scale).items():
        for agent in AGENTS:
            found.append(online_run(scale, agent, env, size, "high", priority=3))
            found.append(
                plan(
                    "rollout-length", scale, priority=3, agent=agent, env=env, size=size,
                    regime="high", rollout_length=1, model_batch_size=320 if agent == "simple" else None,
                )
            )  # fmt: skip
    return found


def longer_is_better(cells: Cells) -> list[Comparison]:
    """By environment, the simple model's final performance with 10 steps is above that with 1."""
    ten, one = ({"agent": "simple", "rollout_length": length} for length in (10, 1))
    return [each for env in cells.values("env") for each in ends_above(cells, env, ten, one)]


STUDY = variants_study(
    name="rollout-length",
    title="Rollouts of 10 steps against 1",
    source="appendix I",
    scales=SCALES,
    runs=runs,
    picture="Length of imagined rollouts",
    usual="rollouts of 10",
    claims=(
        Claim(
            "I-rollout",
            "Rollouts of 10 steps beat rollouts of 1 (simple model)",
            "appendix I",
            longer_is_better,
        ),
    ),
)
