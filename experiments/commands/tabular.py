"""Replay, a tabular model and a factored model, learning while acting in small environments: `mbgen tabular`."""

from __future__ import annotations

import json as json_text
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.analysis.statistics import Interval, difference_interval, mean_interval
from experiments.commands.arguments import Json
from experiments.commands.env.arguments import is_gymnasiums, require_options_of
from experiments.commands.known_dynamics import (
    dynamics_of,
    evaluation_horizon,
    factor_sizes,
    factored_table,
)
from experiments.commands.terminal import cell, console, progress, table
from experiments.runs.gym_settings import env_arguments
from experiments.runs.scales import ScaleName
from experiments.storage.json_files import write_json
from experiments.storage.parquet_table import write_table
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import require_folder, require_writable
from experiments.studies.tabular import (
    AGENTS,
    BUTTON_GRID_SIZE,
    CONTRASTS,
    GYM_STEPS,
    SCALES,
    SEEDS,
    Curves,
    Extent,
    Parents,
    Problem,
    columns,
    draw,
    learn,
    make,
    prepare,
    steps_to_learn,
    summarize,
    title,
)

ROLLOUT, FALSE_ALARMS = 5, 0.01


def tabular(
    *,
    out: Path,
    env: str = "all",
    size: int | None = None,
    env_arg: tuple[str, ...] = (),
    factors: tuple[str, ...] = (),
    agents: Annotated[tuple[str, ...], tyro.conf.arg(metavar="AGENT [AGENT ...]")] = tuple(AGENTS),
    seeds: int | None = None,
    steps: int | None = None,
    scale: ScaleName = "desk",
    seed: int = 0,
    parents: Parents = "exact",
    updates: int = 50,
    rollout: int | None = None,
    step_size: float = 0.1,
    exploration: float = 0.1,
    discount: float = 0.9,
    false_alarms: float | None = None,
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
        env: PushTree, PanFlute, ButtonGrid, ProcMaze, OpenGrid, or all; or gym:ID for an environment of
            Gymnasium whose dynamics mbgen env optimum knows.
        size: Bystanders, pipes, buttons on a 3x3 grid, or grid size; with one environment alone.
        env_arg: With gym:ID: KEY=VALUE for each argument that the environment is made with.
        factors: With gym:ID and the agent factored: NAME=SIZE for each factor, as of mbgen env scopes.
        agents: Of replay, table and factored.
        seeds: How many seeds; by default as the scale has it.
        steps: Steps in the environment; by default as the scale has it.
        scale: Sizes, steps and seeds together.
        seed: The first seed; the others follow it.
        parents: What the factored model pools: declared parents, exact trees, or trees learned from
            its data.
        updates: Updates for each step, the same for every agent.
        rollout: The most transitions in a model's rollout; 5 if not given.
        step_size: Of Q-learning.
        exploration: The probability of a uniform action.
        discount: Of Q-learning; performance is undiscounted.
        false_alarms: The rate at which a learned tree divides without need; 0.01 if not given.
        evaluations: How many, evenly spaced in the logarithm of the steps, besides that of the start.
        threads: Seeds run side by side; all cores if not given.
        overwrite: Whether files in the folder may be replaced.
        json: Write the summary as JSON; "-" is standard output.
    """
    from tabular import OnlineSettings

    require_options_of(
        env, papers={"size": size}, gymnasiums={"env-arg": env_arg, "factors": factors}
    )
    games = {} if is_gymnasiums(env) else _games(env, size, steps, SCALES[scale])
    chosen = _agents(agents)
    _require_asked_for(chosen, parents, factors, rollout, false_alarms)
    count = SEEDS[scale] if seeds is None else seeds
    for name, value, least, most in (
        ("seeds", count, 1, 100_000),
        ("seed", seed, 0, 2**62),
        ("evaluations", evaluations, 1, 10_000),
        ("threads", 1 if threads is None else threads, 1, 1_000),
        ("updates", updates, 0, 10**9),
        ("rollout", 1 if rollout is None else rollout, 1, 10**9),
        ("steps", 1 if steps is None else steps, 1, 10**8),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}; accepted: {least} to {most}")
    false_alarms = FALSE_ALARMS if false_alarms is None else false_alarms
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms is {false_alarms}; accepted: above 0 and below 1")
    rollout = ROLLOUT if rollout is None else rollout
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
    screen = console(json)
    if is_gymnasiums(env):
        problem, own = _of_gymnasium(
            env, env_arg, factors, GYM_STEPS[scale] if steps is None else steps, chosen, parents,
            false_alarms,
        )  # fmt: skip
        problems, settings["environments"] = [problem], {env: own}
        screen.print(f"dynamics: {own['dynamics']}")
    else:
        problems = _of_the_paper(games, chosen, parents, false_alarms)
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
    show(found, count, screen)
    write_json(summary, json)
    return 0


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


def _of_the_paper(
    games: Mapping[str, Extent], agents: list[str], parents: Parents, false_alarms: float
) -> list[Problem]:
    problems = []
    with progress("enumerating") as report:
        for done, (name, extent) in enumerate(games.items()):
            made = make(name, extent.size)
            problems.append(prepare(made, extent.steps, agents, parents, false_alarms))
            report((done + 1) / len(games))
    return problems


def _of_gymnasium(
    env: str,
    env_arg: tuple[str, ...],
    factors: tuple[str, ...],
    steps: int,
    agents: list[str],
    parents: Parents,
    false_alarms: float,
) -> tuple[Problem, dict[str, Any]]:
    """An environment of Gymnasium, enumerated, and what it is, to be stored."""
    sizes, arguments = factor_sizes(factors), env_arguments(env_arg)
    if "factored" in agents and not sizes:
        raise ValueError(
            f"agent factored needs --factors NAME=SIZE ... of {env}; accepted without: --agents replay table"
        )
    known = dynamics_of(env, arguments)
    rule = factored_table(env, arguments, known, sizes)
    horizon = evaluation_horizon(known)
    problem = prepare(rule, steps, agents, parents, false_alarms, horizon=horizon)
    return problem, {
        "env_args": json_text.loads(arguments),
        "factors": sizes,
        "steps": steps,
        "evaluation_steps": horizon,
        "dynamics": known.source,
    }


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


def _require_asked_for(
    agents: Collection[str],
    parents: Parents,
    factors: tuple[str, ...],
    rollout: int | None,
    false_alarms: float | None,
) -> None:
    """Refuse options of an agent, or of a way to find parents, that is not there."""
    factored, learned = "factored" in agents, parents == "statistical"
    for option, given, goes, needed in (
        ("--parents", parents != "exact", factored, "the agent factored"),
        ("--factors", bool(factors), factored, "the agent factored"),
        ("--rollout", rollout is not None, set(agents) != {"replay"}, "an agent with a model"),
        ("--false-alarms", false_alarms is not None, learned, "--parents statistical"),
    ):
        if given and not goes:
            raise ValueError(f"{option} is given without {needed}; accepted: with it")


def _agents(agents: Iterable[str]) -> list[str]:
    """The agents, each once, in the order of the table."""
    wanted = {agent.lower() for agent in agents}
    if not wanted or wanted - AGENTS.keys():
        listed = ", ".join(sorted(wanted - AGENTS.keys())) or "none"
        raise ValueError(f"agents are {listed}; accepted: {', '.join(AGENTS)}")
    return [agent for agent in AGENTS if agent in wanted]


def _written(interval: Interval) -> str:
    return f"{float(interval.estimate):.3f} ± {float(interval.half_width):.3f}"


def _sign(interval: Interval) -> str:
    if interval.low > 0:
        return "more"
    return "less" if interval.high < 0 else "open"
