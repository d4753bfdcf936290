"""Step size of the Q-network against temperature of the behaviour (paper, appendix G).

Every lane of a run has its own pair, so that one run is a whole grid for one seed of each pair. Its
seeds are not those of the other studies: what a tuning saw is not what it is judged by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.learning_curves import final_performance
from experiments.analysis.reference import Reference, reference_of
from experiments.figures.agents import LOOKS
from experiments.figures.heat_map import Map, draw_heat_maps
from experiments.runs.scales import ScaleName
from experiments.runs.settings import AGENTS, RunSettings
from experiments.runs.stored_run import StoredRun
from experiments.runs.tuned import tuned
from experiments.studies.study import FIRST_SEED, PlannedRun, Study, plan
from experiments.tasks import SIZES, TUNED_SIZES

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, the tuned pair and its neighbours, 100 updates: that everything runs.",
    "desk": (
        "ProcMaze 4, ER and the simple model, high data: step sizes a factor of 4 to both sides of the tuned "
        "one, temperatures likewise, 29,000 updates, 2 seeds of each pair: enough to see how far "
        "from its best an agent is at the tuned pair."
    ),
    "paper": "The authors' grid (powers of two) at the tuned sizes, 1,000,000 updates, 30 seeds of each pair.",
}
STEP_SIZES = tuple(3.125e-6 * 2**k for k in range(10))
TEMPERATURES = tuple(0.0125 * 2**k for k in range(11))
_SEED = 5_000
"""Added to the scale's first seed."""


def runs(scale: ScaleName) -> list[PlannedRun]:
    """A run for each agent and task, and at the paper's scale for each temperature."""
    tasks: Mapping[str, int]
    agents: Sequence[str]
    if scale == "paper":
        tasks, agents, seeds = TUNED_SIZES, AGENTS, 30
    elif scale == "desk":
        tasks, agents, seeds = {"ProcMaze": 4}, ("er", "simple"), 2
    else:
        tasks, agents, seeds = {"ProcMaze": SIZES["ProcMaze"][0]}, ("er", "simple"), 1
    found = []
    for (env, size), agent in product(tasks.items(), agents):
        best = tuned(agent, env, "high")
        if scale == "paper":
            grids = [tuple(product(STEP_SIZES, (each,))) for each in TEMPERATURES]
        else:
            near = (0.25, 1.0, 4.0)
            steps, warmths = ([value * factor for factor in near] for value in best)
            grids = [tuple(product(steps, warmths))]
        for part, grid in enumerate(grids):
            found.append(
                _grid_run(scale, env, size, agent, grid, seeds, part if len(grids) > 1 else None)
            )
    return found


def _grid_run(
    scale: ScaleName,
    env: str,
    size: int,
    agent: str,
    grid: Sequence[tuple[float, float]],
    seeds: int,
    part: int | None,
) -> PlannedRun:
    """Lanes are pairs times seeds, seeds fastest."""  # fmt: skip
    lanes = len(grid) * seeds
    planned = plan(
        "sensitivity", scale, priority=9, lanes=lanes, seed=_SEED, agent=agent, env=env, size=size,
        regime="high",
    )  # fmt: skip
    first = FIRST_SEED[scale] + _SEED
    settings = replace(
        planned.settings,
        seeds=tuple(first + lane % seeds for lane in range(lanes)),
        step_sizes=tuple(step for step, _ in grid for _ in range(seeds)),
        temperatures=tuple(warmth for _, warmth in grid for _ in range(seeds)),
    )
    name = f"{env.lower()}-{size}-high-{agent}-grid" + ("" if part is None else f"-{part}")
    return PlannedRun(f"sensitivity/{name}", settings, planned.priority)


class Sensitivity(NamedTuple):
    """Final performance of an agent on a task, by step size and temperature.

    Attributes:
        agent: Its name.
        env: The environment.
        size: Its size.
        step_sizes: Of the rows.
        temperatures: Of the columns.
        mean: Over seeds; NaN where a run has not finished, or all its seeds diverged.
        seeds: That are planned for each pair.
        reference: Of the best and the uniformly random policy.
    """

    agent: str
    env: str
    size: int
    step_sizes: tuple[float, ...]
    temperatures: tuple[float, ...]
    mean: Float[np.ndarray, "step_size temperature"]
    seeds: int
    reference: Reference

    @property
    def best(self) -> tuple[float, float, float] | None:
        """The highest mean, with its step size and temperature; None if nothing has finished."""
        if np.isnan(self.mean).all():
            return None
        row, column = np.unravel_index(np.nanargmax(self.mean), self.mean.shape)
        return float(self.mean[row, column]), self.step_sizes[row], self.temperatures[column]


def analyse(planned: Sequence[RunSettings], stored: Mapping[str, StoredRun]) -> list[Sensitivity]:
    """A map for each agent and task."""
    groups: dict[tuple[str, str, int], list[RunSettings]] = {}
    for settings in planned:
        groups.setdefault((settings.agent, settings.env, settings.size), []).append(settings)
    return [_map(group, stored) for group in groups.values()]


def _map(group: Sequence[RunSettings], stored: Mapping[str, StoredRun]) -> Sensitivity:
    finals: dict[tuple[float, float], list[float]] = {}
    for settings in group:
        run = stored.get(settings.digest)
        lanes = len(settings.seeds)
        values = final_performance(run.performance) if run else np.full(lanes, np.nan)
        pairs = zip(settings.step_sizes, settings.temperatures, strict=True)
        for pair, value in zip(pairs, values, strict=True):
            finals.setdefault(pair, []).append(float(value))
    steps, warmths = (tuple(sorted({pair[k] for pair in finals})) for k in (0, 1))
    mean = np.full((len(steps), len(warmths)), np.nan)
    for (step, warmth), values_of_pair in finals.items():
        known = [value for value in values_of_pair if not np.isnan(value)]
        if known:
            mean[steps.index(step), warmths.index(warmth)] = np.mean(known)
    first = group[0]
    seeds = max(len(values) for values in finals.values())
    reference = reference_of(first.env, first.size)
    return Sensitivity(first.agent, first.env, first.size, steps, warmths, mean, seeds, reference)


def draw(found: list[Sensitivity], path: Path) -> None:
    """A heat map for each agent and task, with the tuned pair marked."""
    maps = [
        Map(
            f"{LOOKS[each.agent].label} on {each.env} {each.size}, {each.seeds} seeds a pair",
            each.step_sizes,
            each.temperatures,
            each.mean,
            each.reference.uniform,
            each.reference.optimal,
            tuned(each.agent, each.env, "high"),
        )
        for each in found
    ]
    draw_heat_maps(maps, path, "Sensitivity to step size and temperature")


def rows(found: list[Sensitivity]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """What the tuned pair reaches beside the best of the grid."""
    columns = (
        "env", "size", "agent", "pairs", "seeds a pair", "at the tuned pair",
        "best", "at step size", "at temperature",
    )  # fmt: skip
    table: list[Sequence[object]] = []
    for each in found:
        step, warmth = tuned(each.agent, each.env, "high")
        usual = each.mean[each.step_sizes.index(step), each.temperatures.index(warmth)]
        head = (each.env, each.size, each.agent, each.mean.size, each.seeds, float(usual))
        table.append((*head, *(each.best or (None, None, None))))
    return columns, table


def words(found: list[Sensitivity]) -> str:
    """The best pair of each grid."""
    told = [
        f"{each.agent} on {each.env} {each.size} is best at step size {step:g} and temperature {warmth:g}, "
        f"with {top:.3g}"
        for each in found
        if each.best is not None
        for top, step, warmth in [each.best]
    ]
    return (
        "A heat map for each agent: final performance by step size and temperature, with the pair that the other "
        f"studies use marked. {'; '.join(told) or 'Nothing has finished'}."
    )


STUDY = Study(
    name="sensitivity",
    title="Sensitivity to step size and temperature",
    source="appendix G",
    scales=SCALES,
    runs=runs,
    analyse=analyse,
    draw=draw,
    rows=rows,
    words=words,
)
