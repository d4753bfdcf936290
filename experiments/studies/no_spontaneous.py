"""Without spontaneous transitions to rewarding states, and with their second form (paper, appendix I).

The paper adds them so that rewards are seen before they can be earned. Here they are switched off, and
where there is a second form of the event (the layout is drawn anew, the episode ends), that is run too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison
from experiments.runs.scales import ScaleName
from experiments.studies.online import ablation_tasks, online_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study
from experiments.tasks import EVENTS

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "ProcMaze 4 and PanFlute 9, ER and the simple model, 29,000 updates, 5 seeds; what is usual are the runs "
        "of `online`. ButtonGrid would need three times the steps, and is left to the paper's scale."
    ),
    "paper": "All three environments at the tuned sizes, 1,000,000 updates, 30 seeds.",
}
AGENTS = ("er", "simple")


def runs(scale: ScaleName) -> list[PlannedRun]:
    """As usual, without the event, and with its second form, in high data."""
    found = []
    for env, size in ablation_tasks(scale).items():
        for agent in AGENTS:
            of: dict[str, Any] = {"agent": agent, "env": env, "size": size, "regime": "high"}
            found.append(online_run(scale, agent, env, size, "high", priority=4))
            found.append(plan("no-spontaneous", scale, priority=4, **of, spontaneous=False))
            if env in EVENTS:
                second = EVENTS[env][1]
                found.append(plan("no-spontaneous", scale, priority=4, **of, event=second))
    return found


def simple_still_wins(cells: Cells) -> list[Comparison]:
    """On ProcMaze without the event the simple model's final performance is above ER's."""
    simple, er = ({"agent": agent, "spontaneous": False} for agent in ("simple", "er"))
    return ends_above(cells, "ProcMaze", simple, er)


STUDY = variants_study(
    name="no-spontaneous",
    title="Without spontaneous transitions, and with their second form",
    source="appendix I",
    scales=SCALES,
    runs=runs,
    picture="Spontaneous transitions off, and their second form",
    usual="as usual",
    claims=(
        Claim(
            "I-spontaneous",
            "On ProcMaze the simple model beats ER without spontaneous transitions too",
            "ours, after appendix I",
            simple_still_wins,
        ),
    ),
)
