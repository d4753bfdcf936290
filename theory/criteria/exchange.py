"""Criteria that decide, without enumerating datasets, how H_M(D) and H_B(D) are related.

- Inclusion: H_M(D) is a subset of H_B(D) for every D exactly if each transition of each model is Bellman-consistent
  with the model's own q.
- Closed under q*-equivalence: equality holds for every functional D exactly if each fiber F(q) is the whole product
  of the sets B_q(s, a), that is if their sizes agree.
- Exchange: equality holds for every realizable D exactly if for every T0 in M and q in H_Q some T in F(q) agrees with
  T0 wherever T0(s, a) is in B_q(s, a). Only that largest dataset of T0 which q survives matters.
- Splices: equality holds for all evidence that some model meets exactly if, for every T0 in M and q in H_Q, M holds
  every model that is T0 where T0 is Bellman-consistent with q, and anything consistent with q elsewhere. Members of
  F(q) are counted.

The first two cost |M| * n * k, the others at most |M|^2 * n * k.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator

import numba
import numpy as np
from jaxtyping import Bool, Int64

from theory.compiled import compile_once, kernel
from theory.progress import Progress, silent
from theory.solving.solved_class import SolvedClass

MAX_COMPARISONS = 2e11


class ExchangeTooLargeError(ValueError):
    """Comparing all models with all fibers would take too long."""


def set_products(sets: Bool[np.ndarray, "q pair vertex"]) -> list[int]:
    """The product over pairs of the number of members, for each q, as Python integers."""
    sizes = sets.sum(axis=2)
    exact = sizes if sets.shape[2] ** sets.shape[1] < 2**63 else sizes.astype(object)
    return [int(product) for product in exact.prod(axis=1)]


def no_boxes(solved: SolvedClass, sets: Bool[np.ndarray, "q pair option"]) -> list[int]:
    """The q whose fiber is not the whole product of some sets of options that hold it."""
    sizes = np.diff(solved.fiber_start).tolist()
    return [q for q, box in enumerate(set_products(sets)) if sizes[q] != box]


def chosen_in_fiber(solved: SolvedClass) -> Bool[np.ndarray, "q pair option"]:
    """Whether some member of F(q) chooses an option."""
    chosen = np.zeros_like(solved.consistent)
    chosen[solved.q_of_model[:, None], np.arange(solved.pairs), solved.models] = True
    return chosen


def included_by_criterion(solved: SolvedClass) -> bool:
    """Whether every transition of every model is Bellman-consistent with its own q: part 1 for every D."""
    return all(
        solved.consistent[solved.q_of_model, pair, solved.models[:, pair]].all()
        for pair in range(solved.pairs)
    )


def closed_under_equivalence(solved: SolvedClass) -> bool:
    """Whether F(q) is the product of the B_q(s, a) for every q: part 3 for every functional D."""
    return not no_boxes(solved, solved.consistent)


def equal_for_every_dataset(solved: SolvedClass) -> bool:
    """Whether H_M(D) = H_B(D) for every D, functional or not.

    A D with two options at a pair agrees with no model; H_B(D) is empty too exactly if no q is consistent with both.
    """
    return closed_under_equivalence(solved) and bool((solved.consistent.sum(axis=2) <= 1).all())


def single_transition_gaps(solved: SolvedClass) -> Int64[np.ndarray, "gap 3"]:
    """The (q, pair, option) that some model chooses and q is consistent with, while no member of F(q) chooses it.

    Each is a dataset of one transition with a proper inclusion. They are found in |M| * n * k steps, and there are
    classes that lack the exchange property and have none: they need more transitions.
    """
    chosen = chosen_in_fiber(solved)
    return np.argwhere(solved.consistent & chosen.any(axis=0) & ~chosen)


def exchange_holds(solved: SolvedClass, progress: Progress = silent) -> bool:
    """Whether the class has the exchange property: part 3 for every realizable D. A single transition may deny it.

    Raises:
        ExchangeTooLargeError: past MAX_COMPARISONS comparisons of a successor.
    """
    if len(single_transition_gaps(solved)):
        return False
    return next(exchange_failures(solved, progress), None) is None


def splices_hold(solved: SolvedClass) -> bool:
    """Whether H_M(E) = H_B(E) for all evidence E that some model meets.

    Raises:
        ExchangeTooLargeError: past MAX_COMPARISONS comparisons of an option.
    """
    return next(splice_failures(solved), None) is None


def splice_failures(solved: SolvedClass, progress: Progress = silent) -> Iterator[tuple[int, int]]:
    """The q, with each model T0 some splice of which is missing in F(q): each (q, T0) as soon as it is found.

    Raises:
        ExchangeTooLargeError: past MAX_COMPARISONS comparisons of an option.
    """
    searched = no_boxes(solved, solved.consistent)
    incomplete = kernel(_incomplete, int(_require_few_comparisons(solved, searched)))
    for done, q in enumerate(searched):
        progress(done / len(searched))
        fiber, consistent = solved.fiber(q), solved.consistent[q]
        T0 = -1
        while (T0 := incomplete(solved.models, fiber, consistent, T0 + 1)) < len(solved.models):
            yield q, T0


def _require_few_comparisons(solved: SolvedClass, searched: list[int]) -> float:
    """How many options are compared where all models are set beside some fibers.

    Raises:
        ExchangeTooLargeError: past MAX_COMPARISONS.
    """
    members = float(np.diff(solved.fiber_start)[searched].sum())
    comparisons = members * len(solved.models) * solved.pairs
    if comparisons > MAX_COMPARISONS:
        raise ExchangeTooLargeError(
            f"the exchange criterion would take {comparisons:.3g} comparisons, about {comparisons / 2e9:.3g} s;"
            f" accepted: at most {MAX_COMPARISONS:.3g}"
        )
    return comparisons


def exchange_failures(
    solved: SolvedClass, progress: Progress = silent
) -> Iterator[tuple[int, Int64[np.ndarray, " failing"]]]:
    """The q, each with the models T0 that no member of F(q) can stand in for; q without any are left out.

    A fiber that is a whole box of the successors used in M has a stand-in for every T0, and is not searched.

    Raises:
        ExchangeTooLargeError: past MAX_COMPARISONS comparisons of a successor.
    """
    used = np.zeros((solved.pairs, solved.options), dtype=bool)
    for pair in range(solved.pairs):
        used[pair, solved.models[:, pair]] = True
    searched = no_boxes(solved, solved.consistent & used)
    comparisons = _require_few_comparisons(solved, searched)
    without_stand_in = kernel(_without_stand_in, int(comparisons))
    for done, q in enumerate(searched):
        lonely = without_stand_in(solved.models, solved.fiber(q), solved.consistent[q])
        progress((done + 1) / len(searched))
        if lonely.any():
            yield q, np.flatnonzero(lonely)


@compile_once(parallel=True)
@typing.no_type_check
def _without_stand_in(models, fiber, consistent):
    lonely = np.empty(len(models), dtype=np.bool_)
    for m in numba.prange(len(models)):
        found = False
        for f in range(len(fiber)):
            agrees = True
            for p in range(models.shape[1]):
                successor = models[m, p]
                if consistent[p, successor] and fiber[f, p] != successor:
                    agrees = False
                    break
            if agrees:
                found = True
                break
        lonely[m] = not found
    return lonely


@compile_once()
@typing.no_type_check
def _incomplete(models, fiber, consistent, start):
    for m in range(start, len(models)):
        wanted = 1.0  # a float, since it may be far more than M has: then it is never reached
        for p in range(models.shape[1]):
            if not consistent[p, models[m, p]]:
                wanted *= consistent[p].sum()
        found = 0
        for f in range(len(fiber)):
            agrees = True
            for p in range(models.shape[1]):
                option = models[m, p]
                if consistent[p, option] and fiber[f, p] != option:
                    agrees = False
                    break
            if agrees:
                found += 1
        if found != wanted:
            return m
    return len(models)
