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

Over all classes. Let M with D be a witness: T0 extends D, T1 has an optimal q1 in H_B(D) but not in H_M(D). Then T1
contradicts some transition of D, and {T0, T1} with that transition alone is a witness too. So the smallest number of
models is 2 and the smallest dataset has one transition, wherever there is a witness at all. If M with D is
decision-relevant in state s, then so is the class of T0 and, for each action that is optimal in s for T0, one model
whose q is in H_B(D) and has another action optimal in its place: k + 1 models at most; and D may be cut to one
transition for each of them that D contradicts. So k + 1 models and k transitions bound the search.

With one state there is no witness: if V_q(0) is not 0, each B_q(0, a) is a single successor, and a T1 with that q
extends D itself; if it is 0, then q = r is the optimal q of every model. The search goes through these classes anyway.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from itertools import combinations, product
from operator import and_

import numpy as np
from jaxtyping import Bool

from theory.certificates.hitting_sets import (
    Deadline,
    OutOfTimeError,
    Puzzle,
    bitmasks,
    minimal_sets,
    smallest_hitting_set,
)
from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import Transition, explicit, tabular
from theory.criteria.exchange import (
    ExchangeTooLargeError,
    exchange_failures,
    exchange_holds,
    single_transition_gaps,
)
from theory.progress import Progress, silent
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

Model = tuple[tuple[int, ...], ...]

STEPS_PER_SECOND = 2e6
MAX_SOLVED = 50_000_000
MAX_CLASS = 5_000_000


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
    """

    dataset: tuple[Transition, ...]
    T0: Model
    T1: Model
    q0: QTable
    q1: QTable
    decision: tuple[int, int] | None
    at_least: int

    @property
    def proved_smallest(self) -> bool:
        """Whether every smaller dataset is excluded; no is possible only where the time was limited."""
        return self.at_least == len(self.dataset)


def find_witness(
    solved: SolvedClass, progress: Progress = silent, *, time_limit: float = math.inf
) -> Witness | None:
    """The smallest realizable dataset of a class with a strict inclusion; None if there is none.

    A single transition is looked for in all fibers at once.

    Args:
        solved: the class.
        progress: told the fraction done: half of it for the fibers compared, half for the sizes excluded.
        time_limit: in seconds. The smallest dataset found by then is returned; `at_least` says what is known.

    Raises:
        ExchangeTooLargeError: if a single transition is not enough, and the class has too many models to compare with
            all fibers.
        WitnessSearchTooLargeError: if the time is over before it is known whether there is any.
    """
    single = single_transition_gaps(solved)
    if len(single):
        q, pair, option = (int(index) for index in single[0])
        T0 = int((solved.models[:, pair] == option).argmax())
        return _witness(solved, [pair], T0, int(solved.first_model[q]))
    deadline = Deadline(time_limit)
    with _explained(time_limit):
        found = smallest_hitting_set(
            _strict_puzzles(solved, deadline.watched(_half(progress, 0))),
            at_least=2,
            deadline=deadline,
            progress=_half(progress, 1),
        )
    if found is None:
        return None
    q, T0 = found.label
    return _witness(solved, found.elements, T0, int(solved.first_model[q]), at_least=found.at_least)


def find_decision_witness(
    solved: SolvedClass, progress: Progress = silent, *, time_limit: float = math.inf
) -> Witness | None:
    """The smallest realizable dataset of a class that is decision-relevant; None if there is none.

    Args:
        solved: the class.
        progress: told the fraction done: half of it for the models, half for the sizes excluded.
        time_limit: in seconds. The smallest dataset found by then is returned; `at_least` says what is known.

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
    deadline = Deadline(time_limit)
    with _explained(time_limit):
        found = smallest_hitting_set(
            _decision_puzzles(solved, deadline.watched(_half(progress, 0))),
            at_least=1,
            deadline=deadline,
            progress=_half(progress, 1),
        )
    if found is None:
        return None
    (T0, state, action), pairs = found.label, found.elements
    HB = solved.consistent[:, pairs, solved.models[T0, pairs]].all(axis=1)
    q1 = int(np.flatnonzero(HB & ~solved.greedy[:, state, action])[0])
    return _witness(solved, pairs, T0, int(solved.first_model[q1]), (state, action), found.at_least)


def search_classes(
    max_states: int,
    max_actions: int,
    reward_values: Sequence[Fraction],
    gamma: Fraction,
    *,
    decision_relevant: bool = False,
    progress: Progress = silent,
) -> tuple[MDPClass, Witness] | None:
    """The smallest witness over all classes, by (|S|, |A|, |M|, |D|) in lexicographic order; None if there is none.

    For each reward table the whole tabular class is solved once, and every functional dataset of the size in question
    is asked for the models that make a witness with it.

    Args:
        max_states: the largest |S| to try.
        max_actions: the largest |A| to try.
        reward_values: the values that the rewards may have; all tables of them are tried, in this order.
        gamma: the discount, in (0, 1).
        decision_relevant: ask for a decision-relevant dataset.
        progress: told the fraction of reward tables done, for each size anew.

    Raises:
        WitnessSearchTooLargeError: if a size is reached with more than MAX_SOLVED models over all reward tables.
        ValueError: if gamma is outside (0, 1), or the box or the list of reward values is empty.
    """
    if not 0 < gamma < 1:
        raise ValueError(f"gamma is {gamma}; accepted: a rational number in (0, 1)")
    if max_states < 1 or max_actions < 1 or not reward_values:
        raise ValueError(
            f"{max_states} states, {max_actions} actions and {len(reward_values)} reward values;"
            " accepted: 1 or more of each"
        )
    reward_values = list(dict.fromkeys(reward_values))
    for n, k in ((n, k) for n in range(1, max_states + 1) for k in range(1, max_actions + 1)):
        tables = len(reward_values) ** (n * k)
        total = tables * (n + 1) ** (n * k)
        if total > MAX_SOLVED or (n + 1) ** (n * k) > MAX_CLASS:
            raise WitnessSearchTooLargeError(
                f"no smaller class has a witness, and those of {n} states and {k} actions have {tables} reward tables"
                f" and {total:.3g} models in all, about {total / 1e6:.3g} s; accepted: at most {MAX_SOLVED:.3g} models,"
                f" and {MAX_CLASS:.3g} with the same rewards"
            )
        for size in range(2, (k + 1 if decision_relevant else 2) + 1):
            for transitions in range(1, size):
                for done, entries in enumerate(product(reward_values, repeat=n * k)):
                    progress(done / tables)
                    rewards = tuple(entries[s * k : (s + 1) * k] for s in range(n))
                    solved = solve(MDPClass(tabular(n, k), rewards, gamma))
                    found = _subclass(solved, size, transitions, decision_relevant)
                    if found is not None:
                        return found
    return None


def _half(progress: Progress, which: int) -> Progress:
    """The puzzles are made in the first half of the work, and gone through by size in the second."""
    return lambda fraction: progress((which + fraction) / 2)


@contextmanager
def _explained(time_limit: float) -> Iterator[None]:
    """Say in one line that the time was over before anything was found."""
    try:
        yield
    except OutOfTimeError:
        raise WitnessSearchTooLargeError(
            f"no such dataset was found within the time limit of {time_limit:.3g} s, and it is open whether there"
            " is one; accepted: a longer time limit, or a smaller class"
        ) from None


def _strict_puzzles(solved: SolvedClass, progress: Progress) -> Iterator[Puzzle[tuple[int, int]]]:
    """(q, T0) with the sets of pairs in which the members of F(q) disagree with T0, where none can stand in for T0.

    Models that are equal where they are Bellman-consistent with q count once.
    """
    pairs = np.arange(solved.pairs)
    for q, failing in exchange_failures(solved, progress):
        fiber, candidates = solved.fiber(q), solved.models[failing]
        consistent = solved.consistent[q][pairs, candidates]
        observed = np.where(consistent, candidates, np.int32(solved.options))
        _, first = np.unique(observed, axis=0, return_index=True)
        for i in np.sort(first):
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


def _witness(
    solved: SolvedClass,
    pairs: Sequence[int],
    T0: int,
    T1: int,
    decision: tuple[int, int] | None = None,
    at_least: int | None = None,
) -> Witness:
    """The witness whose dataset is what T0 does at the given pairs; T0 and T1 are indices into `solved.models`.

    Unless a bound is given it is a smallest one.
    """
    k = solved.actions
    tables = [
        tuple(tuple(int(x) for x in row) for row in solved.models[T].reshape(-1, k))
        for T in (T0, T1)
    ]
    dataset = tuple((p // k, p % k, int(solved.models[T0, p])) for p in pairs)
    q0, q1 = (solved.q_table(int(solved.q_of_model[T])) for T in (T0, T1))
    bound = len(dataset) if at_least is None else at_least
    return Witness(dataset, tables[0], tables[1], q0, q1, decision, bound)


def _subclass(
    solved: SolvedClass, size: int, transitions: int, decision_relevant: bool
) -> tuple[MDPClass, Witness] | None:
    """`size` models of a solved class that have a witness of so many transitions.

    What is to be settled is a set for each q, as a bitmask: the q alone, or its optimal actions in a state. Models that
    extend D (inside) must have an element in common, and lose it by models that D contradicts though their q is
    consistent with it (outside).
    """
    if decision_relevant:
        labels = [(s, bitmasks(solved.greedy[:, s])) for s in range(solved.states)]
    else:
        labels = [(-1, [1 << q for q in range(solved.value_functions)])]
    for pairs in combinations(range(solved.pairs), transitions):
        for successors in product(range(solved.options), repeat=transitions):
            agrees = (solved.models[:, pairs] == successors).all(axis=1)
            HB = np.logical_and.reduce(solved.consistent[:, pairs, successors], axis=1)
            for state, label in labels:
                inside = _first_of_each(solved, label, agrees)
                outside = _first_of_each(solved, label, HB[solved.q_of_model] & ~agrees)
                for chosen in _settling(list(inside), list(outside), size):
                    models = [inside[mask] for mask in chosen[0]]
                    others = [outside[mask] for mask in chosen[1]]
                    common = reduce(and_, chosen[0])
                    action = (common & -common).bit_length() - 1
                    T1 = next(outside[mask] for mask in chosen[1] if not mask >> action & 1)
                    found = _witness(
                        solved,
                        pairs,
                        models[0],
                        T1,
                        (state, action) if decision_relevant else None,
                    )
                    tables = solved.models[models + others].reshape(size, solved.states, -1)
                    problem = solved.problem
                    subclass = MDPClass(
                        explicit(tables.tolist()), problem.rewards, problem.gamma, "smallest"
                    )
                    return subclass, found
    return None


def _first_of_each(
    solved: SolvedClass, label: list[int], among: Bool[np.ndarray, " model"]
) -> dict[int, int]:
    """For each label, the first model that has it among the given ones."""
    first: dict[int, int] = {}
    for model in np.flatnonzero(among):
        first.setdefault(label[solved.q_of_model[model]], int(model))
    return first


def _settling(
    inside: list[int], outside: list[int], size: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Choices of `size` labels of which those inside have an element in common and all together have none."""
    for kept in range(1, size):
        for ins, outs in product(combinations(inside, kept), combinations(outside, size - kept)):
            if (common := reduce(and_, ins)) and not reduce(and_, outs, common):
                yield ins, outs
