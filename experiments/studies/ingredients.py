"""What the studies of single ingredients share: the tasks, and the runs that they are set beside.

An ingredient is something between replay and a learned model that the paper did not take apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.runs.scales import ScaleName
from experiments.studies.online import ablation_tasks, online_run
from experiments.studies.study import PlannedRun, plan

PRIORITY = 10
"""Of their runs: after all that a claim of the paper needs."""

_CONTROL = {"smoke": {}, "desk": {"OpenGrid": 8}, "paper": {"OpenGrid": 8}}


def ingredient_tasks(scale: ScaleName) -> Mapping[str, int]:
    """Environments and sizes: those of the ablations, and OpenGrid, in which nothing is factored."""
    return {**ablation_tasks(scale), **_CONTROL[scale]}


def usual_run(scale: ScaleName, agent: str, env: str, size: int) -> PlannedRun:
    """The agent as it is, in high data: a run of `online`, or of `unfactored` in OpenGrid."""
    if env != "OpenGrid":
        return online_run(scale, agent, env, size, "high", priority=PRIORITY)
    return plan(
        "unfactored", scale, priority=PRIORITY, agent=agent, env=env, size=size, regime="high"
    )
