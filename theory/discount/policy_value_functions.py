"""The values of all policies of a class as rational functions of gamma, and where two of them coincide.

Each value of a policy is that of a lasso (see `theory.solving.lasso_table`). With gamma unknown it is

    V = N(gamma) / W(gamma),    W = lcm over c <= n of (1 - gamma^c) > 0 on (0, 1),

with one denominator W for all of them: two values coincide exactly at the roots of the difference of their numerators.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import lcm, prod

import numpy as np
import sympy
from jaxtyping import Bool, Int32

from theory.classes.mdp_class import MDPClass
from theory.discount.algebraic_numbers import (
    GAMMA,
    Coefficients,
    coefficients_of,
    may_have_roots,
    primitive,
    without_divisors,
)
from theory.progress import Progress
from theory.solving.lasso_table import graph_stride, reward_choice, table_entries

MAX_ENTRIES = 1_000_000
MAX_PAIRS = 100_000

Pair = tuple[int, int]  # of function numbers, the smaller one first


class StrataTooLargeError(ValueError):
    """The class has too many policy values or models to follow them through all of (0, 1)."""


@dataclass(frozen=True)
class PolicyValueFunctions:
    """The value of every policy of every model, as the number of a rational function.

    Attributes:
        function: [graph, vertex], which function; rows as in `LassoTable`, those that no model has left at 0.
        numerators: the functions times W, as integer coefficients padded to one length; number 0 is the function 0.
        cyclotomic: the irreducible factors of W, none of which has a root in (0, 1).
    """

    function: Int32[np.ndarray, "graph vertex"]
    numerators: list[Coefficients]
    cyclotomic: list[Coefficients]


def policy_value_functions(problem: MDPClass) -> PolicyValueFunctions:
    """The values of all policies of all models; functions that are equal are one."""
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
                coefficients = coefficients_of(numerator)
                padded = (0,) * (length - len(coefficients)) + coefficients
                number_of[lasso] = numbers.setdefault(padded, len(numbers))
            function[graph, s] = number_of[lasso]
    return PolicyValueFunctions(
        function, list(numbers), [coefficients_of(factor) for factor in cyclotomic.values()]
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


def find_coincidences(
    values: PolicyValueFunctions, progress: Progress
) -> dict[Coefficients, set[Pair]]:
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
        difference = primitive([x - y for x, y in zip(N, other, strict=True)])
        if may_have_roots(difference):
            differences[without_divisors(values.cyclotomic, difference)].append((f, g))
    factors: dict[Coefficients, set[Pair]] = defaultdict(set)
    for done, (difference, where) in enumerate(differences.items()):
        progress(done / len(differences))
        for factor, _ in sympy.Poly.from_list(difference, GAMMA).factor_list()[1]:
            polynomial = coefficients_of(factor)
            if may_have_roots(polynomial):
                factors[polynomial].update(where)
    return factors


def _polynomial(ascending: Sequence[int]) -> sympy.Poly:
    """The sum of r_i gamma^i."""
    return sympy.Poly.from_list(ascending[::-1] or [0], GAMMA)
