"""How fast it is on this machine: every figure is measured while you wait."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from experiments.benchmarks.measurement import (
    Measurement,
    best_rates,
    once,
    present,
    require_positive,
)
from experiments.commands.arguments import Json
from experiments.commands.terminal import progress
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from theory import MDPClass

ORACLE_MODELS = 400


def bench_theory(*, repeats: int = 3, json: Json = None) -> int:
    """Speed of the exact enumeration, beside QuantEcon's DiscreteDP in the same run where that is installed.

    Compilation is done before the clocks start; each figure is the best of the repeats. Exit status 1 if a target
    is missed.

    Args:
        repeats: How often each figure is measured.
        json: Write the figures as JSON; "-" is standard output.
    """
    require_positive(repeats=repeats)
    require_writable(json)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    with progress("measuring") as report:
        measurements = _measure(repeats, report)
    note = "Without a value: QuantEcon, the oracle, is not installed (it is in the group dev)."
    notes = [note] if any(m.value is None for m in measurements) else []
    return present("theory", machine, measurements, {"repeats": repeats}, json, *notes)


def _measure(repeats: int, report: Callable[[float], None]) -> list[Measurement]:
    from theory import census, gallery_class, named_rewards, solve, sweep_datasets
    from theory.solving.deterministic import optimal_ranks, optimal_ranks_of_product
    from theory.solving.lasso_table import lasso_table

    small, large = gallery_class("tabular-3x2-sparse"), gallery_class("tabular-4x2-sparse")
    sweep_datasets(solve(small))  # compiles everything that follows

    assignments = large.transitions.state_assignments()
    assert assignments is not None

    def solve_values() -> None:
        optimal_ranks_of_product(assignments, lasso_table(large.rewards, large.gamma))

    def solve_one_by_one() -> None:
        lookup = lasso_table(large.rewards, large.gamma)
        for batch in large.transitions.batches():
            optimal_ranks(batch, lookup, large.actions)

    def rate(models: int, work: Callable[[], object]) -> float:
        """Models a second, where the work goes through so many."""
        return models * best_rates(once(work), repeats=repeats)[0]

    def seconds(what: str, limit: float, work: Callable[[], object]) -> Measurement:
        return Measurement(what, 1 / best_rates(once(work), repeats=repeats)[0], "s", below=limit)

    size, unit = large.transitions.size, "models/s"
    solved = rate(size, solve_values)
    measurements = [
        Measurement("4x2 models solved exactly (optimal values)", solved, unit, at_least=3e6),
        Measurement("the same, each model looked up by itself", rate(size, solve_one_by_one), unit),
        Measurement("4x2 models solved and grouped by q", rate(size, lambda: solve(large)), unit),
        Measurement(
            "Fraction policy iteration, model by model",
            rate(ORACLE_MODELS, _by_fractions(large)),
            unit,
        ),
    ]
    report(0.3)
    oracle = rate(ORACLE_MODELS, _by_quantecon(large)) if find_spec("quantecon") else None
    ratio = None if oracle is None else solved / oracle
    measurements += [
        Measurement("QuantEcon DiscreteDP, policy iteration (solve alone)", oracle, unit),
        Measurement("ratio to QuantEcon", ratio, "times", at_least=500),
    ]
    report(0.5)
    for name, problem, datasets, limit in (
        ("3x2", small, 15_625, 0.2),
        ("4x2", large, 1_679_616, 3.0),
    ):
        what = f"every functional dataset of {name} ({datasets:,})"
        measurements.append(seconds(what, limit, partial(sweep_datasets, solve(problem))))
    stochastic = _stochastic_class()
    measurements += [
        seconds("6,561 stochastic models of 4x2 solved exactly", 1.0, partial(solve, stochastic)),
        seconds(
            "every functional evidence of these (65,536)",
            10.0,
            partial(sweep_datasets, solve(stochastic)),
        ),
    ]
    report(0.7)
    for states, actions, limit in ((4, 3, 0.3), (5, 3, 5.0)):
        rewards = named_rewards("sparse", states, actions)
        what = (
            f"census of {states}x{actions} sparse ({(states + 1) ** (states * actions):.2g} models)"
        )
        measurements.append(seconds(what, limit, partial(census, rewards, Fraction(9, 10))))
    block = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * block / 1e9
    measurements.append(Measurement("peak memory of this process", memory, "GB", below=2))
    report(1.0)
    return measurements


def _stochastic_class() -> MDPClass:
    """All choices of three options at each of eight pairs, a law over three successors each."""
    from theory import mdp_class, option, option_class

    options = [
        [
            option(
                (pair * o) % 5 - 2,
                {
                    (pair + o) % 5: Fraction(1, 2),
                    (pair + o + 1) % 5: Fraction(1, 3),
                    (pair + o + 2) % 5: Fraction(1, 6),
                },
                4,
            )
            for o in range(3)
        ]
        for pair in range(8)
    ]
    return mdp_class(option_class(4, 2, options), [[0, 0]] * 4, "9/10", name="stochastic-4x2")


def _some_models(problem: MDPClass) -> list[int]:
    """Indices of models that are evenly spaced in the class."""
    size = problem.transitions.size
    return [number * size // ORACLE_MODELS for number in range(ORACLE_MODELS)]


def _by_fractions(problem: MDPClass) -> Callable[[], object]:
    from theory import optimal_q

    models = [problem.transitions.table(index) for index in _some_models(problem)]
    return lambda: [optimal_q(model, problem.rewards, problem.gamma) for model in models]


def _by_quantecon(problem: MDPClass) -> Callable[[], object]:
    """The clock is on `solve` alone."""
    import numpy as np
    from quantecon.markov import DiscreteDP

    n, k = problem.states, problem.actions
    rewards = np.zeros((n + 1, k))
    rewards[:n] = np.array(problem.rewards, dtype=float)
    processes = []
    for index in _some_models(problem):
        transition = np.zeros((n + 1, k, n + 1))
        transition[n, :, n] = 1
        for s, row in enumerate(problem.transitions.table(index)):
            for a, successor in enumerate(row):
                transition[s, a, successor] = 1
        processes.append(DiscreteDP(rewards, transition, float(problem.gamma)))
    processes[0].solve(method="policy_iteration")  # compiles
    return lambda: [process.solve(method="policy_iteration") for process in processes]
