"""Cells of an experiment: one agent on one task, with the final performance of each seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from experiments.analysis.across_tasks import (
    interquartile_mean,
    mean_of_tasks,
    probability_of_improvement,
)
from experiments.analysis.learning_curves import (
    GOOD_SHARE,
    TAKEN_OFF_SHARE,
    final_performance,
    lanes_above,
    steps_to,
)
from experiments.analysis.reference import Reference, reference_of
from experiments.analysis.statistics import Interval, mean_interval
from experiments.runs.lane_settings import usual_rollout_length
from experiments.runs.settings import AGENTS, RunSettings
from experiments.runs.stored_run import StoredRun

VARIANT: Mapping[str, Any] = {
    "spontaneous": True,
    "event": None,
    "clipped_logit_sampling": False,
    "stale_reset_observation": False,
    "real_share": 0.0,
    "updates_per_step": None,
    "prioritized": False,
    "counterfactual": False,
    "structured": False,
    "gate_price": None,
    "gate_noise": True,
    "value_steps": None,
}
"""Settings by which cells of one task differ, with their usual values; the rollout length besides."""


@dataclass(frozen=True)
class Cell:
    """One agent on one task.

    Attributes:
        settings: What was run.
        run: What was measured; None if it has not finished.
    """

    settings: RunSettings
    run: StoredRun | None

    @cached_property
    def final(self) -> Float[np.ndarray, " seed"] | None:
        """Final performance of each seed; None if it has not finished."""
        return None if self.run is None else final_performance(self.run.performance)

    @cached_property
    def mean(self) -> Interval | None:
        """Mean of the final performance over seeds, with its 95 % interval."""
        return None if self.final is None else mean_interval(self.final)

    @property
    def diverged(self) -> int | None:
        """Seeds without a final performance, which no mean has in it."""
        return None if self.final is None else int(np.isnan(self.final).sum())

    @property
    def reference(self) -> Reference:
        """Of the best and the uniformly random policy on the task."""
        settings = self.settings
        return reference_of(settings.env, settings.size, settings.spontaneous, settings.event)

    @property
    def score(self) -> Float[np.ndarray, " seed"] | None:
        """The final performance of each seed, where 0 is the uniformly random policy and 1 the best."""
        if self.final is None:
            return None
        reference = self.reference
        return (self.final - reference.uniform) / (reference.optimal - reference.uniform)

    @property
    def taken_off(self) -> int | None:
        """Seeds that end at least half of the way from the uniformly random policy to the best."""
        if self.run is None:
            return None
        return lanes_above(self.run.performance, self.reference.level(TAKEN_OFF_SHARE))

    @property
    def steps_to_good(self) -> int | None:
        """Environment steps until the mean over seeds first came 90 % of that way."""
        if self.run is None:
            return None
        mean = mean_interval(self.run.performance).estimate
        return steps_to(self.run.measured.step, mean, self.reference.level(GOOD_SHARE))


class Cells:
    """The cells of a study: those planned, and what is there of each."""

    def __init__(self, planned: Sequence[RunSettings], stored: Mapping[str, StoredRun]) -> None:
        """Take the settings that are planned, and finished runs by the digest of theirs."""
        self._cells = [Cell(settings, stored.get(settings.digest)) for settings in planned]

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)

    def find(self, **settings: Any) -> Cell | None:
        """The planned cell of these settings; those of a variant that are not named are as usual."""
        wanted = {**VARIANT, **settings}
        if "rollout_length" not in wanted and "agent" in wanted:
            wanted["rollout_length"] = usual_rollout_length(wanted["agent"])
        for cell in self._cells:
            if all(getattr(cell.settings, name) == value for name, value in wanted.items()):
                return cell
        return None

    def final(self, **settings: Any) -> Float[np.ndarray, " seed"] | None:
        """Final performance of each seed in the cell of these settings; None if it is not there."""
        cell = self.find(**settings)
        return None if cell is None else cell.final

    def values(self, name: str, **settings: Any) -> list[Any]:
        """The values that a setting takes over the planned cells of given settings, in order."""
        found = {
            getattr(cell.settings, name)
            for cell in self._cells
            if all(getattr(cell.settings, key) == value for key, value in settings.items())
        }
        return sorted(found)

    def table(self) -> tuple[list[str], list[list[object]]]:
        """Columns, and a row for each cell, by task and agent."""
        columns = [
            "task", "data", "agent", "variant", "seeds", "diverged", "final", "±", "took off",
            "90 % at step", "optimal", "uniform",
        ]  # fmt: skip
        ordered = sorted(
            self._cells,
            key=lambda cell: (
                cell.settings.env, cell.settings.size, cell.settings.regime,
                AGENTS.index(cell.settings.agent), variant(cell.settings),
            ),
        )  # fmt: skip
        return columns, [_row(cell) for cell in ordered]

    def in_words(self) -> str:
        """Task by task, the agents from the best to the worst, with the best and the random policy.

        Variants of a task that differ in what these two policies come to are told apart.
        """
        tasks: dict[tuple[str, Reference], list[Cell]] = {}
        for cell in self._cells:
            if cell.mean is not None:
                settings = cell.settings
                name = f"{settings.env} {settings.size}, {settings.regime} data"
                tasks.setdefault((name, cell.reference), []).append(cell)
        sentences = [
            "Final performance of the greedy policy, mean over seeds with its 95 % interval."
        ]
        for (name, reference), cells in tasks.items():
            ordered = sorted(cells, key=_place)
            sentences.append(
                f"{name}, from the best agent to the worst: {', '.join(map(_in_words, ordered))}; "
                f"the best policy {reference.optimal:.3g}, the random one {reference.uniform:.3g}."
            )
        return " ".join(sentences)

    def across_tasks(self) -> tuple[list[str], list[list[object]]]:
        """Columns, and a row for each regime and agent: its scores over the tasks whose agents have all finished.

        An agent that is not planned on all of these tasks is left out. Intervals are the bootstrap's.
        """
        columns = [
            "data", "agent", "tasks", "mean", "low", "high", "IQM", "low ", "high ",
            "improves on ER", " low", " high",
        ]  # fmt: skip
        rows: list[list[object]] = []
        for regime in self.values("regime"):
            usual = [cell for cell in self._cells if cell.settings.regime == regime]
            usual = [cell for cell in usual if not variant(cell.settings)]
            scores: dict[tuple[str, int], dict[str, Any]] = {}
            for cell in usual:
                settings = cell.settings
                scores.setdefault((settings.env, settings.size), {})[settings.agent] = cell.score
            finished = [of for of in scores.values() if all(v is not None for v in of.values())]
            if not finished:
                continue
            for agent in AGENTS:
                if not all(agent in of and "er" in of for of in finished):
                    continue
                own = [of[agent] for of in finished]
                over = probability_of_improvement(own, [of["er"] for of in finished])
                rows.append(
                    [
                        regime, agent, len(finished), *mean_of_tasks(own), *interquartile_mean(own),
                        *(over if agent != "er" else (None, None, None)),
                    ]
                )  # fmt: skip
        return columns, rows


def _place(cell: Cell) -> float:
    """Orders cells from the best to the worst; one whose seeds all diverged is the last."""
    assert cell.mean is not None
    return float(np.nan_to_num(-cell.mean.estimate, nan=np.inf))


def _in_words(cell: Cell) -> str:
    assert cell.mean is not None
    told = variant(cell.settings)
    agent = f"{cell.settings.agent} ({told})" if told else cell.settings.agent
    ended = f"{agent} {float(cell.mean.estimate):.3g} ± {float(cell.mean.half_width):.2g}"
    seeds = len(cell.settings.seeds)
    return f"{ended} ({cell.diverged} of {seeds} seeds diverged)" if cell.diverged else ended


def _row(cell: Cell) -> list[object]:
    settings, mean = cell.settings, cell.mean
    return [
        f"{settings.env} {settings.size}", settings.regime, settings.agent, variant(settings),
        len(settings.seeds), cell.diverged,
        None if mean is None else float(mean.estimate),
        None if mean is None else float(mean.half_width),
        cell.taken_off, cell.steps_to_good,
        cell.reference.optimal if cell.run else None,
        cell.reference.uniform if cell.run else None,
    ]  # fmt: skip


def variant(settings: RunSettings) -> str:
    """In words, what is not as usual; nothing if all is."""
    parts = []
    if settings.rollout_length != usual_rollout_length(settings.agent):
        parts.append(f"rollouts of {settings.rollout_length}")
    if not settings.spontaneous:
        parts.append("no spontaneous event")
    if settings.event is not None:
        parts.append(f"event: {settings.event}")
    if settings.clipped_logit_sampling:
        parts.append("clipped logits")
    if settings.stale_reset_observation:
        parts.append("stale resets")
    if settings.real_share:
        parts.append(f"{settings.real_share:.0%} real")
    if settings.updates_per_step:
        parts.append(f"{settings.updates_per_step} updates a step")
    if settings.structured:
        parts.append("structured")
    if settings.gate_price is not None:
        parts.append(f"gates at {settings.gate_price:g}" if settings.gate_price else "free gates")
    if not settings.gate_noise:
        parts.append("gates without noise")
    if settings.value_steps:
        plural = "s" * (settings.value_steps > 1)
        parts.append(f"value-equivalent, {settings.value_steps} step{plural}")
    if settings.prioritized:
        parts.append("by priority")
    if settings.counterfactual:
        parts.append("recombined")
    if settings.precision != "auto":
        parts.append(settings.precision)
    return ", ".join(parts)
