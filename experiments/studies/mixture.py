"""Real transitions among the imagined ones: is a little replay enough to repair a poor model?

The Gaussian latent model is poor on ProcMaze. The simple model is good there, and with real transitions
alone its agent is ER with the simple agent's step size and temperature, so that what imagining adds is
told apart from what they do.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison
from experiments.runs.scales import ScaleName
from experiments.studies.ingredients import PRIORITY, ingredient_tasks, usual_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "Simple model on ProcMaze 4, PanFlute 9 and OpenGrid 8, Gaussian model on ProcMaze 4; 29,000 updates, 5 seeds; "
        "the runs without real transitions are those of `online` and `unfactored`. ButtonGrid would need three times "
        "the steps, and is left to the paper's scale."
    ),
    "paper": "Both models on all environments at the tuned sizes, 1,000,000 updates, 30 seeds.",
}
SHARES = (0.05, 0.5, 1.0)


def runs(scale: ScaleName) -> list[PlannedRun]:
    """Each model with every share of real transitions, in high data."""
    found = []
    for env, size in ingredient_tasks(scale).items():
        for agent in ("simple", "gaussian"):
            if agent == "gaussian" and env != "ProcMaze" and scale != "paper":
                continue
            found.append(usual_run(scale, agent, env, size))
            found += [
                plan(
                    "mixture", scale, priority=PRIORITY, agent=agent, env=env, size=size,
                    regime="high", real_share=share,
                )
                for share in SHARES
            ]  # fmt: skip
    return found


def repairs(cells: Cells) -> list[Comparison]:
    """On ProcMaze the Gaussian model with 5 % real transitions ends above that with none."""
    poor = {"agent": "gaussian"}
    return ends_above(cells, "ProcMaze", poor | {"real_share": 0.05}, poor)


def imagining_helps(cells: Cells) -> list[Comparison]:
    """On ProcMaze the simple model's agent ends above itself with real transitions alone."""
    simple = {"agent": "simple"}
    return ends_above(cells, "ProcMaze", simple, simple | {"real_share": 1.0})


STUDY = variants_study(
    name="mixture",
    title="Real transitions among the imagined ones",
    source="ours",
    scales=SCALES,
    runs=runs,
    picture="Real transitions among the imagined ones",
    usual="all imagined",
    claims=(
        Claim(
            "X-repair",
            "On ProcMaze 5 % real transitions repair a poor model (the Gaussian one)",
            "ours, after Voelcker et al. (2024)",
            repairs,
        ),
        Claim(
            "X-imagined",
            "On ProcMaze the simple model's agent loses what it gained if all transitions are real",
            "ours",
            imagining_helps,
        ),
    ),
)
