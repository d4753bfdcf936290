"""How fast tables learn on this machine, beside a loop in Python."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

TARGET = 1e7
"""Replay updates a second, on two cores."""

_STORED = 10_000
_AT_ONCE = 1_000_000
_IN_PYTHON = 20_000


class Speed(NamedTuple):
    """One measurement.

    Attributes:
        what: What was measured.
        value: Updates a second, over all seeds together; the best of the repeats.
        target: What is aimed for; None if nothing is.
        met: Whether the target is met; None if there is none.
    """

    what: str
    value: float
    target: float | None = None
    met: bool | None = None


def bench_tabular(
    *,
    seeds: int = 4,
    seconds: float = 1.0,
    repeats: int = 3,
    threads: int | None = None,
    json: Json = None,
) -> int:
    """Updates a second of replay and of models, for several seeds side by side, in PanFlute 4.

    Exit status 1 if the target for replay is missed; it is for 2 cores.

    Args:
        seeds: How many seeds learn at once, each with a table of its own.
        seconds: The least time for one measurement.
        repeats: How often each is measured; the best counts.
        threads: Seeds run side by side; all cores if not given.
        json: Write the figures as JSON; "-" is standard output.
    """
    for name, value in (
        ("seeds", seeds),
        ("repeats", repeats),
        ("threads", 1 if threads is None else threads),
    ):
        if value < 1:
            raise ValueError(f"{name} is {value}; accepted: 1 or more")
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; accepted: more than 0")
    require_writable(json)
    workers = threads or os.cpu_count() or 1
    machine = f"{os.cpu_count()} cores, {workers} threads, {seeds} seeds, {platform.machine()}"
    with progress("measuring") as report, ThreadPoolExecutor(workers) as pool:
        figures = _measure(pool, seeds, seconds, repeats, report)
    columns = ("", "updates a second", "target", "met")
    rows = [(f.what, f.value, f.target, f.met) for f in figures]
    console(json).print(table(f"mbgen bench tabular: {machine}", columns, rows))
    settings = {"seeds": seeds, "seconds": seconds, "repeats": repeats, "threads": workers}
    write_json({"machine": machine, **settings, "figures": [f._asdict() for f in figures]}, json)
    return 1 if any(figure.met is False for figure in figures) else 0


def _measure(
    pool: ThreadPoolExecutor,
    seeds: int,
    seconds: float,
    repeats: int,
    report: Callable[[float], None],
) -> list[Speed]:
    from tabular import (
        CountedModel,
        FactoredSpace,
        FiniteMDP,
        OnlineSettings,
        PanFlute,
        World,
        exact_structure,
        learn_online,
        table_structure,
    )
    from tabular.learning_kernels import imagine, model_arrays, observe, replay

    rule = PanFlute(4)
    mdp = FiniteMDP.from_rule(rule)
    space = FactoredSpace.of(rule, mdp)
    walk = OnlineSettings(updates=0, exploration=1.0)
    stored = learn_online(
        World.of(mdp, space), space, None, walk, seed=0, evaluations=[_STORED]
    ).experience
    tables = [np.zeros((space.num_states, space.num_actions)) for _ in range(seeds)]
    generators = [np.random.default_rng(seed) for seed in range(seeds)]

    def replayed(seed: int) -> int:
        replay(generators[seed], stored, _STORED, tables[seed], _AT_ONCE, 0.1, 0.9)
        return _AT_ONCE

    def imagined(model: CountedModel) -> Callable[[int], int]:
        observe(model_arrays(model), *stored)
        arrays, some = model_arrays(model), _AT_ONCE // 10

        def work(seed: int) -> int:
            made: int = imagine(
                generators[seed], arrays, stored.states, _STORED, tables[seed], some, 5, 0.1, 0.9
            )
            return made

        return work

    def in_python(seed: int) -> int:
        q, generator = tables[seed], generators[seed]
        states, actions, rewards, next_states = stored
        for index in generator.integers(_STORED, size=_IN_PYTHON):
            state, action, following = states[index], actions[index], next_states[index]
            best = 0.0 if following < 0 else q[following].max()
            q[state, action] += 0.1 * (rewards[index] + 0.9 * best - q[state, action])
        return _IN_PYTHON

    def rate(work: Callable[[int], int], learning: int = seeds) -> float:
        work(0)  # compiles
        best = 0.0
        for _ in range(repeats):
            start, done = time.perf_counter(), 0
            while (elapsed := time.perf_counter() - start) < seconds:
                done += sum(pool.map(work, range(learning)))
            best = max(best, done / elapsed)
        return best

    figures = []
    for what, work, target in (
        ("replay", replayed, TARGET),
        ("tabular model", imagined(CountedModel.empty(table_structure(mdp, space))), None),
        ("factored model", imagined(CountedModel.empty(exact_structure(rule, mdp, space))), None),
    ):
        value = rate(work)
        figures.append(Speed(what, value, target, None if target is None else value >= target))
        report(len(figures) / 4)
    # One seed: threads would only wait for one another's turn with the interpreter.
    figures.append(Speed("replay, a loop in Python over NumPy arrays", rate(in_python, 1)))
    return figures
