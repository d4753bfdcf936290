"""Proofs that there is no gap, for product classes beyond enumeration.

With the blocks of `theory.certificates.block_witness`, and T1 any model with the optimal values V, a successor x' is
consistent with q*_T1 at a pair p exactly if V(x') = V(T1(p)). So a criterion holds exactly if in each block, for each
of its assignments a1 and the V of any T1 that chooses a1 there,

- realizable D (exchange): for each assignment a0 some assignment a is worth as much as a1 at every pair, and is a0
  wherever a0 is worth as much as a1;
- functional D (closure): whatever is worth as much as a1 at every pair is an assignment of the block;
- any D: nothing but a1 is worth as much at any pair.

Which values are equal is all that V is asked for. Of a part of the class, a product of fewer assignments to choose
T1 from, it is known which are equal for all T1, which are different for all, and which are open
(`theory.solving.value_differences`). If that settles each block, the part is done; if not, it is split in two at the
block whose choice moves the values most, down to single models, whose values are known. A proof is the tree of parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64, UInt

from theory.certificates.block_witness import Choices, product_blocks, table_of
from theory.certificates.hitting_sets import Deadline, OutOfTimeError
from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import Block
from theory.progress import Progress, silent
from theory.solving.policy_iteration import optimal_q
from theory.solving.value_differences import (
    Comparison,
    DifferencesTooLargeError,
    value_differences,
)

Claim = Literal["realizable", "functional", "arbitrary"]
Assignments = UInt[np.ndarray, "_choice _column"]
Indices = Int64[np.ndarray, "_chosen"]

MAX_PARTS = 20_000
MAX_OPEN = 10


@dataclass(frozen=True)
class Split:
    """A part is split in two: the first half has these assignments of a block, by number; the second the others."""

    block: int
    first: tuple[int, ...]


@dataclass(frozen=True)
class Settled:
    """A part in which each block is settled by what is known of values.

    Attributes:
        differences: (x, y, u): V(x) - V(y) is at most u in every model of the part.
        values: V, of a part that is a single model; empty for others.
    """

    differences: tuple[tuple[int, int, Fraction], ...] = ()
    values: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class EqualityProof:
    """H_M(D) = H_B(D) for every D of a kind.

    Attributes:
        claim: the kind.
        parts: the tree of parts, each before its first half, and that before the second.
    """

    claim: Claim
    parts: tuple[Split | Settled, ...]

    @property
    def settled(self) -> int:
        """The number of parts that were not split."""
        return sum(isinstance(part, Settled) for part in self.parts)


@dataclass(frozen=True)
class Denied:
    """A model T1, by its assignments, for whose q some D of the kind has a proper inclusion."""

    T1: Choices


@dataclass(frozen=True)
class Undecided:
    """The time was over, or the parts were too many.

    Attributes:
        settled: how many parts are settled.
        share: the share of the models that these hold.
    """

    settled: int
    share: Fraction


@dataclass(frozen=True)
class Known:
    """Which states, and t, are worth the same in every model of a part, and which are not in any."""

    equal: Bool[np.ndarray, "vertex vertex"]
    different: Bool[np.ndarray, "vertex vertex"]


def prove_equality(
    problem: MDPClass,
    claim: Claim,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    most_parts: int = MAX_PARTS,
) -> EqualityProof | Denied | Undecided:
    """Whether H_M(D) = H_B(D) for every D of a kind.

    Args:
        problem: a product class, gamma < 1.
        claim: the kind of D.
        progress: told the share of the models that is settled.
        time_limit: in seconds.
        most_parts: how many parts may be looked at.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
    """
    blocks = product_blocks(problem)
    if problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for a proof by blocks: gamma < 1")
    deadline = Deadline(time_limit)
    parts: list[Split | Settled] = []
    waiting = [[np.arange(len(assignments)) for _, assignments in blocks]]
    done, size = 0, problem.transitions.size
    try:
        search = _Search(problem, blocks, claim, deadline.check)
        while waiting:
            if len(parts) >= most_parts:
                raise OutOfTimeError
            part = waiting.pop()
            found = search.look(part)
            if isinstance(found, Denied):
                return found
            parts.append(found)
            if isinstance(found, Split):
                chosen = np.isin(part[found.block], found.first)
                waiting += [
                    [*part[: found.block], half, *part[found.block + 1 :]]
                    for half in (part[found.block][~chosen], part[found.block][chosen])
                ]
            else:
                done += math.prod(map(len, part))
                progress(done / size)
    except OutOfTimeError:
        settled = sum(isinstance(part, Settled) for part in parts)
        return Undecided(settled, Fraction(done, size))
    return EqualityProof(claim, tuple(parts))


class _Search:
    """Looks at one part after the other."""

    def __init__(
        self, problem: MDPClass, blocks: list[Block], claim: Claim, check: Callable[[], None]
    ) -> None:
        self.problem, self.blocks, self.claim, self.check = problem, blocks, claim, check
        self.vertices = problem.states + 1
        self.nothing = Known(
            np.eye(self.vertices, dtype=bool), np.zeros((self.vertices, self.vertices), dtype=bool)
        )
        # What no knowledge of values is needed for is settled in all parts.
        everything = [np.arange(len(assignments)) for _, assignments in blocks]
        self.open = self._unsettled(everything, range(len(blocks)), self.nothing)

    def look(self, part: list[Indices]) -> Settled | Split | Denied:
        """What is found in a part: that it is settled, that it has to be split, or that its claim fails."""
        if not self.open:
            return Settled()
        single = [choices[:1] for choices in part]
        values = self._values(single)
        if self._unsettled(single, self.open, self._apart(values)):
            return Denied(self._first(part))
        if all(len(choices) == 1 for choices in part):
            return Settled(values=tuple(values))
        influence = [0.0] * len(self.blocks)
        try:
            found = value_differences(
                self.problem,
                [
                    (pairs, assignments[choices])
                    for (pairs, assignments), choices in zip(self.blocks, part, strict=True)
                ],
                self._wanted(part),
                self.check,
            )
        except DifferencesTooLargeError:
            pass
        else:
            if not self._unsettled(part, self.open, self._known(found.bound)):
                return Settled(tuple((x, y, u) for (x, y), u in found.bound.items()))
            influence = found.influence
        block = max(
            (b for b, choices in enumerate(part) if len(choices) > 1),
            key=lambda b: (influence[b], -len(part[b])),
        )
        half = (len(part[block]) + 1) // 2
        return Split(block, tuple(part[block][:half].tolist()))

    def _first(self, part: list[Indices]) -> Choices:
        return tuple(int(choices[0]) for choices in part)

    def _values(self, part: list[Indices]) -> list[Fraction]:
        table = table_of(self.problem, self.blocks, self._first(part))
        self.check()
        return [*map(max, optimal_q(table, self.problem.rewards, self.problem.gamma)), Fraction(0)]

    def _apart(self, values: list[Fraction]) -> Known:
        number = {value: i for i, value in enumerate(dict.fromkeys(values))}
        worth = np.array([number[value] for value in values])
        equal = worth[:, None] == worth
        return Known(equal, ~equal)

    def _known(self, bound: dict[Comparison, Fraction]) -> Known:
        at_most, below = self.nothing.equal.copy(), self.nothing.different.copy()
        for (x, y), u in bound.items():
            at_most[x, y], below[x, y] = u <= 0, u < 0
        return Known(at_most & at_most.T, below | below.T)

    def _wanted(self, part: list[Indices]) -> Iterator[Comparison]:
        """The pairs of states of which it matters whether they are worth the same."""
        for block in self.open:
            _, assignments = self.blocks[block]
            for column, chosen in zip(assignments.T, assignments[part[block]].T, strict=True):
                others = np.unique(column) if self.claim == "realizable" else range(self.vertices)
                for x, y in product(np.unique(chosen).tolist(), others):
                    if x != y:
                        yield int(x), int(y)
                        yield int(y), int(x)

    def _unsettled(self, part: list[Indices], blocks: Iterable[int], known: Known) -> list[int]:
        """Those of some blocks that what is known leaves open."""
        criterion = CRITERIA[self.claim]
        return [
            block
            for block in blocks
            if not criterion(self.blocks[block][1], part[block], known, self.check)
        ]


def exchanges(
    assignments: Assignments, chosen: Indices, known: Known, check: Callable[[], None]
) -> bool:
    """Whether whatever is open, some assignment stands in for each a0 beside each a1."""
    if assignments.shape[1] == 1:
        return True  # a0 does if it is worth as much as a1, and a1 if not
    for a1 in assignments[chosen]:
        equal, different = known.equal[assignments, a1], known.different[assignments, a1]
        by_itself = equal.all(axis=1) | (different | (assignments == a1)).all(axis=1)
        for i in np.flatnonzero(~by_itself):
            check()
            a0, unknown = assignments[i], ~equal[i] & ~different[i]
            compared = np.sort(np.stack([a0, a1]), axis=0)
            questions = np.unique(compared[:, unknown], axis=1).T  # each is open as a whole
            if len(questions) > MAX_OPEN:
                return False
            for answers in product([False, True], repeat=len(questions)):
                yes = [
                    question for question, answer in zip(questions, answers, strict=True) if answer
                ]
                observed = equal[i] | np.logical_or.reduce(
                    [(compared == question[:, None]).all(axis=0) for question in yes],
                    initial=False,
                )
                stand_in = np.where(observed, assignments == a0, equal).all(axis=1)
                if not stand_in.any():
                    return False
    return True


def closed(
    assignments: Assignments, chosen: Indices, known: Known, check: Callable[[], None]
) -> bool:
    """Whether whatever may be worth as much as a1 at every pair is an assignment, for each a1."""
    vertices, columns = len(known.equal), assignments.shape[1]
    if len(assignments) == vertices**columns:
        return True  # everything is
    for a1 in assignments[chosen]:
        check()
        possible = ~known.different[:, a1]
        inside = possible[assignments, np.arange(columns)].all(axis=1).sum()
        if int(inside) != math.prod(possible.sum(axis=0).tolist()):
            return False
    return True


def alone(
    assignments: Assignments, chosen: Indices, known: Known, check: Callable[[], None]
) -> bool:
    """Whether nothing else may be worth as much as a1 at any pair, for each a1."""
    check()
    return bool((~known.different[:, assignments[chosen]]).sum(axis=0).max() == 1)


CRITERIA = {"realizable": exchanges, "functional": closed, "arbitrary": alone}
