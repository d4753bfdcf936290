"""Replay, a tabular model and a factored model, learning while acting in small environments.

All agents act, explore and update alike, and make the same number of updates in each step; only where an update's
transition comes from differs. Greedy policies are evaluated exactly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from experiments.analysis.learning_curves import GOOD_SHARE
from experiments.analysis.statistics import Interval, difference_interval, mean_interval
from experiments.figures.tabular_learning import Panel, draw_panels
from experiments.runs.scales import ScaleName

if TYPE_CHECKING:
    from tabular import (
        Environment,
        FactoredSpace,
        FiniteMDP,
        OnlineSettings,
        Performance,
        World,
    )
    from tabular.online_learning import Source
    from tabular.transition_table import FactoredTable

    Enumerable = Environment[Any] | FactoredTable

Parents = Literal["declared", "exact", "statistical"]


class Extent(NamedTuple):
    """How large an environment is, and for how many steps it is learned."""

    size: int
    steps: int


SCALES: Mapping[ScaleName, Mapping[str, Extent]] = {
    "smoke": {
        "PushTree": Extent(1, 200),
        "PanFlute": Extent(3, 300),
        "ButtonGrid": Extent(1, 200),
        "ProcMaze": Extent(2, 200),
        "OpenGrid": Extent(3, 200),
    },
    "desk": {
        "PushTree": Extent(6, 5_000),
        "PanFlute": Extent(4, 10_000),
        "ButtonGrid": Extent(2, 50_000),
        "ProcMaze": Extent(3, 40_000),
        "OpenGrid": Extent(4, 5_000),
    },
    "paper": {
        "PushTree": Extent(8, 50_000),
        "PanFlute": Extent(5, 100_000),
        "ButtonGrid": Extent(2, 200_000),
        "ProcMaze": Extent(3, 200_000),
        "OpenGrid": Extent(5, 20_000),
    },
}
GYM_STEPS: Mapping[ScaleName, int] = {"smoke": 200, "desk": 20_000, "paper": 100_000}
"""In an environment of Gymnasium."""
SEEDS: Mapping[ScaleName, int] = {"smoke": 3, "desk": 30, "paper": 30}
AGENTS = {
    "replay": "replay",
    "table": "tabular model",
    "factored": "factored model",
}
EXPLAINED = {
    "replay": "stored transitions",
    "table": "imagined ones; each state-action\npair is learned for itself",
    "factored": "imagined ones; each factor is\nlearned from what it depends on",
}
CONTRASTS = (("factored", "replay"), ("factored", "table"), ("table", "replay"))
BUTTON_GRID_SIZE = 3
_MAX_TRANSITIONS = 1_000_000


class Problem(NamedTuple):
    """An environment, enumerated, with its reference lines and the source of updates of each agent."""

    environment: Enumerable
    steps: int
    mdp: FiniteMDP[Any]
    space: FactoredSpace
    world: World
    sources: Mapping[str, Source]
    optimal: Performance
    uniform: Performance


class Curves(NamedTuple):
    """What all seeds of all agents did in one environment.

    Attributes:
        problem: The environment.
        stops: After how many steps the greedy policy was evaluated.
        performance: Of each agent, exactly.
        updates: How many updates each had made.
    """

    problem: Problem
    stops: Int[np.ndarray, " evaluation"]
    performance: Mapping[str, Float[np.ndarray, "seed evaluation"]]
    updates: Mapping[str, Int[np.ndarray, "seed evaluation"]]


def prepare(
    environment: Enumerable,
    steps: int,
    agents: Iterable[str],
    parents: Parents,
    false_alarms: float,
    *,
    horizon: int = 100,
) -> Problem:
    """Enumerate an environment, and find what its models pool.

    Args:
        environment: Where the agents learn.
        steps: For how many steps.
        agents: Of `AGENTS`.
        parents: What the factored model pools.
        false_alarms: The rate at which a learned tree divides without need.
        horizon: The most steps of an evaluation.

    Raises:
        ValueError: It is too large to be enumerated, a reward is left to chance, or it declares no
            parents and is asked for them.
    """
    from tabular import (
        Environment,
        FactoredSpace,
        FiniteMDP,
        World,
        declared_structure,
        exact_structure,
        learned_structure,
        reference_performance,
        table_structure,
    )
    from tabular.rule import require_certain_rewards

    mdp = FiniteMDP.from_rule(environment, max_transitions=_MAX_TRANSITIONS)
    if not isinstance(environment, Environment):
        require_certain_rewards(environment, mdp.states)
    space = FactoredSpace.of(environment, mdp)
    sources: dict[str, Source] = {}
    for agent in agents:
        match agent, parents:
            case "replay", _:
                sources[agent] = None
            case "table", _:
                sources[agent] = table_structure(mdp, space)
            case _, "declared":
                if not isinstance(environment, Environment):
                    raise ValueError(
                        f"parents are declared, and {environment} declares none; accepted: exact, statistical"
                    )
                sources[agent] = declared_structure(environment, mdp, space)
            case _, "exact":
                sources[agent] = exact_structure(environment, mdp, space)
            case _:
                sources[agent] = partial(learned_structure, space, false_alarms=false_alarms)
    return Problem(
        environment,
        steps,
        mdp,
        space,
        World.of(mdp, space),
        sources,
        reference_performance(environment, "optimal", horizon=horizon),
        reference_performance(environment, "uniform", horizon=horizon),
    )


def make(name: str, size: int) -> Environment[Any]:
    """An environment of that name, in its small form.

    Raises:
        ValueError: Its size is out of range.
    """
    from tabular import ButtonGrid, PushTree, environment

    match name:
        case "PushTree":
            return PushTree(size)
        case "ButtonGrid":
            return ButtonGrid(size, BUTTON_GRID_SIZE)
    return environment(name, size)


def learn(
    problems: Sequence[Problem],
    settings: OnlineSettings,
    seeds: Sequence[int],
    evaluations: int,
    threads: int | None,
    report: Callable[[float], None],
) -> list[Curves]:
    """Every seed of every agent in every environment; `report` is told the fraction done."""
    stops = [evaluation_steps(problem.steps, evaluations) for problem in problems]
    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        jobs: dict[tuple[int, str], list[Future[tuple[np.ndarray, np.ndarray]]]] = {
            (k, agent): [
                pool.submit(_one_seed, problem, agent, settings, seed, stops[k]) for seed in seeds
            ]
            for k, problem in enumerate(problems)
            for agent in problem.sources
        }
        everything = [job for group in jobs.values() for job in group]
        for done, _ in enumerate(as_completed(everything)):
            report((done + 1) / len(everything))
    finally:
        pool.shutdown(cancel_futures=True)
    found = []
    for k, problem in enumerate(problems):
        results = {agent: [job.result() for job in jobs[k, agent]] for agent in problem.sources}
        performance, updates = (
            {agent: np.stack([row[part] for row in rows]) for agent, rows in results.items()}
            for part in (0, 1)
        )
        found.append(Curves(problem, np.array(stops[k]), performance, updates))
    return found


def _one_seed(
    problem: Problem, agent: str, settings: OnlineSettings, seed: int, stops: Sequence[int]
) -> tuple[Float[np.ndarray, " evaluation"], Int[np.ndarray, " evaluation"]]:
    from tabular import greedy_performance, learn_online

    run = learn_online(
        problem.world,
        problem.space,
        problem.sources[agent],
        settings,
        seed=seed,
        evaluations=stops,
    )
    return greedy_performance(problem.mdp, run.values, problem.optimal.horizon), run.updates


def evaluation_steps(steps: int, evaluations: int) -> list[int]:
    """0, and up to so many steps that are evenly spaced in the logarithm, the last one among them."""
    spaced = np.geomspace(min(10, steps), steps, evaluations) if evaluations > 1 else [steps]
    return [0, *np.unique(np.round(spaced).astype(int)).tolist()]


def columns(found: Iterable[Curves], seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """One row for each environment, agent, seed and evaluation."""
    rows: list[tuple[object, ...]] = []
    for curves in found:
        for agent, performance in curves.performance.items():
            for seed, values, updates in zip(
                seeds, performance.tolist(), curves.updates[agent].tolist(), strict=True
            ):
                name = kind(curves.problem.environment)
                rows += [
                    (name, agent, seed, *row)
                    for row in zip(curves.stops.tolist(), updates, values, strict=True)
                ]
    names = ("env", "agent", "seed", "step", "updates", "performance")
    return {
        name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def steps_to_learn(curves: Curves, agent: str) -> Float[np.ndarray, " seed"]:
    """The first evaluation of each seed that is 90 % of the way from uniform to optimal; inf if none is."""
    best, random = curves.problem.optimal.value, curves.problem.uniform.value
    there = curves.performance[agent] >= random + GOOD_SHARE * (best - random)
    steps: np.ndarray = np.where(
        there.any(axis=1), curves.stops[there.argmax(axis=1)].astype(float), np.inf
    )
    return steps


def tell_story() -> dict[str, list[float]]:
    """The values of pushing and crossing where a tree stands and food lies across, after the paper's story."""
    from tabular import Experience, OnlineSettings, PushTreeState, learn_offline
    from tabular.environments.push_tree import story

    problem = prepare(make("PushTree", 0), 1, AGENTS, "exact", 0.01)
    states, space = problem.mdp.states, problem.space
    number = {state: int(space.reached[k]) for k, state in enumerate(states)}
    lived = [
        (number[state], action, float(reward), -1 if following is None else number[following])
        for state, action, reward, following in story()
    ]
    experience = Experience(*map(np.array, zip(*lived, strict=True)))
    here = states.index(PushTreeState(False, True, ()))
    values = {}
    for agent, source in problem.sources.items():
        assert not callable(source)
        learned = learn_offline(space, source, experience, OnlineSettings(), seed=0, updates=1000)
        values[agent] = learned[here].tolist()
    return values


def summarize(curves: Curves) -> dict[str, Any]:
    """Means over seeds with 95 % intervals, and Welch's interval of each difference."""
    problem = curves.problem
    over_run = {agent: values.mean(axis=1) for agent, values in curves.performance.items()}
    return {
        "states": problem.mdp.num_states,
        "actions": problem.mdp.num_actions,
        "unit": problem.optimal.unit,
        "optimal": problem.optimal.value,
        "uniform": problem.uniform.value,
        "steps": curves.stops.tolist(),
        "agents": {
            agent: {
                "curve": _plain(mean_interval(values)),
                "mean_over_evaluations": _plain(mean_interval(over_run[agent])),
                "final": _plain(mean_interval(values[:, -1])),
                "median_steps_to_learn": float(np.median(steps_to_learn(curves, agent))),
                "updates": int(curves.updates[agent][:, -1].max()),
            }
            for agent, values in curves.performance.items()
        },
        "differences": {
            f"{first} - {second}": _plain(difference_interval(over_run[first], over_run[second]))
            for first, second in CONTRASTS
            if {first, second} <= over_run.keys()
        },
    }


def _plain(interval: Interval) -> dict[str, Any]:
    return {
        "mean": interval.estimate.tolist(),
        "half_width": interval.half_width.tolist(),
        "seeds": interval.seeds.tolist(),
    }


def kind(environment: Enumerable) -> str:
    """What an environment is called whatever its size."""
    from tabular import Environment

    return type(environment).__name__ if isinstance(environment, Environment) else str(environment)


def title(problem: Problem) -> str:
    """The environment, its size, and how many states it has."""
    from tabular import Environment

    name = kind(problem.environment)
    if not isinstance(problem.environment, Environment):
        return f"{name}: {problem.mdp.num_states} states"
    size = next(iter(vars(problem.environment).values()))
    what = {
        "PushTree": f"{size} bystander{'s' * (size != 1)}",
        "PanFlute": f"{size} pipe{'s' * (size != 1)}",
        "ButtonGrid": f"{size} button{'s' * (size != 1)}",
    }.get(name, f"{size}x{size}")
    return f"{name}, {what}: {problem.mdp.num_states} states"


def draw(found: Sequence[Curves], path: Path) -> None:
    """A panel for each environment: means over seeds with their intervals, and the reference lines.

    Raises:
        ValueError: The path cannot be written.
    """
    panels = [
        Panel(
            title(curves.problem),
            curves.problem.optimal.unit,
            curves.stops,
            curves.performance,
            curves.problem.optimal.value,
            curves.problem.uniform.value,
        )
        for curves in found
    ]
    draw_panels(panels, AGENTS, EXPLAINED, path)
