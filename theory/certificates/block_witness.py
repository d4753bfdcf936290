"""Witnesses of product classes beyond enumeration, one q at a time.

The models of a `ProductClass` are free choices of one assignment from each block of pairs; in a factored class a
block is the pairs that share an unknown. For gamma < 1 a q solves the Bellman equation of T as soon as it is
consistent with all that T does, and is then q*_T. So the fiber of q is a product over the blocks too,

    F(q) = product over blocks of { assignments whose every successor is consistent with q },

and needs no enumeration of models. With T1 any model, and q its optimal q, found by solving T1 alone:

- D leaves q out of H_M(D) exactly if some block has no assignment in F(q) that agrees with D there: whatever shows a
  proper inclusion does so within one block;
- so the smallest D for q is a minimum hitting set within a block, for an assignment of which none in F(q) can stand in
  where it is consistent with q.

A single transition that shows a proper inclusion for one T1 is as small as any, and decides parts 2 and 3 for the whole
class, however many models it has. That there is none takes going through all T1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, product

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
from theory.certificates.witness import Witness, WitnessSearchTooLargeError
from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import Block, Model, ProductClass, first_rows
from theory.progress import Progress, silent
from theory.solving.policy_iteration import optimal_q

MAX_TRIED = 10_000

Choices = tuple[int, ...]  # an assignment of each block


def find_block_witness(
    problem: MDPClass,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    tried: int = MAX_TRIED,
    first: Sequence[Choices] = (),
) -> Witness | None:
    """The smallest realizable dataset with a proper inclusion, among those for some T1; None if there is none.

    All models are tried as T1 where they are no more than `tried`, and random ones otherwise. The search ends at a
    single transition.

    Args:
        problem: a product class, gamma < 1.
        progress: told the fraction of T1 tried.
        time_limit: in seconds. The smallest dataset found by then is returned; `at_least` says what is known.
        tried: how many T1 at most.
        first: T1 to try before these.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
        WitnessSearchTooLargeError: if nothing was found by then, or among the T1 that were tried.
    """
    blocks = product_blocks(problem)
    if problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for a witness by blocks: gamma < 1")
    every = problem.transitions.size <= tried
    deadline = Deadline(time_limit)
    try:
        found = smallest_hitting_set(
            _puzzles(problem, blocks, tried, first, deadline.watched(progress)),
            at_least=1,
            deadline=deadline,
        )
    except OutOfTimeError:
        found, every = None, False
    if found is None:
        if every:
            return None
        raise WitnessSearchTooLargeError(
            f"no proper inclusion was found for up to {tried} models as T1 within {time_limit:.3g} s, and it is open"
            " whether there is one; accepted: a longer time limit, or a smaller class"
        )
    T1, block, choice = found.label
    T0 = (*T1[:block], choice, *T1[block + 1 :])
    tables = [table_of(problem, blocks, choices) for choices in (T0, T1)]
    q0, q1 = (optimal_q(table, problem.rewards, problem.gamma) for table in tables)
    k = problem.actions
    pairs = sorted(blocks[block][0][element] for element in found.elements)
    dataset = tuple((p // k, p % k, tables[0][p // k][p % k]) for p in pairs)
    proved = found.at_least if every else 1
    return Witness(dataset, tables[0], tables[1], q0, q1, None, proved)


def product_blocks(problem: MDPClass) -> list[Block]:
    """The blocks of a product class.

    Raises:
        ValueError: if the class is none.
    """
    problem.require_successors("a witness by blocks")
    if not isinstance(problem.transitions, ProductClass):
        raise ValueError(
            f"{problem.name or 'the class'} is no product of blocks; accepted: tabular, factored and listed classes"
        )
    return problem.transitions.blocks


def consistent_with(problem: MDPClass, q: QTable) -> Bool[np.ndarray, "pair vertex"]:
    """Whether s' is in B_q(s, a), for one q."""
    values = [*map(max, q), Fraction(0)]
    number = {value: i for i, value in enumerate(dict.fromkeys(values))}
    worth = np.array([number[value] for value in values])
    wanted = [
        number.get((x - r) / problem.gamma, -1)
        for row, rewards in zip(q, problem.rewards, strict=True)
        for x, r in zip(row, rewards, strict=True)
    ]
    equal: Bool[np.ndarray, "pair vertex"] = np.array(wanted)[:, None] == worth
    return equal


def _puzzles(
    problem: MDPClass,
    blocks: list[Block],
    tried: int,
    first: Sequence[Choices],
    progress: Progress,
) -> Iterator[Puzzle[tuple[Choices, int, int]]]:
    """For each (T1, block, assignment) without a stand-in: where those in F(q) disagree with it, within the block."""
    for done, T1 in enumerate(chain(first, _models(blocks, tried))):
        progress(min(1.0, done / tried))
        q = optimal_q(table_of(problem, blocks, T1), problem.rewards, problem.gamma)
        consistent = consistent_with(problem, q)
        for block, (pairs, assignments) in enumerate(blocks):
            fits = consistent[pairs, assignments]
            fiber = assignments[fits.all(axis=1)]
            kept = np.where(fits, assignments, np.int32(problem.states + 1))
            for choice in first_rows(kept):
                differs = fits[choice] & (fiber != assignments[choice])
                if differs.any(axis=1).all():
                    yield Puzzle((T1, block, int(choice)), minimal_sets(bitmasks(differs)))


def _models(blocks: list[Block], tried: int) -> Iterator[Choices]:
    """All models, or random ones, the same at every call."""
    sizes = [len(assignments) for _, assignments in blocks]
    if math.prod(sizes) <= tried:
        yield from product(*map(range, sizes))
    else:
        rng = np.random.default_rng(0)
        for _ in range(tried):
            yield tuple(int(choice) for choice in rng.integers(sizes))


def table_of(problem: MDPClass, blocks: list[Block], choices: Choices) -> Model:
    """The model that chooses these assignments."""
    row = np.empty(problem.transitions.pairs, dtype=np.int64)
    for (pairs, assignments), choice in zip(blocks, choices, strict=True):
        row[pairs] = assignments[choice]
    return tuple(map(tuple, row.reshape(problem.states, problem.actions).tolist()))
