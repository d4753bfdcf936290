"""What a study is: settings as data, an analysis of what was measured, a figure, and claims.

A study is one file beside this one, a line in the registry and one in `experiments.cli`; its command, its part of a
sweep, its claims and its section of the report follow from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from experiments.analysis.claims import Claim
from experiments.runs.lane_settings import usual_rollout_length
from experiments.runs.scales import EXTENTS, ScaleName
from experiments.runs.settings import RunSettings, run_settings
from experiments.runs.stored_run import StoredRun
from experiments.runs.stored_settings import Settings

FIRST_SEED: Mapping[ScaleName, int] = {"smoke": 0, "desk": 1_000, "paper": 10_000}
"""Seed of the first lane of every run. No pilot and no tuning used the seeds of desk and paper."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that a study asks for.

    Attributes:
        id: `<study>/<readable name>`; its folder below the results is named by it.
        settings: What is run.
        priority: Runs of a lower number come first; within a number the longest.
    """

    id: str
    settings: Settings
    priority: int = 0


@dataclass(frozen=True)
class Study:
    """One experiment.

    Attributes:
        name: Of its command.
        title: In words.
        source: Figure or section of the paper, or "ours".
        scales: What is run at each scale and why, in words.
        runs: The runs of a scale.
        analyse: From the settings of the planned runs, and the finished ones by the digest of theirs, to what
            was found.
        draw: Draws what was found, to the path of a picture.
        rows: What was found as a table: columns, and a row of values for each line.
        words: What the figure shows, for who cannot see it: sentences with what was found.
        claims: That it decides.
        curves: Draws its learning curves, to the path of a picture; None if it has none.
        across: Its agents over all tasks together, as a table; None if it has one task, or no common score.
    """

    name: str
    title: str
    source: str
    scales: Mapping[ScaleName, str]
    runs: Callable[[ScaleName], Sequence[PlannedRun]]
    analyse: Callable[[Sequence[Any], Mapping[str, StoredRun]], Any]
    draw: Callable[[Any, Path], None]
    rows: Callable[[Any], tuple[Sequence[str], Sequence[Sequence[object]]]]
    words: Callable[[Any], str]
    claims: tuple[Claim, ...] = ()
    curves: Callable[[Any, Path], None] | None = None
    across: Callable[[Any], tuple[Sequence[str], Sequence[Sequence[object]]]] | None = None


def plan(
    study: str,
    scale: ScaleName,
    *,
    priority: int = 0,
    lanes: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> PlannedRun:
    """A run of a study, with the scale's lanes, steps and seeds where none are given.

    Args:
        study: Its name.
        scale: "smoke", "desk" or "paper".
        priority: Runs of a lower number come first.
        lanes: Independent runs; the scale's if None.
        steps: Environment steps of each; the scale's if None.
        seed: Added to the scale's first seed.
        settings: More fields of `RunSettings`: agent, env, size and regime at least.
    """  # fmt: skip
    usual = EXTENTS[scale][settings["regime"]]
    made = run_settings(
        lanes=usual.lanes if lanes is None else lanes,
        steps=usual.steps if steps is None else steps,
        seed=FIRST_SEED[scale] + seed,
        **settings,
    )
    return PlannedRun(f"{study}/{readable_name(made)}", made, priority)


_NAMED = ("agent", "env", "size", "regime")
_EXTENT = ("steps", "seeds", "step_sizes", "temperatures", "learning_starts", "evaluation_interval")


def readable_name(settings: RunSettings) -> str:
    """Environment, size, regime, agent, and whatever is not as usual: `procmaze-4-high-simple`."""
    parts = [settings.env.lower(), str(settings.size), settings.regime, settings.agent]
    if settings.rollout_length != usual_rollout_length(settings.agent):
        parts.append(f"rollout-{settings.rollout_length}")
    for field in fields(RunSettings):
        value = getattr(settings, field.name)
        if field.name in (*_NAMED, *_EXTENT, "rollout_length") or value == field.default:
            continue
        name = field.name.replace("_", "-")
        parts.append(
            name if value is True else f"no-{name}" if value is False else f"{name}-{value}"
        )
    if len(set(settings.step_sizes)) > 1 or len(set(settings.temperatures)) > 1:
        parts.append("grid")
    return "-".join(parts)


def manifest(studies: Iterable[Study], scale: ScaleName) -> list[PlannedRun]:
    """The runs of several studies, the most telling first; what two of them share is there once.

    Raises:
        ValueError: Two of them name one run for other settings.
    """
    found: dict[str, PlannedRun] = {}
    for study in studies:
        for planned in study.runs(scale):
            other = found.setdefault(planned.id, planned)
            if other.settings != planned.settings:
                raise ValueError(f"two runs are called {planned.id} and differ in their settings")
            if planned.priority < other.priority:
                found[planned.id] = planned
    return sorted(found.values(), key=lambda planned: planned.priority)
