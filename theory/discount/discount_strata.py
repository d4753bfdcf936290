"""The values of gamma in (0, 1) at which the structure of a class changes, exactly.

The structure is all that H_M(D) and H_B(D) depend on, whatever D: which models share a q, and which transitions are
Bellman-consistent with each q. Both are equalities between optimal values, and each optimal value is the value of a
policy, a rational function of gamma (`policy_value_functions`). All of these have one denominator, so that their
order is constant between neighbouring roots of the differences of numerators, which are factored into irreducible
polynomials and their roots isolated in disjoint rational intervals (`algebraic_numbers`). The order in between
is that of the numerators at one rational sample, compared as integers. The order *at* a root is the same, with those
values merged whose difference is a multiple of the root's minimal polynomial. The models are then solved from the
order alone (ranks), which is exact for an algebraic gamma as for a rational one.

Roots at which nothing changes are dropped. What remains alternates: open interval, point, open interval.

Where models choose options with laws, policies have denominators of their own, and are followed one at a time
(`law_strata`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain, pairwise
from typing import Literal

import numpy as np
from jaxtyping import Int64

from theory.classes.mdp_class import MDPClass
from theory.discount.algebraic_numbers import (
    ONE,
    ZERO,
    AlgebraicNumber,
    Coefficients,
    Root,
    algebraic_number,
    rational_between,
    roots_within,
    scaled_value,
    separated,
)
from theory.discount.law_strata import LawStrata
from theory.discount.policy_value_functions import (
    MAX_ENTRIES,
    Pair,
    PolicyValueFunctions,
    StrataTooLargeError,
    find_coincidences,
    policy_value_functions,
)
from theory.discount.structure import Structure, structure_of
from theory.progress import Progress, silent
from theory.solving.deterministic import optimal_ranks, solve_by_table
from theory.solving.lasso_table import LassoTable, graph_stride, reward_choice, scale, table_entries

MAX_MODELS = 500_000
MAX_SOLUTIONS = 200_000_000

HALF = Fraction(1, 2)

Order = Int64[np.ndarray, " function"]
"""All function numbers, from the smallest value to the largest."""

Optimal = Int64[np.ndarray, "model vertex"]
"""The number of the function that V is at each state."""


@dataclass(frozen=True)
class Stratum:
    """A point, or a maximal open interval, of gamma on which the structure of the class is constant.

    Attributes:
        kind: which of the two.
        lower: where it begins, excluded from an interval; for a point, the point.
        upper: where it ends, likewise.
        sample: a rational gamma in it, "p/q"; None for an irrational point.
        value_functions: |H_Q|.
        value_vectors: the number of distinct optimal V.
        part1: whether H_M(D) is a subset of H_B(D), for every D.
        strict: part 2: whether the inclusion is proper for some realizable D.
        part3_functional: whether H_M(D) = H_B(D) for every functional D.
        part3_realizable: whether they are equal for every realizable D.
        changes: what differs from the stratum before.
    """

    kind: Literal["interval", "point"]
    lower: AlgebraicNumber
    upper: AlgebraicNumber
    sample: str | None
    value_functions: int
    value_vectors: int
    part1: bool
    strict: bool
    part3_functional: bool
    part3_realizable: bool
    changes: tuple[str, ...]


@dataclass(frozen=True)
class DiscountStrata:
    """The strata of (0, 1) for one class.

    Attributes:
        name: the class.
        states: n.
        actions: k.
        models: |M|.
        policy_values: how many rational functions of gamma are the value of some policy, 0 among them; in a class with
            options, how many policies that are optimal somewhere were followed.
        candidates: at how many gamma some of these coincide without being the same.
        strata: from 0 to 1, intervals and points in turn.
        seconds: wall-clock time.
    """

    name: str
    states: int
    actions: int
    models: int
    policy_values: int
    candidates: int
    strata: tuple[Stratum, ...]
    seconds: float

    @property
    def breakpoints(self) -> tuple[AlgebraicNumber, ...]:
        """The gamma at which the structure changes."""
        return tuple(stratum.lower for stratum in self.strata if stratum.kind == "point")


def find_strata(problem: MDPClass, progress: Progress = silent) -> DiscountStrata:
    """Where in (0, 1) the structure of a class changes. The class's own gamma is ignored.

    Raises:
        StrataTooLargeError: past MAX_ENTRIES lassos, MAX_PAIRS pairs of policy values, MAX_MODELS models, or
            MAX_SOLUTIONS models to solve over all samples.
        ExchangeTooLargeError: if the exchange criterion cannot be decided.
        ArithmeticError: if a coincidence was missed (never seen; it is checked).
    """
    start = time.perf_counter()
    if problem.transitions.options is not None:
        followed = LawStrata(problem, progress)
        pieces = list(followed.pieces())
        return _strata(problem, pieces, followed.policies, followed.candidates, start)
    _require_small(problem)
    values = policy_value_functions(problem)
    coincidences = find_coincidences(values, lambda done: progress(done / 2))
    roots = separated([root for polynomial in coincidences for root in roots_within(polynomial)])
    solutions = problem.transitions.size * (2 * len(roots) + 1)
    if solutions > MAX_SOLUTIONS:
        raise StrataTooLargeError(
            f"the class has {problem.transitions.size} models to solve at {len(roots)} candidate values of gamma and"
            f" between them, about {solutions / 1e6:.3g} s; accepted: at most {MAX_SOLUTIONS:.3g} solutions"
        )
    found = _pieces(problem, values, coincidences, roots, lambda done: progress((1 + done) / 2))
    return _strata(problem, list(found), len(values.numerators), len(roots), start)


def _strata(
    problem: MDPClass,
    pieces: Sequence[tuple[Root, Root, Structure]],
    policy_values: int,
    candidates: int,
    start: float,
) -> DiscountStrata:
    befores = [None, *(structure for _, _, structure in pieces)]
    return DiscountStrata(
        name=problem.name,
        states=problem.states,
        actions=problem.actions,
        models=problem.transitions.size,
        policy_values=policy_values,
        candidates=candidates,
        strata=tuple(
            _stratum(lower, upper, here, before)
            for (lower, upper, here), before in zip(pieces, befores, strict=False)
        ),
        seconds=time.perf_counter() - start,
    )


def _require_small(problem: MDPClass) -> None:
    # Decimals, since a class can have more models than a float can count.
    models, entries = Decimal(problem.transitions.size), Decimal(table_entries(problem.rewards))
    if models > MAX_MODELS:
        raise StrataTooLargeError(
            f"the class has {models:.12g} models, about {models / 10**6:.3g} s for each candidate value of gamma;"
            f" accepted: at most {MAX_MODELS}; the other checks take one gamma at a time"
        )
    if entries > MAX_ENTRIES:
        raise StrataTooLargeError(
            f"the class may have {entries:.3g} policy values, each a rational function of gamma, about"
            f" {entries / 10**4:.3g} s to list; accepted: at most {MAX_ENTRIES};"
            " the other checks take one gamma at a time"
        )


def _pieces(
    problem: MDPClass,
    values: PolicyValueFunctions,
    coincidences: dict[Coefficients, set[Pair]],
    roots: Sequence[Root],
    progress: Progress,
) -> Iterator[tuple[Root, Root, Structure]]:
    """Intervals (begin, end) and points (root, root) in turn, each with its structure.

    Between roots different functions have different values, so that the structure is known once it is known which
    functions are optimal where. These can change only at a root where one of them meets another function; and if they
    stay, the structure is another one at the root only if two of them meet.
    """
    models = problem.transitions.models(0, problem.transitions.size)

    def between(left: Root, right: Root) -> tuple[LassoTable, Optimal]:
        order = _order(values, left, right)
        table = _table(problem, values, order)
        return table, order[optimal_ranks(models, table, problem.actions)]

    ends = [ZERO, *roots, ONE]
    begin = ZERO
    table, optimal = between(*ends[:2])
    structure, used = _structure(problem, table), set(np.unique(optimal).tolist())
    for done, (left, root, right) in enumerate(zip(ends, ends[1:], ends[2:], strict=False)):
        progress(done / len(roots))
        merged = coincidences[root.polynomial]
        if used.isdisjoint(chain.from_iterable(merged)):
            continue
        table, optimal_after = between(root, right)
        stay = np.array_equal(optimal, optimal_after)
        if stay and not any(f in used and g in used for f, g in merged):
            continue
        at_root = _structure(problem, _table(problem, values, _order(values, left, root), merged))
        after = structure if stay else _structure(problem, table)
        if at_root.changes(structure) or after.changes(at_root):
            yield begin, root, structure
            yield root, root, at_root
            begin, structure = root, after
        optimal, used = optimal_after, set(np.unique(optimal_after).tolist())
    progress(1.0)
    yield begin, ONE, structure


def _order(values: PolicyValueFunctions, left: Root, right: Root) -> Order:
    """The order of the functions between two neighbouring roots, from one rational sample."""
    sample = rational_between(left, right)
    heights = [scaled_value(numerator, sample) for numerator in values.numerators]
    if len(set(heights)) < len(heights):
        raise ArithmeticError(f"policy values coincide at gamma = {sample}, which is no candidate")
    return np.array(sorted(range(len(heights)), key=heights.__getitem__), dtype=np.int64)


def _table(
    problem: MDPClass,
    values: PolicyValueFunctions,
    order: Order,
    merged: Collection[Pair] = (),
) -> LassoTable:
    """The lasso table for an order of the policy values, neighbours in `merged` being equal.

    Its levels are the ranks themselves: an algebraic value has a place in the order, but no fraction.
    """
    rises = [(min(pair), max(pair)) not in merged for pair in pairwise(order.tolist())]
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.cumsum([0, *rises])
    return LassoTable(
        ranks=rank[values.function],
        levels=np.unique(rank),
        scale=scale(problem.rewards, HALF),
        choice=reward_choice(problem.rewards),
        stride=graph_stride(problem.rewards),
    )


def _structure(problem: MDPClass, table: LassoTable) -> Structure:
    # Any gamma < 1 will do: the table alone decides, and what is asked of the result needs ranks alone.
    return structure_of(solve_by_table(replace(problem, gamma=HALF), table))


def _stratum(lower: Root, upper: Root, here: Structure, before: Structure | None) -> Stratum:
    point = lower == upper
    if point:
        sample = str(lower.lower) if lower.rational else None
    else:
        sample = str(rational_between(lower, upper))
    return Stratum(
        kind="point" if point else "interval",
        lower=algebraic_number(lower),
        upper=algebraic_number(upper),
        sample=sample,
        value_functions=len(here.consistent),
        value_vectors=here.value_vectors,
        part1=here.part1,
        strict=here.part1 and not here.part3_realizable,
        part3_functional=here.part3_functional,
        part3_realizable=here.part3_realizable,
        changes=here.changes(before) if before else (),
    )
