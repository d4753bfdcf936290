"""Theorem 1 checked on one class: the inclusion, where it is strict, and where it is an equality.

1. H_M(D) is a subset of H_B(D).
2. For some classes and datasets it is a proper subset.
3. For the tabular class they are equal, for every functional D.

Realizable, functional and arbitrary datasets have separate answers: D is functional if each (s, a) occurs with at most
one successor, and realizable if some model of the class agrees with all of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from theory.certificates.block_decision import decide_by_blocks
from theory.classes.mdp_class import MDPClass, zero_sum_choice
from theory.classes.transition_class import ProductClass
from theory.criteria.exchange import (
    ExchangeTooLargeError,
    closed_under_equivalence,
    equal_for_every_dataset,
    exchange_holds,
    included_by_criterion,
    splices_hold,
)
from theory.criteria.version_spaces import (
    DatasetSweep,
    SweepTooLargeError,
    functional_datasets,
    require_few_datasets,
    require_few_steps,
    sweep_datasets,
)
from theory.progress import Progress, silent
from theory.solving.deterministic import beyond_enumeration
from theory.solving.lasso_table import require_table
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

Datasets = Literal["functional", "realizable"]

BLOCK_TRIALS = 100
BLOCK_SECONDS = 60.0


class SeveralSolutionsError(ValueError):
    """The Bellman optimality equation may have several solutions, so that part 3 may fail."""


@dataclass(frozen=True)
class SizeRow:
    """The datasets of one size: how many, and the mean number of q that each criterion leaves."""

    size: int
    datasets: int
    mean_HM: float
    mean_HB: float


@dataclass(frozen=True, kw_only=True)
class TheoremReport:
    """What a check of one class found.

    Attributes:
        name: the class.
        states: n.
        actions: k.
        gamma: "p/q".
        models: |M|, those with finite q*; of a class that is not enumerated, all.
        merged: repeated models of an explicit list, merged.
        dropped: models with infinite q*, left out (gamma = 1 alone).
        value_functions: |H_Q|; None if the class is not enumerated.
        value_vectors: the number of distinct optimal V; None likewise.
        datasets: how many datasets were gone through; None if the criteria decided without any.
        sum_HM: the sum of |H_M(D)| over those datasets.
        sum_HB: the sum of |H_B(D)| over those datasets.
        strict: how many realizable datasets have a proper inclusion.
        part1: whether H_M(D) is a subset of H_B(D) for all of them.
        part2: whether it is a proper one for some realizable dataset; None if undecided.
        part3_functional: whether they are equal for every functional dataset; None if undecided.
        part3_realizable: whether they are equal for every realizable one; None if undecided.
        part3_arbitrary: whether they are equal for every dataset, functional or not; None if undecided.
        part3_evidence: whether they are equal for all evidence that some model meets; None if undecided. (For all
            evidence they are exactly if they are for every functional dataset.)
        by_size: means over the datasets of each size.
        method: how it was decided.
        seconds: wall-clock time.
    """

    name: str
    states: int
    actions: int
    gamma: str
    models: int
    merged: int
    dropped: int = 0
    value_functions: int | None = None
    value_vectors: int | None = None
    datasets: int | None = None
    sum_HM: int | None = None
    sum_HB: int | None = None
    strict: int | None = None
    part1: bool
    part2: bool | None
    part3_functional: bool | None
    part3_realizable: bool | None
    part3_arbitrary: bool | None
    part3_evidence: bool | None
    by_size: tuple[SizeRow, ...] = ()
    method: str
    seconds: float


def require_unique_solution(problem: MDPClass) -> None:
    """Refuse gamma = 1 where the Bellman equation may have several solutions.

    Raises:
        SeveralSolutionsError: naming states and actions whose rewards sum to zero.
        TableTooLargeError: for rewards that `solve` would refuse; there may be exponentially many sums of them.
    """
    if problem.gamma < 1:
        return
    require_table(problem.rewards, problem.gamma)
    if (choice := zero_sum_choice(problem.rewards)) is not None:
        where = ", ".join(
            f"({problem.state_name(s)}, {problem.action_name(a)})" for s, a in choice.items()
        )
        raise SeveralSolutionsError(
            f"gamma is 1 and the rewards at {where} sum to zero, so that the Bellman equation may have several"
            " solutions and part 3 may fail; accepted: gamma < 1, or rewards with no zero sum"
            " over distinct states"
        )


def check_class(
    problem: MDPClass,
    datasets: Datasets = "functional",
    *,
    allow_zero_sum: bool = False,
    every_dataset: bool = False,
    progress: Progress = silent,
) -> TheoremReport:
    """Check the three parts over every dataset of a class.

    Every functional dataset is gone through where they are few enough; the criteria of `theory.criteria.exchange`
    decide otherwise, and must agree where both are run. What neither can decide is None in the report: equality for
    realizable datasets, where no single transition shows a proper inclusion and comparing all models takes too long.

    Args:
        problem: the class.
        datasets: which datasets are counted and summed over.
        allow_zero_sum: go on at gamma = 1 even if the Bellman equation may have several solutions.
        every_dataset: refuse the class, before anything is computed that this can spare, if its datasets cannot be
            gone through.
        progress: told the fraction done.

    Raises:
        ValueError: if the class is too large to enumerate, or gamma = 1 is refused.
        SweepTooLargeError: if `every_dataset` is asked for and there are too many.
        ArithmeticError: if two methods disagree (never seen; it is checked).
    """
    start = time.perf_counter()
    if not allow_zero_sum:
        require_unique_solution(problem)
    if every_dataset:
        require_few_datasets(problem.option_counts)
    elif beyond_enumeration(problem) and (report := _check_by_blocks(problem, start, progress)):
        return report
    solved = solve(problem, lambda fraction: progress(fraction / 2))
    if every_dataset:
        require_few_steps(solved)
    closed = closed_under_equivalence(solved)
    try:
        exchange: bool | None = closed or exchange_holds(solved)
        method = "criteria"
    except ExchangeTooLargeError:
        exchange, method = None, "closure criterion"
    part1, counts = included_by_criterion(solved), _Counts()
    try:
        sweep = sweep_datasets(solved, lambda fraction: progress((1 + fraction) / 2))
    except SweepTooLargeError:
        pass
    else:
        counts = _count(solved, sweep, datasets)
        every = counts.equal_functional, counts.equal_realizable
        if (closed, exchange) not in (every, (every[0], None)):
            raise ArithmeticError(f"the criteria say {closed, exchange}, the datasets {every}")
        part1 = part1 and sweep.outside == 0
        closed, exchange = every
        method = f"every {datasets} dataset, and the {method}"
    progress(1.0)
    return TheoremReport(
        name=problem.name,
        states=problem.states,
        actions=problem.actions,
        gamma=str(problem.gamma),
        models=len(solved.models),
        merged=problem.transitions.merged,
        dropped=solved.dropped,
        value_functions=solved.value_functions,
        value_vectors=solved.value_vectors,
        datasets=counts.datasets,
        sum_HM=counts.sum_HM,
        sum_HB=counts.sum_HB,
        strict=counts.strict,
        part1=part1,
        part2=None if exchange is None else part1 and not exchange,
        part3_functional=closed,
        part3_realizable=exchange,
        part3_arbitrary=equal_for_every_dataset(solved),
        part3_evidence=_equal_for_evidence(solved, closed, exchange),
        by_size=counts.by_size,
        method=method,
        seconds=time.perf_counter() - start,
    )


def _equal_for_evidence(solved: SolvedClass, closed: bool, exchange: bool | None) -> bool | None:
    """Part 3 for realizable evidence: it lies between the closure and the exchange criterion."""
    if closed or not exchange:
        return True if closed else exchange
    try:
        return splices_hold(solved)
    except ExchangeTooLargeError:
        return None


def _check_by_blocks(problem: MDPClass, start: float, progress: Progress) -> TheoremReport | None:
    """The report on a product class that cannot be enumerated; None of any other class, or at gamma = 1."""
    if not isinstance(problem.transitions, ProductClass) or problem.gamma == 1:
        return None
    decided = decide_by_blocks(problem, progress, tried=BLOCK_TRIALS, time_limit=BLOCK_SECONDS)
    realizable, functional = decided.realizable, decided.functional
    progress(1.0)
    return TheoremReport(
        name=problem.name,
        states=problem.states,
        actions=problem.actions,
        gamma=str(problem.gamma),
        models=problem.transitions.size,
        merged=problem.transitions.merged,
        part1=True,
        part2=None if realizable is None else not realizable,
        part3_functional=functional,
        part3_realizable=realizable,
        part3_arbitrary=decided.arbitrary,
        part3_evidence=functional or (False if realizable is False else None),
        method=f"{decided.method}; part 1 by its proof",
        seconds=time.perf_counter() - start,
    )


@dataclass(frozen=True)
class _Counts:
    datasets: int | None = None
    sum_HM: int | None = None
    sum_HB: int | None = None
    strict: int | None = None
    equal_functional: bool = True
    equal_realizable: bool = True
    by_size: tuple[SizeRow, ...] = ()


def _count(solved: SolvedClass, sweep: DatasetSweep, datasets: Datasets) -> _Counts:
    realizable = sweep.HM > 0
    differs = sweep.HM != sweep.HB
    strict = int((differs & realizable).sum())
    sizes = _dataset_sizes(solved)
    counted = realizable if datasets == "realizable" else np.ones_like(realizable)
    sizes = sizes[counted]
    number = np.bincount(sizes)
    sums = [np.bincount(sizes, weights=H[counted]) for H in (sweep.HM, sweep.HB)]
    return _Counts(
        datasets=int(counted.sum()),
        sum_HM=int(sweep.HM[counted].sum(dtype=np.int64)),
        sum_HB=int(sweep.HB[counted].sum(dtype=np.int64)),
        strict=strict,
        equal_functional=not differs.any(),
        equal_realizable=strict == 0,
        by_size=tuple(
            SizeRow(size, int(count), float(sums[0][size] / count), float(sums[1][size] / count))
            for size, count in enumerate(number)
            if count
        ),
    )


def _dataset_sizes(solved: SolvedClass) -> np.ndarray:
    """|D| by dataset index: the number of digits that are options."""
    sizes = np.zeros(1, dtype=np.int8)
    for count in solved.option_counts:
        digit = np.append(np.ones(count, dtype=np.int8), np.int8(0))
        sizes = (sizes[:, None] + digit).reshape(-1)
    assert len(sizes) == functional_datasets(solved)
    return sizes
