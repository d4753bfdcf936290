"""A stronger replay: is the model's lead over ER one over a weak baseline?

ER with ten times the updates, and ER that replays by priority, with the step size and temperature that were tuned for
ER as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison
from experiments.runs.scales import ScaleName
from experiments.studies.ingredients import PRIORITY, ingredient_tasks, usual_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 steps of learning: that everything runs.",
    "desk": (
        "ProcMaze 4, PanFlute 9 and OpenGrid 8, 30,000 steps, 5 seeds; ER as it is and the simple model are runs of "
        "`online` and `unfactored`. ButtonGrid would need three times the steps, and is left to the paper's scale."
    ),
    "paper": "All environments at the tuned sizes, 1,000,000 steps, 30 seeds.",
}
STRONGER: tuple[dict[str, Any], ...] = ({"updates_per_step": 10}, {"prioritized": True})


def runs(scale: ScaleName) -> list[PlannedRun]:
    """ER as it is and in both stronger forms, and the simple model, in high data."""
    found = []
    for env, size in ingredient_tasks(scale).items():
        found += [usual_run(scale, agent, env, size) for agent in ("er", "simple")]
        found += [
            plan(
                "baselines", scale, priority=PRIORITY, agent="er", env=env, size=size,
                regime="high", **how,
            )
            for how in STRONGER
        ]  # fmt: skip
    return found


def model_beats(**how: Any) -> Callable[[Cells], list[Comparison]]:
    """On ProcMaze the simple model's final performance is above that of ER so strengthened."""

    def compare(cells: Cells) -> list[Comparison]:
        return ends_above(cells, "ProcMaze", {"agent": "simple"}, {"agent": "er", **how})

    return compare


STUDY = variants_study(
    name="baselines",
    title="ER with ten times the updates, and ER by priority",
    source="ours",
    scales=SCALES,
    runs=runs,
    picture="A stronger replay",
    usual="as usual",
    claims=(
        Claim(
            "X-updates",
            "On ProcMaze the simple model beats ER with ten times the updates",
            "ours",
            model_beats(**STRONGER[0]),
        ),
        Claim(
            "X-priority",
            "On ProcMaze the simple model beats prioritized replay",
            "ours, after Schaul et al. (2016)",
            model_beats(**STRONGER[1]),
        ),
    ),
)
