"""Models that predict rewards and values, and not what is seen: what does that cost (paper, section 5)?

The categorical latent model without its decoder, trained as MuZero's from trajectories of one step or of five, with the
step size and temperature of the categorical model, beside that model and ER. What such a model can know, exactly, is
`mbgen theorem check --value-equivalence`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison
from experiments.runs.scales import ScaleName
from experiments.studies.ingredients import PRIORITY, ingredient_tasks, usual_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "ProcMaze 4, with trajectories of one step and of five, PanFlute 9 and OpenGrid 8 with five; 29,000 updates, 5 "
        "seeds; ER and the categorical model are runs of `online` and `unfactored`. ButtonGrid would need three times "
        "the steps, and is left to the paper's scale."
    ),
    "paper": "All environments at the tuned sizes, one step and five, 1,000,000 updates, 30 seeds.",
}
ONE, FIVE = 1, 5


def runs(scale: ScaleName) -> list[PlannedRun]:
    """ER, the categorical model, and its value-equivalent forms, in high data."""
    found = []
    for env, size in ingredient_tasks(scale).items():
        found += [usual_run(scale, agent, env, size) for agent in ("er", "categorical")]
        lengths = (ONE, FIVE) if env == "ProcMaze" or scale == "paper" else (FIVE,)
        found += [
            plan(
                "value-equivalence", scale, priority=PRIORITY, agent="categorical", env=env,
                size=size, regime="high", value_steps=steps,
            )
            for steps in lengths
        ]  # fmt: skip
    return found


RECONSTRUCTING: dict[str, Any] = {"agent": "categorical"}


def _ahead(steps: int) -> dict[str, Any]:
    """Settings of the value-equivalent model of so many steps."""
    return RECONSTRUCTING | {"value_steps": steps}


def observations_help(cells: Cells) -> list[Comparison]:
    """On ProcMaze the model that reconstructs ends above the value-equivalent one of five steps."""
    return ends_above(cells, "ProcMaze", RECONSTRUCTING, _ahead(FIVE))


def more_steps_help(cells: Cells) -> list[Comparison]:
    """On ProcMaze the value-equivalent model of five steps ends above that of one."""
    return ends_above(cells, "ProcMaze", _ahead(FIVE), _ahead(ONE))


def one_step_is_no_more_than_replay(cells: Cells) -> list[Comparison]:
    """On ProcMaze ER ends above the value-equivalent model of one step."""
    return ends_above(cells, "ProcMaze", {"agent": "er"}, _ahead(ONE))


STUDY = variants_study(
    name="value-equivalence",
    title="Latent models of rewards and values alone",
    source="section 5",
    scales=SCALES,
    runs=runs,
    picture="Models of rewards and values alone",
    usual="as usual",
    claims=(
        Claim(
            "X-observations",
            "On ProcMaze the categorical latent model beats the one that learns rewards and values alone",
            "ours, after section 5",
            observations_help,
        ),
        Claim(
            "X-value-steps",
            "On ProcMaze learning values five steps ahead beats learning them one step ahead",
            "ours, after section 5",
            more_steps_help,
        ),
        Claim(
            "X-value-bellman",
            "On ProcMaze a model that learns rewards and values one step ahead does not beat ER: it ends below",
            "ours, after Theorem 1 for value-equivalent models",
            one_step_is_no_more_than_replay,
        ),
    ),
)
