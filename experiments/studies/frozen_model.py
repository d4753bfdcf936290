"""How useful a simple model is that was frozen early, late, or in between (paper, figure 4, right).

A model learns online for some steps and is frozen; then a Q-network begins from scratch, acts, fills a
buffer of its own, and learns from the frozen model's rollouts alone. Which model comes out soonest at a
near-optimal greedy policy?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.claims import Claim, Comparison, above, both, either
from experiments.analysis.learning_curves import final_performance
from experiments.analysis.reference import reference_of
from experiments.analysis.statistics import CONFIDENCE, mean_interval
from experiments.figures.frozen_model import FrozenPoint, draw_frozen
from experiments.runs.scales import ScaleName
from experiments.runs.settings import RunSettings
from experiments.runs.stored_run import StoredRun
from experiments.studies.study import PlannedRun, Study, plan

SCALES: Mapping[ScaleName, str] = {
    "smoke": "3 pipes, a model of 100 and of 200 updates, 100 updates on each: that everything runs.",
    "desk": (
        "7 pipes, 6 seeds, 40,000 steps on each frozen model. On 9 pipes no agent comes near the best within "
        "30,000 steps of the study `online`; on 7 pipes a pilot with 10 seeds of the simple model, still learning, "
        "was a third of the way after 10,000, while the perfect model had not moved after 30,000."
    ),
    "paper": "9 pipes, 1,000,000 steps on each frozen model, 30 seeds.",
}
NEAR_OPTIMAL = 0.95
"""Of the best greedy performance: where it counts as near-optimal (paper, figure 4)."""

SMOOTHNESS = 2 / 3
"""Of the ends active: the expected reward there tells how smooth a model is; 6 of 9 in the paper."""


class Plan(NamedTuple):
    """What is run at a scale.

    Attributes:
        pipes: Of the flute.
        lanes: Independent runs.
        model_steps: Environment steps after which the model is frozen; a run for each.
        steps: That the Q-network then has.
    """

    pipes: int
    lanes: int
    model_steps: tuple[int, ...]
    steps: int


PLANS: Mapping[ScaleName, Plan] = {
    "smoke": Plan(3, 2, (1_100, 1_200), 1_100),
    "desk": Plan(7, 6, (2_000, 5_000, 10_000, 20_000, 40_000), 40_000),
    "paper": Plan(
        9,
        30,
        (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000),
        1_000_000,
    ),
}


def runs(scale: ScaleName) -> list[PlannedRun]:
    """A run for each time at which the model is frozen; the seeds, and so the training, are the same."""
    planned = PLANS[scale]
    return [
        plan(
            "frozen-model", scale, priority=2, agent="simple", env="PanFlute", size=planned.pipes,
            regime="high", lanes=planned.lanes, steps=model_steps + planned.steps,
            model_steps=model_steps, forecasts=True,
        )
        for model_steps in planned.model_steps
    ]  # fmt: skip


class Frozen(NamedTuple):
    """What came of a model that was frozen at one time.

    Attributes:
        pipes: Of the flute.
        model_steps: Environment steps that the model had learned from, or seen.
        limit: Steps that the Q-network had.
        seeds: How many were planned.
        steps: Of each seed's Q-network until its greedy policy was near-optimal; NaN if it never was; None if
            the run has not finished.
        smoothness: Of each seed, the reward that the model expects where two thirds of the ends are active.
        final: Of each seed, the mean performance of its last ten evaluations, as a share of the best.
    """

    pipes: int
    model_steps: int
    limit: int
    seeds: int
    steps: Float[np.ndarray, " seed"] | None
    smoothness: Float[np.ndarray, " seed"] | None
    final: Float[np.ndarray, " seed"] | None

    @property
    def censored(self) -> Float[np.ndarray, " seed"] | None:
        """The steps, with the limit where the policy never was near-optimal: at least so many."""
        return (
            None if self.steps is None else np.where(np.isnan(self.steps), self.limit, self.steps)
        )

    @property
    def never(self) -> int | None:
        """Seeds that never were near-optimal."""
        return None if self.steps is None else int(np.isnan(self.steps).sum())


def analyse(planned: Sequence[RunSettings], stored: Mapping[str, StoredRun]) -> list[Frozen]:
    """When each seed was near-optimal, by the time at which its model was frozen."""
    found = []
    for settings in planned:
        assert settings.model_steps is not None
        run = stored.get(settings.digest)
        found.append(
            Frozen(
                settings.size,
                settings.model_steps,
                settings.steps - settings.model_steps,
                len(settings.seeds),
                None if run is None else steps_until_near_optimal(run, settings),
                None if run is None or run.forecasts is None
                else run.forecasts.reward[:, round(SMOOTHNESS * settings.size)],
                None if run is None
                else final_performance(run.performance) / reference_of(settings.env, settings.size).optimal,
            )
        )  # fmt: skip
    return found


def steps_until_near_optimal(run: StoredRun, settings: RunSettings) -> Float[np.ndarray, " seed"]:
    """Of the Q-network that began from scratch; NaN where it did not come to it."""
    level = NEAR_OPTIMAL * reference_of(settings.env, settings.size).optimal
    step = run.measured.step - (settings.model_steps or 0)
    reached = (run.performance >= level) & (step > 0)
    first = reached.argmax(axis=1)
    return np.where(reached.any(axis=1), step[first].astype(float), np.nan)


def intermediate_is_soonest(found: list[Frozen]) -> list[Comparison]:
    """Some model that is neither the first nor the last leads sooner than both of them.

    Seeds that never were near-optimal count with all the steps that they had. The intervals are widened by
    Bonferroni for the number of models that could be that one.
    """
    first, *between, last = found
    confidence = 1 - (1 - CONFIDENCE) / max(len(between), 1)
    ways = [
        both(
            "",
            above("", first.censored, each.censored, confidence),
            above("", last.censored, each.censored, confidence),
        )
        for each in between
    ]
    return [either("steps saved by an intermediate model", *ways)] if ways else []


def draw(found: list[Frozen], path: Path) -> None:
    """Figure 4, right."""
    points = [
        FrozenPoint(each.model_steps, each.steps, each.smoothness)
        for each in found
        if each.steps is not None and each.smoothness is not None
    ]
    ends = round(SMOOTHNESS * found[0].pipes)
    draw_frozen(points, path, pipes=found[0].pipes, ends=ends, limit=found[0].limit)


def rows(found: list[Frozen]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """By the time at which the model was frozen; the share of the best is that of the last ten evaluations."""
    columns = (
        "frozen after", "seeds", "steps to 95 %", "±", "never",
        "share of best", "± ", "expected reward", "±  ",
    )  # fmt: skip
    table: list[Sequence[object]] = []
    for each in found:
        head = (each.model_steps, each.seeds)
        if each.steps is None or each.smoothness is None or each.final is None:
            table.append((*head, *[None] * 7))
            continue
        steps, reward = mean_interval(each.steps), mean_interval(each.smoothness)
        final = mean_interval(each.final)
        table.append(
            (
                *head, float(steps.estimate), float(steps.half_width), each.never,
                float(final.estimate), float(final.half_width),
                float(reward.estimate), float(reward.half_width),
            )
        )  # fmt: skip
    return columns, table


def words(found: list[Frozen]) -> str:
    """When a value function was near-optimal, by the time at which its model was frozen."""
    told = [
        f"frozen after {each.model_steps:,}: {float(mean_interval(each.steps).estimate):,.0f} steps, "
        f"{each.never} of {each.seeds} seeds never"
        for each in found
        if each.steps is not None
    ]
    return (
        "By the steps after which the model was frozen: the steps until a value function learned on it is "
        "near-optimal, and the reward that the model expects where two thirds of the ends are active. "
        f"{'; '.join(told) or 'Nothing has finished'}."
    )


STUDY = Study(
    name="frozen-model",
    title="A value function from scratch on a simple model frozen early or late",
    source="figure 4 (5 at ICML), right",
    scales=SCALES,
    runs=runs,
    analyse=analyse,
    draw=draw,
    rows=rows,
    words=words,
    claims=(
        Claim(
            "S-frozen",
            "A model that was trained for an intermediate time leads to near-optimal performance soonest",
            "section 4, figure 4 (5 at ICML)",
            intermediate_is_soonest,
        ),
    ),
)
