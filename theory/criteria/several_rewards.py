"""Many rewards: when value functions become a model.

The same models with K known rewards have tuples of optimal q. H_M^K(D) holds the tuples of the models that agree with
D, H_B^K(D) those tuples that solve the Bellman equation of every reward at every pair of D. Part 1 holds as ever. And
once the K values tell any two options of every pair apart, a tuple in H_B^K(D) leaves its model no choice where it was
observed: the two are equal for every functional D. How many rewards that takes is counted here. An added reward is
known, and takes the place of those that options bring; their laws stay unknown.

The *gap* of a set of rewards is the number of pairs (T0, T1) of models such that no model with T1's tuple agrees with
T0 wherever T0 is Bellman-consistent with that tuple. It is 0 exactly if H_M^K(D) = H_B^K(D) for every realizable D
(the exchange criterion), and out of |M|^2 whatever the rewards. More rewards make fewer transitions consistent, which
narrows it, but fewer models alike too, which may widen it: beside rewards of 0, which have no gap, any reward may.

A set of rewards is the class's own with some of a family: a goal at every pair, random ones, or a list.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np

from theory.classes.mdp_class import MDPClass, Rewards
from theory.criteria.exchange import exchange_failures
from theory.criteria.theorem import require_unique_solution
from theory.progress import Progress, silent
from theory.solving.joint_class import jointly
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

MAX_SETS = 20_000
RANDOM_REWARDS = (-2, -1, 0, 1, 2)

Family = dict[str, Rewards]


@dataclass(frozen=True)
class RewardsRow:
    """All sets of one number of rewards.

    Attributes:
        added: how many rewards of the family stand beside the class's own.
        sets: how many sets were looked at.
        exact: whether these were all, or an independent sample.
        closed: how many of them have no gap.
        least: the smallest gap.
        mean: the mean gap.
        most: the largest gap.
    """

    added: int
    sets: int
    exact: bool
    closed: int
    least: int
    mean: float
    most: int


@dataclass(frozen=True)
class SeveralRewards:
    """The gap by the number of rewards.

    Attributes:
        name: the class.
        gamma: "p/q".
        models: |M|; the gap is out of |M|^2.
        family: what the rewards are called that were added.
        rows: from none added on.
        smallest: a smallest set of added rewards without a gap; None if there is none, or none was met.
        proved_smallest: whether all smaller sets have a gap; where none was met, whether there is none.
        seconds: wall-clock time.
    """

    name: str
    gamma: str
    models: int
    family: tuple[str, ...]
    rows: tuple[RewardsRow, ...]
    smallest: tuple[str, ...] | None
    proved_smallest: bool
    seconds: float


def goal_rewards(problem: MDPClass) -> Family:
    """A reward of 1 at one pair and 0 elsewhere, for every pair."""
    pairs = [(s, a) for s in range(problem.states) for a in range(problem.actions)]
    return {
        f"({problem.state_name(s)}, {problem.action_name(a)})": tuple(
            tuple(Fraction((x, b) == (s, a)) for b in range(problem.actions))
            for x in range(problem.states)
        )
        for s, a in pairs
    }


def random_rewards(problem: MDPClass, count: int, seed: int) -> Family:
    """Tables of independent integers from -2 to 2.

    Raises:
        ValueError: if there are to be less than one, or the seed is negative.
    """
    if count < 1 or seed < 0:
        raise ValueError(f"{count} random rewards of seed {seed}; accepted: 1 or more, 0 or more")
    drawn = np.random.default_rng(seed).choice(
        RANDOM_REWARDS, (count, problem.states, problem.actions)
    )
    return {
        f"random {i}": tuple(tuple(Fraction(int(r)) for r in row) for row in table)
        for i, table in enumerate(drawn)
    }


def gap(solved: SolvedClass) -> int:
    """The number of pairs (T0, T1) of models for which nothing with T1's q can stand in for T0.

    Raises:
        ExchangeTooLargeError: if the class has too many models to compare.
    """
    sizes = np.diff(solved.fiber_start)
    return sum(len(failing) * int(sizes[q]) for q, failing in exchange_failures(solved))


def gap_by_rewards(
    problem: MDPClass,
    family: Family,
    *,
    most: int | None = None,
    samples: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> SeveralRewards:
    """The gap of the class's own reward with every set of a family, by the size of the set.

    Args:
        problem: the class; its rewards are always among those known.
        family: the rewards to add, by name.
        most: the largest number to add; all of them unless given.
        samples: how many sets of a size are drawn where all of this size would pass MAX_SETS in all.
        seed: of that sampling.
        progress: told the fraction of sets done.

    Raises:
        ValueError: if the class is too large, gamma = 1, or an argument is out of range.
    """
    start = time.perf_counter()
    if problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for several rewards: gamma < 1")
    require_unique_solution(problem)
    if samples < 1 or seed < 0:
        raise ValueError(f"samples is {samples} and seed {seed}; accepted: 1 or more, 0 or more")
    names = tuple(family)
    most = len(names) if most is None else most
    if not 0 <= most <= len(names):
        raise ValueError(f"most is {most}; accepted: 0 to {len(names)}, the rewards of the family")
    own = solve(problem)
    parts = [
        solve(
            replace(problem, transitions=problem.transitions.with_rewards(rewards), rewards=rewards)
        )
        for rewards in family.values()
    ]
    rng = np.random.default_rng(seed)
    rows: list[RewardsRow] = []
    smallest: tuple[str, ...] | None = None
    left = MAX_SETS
    for added in range(most + 1):
        exact = comb(len(names), added) <= left
        sets = list(_sets(len(names), added, None if exact else samples, rng))
        left -= len(sets) if exact else 0
        gaps = []
        for done, chosen in enumerate(sets):
            gaps.append(gap(jointly([own, *(parts[i] for i in chosen)])))
            if smallest is None and gaps[-1] == 0:
                smallest = tuple(names[i] for i in chosen)
            progress((added + done / len(sets)) / (most + 1))
        rows.append(
            RewardsRow(
                added, len(sets), exact, gaps.count(0), min(gaps), sum(gaps) / len(gaps), max(gaps)
            )
        )
    progress(1.0)
    smaller = range(len(names) + 1 if smallest is None else len(smallest))
    return SeveralRewards(
        name=problem.name,
        gamma=str(problem.gamma),
        models=len(own.models),
        family=names,
        rows=tuple(rows),
        smallest=smallest,
        proved_smallest=all(size <= most and rows[size].exact for size in smaller),
        seconds=time.perf_counter() - start,
    )


def _sets(
    family: int, size: int, samples: int | None, rng: np.random.Generator
) -> Iterable[Sequence[int]]:
    """All sets of one size, or a sample of them."""
    if samples is None:
        yield from combinations(range(family), size)
    else:
        for _ in range(samples):
            yield sorted(int(i) for i in rng.choice(family, size, replace=False))
