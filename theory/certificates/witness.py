"""Witnesses of part 2 of Theorem 1: the smallest datasets D for which H_M(D) is a proper subset of H_B(D).

In a given class. Let T0 in M and q in H_Q, and restrict T0 to the pairs where it is Bellman-consistent with q; q is in
H_B(D) for every D taken from there. It is outside H_M(D) exactly if every T in the fiber F(q) disagrees with T0
somewhere on D. So the smallest D for (T0, q) is a minimum hitting set of the sets of pairs in which the members of
F(q) disagree with T0, and the smallest D of the class is the smallest of these over all (T0, q).

A dataset is *decision-relevant* if in some state some action is optimal under every q in H_M(D), while no action is
optimal there under every q in H_B(D). For D taken from T0 this says of a state s and an action a:
D contradicts every model for which a is not optimal in s; and for each action b that is optimal in s for T0 some q in
H_B(D) has b not optimal. The first makes D a hitting set of the sets where the contrary models disagree with T0. The
second can only be lost as D grows, so that it is a test of what may be chosen together (`hitting_sets`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from theory.certificates.hitting_sets import (
    Deadline,
    HittingSet,
    OutOfTimeError,
    Puzzle,
    SearchEstimate,
    Tell,
    bitmasks,
    minimal_sets,
    smallest_hitting_set,
    untold,
)
from theory.classes.mdp_class import QTable
from theory.classes.transition_class import Model, Transition, first_rows
from theory.criteria.exchange import (
    ExchangeTooLargeError,
    exchange_failures,
    exchange_holds,
    single_transition_gaps,
)
from theory.progress import Progress, silent
from theory.solving.solved_class import SolvedClass

Label = TypeVar("Label")

STEPS_PER_SECOND = 2e6


class WitnessSearchTooLargeError(ValueError):
    """There are too many datasets or classes to go through, or too many for the time that is given."""


@dataclass(frozen=True)
class Witness:
    """A realizable dataset that leaves fewer optimal q by model than by Bellman consistency.

    Attributes:
        dataset: D, sorted.
        T0: a model that extends D, `T0[s][a]` being a successor.
        T1: a model whose optimal q is in H_B(D) but not in H_M(D).
        q0: the optimal q of T0.
        q1: the optimal q of T1.
        decision: a state, and an action that is optimal there under every q in H_M(D) but not under q1, while no
            action is optimal there under every q in H_B(D); None if that was not asked for.
        at_least: no dataset of the class with fewer transitions does as much; it is |D| where D is proved smallest.
        left: what was left of the search for smaller ones when the time was over, where it can be estimated.
    """

    dataset: tuple[Transition, ...]
    T0: Model
    T1: Model
    q0: QTable
    q1: QTable
    decision: tuple[int, int] | None
    at_least: int
    left: SearchEstimate | None = None

    @property
    def proved_smallest(self) -> bool:
        """Whether every smaller dataset is excluded; no is possible only where the time was limited."""
        return self.at_least == len(self.dataset)


def find_witness(
    solved: SolvedClass,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    tell: Tell = untold,
) -> Witness | None:
    """The smallest realizable dataset of a class with a strict inclusion; None if there is none.

    A single transition is looked for in all fibers at once.

    Args:
        solved: the class.
        progress: told the fraction done: half of it for the fibers compared, half for the sizes excluded.
        time_limit: in seconds. The smallest dataset found by then is returned; `at_least` says what is known.
        tell: told what is left of each size of datasets that is gone through.

    Raises:
        ExchangeTooLargeError: if a single transition is not enough, and the class has too many models to compare with
            all fibers.
        WitnessSearchTooLargeError: if the time is over before it is known whether there is any.
    """
    single = single_transition_gaps(solved)
    if len(single):
        q, pair, option = (int(index) for index in single[0])
        T0 = int((solved.models[:, pair] == option).argmax())
        return witness_of(solved, [pair], T0, int(solved.first_model[q]))
    puzzles = partial(_strict_puzzles, solved)
    found = smallest_solution(puzzles, progress, at_least=2, time_limit=time_limit, tell=tell)
    if found is None:
        return None
    q, T0 = found.label
    T1 = int(solved.first_model[q])
    return witness_of(solved, found.elements, T0, T1, at_least=found.at_least, left=found.left)


def find_decision_witness(
    solved: SolvedClass,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    tell: Tell = untold,
) -> Witness | None:
    """The smallest realizable dataset of a class that is decision-relevant; None if there is none.

    Args:
        solved: the class.
        progress: told the fraction done: half of it for the models, half for the sizes excluded.
        time_limit: in seconds. The smallest dataset found by then is returned; `at_least` says what is known.
        tell: told what is left of each size of datasets that is gone through.

    Raises:
        WitnessSearchTooLargeError: if the search would take longer than that by far, or the time is over before it is
            known whether there is any.
    """
    try:
        if exchange_holds(solved):  # no inclusion is proper: nothing is decided by H_M alone
            return None
    except ExchangeTooLargeError:
        pass
    steps = len(solved.models) * solved.value_functions * solved.pairs
    if steps > time_limit * STEPS_PER_SECOND:
        raise WitnessSearchTooLargeError(
            f"the class has {len(solved.models)} models and {solved.value_functions} distinct q: a smallest"
            f" decision-relevant dataset takes about {steps / STEPS_PER_SECOND:.3g} s or more;"
            f" accepted: at most the time limit of {time_limit:.3g} s"
        )
    puzzles = partial(_decision_puzzles, solved)
    found = smallest_solution(puzzles, progress, at_least=1, time_limit=time_limit, tell=tell)
    if found is None:
        return None
    (T0, state, action), pairs = found.label, found.elements
    HB = solved.consistent[:, pairs, solved.models[T0, pairs]].all(axis=1)
    q1 = int(np.flatnonzero(HB & ~solved.greedy[:, state, action])[0])
    T1, decision = int(solved.first_model[q1]), (state, action)
    return witness_of(solved, pairs, T0, T1, decision, found.at_least, found.left)


def smallest_solution(
    puzzles: Callable[[Progress], Iterator[Puzzle[Label]]],
    progress: Progress,
    *,
    at_least: int,
    time_limit: float,
    tell: Tell = untold,
) -> HittingSet[Label] | None:
    """The smallest solution of any of the puzzles, within a time limit.

    Args:
        puzzles: makes them, and tells the fraction done.
        progress: told the fraction done: half of it for the puzzles made, half for the sizes excluded.
        at_least: known beforehand: no solution has fewer elements.
        time_limit: in seconds.
        tell: told what is left of each size.

    Raises:
        WitnessSearchTooLargeError: if the time is over before anything is found.
    """
    deadline = Deadline(time_limit)
    making = deadline.watched(lambda fraction: progress(fraction / 2))
    try:
        return smallest_hitting_set(
            puzzles(making),
            at_least=at_least,
            deadline=deadline,
            progress=lambda fraction: progress((1 + fraction) / 2),
            tell=tell,
        )
    except OutOfTimeError as error:
        more = ""
        if error.left is not None:
            more = f" ({error.left.what} take about {error.left.seconds:.3g} s more)"
        raise WitnessSearchTooLargeError(
            f"no such dataset was found within the time limit of {time_limit:.3g} s, and it is open whether there"
            f" is one{more}; accepted: a longer time limit, or a smaller class"
        ) from None


def _strict_puzzles(solved: SolvedClass, progress: Progress) -> Iterator[Puzzle[tuple[int, int]]]:
    """(q, T0) with the sets of pairs in which the members of F(q) disagree with T0, where none can stand in for T0.

    Models that are equal where they are Bellman-consistent with q count once.
    """
    pairs = np.arange(solved.pairs)
    for q, failing in exchange_failures(solved, progress):
        fiber, candidates = solved.fiber(q), solved.models[failing]
        consistent = solved.consistent[q][pairs, candidates]
        for i in first_rows(np.where(consistent, candidates, np.int32(solved.options))):
            differs = bitmasks(consistent[i] & (fiber != candidates[i]))
            yield Puzzle((q, int(failing[i])), minimal_sets(differs))


def _decision_puzzles(
    solved: SolvedClass, progress: Progress
) -> Iterator[Puzzle[tuple[int, int, int]]]:
    """(T0, state, action) with the sets that D must meet, and whether D keeps the state open under H_B(D)."""
    models, pairs = solved.models, np.arange(solved.pairs)
    suboptimal = ~solved.greedy
    for T0 in range(len(models)):
        progress(T0 / len(models))
        differs = np.array(bitmasks(models != models[T0]), dtype=object)
        clashes = np.array(bitmasks(~solved.consistent[:, pairs, models[T0]]), dtype=object)
        for state, optimal in enumerate(solved.greedy[solved.q_of_model[T0]]):
            actions = [int(action) for action in np.flatnonzero(optimal)]
            # For each action, where the q that rule it out are inconsistent with T0: D must spare one of these sets.
            spared = [minimal_sets(clashes[suboptimal[:, state, action]]) for action in actions]
            for action in actions:
                contrary = suboptimal[solved.q_of_model, state, action]
                yield Puzzle(
                    (T0, state, action),
                    minimal_sets(differs[contrary]),
                    partial(_keeps_open, spared),
                )


def _keeps_open(spared: list[frozenset[int]], chosen: int) -> bool:
    """Whether a choice of pairs avoids a set of each family."""
    return all(any(not mask & chosen for mask in family) for family in spared)


def witness_of(
    solved: SolvedClass,
    pairs: Sequence[int],
    T0: int,
    T1: int,
    decision: tuple[int, int] | None = None,
    at_least: int | None = None,
    left: SearchEstimate | None = None,
) -> Witness:
    """The witness whose dataset is what T0 does at the given pairs; T0 and T1 are indices into `solved.models`.

    Unless a bound is given it is a smallest one.
    """
    dataset = tuple((*divmod(p, solved.actions), int(solved.models[T0, p])) for p in pairs)
    q0, q1 = (solved.q_table(int(solved.q_of_model[T])) for T in (T0, T1))
    bound = len(dataset) if at_least is None else at_least
    return Witness(dataset, solved.table(T0), solved.table(T1), q0, q1, decision, bound, left)
