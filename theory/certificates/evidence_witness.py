"""The smallest evidence E for which H_M(E) is a proper subset of H_B(E): evidence that allows sets of options.

Exact data allow one option where they are about a pair. Evidence can say less of a pair, and so show a gap that no
exact data show, or show one by fewer pairs. Its size is the number of pairs at which it rules anything out.

Let T0 in M and q in H_Q. Of evidence that allows T0 and leaves q in H_B(E) but not in H_M(E), what counts at a pair is
the option of T0, and one that q is consistent with; to allow less takes nothing from that. So at each pair p, E(p) is

- {T0(p)}, if T0(p) is consistent with q;
- {T0(p), o} for an o that is consistent with q, otherwise.

A member F of the fiber is ruled out at p exactly if F(p) is not in E(p). (In the second case it cannot be T0(p), with
which q is not consistent.) So the smallest E for (T0, q) is a minimum hitting set, whose elements are the pairs with
the choice of o, of which a pair has one at most. The smallest of the class is the smallest over all (T0, q). At the
pairs that are found, options are then allowed as long as q stays outside of H_M(E), so that no more can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, UInt

from theory.certificates.hitting_sets import Allowed, Puzzle, anything, bitmasks, minimal_sets
from theory.certificates.witness import smallest_solution
from theory.classes.mdp_class import QTable
from theory.classes.transition_class import Model, Models
from theory.criteria.exchange import chosen_in_fiber, splice_failures, splices_hold
from theory.criteria.version_spaces import Evidence, evidence_space
from theory.progress import Progress, silent
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True)
class EvidenceWitness:
    """Evidence that some model meets, and that leaves fewer optimal q by model than by Bellman consistency.

    Attributes:
        evidence: (s, a, the options that are allowed) for each pair where it rules out any.
        T0: a model that it allows, `T0[s][a]` being the number of an option.
        T1: a model whose optimal q is in H_B(E) but not in H_M(E).
        q0: the optimal q of T0.
        q1: the optimal q of T1.
        at_least: no evidence about fewer pairs does as much.
    """

    evidence: tuple[tuple[int, int, tuple[int, ...]], ...]
    T0: Model
    T1: Model
    q0: QTable
    q1: QTable
    at_least: int

    @property
    def proved_smallest(self) -> bool:
        """Whether evidence about fewer pairs is excluded; no is possible only where the time was limited."""
        return self.at_least == len(self.evidence)


def find_evidence_witness(
    solved: SolvedClass, progress: Progress = silent, *, time_limit: float = math.inf
) -> EvidenceWitness | None:
    """The smallest evidence of a class with a proper inclusion; None if there is none.

    Args:
        solved: the class.
        progress: told the fraction done, where one pair is not enough: half of it for the fibers, half for the sizes.
        time_limit: in seconds. The smallest evidence found by then is returned; `at_least` says what is known.

    Raises:
        ExchangeTooLargeError: if the class has too many models to compare with all fibers.
        WitnessSearchTooLargeError: if the time is over before it is known whether there is any.
    """
    if splices_hold(solved):
        return None
    at_least, single = 1, _single_pair(solved)
    if single is not None:
        q, T0, allowed = single
    else:
        puzzles = partial(_puzzles, solved)
        found = smallest_solution(puzzles, progress, at_least=2, time_limit=time_limit)
        if found is None:
            raise ArithmeticError(
                "the criterion says that evidence shows a gap, and none was found"
            )
        (q, T0), at_least = found.label, found.at_least
        allowed = {}
        for element in found.elements:
            pair, option = divmod(element, solved.options)
            allowed[pair] = {int(solved.models[T0, pair]), option}
    _widen(solved, allowed, solved.fiber(q))
    return _witness(solved, allowed, T0, q, at_least)


def witness_in(solved: SolvedClass, evidence: Evidence) -> EvidenceWitness | None:
    """What shows that some evidence has a proper inclusion; None if it has none, or no model meets it.

    Nothing is claimed of how small it is but that the empty evidence shows nothing.
    """
    space = evidence_space(solved, evidence)
    if not space.strict:
        return None
    allowed = {
        pair: set(options)
        for pair, options in enumerate(evidence)
        if len(options) < solved.option_counts[pair]
    }
    q = int((space.HB & ~space.HM).argmax())
    return _witness(solved, allowed, int(space.agrees.argmax()), q, at_least=1)


def _witness(
    solved: SolvedClass, allowed: dict[int, set[int]], T0: int, q: int, at_least: int
) -> EvidenceWitness:
    T1 = int(solved.first_model[q])
    q0, q1 = (solved.q_table(int(number)) for number in (solved.q_of_model[T0], q))
    evidence = tuple(
        (*divmod(pair, solved.actions), tuple(sorted(options)))
        for pair, options in sorted(allowed.items())
    )
    return EvidenceWitness(evidence, solved.table(T0), solved.table(T1), q0, q1, at_least)


def _single_pair(solved: SolvedClass) -> tuple[int, int, dict[int, set[int]]] | None:
    """q, T0 and what is allowed, where one pair is enough: an option is consistent with q that no member of F(q) has.

    It is that of some model, or some model has another one there, with which q is not consistent. All q are asked at
    once.
    """
    chosen = chosen_in_fiber(solved)
    used, missing = chosen.any(axis=0), solved.consistent & ~chosen
    exact = missing & used
    beside = missing & (used & ~solved.consistent).any(axis=2, keepdims=True)
    for found in (exact, beside):
        if found.any():
            q, pair, option = (int(index) for index in np.argwhere(found)[0])
            here = solved.models[:, pair]
            fits = here == option if found is exact else ~solved.consistent[q, pair, here]
            T0 = int(fits.argmax())
            return q, T0, {pair: {int(here[T0]), option}}
    return None


def _puzzles(solved: SolvedClass, progress: Progress) -> Iterator[Puzzle[tuple[int, int]]]:
    """For each q and T0 for which some splice of T0 is missing in F(q): what rules out each member of the fiber.

    Models that are equal where they are Bellman-consistent with q count once.
    """
    pairs, seen = np.arange(solved.pairs), set[tuple[int, bytes]]()
    for q, T0 in splice_failures(solved, progress):
        model, possible = solved.models[T0], solved.consistent[q]
        own = possible[pairs, model]
        elements = possible & ~own[:, None]
        elements[own, model[own]] = True
        if (alike := (q, elements.tobytes())) not in seen:
            seen.add(alike)
            yield Puzzle(
                (q, T0),
                minimal_sets(bitmasks(_ruled_out(solved.fiber(q), elements))),
                _one_of_each(elements),
            )


def _ruled_out(
    fiber: UInt[np.ndarray, "member pair"], elements: Bool[np.ndarray, "pair option"]
) -> Bool[np.ndarray, "member element"]:
    """Which (pair, option) to be allowed there, beside T0's, rule out each member."""
    other = fiber[:, :, None] != np.arange(elements.shape[1])
    ruled_out: Bool[np.ndarray, "member element"] = (elements & other).reshape(len(fiber), -1)
    return ruled_out


def _one_of_each(elements: Bool[np.ndarray, "pair option"]) -> Allowed:
    """The test that no pair has two options chosen, which would leave T0's alone; none where a pair has one."""
    several = np.flatnonzero(elements.sum(axis=1) > 1)
    if not len(several):
        return anything
    groups = []
    for pair in several:
        group = np.zeros_like(elements)
        group[pair] = elements[pair]
        groups += bitmasks(group.reshape(1, -1))
    return partial(_apart, groups)


def _apart(groups: list[int], chosen: int) -> bool:
    return all((chosen & group).bit_count() <= 1 for group in groups)


def _widen(solved: SolvedClass, allowed: dict[int, set[int]], fiber: Models) -> None:
    """Allow one option after the other, as long as all members of the fiber are ruled out."""
    for pair, options in allowed.items():
        for option in range(solved.option_counts[pair]):
            if option in options:
                continue
            options.add(option)
            if any(all(int(F[p]) in there for p, there in allowed.items()) for F in fiber):
                options.remove(option)
