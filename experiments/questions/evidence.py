"""What the runs of a question say: scores of the seeds, and what the pilot measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.learning_curves import final_performance
from experiments.questions.ingredients import explaining_runs
from experiments.questions.question import Plan, Question
from experiments.runs.run_folder import has_results, read_summary
from experiments.runs.stored_run import Measured, StoredRun, read_run, require_one_version
from experiments.studies.study import PlannedRun

MARGIN_SHARE = 0.1
"""Of the way from the uniformly random policy to the best: the margin where none is given and both are known."""


class Pilot(NamedTuple):
    """What short runs have measured.

    Attributes:
        seconds: That they took in their processes, together.
        more_seconds: That whole runs of all agents take beyond that, at the pace of the last steps, together.
        spread: Standard deviation of a seed's score, within agents; early in learning.
        uniform: Performance of the uniformly random policy, if known.
        optimal: Of the best, if known.
        paid: Whether any agent was ever paid.
    """

    seconds: float
    more_seconds: float
    spread: float
    uniform: float | None
    optimal: float | None
    paid: bool

    @property
    def margin(self) -> float | None:
        """The margin where none is given: a tenth of the way from random to best."""
        if self.uniform is None or self.optimal is None or self.optimal <= self.uniform:
            return None
        return MARGIN_SHARE * (self.optimal - self.uniform)


def scores_of(run: StoredRun) -> Float[np.ndarray, " seed"]:
    """Final performance of each seed; of one that diverged, the worst that it ever had.

    Raises:
        ValueError: A seed diverged before it was evaluated.
    """
    final = final_performance(run.performance)
    for lane in np.flatnonzero(np.isnan(final)):
        known = run.performance[lane][~np.isnan(run.performance[lane])]
        if not len(known):
            raise ValueError(
                f"{run.folder}: seed {run.settings.seeds[lane]} has no performance at any evaluation; "
                "accepted: numbers, where an agent has not diverged"
            )
        final[lane] = known.min()
    return final


def read_pilot(question: Question, out: Path) -> Pilot:
    """What the pilot's runs have measured.

    Raises:
        ValueError: Agents cannot learn here: every episode ends with its first step.
    """
    seconds = more_seconds = 0.0
    spreads, paid, known = [], False, {}
    for planned in question.pilot():
        run, summary = read_run(out / planned.id), read_summary(out / planned.id)
        measured = run.measured
        assert isinstance(measured, Measured)
        lived = planned.settings.steps * len(planned.settings.seeds)
        if _episodes(measured) >= lived:
            raise ValueError(
                f"in {question.env} every episode ends with its first step; accepted: an environment where "
                "there is something to plan"
            )
        paid |= bool(np.any(measured.reward != 0) or np.any(np.nan_to_num(measured.performance)))
        spreads.append(scores_of(run)[None])
        pace = summary["last_steps_per_second"] or summary["steps_per_second"]
        # None where it was killed between its last checkpoint and its summary.
        pace = pace or planned.settings.steps / summary["seconds"]
        seconds += summary["seconds"]
        more_seconds += (question.steps - planned.settings.steps) / pace
        known = summary["reference"]
    return Pilot(
        seconds, more_seconds, spread_of(spreads), known.get("uniform"), known.get("optimal"), paid
    )


def _episodes(measured: Measured) -> float:
    return float(np.nansum(measured.episodes))


def is_finished(planned: PlannedRun, out: Path) -> bool:
    """Whether a run has all its results."""
    return has_results(out / planned.id)


def seconds_of(runs: Sequence[PlannedRun], out: Path) -> float:
    """That the processes of those runs took which are finished, together."""
    made = [run for run in runs if is_finished(run, out)]
    return float(sum(read_summary(out / run.id)["seconds"] for run in made))


def finished_groups(question: Question, out: Path, plan: Plan) -> int:
    """How many groups, from the first on, are complete."""
    for group in range(plan.groups):
        if not all(is_finished(planned, out) for planned in question.group(group)):
            return group
    return plan.groups


def read_groups(question: Question, out: Path, groups: int) -> dict[str, list[StoredRun]]:
    """The runs of the first groups, by agent.

    Raises:
        ValueError: They are of different results versions, or cannot be read.
    """
    runs = {
        agent: [
            read_run(out / planned.id)
            for group in range(groups)
            for planned in question.group(group)
            if planned.settings.agent == agent
        ]
        for agent in question.agents
    }
    require_one_version([run for each in runs.values() for run in each])
    return runs


def read_beside(question: Question, out: Path) -> dict[str, StoredRun | None]:
    """The runs that can say why, by ingredient; None is one that has not finished."""
    return {
        name: read_run(out / run.id) if is_finished(run, out) else None
        for name, run in explaining_runs(question).items()
    }


def reference_of(run: StoredRun) -> dict[str, float]:
    """Performance of the best and of the uniformly random policy in the run's environment, where known."""
    found = read_summary(run.folder)["reference"]
    return {name: found[name] for name in ("optimal", "uniform") if found.get(name) is not None}


def score_table(
    runs: Mapping[str, Sequence[StoredRun]],
) -> dict[str, Float[np.ndarray, "group seed"]]:
    """Scores of each agent."""
    return {agent: np.stack([scores_of(run) for run in each]) for agent, each in runs.items()}


def spread_of(scores: Sequence[Float[np.ndarray, "group seed"]]) -> float:
    """Standard deviation of a seed's score within agents, all counting alike."""
    return float(np.sqrt(np.mean([each.var(ddof=1) for each in scores])))
