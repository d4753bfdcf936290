"""Replay, a tabular model and a factored model, learning while acting in small environments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import tyro
from jaxtyping import Float, Int

from experiments.analysis.statistics import Interval, difference_interval, mean_interval
from experiments.commands.arguments import Json
from experiments.commands.terminal import cell, console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.parquet_table import write_table
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import require_folder, require_writable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tabular import Environment, FactoredSpace, FiniteMDP, OnlineSettings, Performance, World
    from tabular.online_learning import Source

Parents = Literal["declared", "exact", "statistical"]
Scale = Literal["smoke", "desk", "paper"]


class Extent(NamedTuple):
    """How large an environment is, and for how many steps it is learned."""

    size: int
    steps: int


SCALES: Mapping[Scale, Mapping[str, Extent]] = {
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
SEEDS: Mapping[Scale, int] = {"smoke": 3, "desk": 30, "paper": 30}
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
REACHED = 0.9
"""The share of the way from uniform to optimal play that counts as having learned."""

_MAX_TRANSITIONS = 1_000_000


class Problem(NamedTuple):
    """An environment, enumerated, with its reference lines and the source of updates of each agent."""

    environment: Environment[Any]
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


def tabular(
    *,
    out: Path,
    env: str = "all",
    size: int | None = None,
    agents: Annotated[tuple[str, ...], tyro.conf.arg(metavar="AGENT [AGENT ...]")] = tuple(AGENTS),
    seeds: int | None = None,
    steps: int | None = None,
    scale: Scale = "desk",
    seed: int = 0,
    parents: Parents = "exact",
    updates: int = 50,
    rollout: int = 5,
    step_size: float = 0.1,
    exploration: float = 0.1,
    discount: float = 0.9,
    false_alarms: float = 0.01,
    evaluations: int = 30,
    threads: int | None = None,
    overwrite: bool = False,
    json: Json = None,
) -> int:
    """Learning curves of replay, a tabular model and a factored model, against the exact optimum.

    All agents act, explore and update alike, and make the same number of updates in each step; only where
    an update's transition comes from differs. Greedy policies are evaluated exactly.

    Args:
        out: A folder for metrics.parquet, summary.json and figure.png.
        env: PushTree, PanFlute, ButtonGrid, ProcMaze, OpenGrid, or all.
        size: Bystanders, pipes, buttons on a 3x3 grid, or grid size; with one environment alone.
        agents: Of replay, table and factored.
        seeds: How many seeds; by default as the scale has it.
        steps: Steps in the environment; by default as the scale has it.
        scale: Sizes, steps and seeds together.
        seed: The first seed; the others follow it.
        parents: What the factored model pools: declared parents, exact trees, or trees learned from
            its data.
        updates: Updates for each step, the same for every agent.
        rollout: The most transitions in a model's rollout.
        step_size: Of Q-learning.
        exploration: The probability of a uniform action.
        discount: Of Q-learning; performance is undiscounted.
        false_alarms: The rate at which a learned tree divides without need.
        evaluations: How many, evenly spaced in the logarithm of the steps, besides that of the start.
        threads: Seeds run side by side; all cores if not given.
        overwrite: Whether files in the folder may be replaced.
        json: Write the summary as JSON; "-" is standard output.
    """
    from tabular import OnlineSettings

    games = _games(env, size, steps, SCALES[scale])
    chosen = _agents(agents)
    count = SEEDS[scale] if seeds is None else seeds
    for name, value, least, most in (
        ("seeds", count, 1, 100_000),
        ("seed", seed, 0, 2**62),
        ("evaluations", evaluations, 1, 10_000),
        ("threads", 1 if threads is None else threads, 1, 1_000),
        ("updates", updates, 0, 10**9),
        ("rollout", rollout, 1, 10**9),
        ("steps", 1 if steps is None else steps, 1, 10**8),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}; accepted: {least} to {most}")
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms is {false_alarms}; accepted: above 0 and below 1")
    learning = OnlineSettings(updates, rollout, step_size, exploration, discount)
    require_folder(out, overwrite=overwrite)
    require_writable(json)
    every_seed = [seed + k for k in range(count)]
    settings: dict[str, Any] = {
        "command": "tabular", "scale": scale, "seeds": every_seed,
        "agents": chosen, "parents": parents, "false_alarms": false_alarms, "learning": learning,
        "button_grid_size": BUTTON_GRID_SIZE,
        "environments": {name: extent._asdict() for name, extent in games.items()},
    }  # fmt: skip
    with progress("enumerating") as report:
        problems = []
        for done, (name, extent) in enumerate(games.items()):
            problems.append(prepare(name, extent, chosen, parents, false_alarms))
            report((done + 1) / len(games))
    with progress("learning") as report:
        found = learn(problems, learning, every_seed, evaluations, threads, report)
    summary = {
        "settings": settings,
        "provenance": provenance(),
        "environments": {str(c.problem.environment): summarize(c) for c in found},
    }
    out.mkdir(exist_ok=True)
    write_table(out / "metrics.parquet", columns(found, every_seed), settings)
    draw(found, out / "figure.png")
    write_json(summary, str(out / "summary.json"))
    show(found, count, console(json))
    write_json(summary, json)
    return 0


def prepare(
    name: str, extent: Extent, agents: Iterable[str], parents: Parents, false_alarms: float
) -> Problem:
    """Enumerate an environment, and find what its models pool.

    Raises:
        ValueError: There is no such environment, or it is too large to be enumerated.
    """
    from tabular import (
        FactoredSpace,
        FiniteMDP,
        World,
        declared_structure,
        exact_structure,
        learned_structure,
        reference_performance,
        table_structure,
    )

    environment = make(name, extent.size)
    mdp = FiniteMDP.from_rule(environment, max_transitions=_MAX_TRANSITIONS)
    space = FactoredSpace.of(environment, mdp)
    sources: dict[str, Source] = {}
    for agent in agents:
        match agent, parents:
            case "replay", _:
                sources[agent] = None
            case "table", _:
                sources[agent] = table_structure(mdp, space)
            case _, "declared":
                sources[agent] = declared_structure(environment, mdp, space)
            case _, "exact":
                sources[agent] = exact_structure(environment, mdp, space)
            case _:
                sources[agent] = partial(learned_structure, space, false_alarms=false_alarms)
    return Problem(
        environment,
        extent.steps,
        mdp,
        space,
        World.of(mdp, space),
        sources,
        reference_performance(environment, "optimal"),
        reference_performance(environment, "uniform"),
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
                name = type(curves.problem.environment).__name__
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
    there = curves.performance[agent] >= random + REACHED * (best - random)
    steps: np.ndarray = np.where(
        there.any(axis=1), curves.stops[there.argmax(axis=1)].astype(float), np.inf
    )
    return steps


def tell_story(updates: int = 1000) -> dict[str, list[float]]:
    """The values of pushing and crossing where a tree stands and food lies across, after the paper's story."""
    from tabular import Experience, OnlineSettings, PushTreeState, learn_offline
    from tabular.environments.push_tree import story

    problem = prepare("PushTree", Extent(0, 1), AGENTS, "exact", 0.01)
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
        learned = learn_offline(
            space, source, experience, OnlineSettings(), seed=0, updates=updates
        )
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


def draw(found: Sequence[Curves], path: Path) -> None:
    """A panel for each environment: means over seeds with their intervals, and the reference lines."""
    from matplotlib.lines import Line2D

    from experiments.figures.style import ACCENT, BELLMAN, MODEL, picture

    colours = {"replay": BELLMAN, "table": ACCENT, "factored": MODEL}
    across = min(len(found), 3)
    down = -(-len(found) // across)
    agents = list(found[0].performance)
    seeds = len(found[0].performance[agents[0]])
    with picture(path, 3.9 * max(across, 1.6), 3.1 * down + 0.5) as figure:
        grid = list(figure.subplots(down, across, squeeze=False).flat)
        for curves, axes in zip(found, grid, strict=False):
            _panel(curves, axes, colours)
        for axes in grid[len(found) :]:
            axes.set_axis_off()
        handles = [Line2D([], [], color=colours[agent], linewidth=3) for agent in agents]
        if len(grid) > len(found):
            explained = [f"{AGENTS[agent]}\n{EXPLAINED[agent]}" for agent in agents]
            grid[-1].legend(handles, explained, loc="center left", fontsize=10.5, labelspacing=1.2)
        else:
            names = [AGENTS[agent] for agent in agents]
            figure.legend(handles, names, loc="outside upper center", ncols=len(agents))
        measured = f"mean of {seeds} seeds, 95 % intervals" if seeds > 1 else "1 seed"
        separator = " " if across > 1 else "\n"
        figure.supxlabel(
            f"steps in the environment{separator}({measured}; exact performance of greedy play)",
            fontsize=10,
        )


def _panel(curves: Curves, axes: Axes, colours: Mapping[str, str]) -> None:
    from matplotlib.ticker import FuncFormatter

    from experiments.figures.style import GREY

    problem = curves.problem
    stops = curves.stops[1:]
    means = np.stack([values[:, 1:].mean(axis=0) for values in curves.performance.values()])
    best, random = problem.optimal.value, problem.uniform.value
    dips = means.min() < random - 0.05 * (best - random)
    for reference, height, above in (("optimal", best, True), ("uniform", random, dips)):
        axes.axhline(height, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.annotate(
            reference,
            (0.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3 if above else -3),
            textcoords="offset points",
            verticalalignment="bottom" if above else "top",
            color=GREY,
            fontsize=8.5,
        )
    for agent, values in curves.performance.items():
        interval = mean_interval(values[:, 1:])
        if interval.seeds.min() > 1:
            axes.fill_between(
                stops, interval.low, interval.high, color=colours[agent], alpha=0.18, linewidth=0
            )
        axes.plot(stops, interval.estimate, color=colours[agent])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps:,g}"))
    axes.set_xlim(stops[0], max(stops[-1], stops[0] + 1))
    axes.margins(y=0.12)
    axes.set_title(title(problem))
    axes.set_ylabel(problem.optimal.unit)


def title(problem: Problem) -> str:
    """The environment, its size, and how many states it has."""
    name = type(problem.environment).__name__
    size = next(iter(vars(problem.environment).values()))
    what = {
        "PushTree": f"{size} bystander{'s' * (size != 1)}",
        "PanFlute": f"{size} pipe{'s' * (size != 1)}",
        "ButtonGrid": f"{size} button{'s' * (size != 1)}",
    }.get(name, f"{size}x{size}")
    return f"{name}, {what}: {problem.mdp.num_states} states"


def _games(
    env: str, size: int | None, steps: int | None, extents: Mapping[str, Extent]
) -> dict[str, Extent]:
    """The environments that are asked for."""
    names = {name.lower(): name for name in extents}
    if env.lower() != "all" and env.lower() not in names:
        raise ValueError(f"there is no environment {env!r}; accepted: all, {', '.join(extents)}")
    if env.lower() == "all" and size is not None:
        raise ValueError(f"size is {size}; accepted with one environment alone, not with all")
    chosen = list(extents) if env.lower() == "all" else [names[env.lower()]]
    games = {}
    for name in chosen:
        extent = extents[name]
        games[name] = Extent(
            extent.size if size is None else size, extent.steps if steps is None else steps
        )
        make(name, games[name].size)
    return games


def _agents(agents: Iterable[str]) -> list[str]:
    """The agents, each once, in the order of the table."""
    wanted = {agent.lower() for agent in agents}
    if not wanted or wanted - AGENTS.keys():
        listed = ", ".join(sorted(wanted - AGENTS.keys())) or "none"
        raise ValueError(f"agents are {listed}; accepted: {', '.join(AGENTS)}")
    return [agent for agent in AGENTS if agent in wanted]


def _plain(interval: Interval) -> dict[str, Any]:
    return {
        "mean": interval.estimate.tolist(),
        "half_width": [None if not np.isfinite(h) else h for h in interval.half_width.tolist()]
        if interval.half_width.ndim
        else float(interval.half_width),
        "seeds": interval.seeds.tolist(),
    }


def show(found: Iterable[Curves], seeds: int, screen: Any) -> None:
    """Print what `summarize` holds, for people."""
    rows, differences = [], []
    for curves in found:
        name = title(curves.problem)
        for agent, values in curves.performance.items():
            median = float(np.median(steps_to_learn(curves, agent)))
            rows.append(
                (
                    name,
                    AGENTS[agent],
                    _written(mean_interval(values.mean(axis=1))),
                    _written(mean_interval(values[:, -1])),
                    cell(median if np.isfinite(median) else None),
                )
            )
            name = ""
        rows.append(("", "(optimal)", "", f"{curves.problem.optimal.value:.3f}", ""))
        rows.append(("", "(uniform)", "", f"{curves.problem.uniform.value:.3f}", ""))
        for first, second in CONTRASTS:
            if {first, second} <= curves.performance.keys():
                over_run = (curves.performance[agent].mean(axis=1) for agent in (first, second))
                interval = difference_interval(*over_run)
                differences.append(
                    (
                        title(curves.problem),
                        f"{AGENTS[first]} - {AGENTS[second]}",
                        _written(interval),
                        _sign(interval),
                    )
                )
    heads = ("", "agent", "over the run", "at the end", "steps to 90 %")
    screen.print(
        table(f"Exact performance of greedy play, {seeds} seeds, 95 % intervals", heads, rows)
    )
    screen.print(
        "over the run: the mean over evaluations, which are evenly spaced in the logarithm of the steps."
        "  steps to 90 %: the median seed's first evaluation at 90 % of the way from uniform to optimal, if any."
    )
    if differences:
        what = ("", "difference over the run", "Welch, 95 %", "")
        screen.print(table("Differences", what, differences))


def _written(interval: Interval) -> str:
    return f"{float(interval.estimate):.3f} ± {float(interval.half_width):.3f}"


def _sign(interval: Interval) -> str:
    if interval.low > 0:
        return "more"
    return "less" if interval.high < 0 else "open"
