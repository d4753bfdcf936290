"""The values of gamma in (0, 1) at which the structure of a class changes, exactly.

The structure is all that H_M(D) and H_B(D) depend on, whatever D: which models share a q, and which transitions are
Bellman-consistent with each q. Both are equalities between optimal values, and each optimal value is the value of a
policy, a lasso (see `theory.lasso_table`). With gamma unknown that is a rational function,

    V = N(gamma) / W(gamma),    W = lcm over c <= n of (1 - gamma^c) > 0 on (0, 1),

with one denominator W for all of them. So the order of all policy values is constant between neighbouring roots of the
differences of numerators, which are factored into irreducible polynomials and their roots isolated in disjoint rational
intervals. The order in between is that of the numerators at one rational sample, compared as integers. The order *at* a
root is the same, with those values merged whose difference is a multiple of the root's minimal polynomial. The models
are then solved from the order alone (ranks), which is exact for an algebraic gamma as for a rational one.

Roots at which nothing changes are dropped. What remains alternates: open interval, point, open interval.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, count, pairwise, product
from math import gcd, lcm, prod
from typing import Literal

import numpy as np
import sympy
from jaxtyping import Bool, Int32, Int64

from theory.exchange import closed_under_equivalence, exchange_holds, included_by_criterion
from theory.lasso_table import LassoTable, graph_stride, reward_choice, scale, table_entries
from theory.mdp_class import MDPClass
from theory.solved_class import Progress, optimal_ranks, silent, solve_by_table

MAX_ENTRIES = 1_000_000
MAX_PAIRS = 100_000
MAX_MODELS = 500_000
MAX_SOLUTIONS = 200_000_000

GAMMA = sympy.Symbol("gamma")
HALF = Fraction(1, 2)

Coefficients = tuple[int, ...]  # of an integer polynomial in gamma, the leading one first
Pair = tuple[int, int]  # of function numbers, the smaller one first
Order = Int64[
    np.ndarray, " function"
]  # all function numbers, from the smallest value to the largest
Optimal = Int64[np.ndarray, "model vertex"]  # the number of the function that V is at each state


class StrataTooLargeError(ValueError):
    """The class has too many policy values or models to follow them through all of (0, 1)."""


@dataclass(frozen=True)
class AlgebraicNumber:
    """A real algebraic number, exactly.

    Attributes:
        minimal_polynomial: in gamma, irreducible, with integer coefficients.
        coefficients: those of the minimal polynomial, the leading one first.
        lower: "p/q"; the number is the polynomial's only root between `lower` and `upper`.
        upper: "p/q"; equal to `lower` exactly if the number is rational.
        approximation: to double precision.
        closed_form: by radicals, where the degree is at most 2.
    """

    minimal_polynomial: str
    coefficients: Coefficients
    lower: str
    upper: str
    approximation: float
    closed_form: str | None


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
        policy_values: how many rational functions of gamma are the value of some policy, 0 among them.
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
    _require_small(problem)
    values = _policy_values(problem)
    coincidences = _coincidences(values, lambda done: progress(done / 2))
    roots = _separated([root for polynomial in coincidences for root in _roots(polynomial)])
    solutions = problem.transitions.size * (2 * len(roots) + 1)
    if solutions > MAX_SOLUTIONS:
        raise StrataTooLargeError(
            f"the class has {problem.transitions.size} models to solve at {len(roots)} candidate values of gamma and"
            f" between them, about {solutions / 1e6:.3g} s; accepted: at most {MAX_SOLUTIONS:.3g} solutions"
        )
    strata, before = [], None
    pieces = _pieces(problem, values, coincidences, roots, lambda done: progress((1 + done) / 2))
    for lower, upper, structure in pieces:
        strata.append(_stratum(lower, upper, structure, before))
        before = structure
    return DiscountStrata(
        name=problem.name,
        states=problem.states,
        actions=problem.actions,
        models=problem.transitions.size,
        policy_values=len(values.numerators),
        candidates=len(roots),
        strata=tuple(strata),
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


# The values of all policies as rational functions


@dataclass(frozen=True)
class _PolicyValues:
    """The value of every policy of every model, as the number of a rational function.

    Attributes:
        function: [graph, vertex], which function; rows as in `LassoTable`, those that no model has left at 0.
        numerators: the functions times W, as integer coefficients padded to one length; number 0 is the function 0.
        cyclotomic: the irreducible factors of W, none of which has a root in (0, 1).
    """

    function: Int32[np.ndarray, "graph vertex"]
    numerators: list[Coefficients]
    cyclotomic: list[Coefficients]


def _policy_values(problem: MDPClass) -> _PolicyValues:
    n, rewards = problem.states, problem.rewards
    unit = lcm(*(r.denominator for row in rewards for r in row))
    distinct = [[int(r * unit) for r in sorted(set(row))] for row in rewards]
    options = [list(product(row, range(n + 1))) for row in distinct]  # of each state: (r, s')
    cyclotomic = {c: sympy.Poly(sympy.cyclotomic_poly(c, GAMMA), GAMMA) for c in range(1, n + 1)}
    # W / (1 - gamma^c): the factors of W that 1 - gamma^c lacks, all of them positive on (0, 1).
    cofactor = {
        c: prod((cyclotomic[d] for d in cyclotomic if c % d), start=sympy.Poly(1, GAMMA))
        for c in cyclotomic
    }
    W = (1 - GAMMA) * cofactor[1]
    length = n + W.degree()
    numbers = {(0,) * length: 0}
    number_of: dict[_Lasso, int] = {}
    function = np.zeros((prod(map(len, options)), n + 1), dtype=np.int32)
    stride = graph_stride(rewards)
    for graph in np.flatnonzero(_occurring_graphs(problem)):
        steps = [row[graph // w % len(row)] for row, w in zip(options, stride, strict=True)]
        for s in range(n):
            lasso = _lasso(steps, s)
            if lasso not in number_of:
                prefix, cycle = map(_polynomial, lasso)
                numerator = prefix * W
                if lasso[1]:
                    numerator += GAMMA ** len(lasso[0]) * cycle * cofactor[len(lasso[1])]
                coefficients = _coefficients(numerator)
                padded = (0,) * (length - len(coefficients)) + coefficients
                number_of[lasso] = numbers.setdefault(padded, len(numbers))
            function[graph, s] = number_of[lasso]
    return _PolicyValues(
        function, list(numbers), [_coefficients(factor) for factor in cyclotomic.values()]
    )


_Lasso = tuple[tuple[int, ...], tuple[int, ...]]  # the rewards of the prefix and of the cycle


def _lasso(steps: Sequence[tuple[int, int]], start: int) -> _Lasso:
    """The rewards met from a state on in a functional graph of (reward, successor), by state; the end has no cycle."""
    path, s = list[int](), start
    while s < len(steps) and s not in path:
        path.append(s)
        s = steps[s][1]
    rewards = tuple(steps[x][0] for x in path)
    prefix = path.index(s) if s < len(steps) else len(path)
    return rewards[:prefix], rewards[prefix:]


def _polynomial(ascending: Sequence[int]) -> sympy.Poly:
    """The sum of r_i gamma^i."""
    return sympy.Poly.from_list(ascending[::-1] or [0], GAMMA)


def _coefficients(polynomial: sympy.Poly) -> Coefficients:
    return tuple(map(int, polynomial.all_coeffs()))


def _occurring_graphs(problem: MDPClass) -> Bool[np.ndarray, " graph"]:
    """Which functional graphs of options some policy of some model has."""
    n, k = problem.states, problem.actions
    choice, stride = reward_choice(problem.rewards), graph_stride(problem.rewards)
    occurs = np.zeros(table_entries(problem.rewards) // n, dtype=bool)
    for batch in problem.transitions.batches():
        option = choice * (n + 1) + batch.reshape(-1, n, k)
        index = option * stride[:, None]
        for policy in product(range(k), repeat=n):
            occurs[index[:, range(n), policy].sum(axis=1)] = True
    return occurs


# Where two of them coincide


def _coincidences(values: _PolicyValues, progress: Progress) -> dict[Coefficients, set[Pair]]:
    """The irreducible polynomials with roots in (0, 1) that divide differences, and which pairs coincide there."""
    numerators = values.numerators
    pairs = len(numerators) * (len(numerators) - 1) // 2
    if pairs > MAX_PAIRS:
        raise StrataTooLargeError(
            f"the class has {len(numerators)} policy values as functions of gamma, {pairs} pairs to compare,"
            f" about {pairs / 500:.3g} s; accepted: at most {MAX_PAIRS} pairs"
        )
    differences: dict[Coefficients, list[Pair]] = defaultdict(list)
    for (f, N), (g, other) in combinations(enumerate(numerators), 2):
        difference = _primitive([x - y for x, y in zip(N, other, strict=True)])
        if _may_have_roots(difference):
            differences[_without(values.cyclotomic, difference)].append((f, g))
    factors: dict[Coefficients, set[Pair]] = defaultdict(set)
    for done, (difference, where) in enumerate(differences.items()):
        progress(done / len(differences))
        for factor, _ in sympy.Poly.from_list(difference, GAMMA).factor_list()[1]:
            polynomial = _coefficients(factor)
            if _may_have_roots(polynomial):
                factors[polynomial].update(where)
    return factors


def _primitive(coefficients: Sequence[int]) -> Coefficients:
    """A nonzero polynomial without its content, its powers of gamma, and its sign."""
    support = [i for i, c in enumerate(coefficients) if c]
    core = coefficients[support[0] : support[-1] + 1]
    content = gcd(*core) if core[0] > 0 else -gcd(*core)
    return tuple(c // content for c in core)


def _without(divisors: Sequence[Coefficients], polynomial: Coefficients) -> Coefficients:
    """What is left of a polynomial after it has been divided by monic ones as often as it goes.

    Factoring would find these factors as well, but it takes most of the time, and this makes it faster.
    """
    for divisor in divisors:
        while (quotient := _quotient(polynomial, divisor)) is not None:
            polynomial = quotient
    return polynomial


def _quotient(polynomial: Coefficients, divisor: Coefficients) -> Coefficients | None:
    """The quotient by a monic polynomial, if there is no remainder."""
    rest, quotient = list(polynomial), []
    while len(rest) >= len(divisor):
        quotient.append(rest[0])
        for i, c in enumerate(divisor):
            rest[i] -= quotient[-1] * c
        rest.pop(0)
    return None if any(rest) or not quotient else tuple(quotient)


def _may_have_roots(polynomial: Coefficients) -> bool:
    """Descartes' rule for (0, 1): without a sign change in (1 + y)^d N(1 / (1 + y)) there is no root."""
    shifted = list(polynomial[::-1])  # leading first: N(1 / z) z^d, then z = 1 + y
    for end in range(len(shifted), 1, -1):
        for i in range(1, end):
            shifted[i] += shifted[i - 1]
    return min(shifted) < 0 < max(shifted)


@dataclass(frozen=True)
class _Root:
    """The only root of an irreducible polynomial in [lower, upper], which is one point exactly if it is rational."""

    polynomial: Coefficients
    lower: Fraction
    upper: Fraction

    @property
    def rational(self) -> bool:
        return self.lower == self.upper

    def refined(self, factor: int) -> _Root:
        """The same root in an interval 2^factor times as narrow, by bisection."""
        lower, upper = self.lower, self.upper
        rising = _scaled_value(self.polynomial, upper) > 0
        for _ in range(0 if self.rational else factor):
            middle = (lower + upper) / 2
            if (_scaled_value(self.polynomial, middle) > 0) == rising:
                upper = middle
            else:
                lower = middle
        return replace(self, lower=lower, upper=upper)


ZERO = _Root((1, 0), Fraction(0), Fraction(0))
ONE = _Root((1, -1), Fraction(1), Fraction(1))


def _scaled_value(polynomial: Coefficients, x: Fraction) -> int:
    """The value at x times denominator^degree: integers that compare as the values do, among equal lengths."""
    total, power = 0, 1
    for coefficient in polynomial:
        total = total * x.numerator + coefficient * power
        power *= x.denominator
    return total


def _roots(polynomial: Coefficients) -> list[_Root]:
    """The roots in (0, 1) of an irreducible polynomial other than gamma and gamma - 1."""
    if len(polynomial) == 2:
        exact = Fraction(-polynomial[1], polynomial[0])
        return [_Root(polynomial, exact, exact)] if 0 < exact < 1 else []
    intervals = sympy.Poly.from_list(polynomial, GAMMA).intervals(inf=0, sup=1)
    return [
        _Root(polynomial, *(Fraction(int(end.p), int(end.q)) for end in ends))
        for ends, _ in intervals
    ]


def _separated(roots: list[_Root]) -> list[_Root]:
    """Distinct roots in increasing order, refined until all their intervals, and 0 and 1, are disjoint.

    Distinct irreducible polynomials have no common root, so that this ends.
    """
    roots = [root.refined(30) for root in roots]
    while True:
        roots.sort(key=lambda root: root.lower)
        close = {
            i + side
            for i, (left, right) in enumerate(pairwise([ZERO, *roots, ONE]))
            if left.upper >= right.lower
            for side in (-1, 0)
        }
        if not close:
            return roots
        roots = [root.refined(10) if i in close else root for i, root in enumerate(roots)]


def _between(left: _Root, right: _Root) -> Fraction:
    """A rational number between two roots, with a small denominator."""
    middle = (left.upper + right.lower) / 2
    guesses = (middle.limit_denominator(2**bits) for bits in count())
    return next(guess for guess in guesses if left.upper < guess < right.lower)


# From 0 to 1


@dataclass(frozen=True)
class _Structure:
    """What H_M(D) and H_B(D) depend on, and the answers; all compared, the arrays entry by entry."""

    q_of_model: Int64[np.ndarray, " model"]
    consistent: Bool[np.ndarray, "q pair vertex"]
    value_vectors: int
    part1: bool
    part3_functional: bool
    part3_realizable: bool

    def changes(self, before: _Structure) -> tuple[str, ...]:
        """What differs between two structures."""
        answers = [(s.part1, s.part3_functional, s.part3_realizable) for s in (self, before)]
        different = {
            "value functions": not np.array_equal(self.q_of_model, before.q_of_model),
            "value vectors": self.value_vectors != before.value_vectors,
            "consistent transitions": not np.array_equal(self.consistent, before.consistent),
            "answers": answers[0] != answers[1],
        }
        return tuple(what for what, differs in different.items() if differs)


def _pieces(
    problem: MDPClass,
    values: _PolicyValues,
    coincidences: dict[Coefficients, set[Pair]],
    roots: Sequence[_Root],
    progress: Progress,
) -> Iterator[tuple[_Root, _Root, _Structure]]:
    """Intervals (begin, end) and points (root, root) in turn, each with its structure.

    Between roots different functions have different values, so that the structure is known once it is known which
    functions are optimal where. These can change only at a root where one of them meets another function; and if they
    stay, the structure is another one at the root only if two of them meet.
    """
    models = problem.transitions.models(0, problem.transitions.size)

    def between(left: _Root, right: _Root) -> tuple[LassoTable, Optimal]:
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


def _order(values: _PolicyValues, left: _Root, right: _Root) -> Order:
    """The order of the functions between two neighbouring roots, from one rational sample."""
    sample = _between(left, right)
    heights = [_scaled_value(numerator, sample) for numerator in values.numerators]
    if len(set(heights)) < len(heights):
        raise ArithmeticError(f"policy values coincide at gamma = {sample}, which is no candidate")
    return np.array(sorted(range(len(heights)), key=heights.__getitem__), dtype=np.int64)


def _table(
    problem: MDPClass,
    values: _PolicyValues,
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


def _structure(problem: MDPClass, table: LassoTable) -> _Structure:
    # Any gamma < 1 will do: the table alone decides, and what is asked of the result needs ranks alone.
    solved = solve_by_table(replace(problem, gamma=HALF), table)
    closed = closed_under_equivalence(solved)
    return _Structure(
        q_of_model=solved.q_of_model,
        consistent=solved.consistent,
        value_vectors=solved.value_vectors,
        part1=included_by_criterion(solved),
        part3_functional=closed,
        part3_realizable=closed or exchange_holds(solved),
    )


def _stratum(lower: _Root, upper: _Root, here: _Structure, before: _Structure | None) -> Stratum:
    point = lower == upper
    if point:
        sample = str(lower.lower) if lower.rational else None
    else:
        sample = str(_between(lower, upper))
    return Stratum(
        kind="point" if point else "interval",
        lower=_algebraic_number(lower),
        upper=_algebraic_number(upper),
        sample=sample,
        value_functions=len(here.consistent),
        value_vectors=here.value_vectors,
        part1=here.part1,
        strict=here.part1 and not here.part3_realizable,
        part3_functional=here.part3_functional,
        part3_realizable=here.part3_realizable,
        changes=here.changes(before) if before else (),
    )


def _algebraic_number(root: _Root) -> AlgebraicNumber:
    polynomial = sympy.Poly.from_list(root.polynomial, GAMMA)
    narrow = root.refined(40)
    closed_form = None
    if polynomial.degree() <= 2:
        exact = sympy.real_roots(polynomial)
        closed_form = str(next(x for x in exact if root.lower <= x <= root.upper))
    return AlgebraicNumber(
        minimal_polynomial=str(polynomial.as_expr()),
        coefficients=root.polynomial,
        lower=str(root.lower),
        upper=str(root.upper),
        approximation=float((narrow.lower + narrow.upper) / 2),
        closed_form=closed_form,
    )
