"""Witnesses of part 2 of Theorem 1: the smallest datasets D for which H_M(D) is a proper subset of H_B(D).

In a given class. Let T0 in M and q in H_Q, and restrict T0 to the pairs where it is Bellman-consistent with q; q is in
H_B(D) for every D taken from there. It is outside H_M(D) exactly if every T in the fiber F(q) disagrees with T0
somewhere on D. So the smallest D for (T0, q) is a minimum hitting set of the sets of pairs in which the members of
F(q) disagree with T0, and the smallest D of the class is the smallest of these over all (T0, q).

A dataset is *decision-relevant* if in some state some action is optimal under every q in H_M(D), while no action is
optimal there under every q in H_B(D). For D taken from T0 this says of a state s and an action a:
D contradicts every model for which a is not optimal in s; and for each action b that is optimal in s for T0 some q in
H_B(D) has b not optimal. Once these q are chosen (those that leave D the most pairs suffice), the smallest D is again a
minimum hitting set: within the pairs where T0 is consistent with all of them, of the sets where the contrary models
disagree with T0.

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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import combinations, product
from operator import and_
from typing import TypeVar

import numpy as np
from jaxtyping import Bool

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import Transition, explicit, tabular
from theory.criteria.exchange import exchange_failures, exchange_holds
from theory.progress import Progress, silent
from theory.solving.deterministic import solve
from theory.solving.solved_class import SolvedClass

Model = tuple[tuple[int, ...], ...]
Label = TypeVar("Label")

MAX_STEPS = 100_000_000
MAX_SOLVED = 50_000_000
MAX_CLASS = 5_000_000


class WitnessSearchTooLargeError(ValueError):
    """There are too many datasets or classes to go through."""


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
    """

    dataset: tuple[Transition, ...]
    T0: Model
    T1: Model
    q0: QTable
    q1: QTable
    decision: tuple[int, int] | None = None


def find_witness(solved: SolvedClass, progress: Progress = silent) -> Witness | None:
    """The smallest realizable dataset of a class with a strict inclusion; None if there is none.

    Among equally small ones it is the first found, in the order of q and T0. A single transition is looked for in all
    fibers at once: one that some model makes and q is consistent with, but no member of F(q) makes.

    Raises:
        ExchangeTooLargeError: if a single transition is not enough, and the class has too many models to compare with
            all fibers.
    """
    models, every_pair = solved.models, np.arange(solved.pairs)
    made = np.zeros_like(solved.consistent)
    made[solved.q_of_model[:, None], every_pair, models] = True
    single = np.argwhere(solved.consistent & made.any(axis=0) & ~made)
    if len(single):
        q, pair, successor = (int(index) for index in single[0])
        T0 = int((models[:, pair] == successor).argmax())
        return _witness(solved, [pair], T0, int(solved.first_model[q]))
    found = smallest_hitting_set(_strict_problems(solved, progress))
    if found is None:
        return None
    (q, T0), pairs = found
    return _witness(solved, pairs, T0, int(solved.first_model[q]))


def find_decision_witness(solved: SolvedClass, progress: Progress = silent) -> Witness | None:
    """The smallest realizable dataset of a class that is decision-relevant; None if there is none.

    Among equally small ones it is the first found, in the order of T0, state and action.

    Raises:
        WitnessSearchTooLargeError: past MAX_STEPS steps.
        ExchangeTooLargeError: if the class has too many models to compare with all fibers.
    """
    if exchange_holds(solved):  # no inclusion is strict: nothing is decided by H_M alone
        return None
    found = smallest_hitting_set(_decision_problems(solved, progress))
    if found is None:
        return None
    (T0, state, action), pairs = found
    HB = solved.consistent[:, pairs, solved.models[T0, pairs]].all(axis=1)
    q1 = int(np.flatnonzero(HB & ~solved.greedy[:, state, action])[0])
    return _witness(solved, pairs, T0, int(solved.first_model[q1]), (state, action))


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
    for n, k in product(range(1, max_states + 1), range(1, max_actions + 1)):
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


def smallest_hitting_set(
    problems: Iterable[tuple[Label, frozenset[int]]],
) -> tuple[Label, list[int]] | None:
    """The smallest hitting set over several families of sets, and the label of the family that it meets.

    Each family is asked for hitting sets of size 1, 2, ... below the best so far: the last one found is smallest.
    """
    best: tuple[Label, list[int]] | None = None
    seen = set()
    for label, family in problems:
        if family in seen:
            continue
        seen.add(family)
        for size in range(1, len(best[1]) if best else len(family) + 1):
            if (found := hitting_set(family, size)) is not None:
                best = label, members(found)
                break
        if best and len(best[1]) == 1:
            break
    return best


def hitting_set(family: frozenset[int], size: int) -> int | None:
    """At most `size` elements that meet every set of the family, as a bitmask like the sets; None if there are none.

    It branches on the elements of a smallest set that is not yet met, one of which any hitting set contains.
    """
    if not family:
        return 0
    if size == 0:
        return None
    for element in members(min(family, key=lambda mask: (mask.bit_count(), mask))):
        unmet = frozenset(mask for mask in family if not mask >> element & 1)
        if (found := hitting_set(unmet, size - 1)) is not None:
            return found | 1 << element
    return None


def minimal_sets(family: Iterable[int]) -> frozenset[int]:
    """The sets of a family that contain no other: what meets these meets all."""
    minimal: list[int] = []
    for mask in sorted(set(family), key=int.bit_count):
        if all(mask & smaller != smaller for smaller in minimal):
            minimal.append(mask)
    return frozenset(minimal)


def members(mask: int) -> list[int]:
    """The elements of a set given as a bitmask, in increasing order."""
    return [element for element in range(mask.bit_length()) if mask >> element & 1]


def _bitmasks(rows: Bool[np.ndarray, "row element"]) -> list[int]:
    """Each row as a set of its elements."""
    packed = np.packbits(rows, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _strict_problems(
    solved: SolvedClass, progress: Progress
) -> Iterator[tuple[tuple[int, int], frozenset[int]]]:
    """((q, T0), sets of pairs in which the members of F(q) disagree with T0) where none can stand in for T0.

    Models that are equal where they are Bellman-consistent with q count once.
    """
    pairs = np.arange(solved.pairs)
    for q, failing in exchange_failures(solved, progress):
        fiber, candidates = solved.fiber(q), solved.models[failing]
        consistent = solved.consistent[q][pairs, candidates]
        observed = np.where(consistent, candidates, np.int32(solved.options))
        _, first = np.unique(observed, axis=0, return_index=True)
        for i in np.sort(first):
            differs = _bitmasks(consistent[i] & (fiber != candidates[i]))
            yield (q, int(failing[i])), minimal_sets(differs)


def _decision_problems(
    solved: SolvedClass, progress: Progress
) -> Iterator[tuple[tuple[int, int, int], frozenset[int]]]:
    """((T0, state, action), the sets that D must meet), once for each choice of the q that keep the state open."""
    models, pairs = solved.models, np.arange(solved.pairs)
    steps = len(models) * solved.value_functions * solved.pairs
    if steps > MAX_STEPS:
        raise WitnessSearchTooLargeError(
            f"the class has {len(models)} models and {solved.value_functions} distinct q: a smallest decision-relevant"
            f" dataset takes about {steps:.3g} steps, {steps / 2e6:.3g} s; accepted: at most {MAX_STEPS:.3g} steps"
        )
    suboptimal = ~solved.greedy
    for T0 in range(len(models)):
        progress(T0 / len(models))
        differs = _bitmasks(models != models[T0])
        clashes = _bitmasks(~solved.consistent[:, pairs, models[T0]])
        for state, optimal in enumerate(solved.greedy[solved.q_of_model[T0]]):
            actions = [int(action) for action in np.flatnonzero(optimal)]
            left_out = frozenset([0])  # the fewest pairs that D may not observe
            for action in actions:
                ruling_out = np.flatnonzero(suboptimal[:, state, action])
                avoid = minimal_sets(clashes[q] for q in ruling_out)
                left_out = minimal_sets(x | y for x in left_out for y in avoid)
            for action in actions:
                contrary = np.flatnonzero(suboptimal[solved.q_of_model, state, action])
                for mask in sorted(left_out):
                    yield (
                        (T0, state, action),
                        minimal_sets(differs[T] & ~mask for T in contrary),
                    )


def _witness(
    solved: SolvedClass,
    pairs: Sequence[int],
    T0: int,
    T1: int,
    decision: tuple[int, int] | None = None,
) -> Witness:
    """The witness whose dataset is what T0 does at the given pairs; T0 and T1 are indices into `solved.models`."""
    k = solved.actions
    tables = [
        tuple(tuple(int(x) for x in row) for row in solved.models[T].reshape(-1, k))
        for T in (T0, T1)
    ]
    dataset = tuple((p // k, p % k, int(solved.models[T0, p])) for p in pairs)
    q0, q1 = (solved.q_table(int(solved.q_of_model[T])) for T in (T0, T1))
    return Witness(dataset, tables[0], tables[1], q0, q1, decision)


def _subclass(
    solved: SolvedClass, size: int, transitions: int, decision_relevant: bool
) -> tuple[MDPClass, Witness] | None:
    """`size` models of a solved class that have a witness of so many transitions.

    What is to be settled is a set for each q, as a bitmask: the q alone, or its optimal actions in a state. Models that
    extend D (inside) must have an element in common, and lose it by models that D contradicts though their q is
    consistent with it (outside).
    """
    if decision_relevant:
        labels = [(s, _bitmasks(solved.greedy[:, s])) for s in range(solved.states)]
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
