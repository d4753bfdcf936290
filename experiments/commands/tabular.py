"""Replay, a tabular model and a factored model, learning while acting in small environments: `mbgen tabular`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.analysis.statistics import Interval, difference_interval, mean_interval
from experiments.commands.arguments import Json
from experiments.commands.terminal import cell, console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.parquet_table import write_table
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import require_folder, require_writable
from experiments.studies.tabular import (
    AGENTS,
    BUTTON_GRID_SIZE,
    CONTRASTS,
    SCALES,
    SEEDS,
    Curves,
    Extent,
    Parents,
    Scale,
    columns,
    draw,
    learn,
    make,
    prepare,
    steps_to_learn,
    summarize,
    title,
)


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


def _written(interval: Interval) -> str:
    return f"{float(interval.estimate):.3f} ± {float(interval.half_width):.3f}"


def _sign(interval: Interval) -> str:
    if interval.low > 0:
        return "more"
    return "less" if interval.high < 0 else "open"
