"""How fast it is on this machine: every figure is measured while you wait."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from theory import MDPClass

ORACLE_MODELS = 400


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Attributes:
        what: what was measured.
        value: the figure; None where it was not run.
        unit: its unit.
        target: what is aimed for, as text; empty if nothing is.
        met: whether the target is met; None if there is none, or nothing was run.
    """

    what: str
    value: float | None
    unit: str
    target: str = ""
    met: bool | None = None


def bench_theory(*, repeats: int = 3, json: Json = None) -> int:
    """Speed of the exact enumeration, beside QuantEcon's DiscreteDP in the same run where that is installed.

    Compilation is done before the clocks start; each figure is the best of the repeats. Exit status 1 if a target
    is missed.

    Args:
        repeats: How often each figure is measured.
        json: Write the figures as JSON; "-" is standard output.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; accepted: 1 or more")
    require_writable(json)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    with progress("measuring") as report:
        figures = _theory_figures(repeats, report)
    rows = [(f.what, f.value, f.unit, f.target, f.met) for f in figures]
    columns = ("", "measured", "unit", "target", "met")
    console(json).print(table(f"mbgen bench theory: {machine}", columns, rows))
    if any(figure.value is None for figure in figures):
        console(json).print(
            "Not run: QuantEcon, the oracle, is not installed (it is in the group dev)."
        )
    write_json({"machine": machine, "repeats": repeats, "figures": figures}, json)
    return 1 if any(f.met is False for f in figures) else 0


def _best(repeats: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _theory_figures(repeats: int, report: Callable[[float], None]) -> list[Figure]:
    from theory import census, gallery_class, named_rewards, solve, sweep_datasets
    from theory.lasso_table import lasso_table
    from theory.solved_class import optimal_ranks, optimal_ranks_of_product

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

    def at_most(what: str, seconds: float, limit: float) -> Figure:
        return Figure(what, seconds, "s", f"under {limit:g}", seconds < limit)

    size = large.transitions.size
    rate = size / _best(repeats, solve_values)
    figures = [
        Figure(
            "4x2 models solved exactly (optimal values)",
            rate,
            "models/s",
            "3e6 or more",
            rate >= 3e6,
        ),
        Figure(
            "the same, each model looked up by itself",
            size / _best(repeats, solve_one_by_one),
            "models/s",
        ),
        Figure(
            "4x2 models solved and grouped by q",
            size / _best(repeats, lambda: solve(large)),
            "models/s",
        ),
        Figure(
            "Fraction policy iteration, model by model", _fraction_rate(large, repeats), "models/s"
        ),
    ]
    report(0.3)
    oracle = _oracle_rate(large, repeats) if find_spec("quantecon") else None
    figures += [
        Figure("QuantEcon DiscreteDP, policy iteration (solve alone)", oracle, "models/s"),
        Figure(
            "ratio to QuantEcon",
            rate / oracle if oracle else None,
            "times",
            "500 or more",
            rate / oracle >= 500 if oracle else None,
        ),
    ]
    report(0.5)
    for name, problem, datasets, limit in (
        ("3x2", small, 15_625, 0.2),
        ("4x2", large, 1_679_616, 3.0),
    ):
        solved = solve(problem)
        seconds = _best(repeats, lambda solved=solved: sweep_datasets(solved))  # type: ignore[misc]
        figures.append(
            at_most(f"every functional dataset of {name} ({datasets:,})", seconds, limit)
        )
    report(0.7)
    for states, actions, limit in ((4, 3, 0.3), (5, 3, 5.0)):
        rewards = named_rewards("sparse", states, actions)
        seconds = _best(repeats, lambda rewards=rewards: census(rewards, Fraction(9, 10)))  # type: ignore[misc]
        models = (states + 1) ** (states * actions)
        figures.append(
            at_most(f"census of {states}x{actions} sparse ({models:.2g} models)", seconds, limit)
        )
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    figures.append(Figure("peak memory of this process", memory, "GB", "under 2", memory < 2))
    report(1.0)
    return figures


def _fraction_rate(problem: MDPClass, repeats: int) -> float:
    from theory import optimal_q

    size = problem.transitions.size
    models = [problem.transitions.table(i) for i in range(0, size, size // ORACLE_MODELS)]
    seconds = _best(
        repeats, lambda: [optimal_q(model, problem.rewards, problem.gamma) for model in models]
    )
    return len(models) / seconds


def _oracle_rate(problem: MDPClass, repeats: int) -> float:
    """Models a second by QuantEcon: evenly spaced models of the class, the clock on `solve` alone."""
    import numpy as np
    from quantecon.markov import DiscreteDP

    n, k = problem.states, problem.actions
    rewards = np.zeros((n + 1, k))
    rewards[:n] = np.array(problem.rewards, dtype=float)
    processes = []
    for index in range(0, problem.transitions.size, problem.transitions.size // ORACLE_MODELS):
        transition = np.zeros((n + 1, k, n + 1))
        transition[n, :, n] = 1
        for s, row in enumerate(problem.transitions.table(index)):
            for a, successor in enumerate(row):
                transition[s, a, successor] = 1
        processes.append(DiscreteDP(rewards, transition, float(problem.gamma)))
    processes[0].solve(method="policy_iteration")
    seconds = _best(
        repeats, lambda: [process.solve(method="policy_iteration") for process in processes]
    )
    return len(processes) / seconds
