"""How many observed pairs identify optimal behaviour, with a model class and with the Bellman equation alone.

The data are transitions of one true model, one for each observed pair. For every number of observed pairs, over all
sets of that many pairs or a seeded sample of them: the mean |H_M(D)| and |H_B(D)|, and how often each settles an
optimal action in a state (some action is optimal there under every remaining q) and in all states at once (an optimal
policy).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Bool, Int64

from theory.classes.mdp_class import MDPClass
from theory.criteria.theorem import require_unique_solution
from theory.progress import Progress, silent
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

MAX_STEPS = 4e9
MAX_SUBSETS = 1 << 16


@dataclass(frozen=True)
class Identified:
    """What one criterion leaves, averaged over sets of observed pairs.

    Attributes:
        hypotheses: the mean number of q left.
        standard_error: of that mean; 0 where all sets were looked at.
        state_action: for each state, the share of sets for which an optimal action there is settled.
        policy: the share of sets for which an optimal policy is settled.
    """

    hypotheses: float
    standard_error: float
    state_action: tuple[float, ...]
    policy: float


@dataclass(frozen=True)
class IdentifiabilityRow:
    """One number of observed pairs.

    Attributes:
        observed: the number of pairs observed.
        subsets: how many sets of that many pairs were looked at.
        exact: whether these were all of them, or an independent sample.
        model: under H_M.
        bellman: under H_B.
    """

    observed: int
    subsets: int
    exact: bool
    model: Identified
    bellman: Identified


@dataclass(frozen=True)
class Identifiability:
    """The curves of one class and one true model.

    Attributes:
        name: the class.
        truth: the index of the true model.
        transitions: the true model, `[s][a]`.
        seed: of the sampling, where there was any.
        rows: from no observed pair to all.
    """

    name: str
    truth: int
    transitions: tuple[tuple[int, ...], ...]
    seed: int
    rows: tuple[IdentifiabilityRow, ...]


def identify(
    problem: MDPClass,
    truth: int = 0,
    *,
    samples: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> Identifiability:
    """Identifiability curves for the data of one model of the class.

    All sets of observed pairs are looked at where there are at most MAX_SUBSETS of them, and 2^(n k) * |M| is at most
    MAX_STEPS; beyond that `samples` random ones of each size (all, where a size has no more).

    Raises:
        ValueError: if the model does not exist, the class is too large, or gamma = 1 is refused.
    """
    require_unique_solution(problem)
    if samples < 2:
        raise ValueError(f"samples is {samples}; accepted: 2 or more")
    if seed < 0:
        raise ValueError(f"seed is {seed}; accepted: 0 or more")
    table = problem.transitions.table(truth)
    solved = solve(problem, lambda fraction: progress(fraction / 10))
    pairs = solved.pairs
    successors = np.array(table).reshape(-1)
    agrees = solved.models == successors
    if not np.any(agrees.all(axis=1)):
        raise ValueError(f"model {truth} has an infinite q* at gamma = 1; accepted: a finite one")
    consistent = solved.consistent[:, np.arange(pairs), successors]
    exact = 2**pairs <= min(MAX_SUBSETS, MAX_STEPS / len(solved.models))
    rng = np.random.default_rng(seed)
    rows = []
    for observed in range(pairs + 1):
        every = exact or comb(pairs, observed) <= samples
        subsets = list(_subsets(pairs, observed, None if every else samples, rng))
        outcomes = np.array([_settled(solved, agrees, consistent, subset) for subset in subsets])
        model, bellman = (_identified(outcomes[:, criterion], every) for criterion in (0, 1))
        rows.append(IdentifiabilityRow(observed, len(subsets), every, model, bellman))
        progress(0.1 + 0.9 * (observed + 1) / (pairs + 1))
    return Identifiability(problem.name, truth, table, seed, tuple(rows))


def _subsets(
    pairs: int, observed: int, samples: int | None, rng: np.random.Generator
) -> Iterator[Int64[np.ndarray, " observed"]]:
    if samples is None:
        for subset in combinations(range(pairs), observed):
            yield np.array(subset, dtype=np.int64)
    else:
        for _ in range(samples):
            yield rng.choice(pairs, observed, replace=False).astype(np.int64)


def _identified(outcomes: Int64[np.ndarray, "subset outcome"], exact: bool) -> Identified:
    """Means over the subsets; an outcome is the count, one bit for each state, and the policy's bit."""
    mean = outcomes.mean(axis=0)
    error = 0.0 if exact else float(outcomes[:, 0].std(ddof=1) / len(outcomes) ** 0.5)
    return Identified(float(mean[0]), error, tuple(map(float, mean[1:-1])), float(mean[-1]))


def _settled(
    solved: SolvedClass,
    agrees: Bool[np.ndarray, "model pair"],
    consistent: Bool[np.ndarray, "q pair"],
    subset: Int64[np.ndarray, " observed"],
) -> list[list[int]]:
    """For H_M and H_B: how many q are left, whether each state's action is settled, and the policy."""
    HM = solved.q_of_models(np.all(agrees[:, subset], axis=1))
    HB = consistent[:, subset].all(axis=1)
    outcome = []
    for left in (HM, HB):
        by_state = np.any(solved.greedy[left].all(axis=0), axis=1)
        outcome.append([int(left.sum()), *by_state.astype(int).tolist(), int(by_state.all())])
    return outcome
