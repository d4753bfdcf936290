"""Asking: the pilot, the plan, groups of seeds by the sweep's machinery, and a look after each group.

The runs' folders are the truth. The looks are computed anew from them, so that a question that was
killed goes on where it was, and says the same of the groups that were there before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from experiments.analysis.sequential import pair_trace
from experiments.analysis.sequential_answer import Decision, decide
from experiments.analysis.sequential_power import detectable, seeds_needed
from experiments.analysis.statistics import Interval, mean_interval
from experiments.questions.evidence import (
    Pilot,
    finished_groups,
    read_beside,
    read_groups,
    reference_of,
    score_table,
    spread_of,
)
from experiments.questions.ingredients import explaining_runs
from experiments.questions.question import Plan, Question
from experiments.questions.reasons import in_words, reasons
from experiments.runs.lane_settings import LEARNED
from experiments.runs.stored_run import StoredRun
from experiments.studies.study import PlannedRun
from experiments.sweep.local import Ended


class Look(NamedTuple):
    """The question after a group.

    Attributes:
        groups: So far.
        decision: What they come to.
    """

    groups: int
    decision: Decision

    def told(self, plan: Plan) -> str:
        """In words."""
        pair = self.decision.pair
        return (
            f"group {self.groups} of {plan.groups}: {pair.first} less {pair.second} is {pair.difference:.4g}, "
            f"{_between(pair.low, pair.high)}: {self.decision.answer}"
        )


Carry = Callable[[Sequence[PlannedRun], Callable[[], bool], float | None], Ended]
"""Carries out runs until all are done, it is told to stop, or so many seconds are over."""


@dataclass
class Asking:
    """A question under way.

    Attributes:
        question: What is asked.
        plan: What was fixed beforehand.
        out: Its folder.
        tell: Told each look.
    """

    question: Question
    plan: Plan
    out: Path
    tell: Callable[[Look], None]

    def __post_init__(self) -> None:
        self.looks: list[Look] = []
        self.look()

    @property
    def over(self) -> bool:
        """Whether it is answered, or all groups have been looked at."""
        last = self.looks[-1] if self.looks else None
        return last is not None and (self.decided or last.groups == self.plan.groups)

    def look(self) -> None:
        """Look at the groups that have become complete, one after the other, until it is answered."""
        complete = finished_groups(self.question, self.out, self.plan)
        if self.over or complete <= len(self.looks):
            return
        scores = score_table(read_groups(self.question, self.out, complete))
        design = self.plan.design(self.question.alpha, self.question.seed)
        while len(self.looks) < complete and not self.over:
            groups = len(self.looks) + 1
            so_far = {agent: each[:groups] for agent, each in scores.items()}
            self.looks.append(Look(groups, decide(so_far, design, self.question.models)))
            self.tell(self.looks[-1])

    def planned(self) -> list[PlannedRun]:
        """The runs of all groups, the first group first."""
        return [run for group in range(self.plan.groups) for run in self.question.group(group)]

    def ask(self, carry: Carry, seconds: float | None) -> Ended | None:
        """Have the groups run until the question is over, or the time is; None if it was over already.

        Args:
            carry: Carries out runs.
            seconds: That are left; None is no end.
        """
        if self.over:
            return None

        def answered() -> bool:
            self.look()
            return self.over

        ended = carry(self.planned(), answered, seconds)
        self.look()
        return ended

    @property
    def decided(self) -> bool:
        """Whether it has an answer."""
        return bool(self.looks) and self.looks[-1].decision.answer != "undecided"

    def beside(self) -> list[PlannedRun]:
        """The runs that say why, once the question is decided."""
        return list(explaining_runs(self.question).values()) if self.decided else []

    def explain(self, carry: Carry, seconds: float | None) -> Ended | None:
        """Have the runs made that say why; None if there are none to make.

        Args:
            carry: Carries out runs.
            seconds: That are left; None is no end.
        """
        runs = self.beside()
        return carry(runs, lambda: False, seconds) if runs else None

    def answer(self) -> dict[str, Any]:
        """The answer so far, as JSON holds it."""
        question, plan = self.question, self.plan
        content: dict[str, Any] = {
            "title": question.title, "answer": "undecided", "agent": question.models[0],
            "difference": None, "low": None, "high": None, "seeds": 0, "groups": 0,
            "alpha": question.alpha, "margin": plan.margin, "over": self.over,
            "question": question.stored(), "planned_groups": plan.groups, "seeds_needed": None,
            "pairs": [], "looks": [], "reasons": [], "why": "",
        }  # fmt: skip
        if not self.looks:
            return content
        last = self.looks[-1]
        runs = read_groups(question, self.out, last.groups)
        scores = score_table(runs)
        design = plan.design(question.alpha, question.seed)
        decision, pair = last.decision, last.decision.pair
        traces = {
            each.first: pair_trace(scores[each.first], scores[each.second], design)
            for each in decision.pairs
        }
        alone = len(decision.pairs) == 1
        needed = seeds_needed(
            pair.difference, plan.groups, question.alpha, spread_of([scores[pair.first], scores[pair.second]])
        )  # fmt: skip
        reference = reference_of(runs[question.agents[0]][0])
        found = reasons(question, decision, runs, read_beside(question, self.out), reference)
        diverged = {
            agent: sum(int((run.measured.performance[-1] != run.measured.performance[-1]).sum()) for run in each)
            for agent, each in runs.items()
        }  # fmt: skip
        return content | {
            "answer": decision.answer,
            "agent": decision.agent,
            "difference": pair.difference,
            "low": pair.low,
            "high": pair.high,
            "seeds": question.seeds * last.groups,
            "groups": last.groups,
            "seeds_needed": int(needed) if decision.answer == "undecided" and math.isfinite(needed) else None,
            "diverged": diverged,
            "reference": reference,
            "means": {agent: float(each.mean()) for agent, each in scores.items()},
            "pairs": [each._asdict() for each in decision.pairs],
            "looks": [
                {
                    "groups": look.groups,
                    "answer": look.decision.answer,
                    "agent": look.decision.agent,
                    "difference": look.decision.pair.difference,
                    "low": look.decision.pair.low,
                    "high": look.decision.pair.high,
                    "statistic": float(traces[look.decision.agent].statistic[look.groups - 1]),
                    # Several are told apart by closed testing, which has no bound for one of them.
                    "bound": float(traces[look.decision.agent].bound[look.groups - 1]) if alone else None,
                }
                for look in self.looks
            ],
            "reasons": [each._asdict() for each in found],
            "why": in_words(found, decision),
        }  # fmt: skip

    def stored(self) -> list[tuple[str, StoredRun]]:
        """Name and run of all that the answer rests on."""
        if not self.looks:
            return []
        groups = read_groups(self.question, self.out, self.looks[-1].groups)
        runs = [run for each in groups.values() for run in each]
        beside = read_beside(self.question, self.out)
        runs += [run for run in beside.values() if run is not None]
        return [(str(run.folder.relative_to(self.out)), run) for run in runs]

    def curves(self) -> list[tuple[str, Int[np.ndarray, " evaluation"], Interval]]:
        """Of each agent: steps, and the mean performance over the seeds that were looked at."""
        if not self.looks:
            return []
        runs = read_groups(self.question, self.out, self.looks[-1].groups)
        return [
            (
                agent,
                each[0].measured.step,
                mean_interval(np.concatenate([run.performance for run in each])),
            )
            for agent, each in runs.items()
        ]


def what_can_be_decided(question: Question, plan: Plan) -> float | None:
    """The smallest difference found with a probability of 80 %, by the spread of the pilot; None if it had none."""
    if not plan.spread:
        return None
    return detectable(plan.groups, question.alpha, question.seeds, plan.spread)


def group_seconds(pilot: Pilot, taken: float, workers: int) -> float:
    """That a group takes, about.

    Args:
        pilot: What it measured.
        taken: Seconds that all of it took, with the start of its processes.
        workers: Runs side by side.
    """
    return max(taken, pilot.seconds / workers) + pilot.more_seconds / workers


def sentence(content: Mapping[str, Any]) -> str:
    """The answer in words that can be quoted."""
    agent, seeds = content["agent"], content["seeds"]
    if not content["groups"]:
        return "Undecided: no group of seeds is complete yet."
    where = f"in {content['title']}, {content['question']['steps']:,} steps"
    difference = content["difference"]
    told = (
        f"{agent} ends {abs(difference):.4g} {'above' if difference >= 0 else 'below'} er "
        f"(a difference {_between(content['low'], content['high'])}), by {seeds} seeds of each agent "
        f"and alpha {content['alpha']:g}"
    )
    if content["answer"] == "model":
        model = "the learned model" if agent in LEARNED else "an exact model"
        return f"Yes, {where}, {model} helps: {told}."
    if content["answer"] == "replay":
        return f"No, {where}, replay is better: {told}."
    if content["answer"] == "equivalent":
        return f"No, {where}, they differ by less than {content['margin']:.4g}: {told}."
    needed = content["seeds_needed"]
    more = (
        f"; about {needed:,} seeds of each would tell, if the difference is as large as it looks"
        if needed is not None and needed > seeds
        else ""
    )
    return f"Undecided, {where}: {told}{more}."


def _between(low: float | None, high: float | None) -> str:
    ends = [end for end in (low, high) if end is not None and math.isfinite(end)]
    return f"between {low:.4g} and {high:.4g}" if len(ends) == 2 else "with no bounds on it yet"
