"""How fast tables learn on this machine, beside a loop in Python."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from experiments.benchmarks.measurement import Measurement, best_rates, present, require_positive
from experiments.commands.arguments import Json
from experiments.commands.terminal import progress
from experiments.storage.whole_files import require_writable

TARGET = 1e7
"""Replay updates a second, on two cores."""

_STORED = 10_000
_AT_ONCE = 1_000_000
_IN_PYTHON = 20_000


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
    require_positive(seeds=seeds, seconds=seconds, repeats=repeats, threads=threads)
    require_writable(json)
    workers = threads or os.cpu_count() or 1
    machine = f"{os.cpu_count()} cores, {workers} threads, {seeds} seeds, {platform.machine()}"
    with progress("measuring") as report, ThreadPoolExecutor(workers) as pool:
        measurements = _measure(pool, seeds, seconds, repeats, report)
    settings = {"seeds": seeds, "seconds": seconds, "repeats": repeats, "threads": workers}
    return present("tabular", machine, measurements, settings, json)


def _measure(
    pool: ThreadPoolExecutor,
    seeds: int,
    seconds: float,
    repeats: int,
    report: Callable[[float], None],
) -> list[Measurement]:
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

    def measure(
        what: str, work: Callable[[int], int], learning: int = seeds, at_least: float | None = None
    ) -> Measurement:
        """All seeds together."""
        work(0)  # compiles
        (rate,) = best_rates(
            lambda: sum(pool.map(work, range(learning))), seconds=seconds, repeats=repeats
        )
        return Measurement(what, rate, "updates/s", at_least=at_least)

    measurements = [measure("replay", replayed, at_least=TARGET)]
    report(1 / 4)
    for what, structure in (
        ("tabular model", table_structure(mdp, space)),
        ("factored model", exact_structure(rule, mdp, space)),
    ):
        measurements.append(measure(what, imagined(CountedModel.empty(structure))))
        report(len(measurements) / 4)
    # One seed: threads would only wait for one another's turn with the interpreter.
    measurements.append(measure("replay, a loop in Python over NumPy arrays", in_python, 1))
    report(1)
    return measurements
