"""Where in (0, 1) the structure of a class with options changes: the optimal policies are followed, exactly.

The value of a policy in a model depends on the options that it uses, one in each state. With gamma unknown it is
V = N / D by elimination over polynomials, D being positive on (0, 1); and the backup of an option, r + gamma * (mean of
V), is a polynomial over D too. All that the structure depends on is decided within one V: which actions are optimal,
which options have the backup of the chosen one (`consistent`), and, since a q is the q* of a model exactly if the
model's options are all consistent with it, which models share a q. So nothing changes between two neighbouring roots of
the differences of backups in a state, taken over those policies that are optimal in some model *there*.

That is how (0, 1) is gone through, from 0 on: all models are solved at a rational gamma, which says what is optimal
around it, up to the nearest root on either side. If the one on the left is not where the last interval ended, a gamma
further to the left is tried. At a root policies are still optimal that are so just before it, and what meets there are
the backups whose difference is a multiple of the root's minimal polynomial: no value is computed at an irrational
number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
import sympy
from jaxtyping import Bool
from sympy.polys.matrices import DomainMatrix

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.options import Option
from theory.discount.algebraic_numbers import (
    GAMMA,
    ONE,
    ZERO,
    Coefficients,
    Root,
    coefficients_of,
    may_have_roots,
    primitive,
    rational_between,
    roots_within,
    separated,
)
from theory.discount.policy_value_functions import StrataTooLargeError
from theory.discount.structure import Structure, structure_of
from theory.progress import Progress
from theory.solving.deterministic import row_numbers
from theory.solving.laws import LawClass, solve_laws
from theory.solving.solved_class import SolvedClass

MAX_MODELS = 20_000
MAX_BACKUPS = 100_000  # of options under the optimal policies of one gamma
MAX_SOLVED = 2_000  # gammas at which all models are solved

RING = sympy.ZZ[GAMMA]

Used = tuple[int, ...]
"""The options that a policy uses, one in each state, numbered over all pairs."""

Place = tuple[Coefficients, int]
"""A root: its polynomial, and which of that polynomial's roots in (0, 1) it is."""


@dataclass(frozen=True, kw_only=True)
class _AtRoot(SolvedClass):
    """A class at an algebraic gamma: what can be told from equalities."""

    same: Bool[np.ndarray, "q pair option"]
    vectors: int

    @property
    def consistent(self) -> Bool[np.ndarray, "q pair option"]:
        return self.same

    @property
    def value_vectors(self) -> int:
        return self.vectors

    @property
    def greedy(self) -> Bool[np.ndarray, "q state action"]:
        raise NotImplementedError(
            "what is optimal at a root is that of the interval before, and more"
        )

    def q_table(self, q: int) -> QTable:
        raise NotImplementedError("an algebraic value has no fraction")


@dataclass(frozen=True)
class _Here:
    """What is optimal around a gamma.

    Attributes:
        solved: the class, solved at the gamma.
        used: [q], an optimal policy.
        polynomials: irreducible ones, of whose roots the gamma has to be free, and where something may change.
    """

    solved: LawClass
    used: list[Used]
    polynomials: frozenset[Coefficients]

    @cached_property
    def structure(self) -> Structure:
        return structure_of(self.solved)


class LawStrata:
    """The pieces of (0, 1) for a class with options.

    Args:
        problem: the class; its own gamma plays no part.
        progress: told how far the walk has come.

    Attributes:
        policies: how many policies have been followed.

    Raises:
        StrataTooLargeError: if the class has more than MAX_MODELS models.
    """

    def __init__(self, problem: MDPClass, progress: Progress) -> None:
        if problem.transitions.size > MAX_MODELS:
            raise StrataTooLargeError(
                f"the class has {problem.transitions.size} models with laws to solve at each candidate value of gamma;"
                f" accepted: at most {MAX_MODELS}; the other checks take one gamma at a time"
            )
        assert problem.transitions.options is not None
        self.problem, self.progress = problem, progress
        self.options = [o for choices in problem.transitions.options for o in choices]
        counts = [len(choices) for choices in problem.transitions.options]
        self.first = np.cumsum([0, *counts])[:-1].tolist()
        self.state = np.repeat(np.arange(len(counts)) // problem.actions, counts).tolist()
        self._backups: dict[Used, list[Coefficients]] = {}
        self._factors: dict[Coefficients, frozenset[Coefficients]] = {}
        self._isolated: dict[Coefficients, list[Root]] = {}
        self._roots: dict[Coefficients, list[Root]] = {}  # disjoint from all others

    @property
    def policies(self) -> int:
        return len(self._backups)

    @property
    def candidates(self) -> int:
        """How many roots were met."""
        return sum(map(len, self._roots.values()))

    def pieces(self) -> Iterator[tuple[Root, Root, Structure]]:
        """Intervals (begin, end) and points (root, root) in turn, each with its structure.

        Raises:
            StrataTooLargeError: past MAX_BACKUPS or MAX_SOLVED.
        """
        here, end = self._interval(None)
        begin, structure = ZERO, here.structure
        while end is not None:
            root = self._root(end)
            self.progress(float(root.lower))
            at_root = structure_of(self._at(here, root))
            here, end = self._interval(end)
            if at_root.changes(structure) or here.structure.changes(at_root):
                yield begin, root, structure
                yield root, root, at_root
                begin, structure = root, here.structure
        self.progress(1.0)
        yield begin, ONE, structure

    def _interval(self, left: Place | None) -> tuple[_Here, Place | None]:
        """What is optimal to the right of a root, and the next root; None is for 0, and for 1."""
        right: Place | None = next(iter(self._beyond(left)), None)
        for _ in range(MAX_SOLVED):
            sample = rational_between(
                ZERO if left is None else self._root(left),
                ONE if right is None else self._root(right),
            )
            here = self._around(sample)
            places = [place for place in self._beyond(left) if place[0] in here.polynomials]
            below = [place for place in places if not self._is_above(place, sample)]
            if not below:
                return here, places[0] if places else None
            right = below[0]
        raise StrataTooLargeError(
            f"gamma has more than {MAX_SOLVED} candidates near {left[0] if left else 0}; accepted: fewer"
        )

    def _beyond(self, left: Place | None) -> list[Place]:
        """The roots that are known to the right of one, in order."""
        every = [(p, i) for p, roots in self._roots.items() for i in range(len(roots))]
        every.sort(key=lambda place: self._root(place).lower)
        return every if left is None else every[every.index(left) + 1 :]

    def _root(self, place: Place) -> Root:
        return self._roots[place[0]][place[1]]

    def _is_above(self, place: Place, sample: Fraction) -> bool:
        root = self._root(place)
        while not root.rational and root.lower <= sample <= root.upper:
            root = root.refined(10)
        return root.lower > sample

    def _around(self, gamma: Fraction) -> _Here:
        """All models solved at a gamma, with the polynomials at whose roots the answer may change."""
        solved = solve_laws(replace(self.problem, gamma=gamma))
        if solved.value_functions * len(self.options) > MAX_BACKUPS:
            raise StrataTooLargeError(
                f"the class has {solved.value_functions} distinct q and {len(self.options)} options at gamma = {gamma};"
                f" accepted: at most {MAX_BACKUPS} for their product; the other checks take one gamma at a time"
            )
        chosen = solved.models[solved.first_model].astype(np.int64) + np.array(self.first)
        best = solved.greedy.argmax(axis=2) + np.arange(solved.states) * solved.actions
        used = [tuple(row) for row in np.take_along_axis(chosen, best, axis=1).tolist()]
        polynomials: set[Coefficients] = set()
        for policy, row in zip(used, chosen.tolist(), strict=True):
            for option, state in enumerate(self.state):
                polynomials |= self._where_equal(policy, option, policy[state]) or frozenset()
            for pair, own in enumerate(row):
                for option in self._options_of(pair):
                    polynomials |= self._where_equal(policy, option, own) or frozenset()
        self._isolate(polynomials)
        return _Here(solved, used, frozenset(polynomials))

    def _options_of(self, pair: int) -> range:
        ends = [*self.first[1:], len(self.options)]
        return range(self.first[pair], ends[pair])

    def _where_equal(self, policy: Used, option: int, other: int) -> frozenset[Coefficients] | None:
        """At the roots of which polynomials two options have the same backup under a policy; None for everywhere."""
        if policy not in self._backups:
            self._backups[policy] = _backups([self.options[o] for o in policy], self.options)
        rows = self._backups[policy]
        difference = [x - y for x, y in zip(rows[option], rows[other], strict=True)]
        if not any(difference):
            return None
        found = primitive(difference)
        if found not in self._factors:
            self._factors[found] = _irreducible(found)
        return self._factors[found]

    def _isolate(self, polynomials: set[Coefficients]) -> None:
        """The roots of new polynomials, and all of them disjoint."""
        new = [p for p in polynomials if p not in self._roots]
        if not new:
            return
        self._isolated |= {p: roots_within(p) for p in new}
        self._roots = {p: [] for p in self._isolated}
        for root in separated([root for roots in self._isolated.values() for root in roots]):
            self._roots[root.polynomial].append(root)

    def _at(self, before: _Here, root: Root) -> _AtRoot:
        """The class at a root, from what is optimal just before it."""
        solved = before.solved
        chosen = solved.models[solved.first_model].astype(np.int64) + np.array(self.first)

        def equal(policy: Used, option: int, other: int) -> bool:
            where = self._where_equal(policy, option, other)
            return where is None or root.polynomial in where

        same = np.zeros_like(solved.consistent)
        for q, (policy, row) in enumerate(zip(before.used, chosen.tolist(), strict=True)):
            for pair, own in enumerate(row):
                for number, option in enumerate(self._options_of(pair)):
                    same[q, pair, number] = equal(policy, option, own)
        # A q is that of an earlier one which is consistent with all that a model of it does.
        pairs = np.arange(solved.pairs)
        equal_q = np.array(
            [same[:, pairs, row].all(axis=1).argmax() for row in solved.models[solved.first_model]]
        )
        vector = [
            next(
                q
                for q, policy in enumerate(before.used)
                if all(equal(policy, o, policy[s]) for s, o in enumerate(used))
            )
            for used in before.used
        ]
        numbers, first = row_numbers(equal_q[solved.q_of_model][:, None])
        return _AtRoot(
            problem=solved.problem,
            models=solved.models,
            q_of_model=numbers,
            first_model=first,
            same=same[solved.q_of_model[first]],
            vectors=len(set(vector)),
        )


def _backups(policy: Sequence[Option], options: Sequence[Option]) -> list[Coefficients]:
    """The backups of all options under a policy, over one denominator: integer polynomials, padded to one length."""
    n = len(policy)
    scale = lcm(*(x.denominator for o in policy for x in (o.reward, *(p for _, p in o.law))))
    gamma = RING.from_sympy(GAMMA)
    A = [[RING(scale * (s == x)) for x in range(n)] for s in range(n)]
    for row, option in zip(A, policy, strict=True):
        for x, p in option.law:
            if x < n:
                row[x] -= int(scale * p) * gamma
    b = [[RING(int(scale * option.reward))] for option in policy]
    solution, D = DomainMatrix(A, (n, n), RING).solve_den(DomainMatrix(b, (n, 1), RING))
    N = [row[0] for row in solution.to_list()]
    unit = lcm(*(x.denominator for o in options for x in (o.reward, *(p for _, p in o.law))))
    backups = []
    for option in options:
        following = sum((int(unit * p) * N[x] for x, p in option.law if x < n), RING(0))
        polynomial = int(unit * option.reward) * D + gamma * following
        backups.append(coefficients_of(sympy.Poly(polynomial.as_expr(), GAMMA)))
    length = max(map(len, backups))
    return [(0,) * (length - len(row)) + row for row in backups]


def _irreducible(polynomial: Coefficients) -> frozenset[Coefficients]:
    """The irreducible factors that may have roots in (0, 1)."""
    if not may_have_roots(polynomial):
        return frozenset()
    factors = sympy.Poly.from_list(polynomial, GAMMA).factor_list()[1]
    found = [coefficients_of(factor) for factor, _ in factors]
    return frozenset(factor for factor in found if may_have_roots(factor))
