"""Does learning change if products are rounded to bfloat16? An equivalence test, its margin fixed before any run.

A run in bfloat16 and one in float32 part after their first update, whatever their seeds, so that final
performances are compared as independent samples. That no difference is seen proves nothing; that it lies
within the margin, with its whole interval, does.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, alike
from experiments.runs.scales import ScaleName, steps_for
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import variants_study
from experiments.tasks import SIZES, TUNED_SIZES

SCALES: Mapping[ScaleName, str] = {
    "smoke": "The smallest sizes, 100 updates: that everything runs.",
    "desk": (
        "The smallest sizes, 5,000 updates, 6 seeds of its own: as many as fit into the desk scale for 18 cells. The "
        "last ten evaluations are nearly all there are, so that the speed of learning counts, not only where it ends."
    ),
    "paper": "The tuned sizes, 1,000,000 updates, 30 seeds.",
}
ENVIRONMENTS = ("ProcMaze", "ButtonGrid", "PanFlute")
AGENTS = ("er", "simple", "categorical")
PRECISIONS = ("highest", "bf16")
MARGIN = 0.1
"""Of the way from the uniformly random policy to the best: less is no change of learning."""

_SEED = 7_000  # added to the scale's first one
_LANES, _UPDATES = 6, 5_000


def runs(scale: ScaleName) -> list[PlannedRun]:
    """Each agent in each environment, in high data, in both precisions from the same seeds."""
    extent = {"lanes": _LANES, "steps": steps_for("high", _UPDATES)} if scale == "desk" else {}
    return [
        plan(
            "precision", scale, priority=5, seed=_SEED, **extent, agent=agent, env=env,
            size=TUNED_SIZES[env] if scale == "paper" else SIZES[env][0],
            regime="high", precision=precision,
        )
        for env in ENVIRONMENTS
        for agent in AGENTS
        for precision in PRECISIONS
    ]  # fmt: skip


def learns_the_same(cells: Cells) -> list[Comparison]:
    """Final performances of both precisions differ by less than the margin, for each agent in each environment."""
    found = []
    for env in ENVIRONMENTS:
        for agent in AGENTS:
            single, half = (
                cells.find(env=env, agent=agent, precision=precision) for precision in PRECISIONS
            )
            label = f"{agent} in {env}"
            if single is None or half is None or single.final is None or half.final is None:
                found.append(Comparison(label))
                continue
            reference = single.reference
            margin = MARGIN * (reference.optimal - reference.uniform)
            found.append(alike(label, single.final, half.final, margin))
    return found


STUDY = variants_study(
    name="precision",
    title="Products in float32 and in bfloat16: whether learning is the same",
    source="ours",
    scales=SCALES,
    runs=runs,
    picture="Products in float32 and in bfloat16",
    usual="as usual",
    claims=(
        Claim(
            "P-bf16",
            "In bfloat16 ER, the simple and the categorical model learn as in float32, within a tenth of the way from"
            " random to best",
            "ours",
            learns_the_same,
        ),
    ),
)
