"""Which policies a set of optimal q leaves, and how much who follows one of them may lose.

An agent that knows H, be it H_M or H_B of a dataset or other evidence, may act greedily by any q of it, and by any
optimal action where q has several. These are the deterministic policies that H leaves. The worst regret of H is the
most that one of them earns less than an optimal policy, from some state, in some model that agrees with the data: the
truth is one of these. H_M leaves no more policies than H_B, and a worst regret that is no larger.

One who may choose among all policies can do better: the least regret that one policy guarantees in every model whose q
is in H. It is 0 exactly if a policy is settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
from jaxtyping import Bool

from theory.classes.options import Option
from theory.classes.transition_class import Model
from theory.criteria.version_spaces import EvidenceSpace
from theory.progress import Progress, silent
from theory.solving.policy_iteration import (
    optimal_q_of_options,
    policy_values,
    seconds_per_model,
)
from theory.solving.solved_class import SolvedClass

MAX_POLICIES = 1 << 20
MAX_LISTED = 256
MAX_PLAYS = 200_000
MAX_SECONDS = 600

Actions = Bool[np.ndarray, "state action"]


class TooManyPoliciesError(ValueError):
    """There are too many models and greedy policies to play them all."""


@dataclass(frozen=True)
class Regret:
    """A loss, and where it is met.

    Attributes:
        value: V*(s) less what the policy earns from s, discounted.
        state: s.
        truth: the model in which it is met, by the numbers of its options.
        policy: the action in each state.
    """

    value: Fraction
    state: int
    truth: Model
    policy: tuple[int, ...]


@dataclass(frozen=True)
class PoliciesLeft:
    """What a set H of optimal q leaves to choose.

    Attributes:
        policies: how many deterministic policies are greedy for some q of H; None if there are more than MAX_POLICIES
            policies to tell apart.
        listed: these, each as the action in every state; None if there are more than MAX_LISTED.
        settled: how many are greedy for all of H.
        guarantee: the least regret that a policy guarantees, from every state in every model whose q is in H; None if H
            is empty, or this takes more than MAX_PLAYS values of policies.
        regret: the worst regret of a policy that is left; None if no model agrees with the data.
    """

    policies: int | None
    listed: tuple[tuple[int, ...], ...] | None
    settled: int
    guarantee: Fraction | None
    regret: Regret | None


def policies_left(
    solved: SolvedClass, space: EvidenceSpace, progress: Progress = silent
) -> tuple[PoliciesLeft, PoliciesLeft]:
    """The policies that H_M and H_B leave.

    Args:
        solved: the class, gamma < 1.
        space: what the data leave of it.
        progress: told the fraction of models done.

    Raises:
        ValueError: if gamma = 1.
        TooManyPoliciesError: if it would take more than MAX_SECONDS.
    """
    if solved.problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for the regret of policies: gamma < 1")
    choices = [_greedy_choices(solved, left) for left in (space.HM, space.HB)]
    truths = np.flatnonzero(space.agrees)
    n, k = solved.states, solved.actions
    by_elimination = n if solved.problem.transitions.options is not None else 1
    ways = len(choices[0]) + len(choices[1])
    seconds = len(truths) * ways * seconds_per_model(n, k) * by_elimination
    if seconds > MAX_SECONDS:
        raise TooManyPoliciesError(
            f"{len(truths)} models agree with the data, and H_M and H_B leave {len(choices[0])} and"
            f" {len(choices[1])} ways to act, about {seconds:.3g} s to play; accepted: at most {MAX_SECONDS} s, by more"
            " data"
        )
    worst: list[Regret | None] = [None, None]
    for done, T in enumerate(truths.tolist()):
        table = solved.table(T)
        best = [max(row) for row in solved.q_table(int(solved.q_of_model[T]))]
        for criterion, allowed in enumerate(choices):
            for way in allowed:
                found = _regret(solved, table, best, way)
                before = worst[criterion]
                if before is None or found.value > before.value:
                    worst[criterion] = found
        progress((done + 1) / len(truths))
    by_model, by_equation = (
        PoliciesLeft(*_policies(ways), _settled(solved, left), _guarantee(solved, left), regret)
        for ways, left, regret in zip(choices, (space.HM, space.HB), worst, strict=True)
    )
    return by_model, by_equation


def _greedy_choices(solved: SolvedClass, left: Bool[np.ndarray, " q"]) -> list[Actions]:
    """The distinct sets of optimal actions, by state, of the q that are left."""
    distinct = np.unique(solved.greedy[left], axis=0)
    return list(distinct)


def _regret(solved: SolvedClass, table: Model, best: list[Fraction], allowed: Actions) -> Regret:
    """The most that a policy of allowed actions loses in one model.

    The policy that earns least earns least from all states at once: it is optimal where rewards are costs.
    """
    actions = [np.flatnonzero(row).tolist() for row in allowed]
    model = solved.problem.chosen(table)
    costs = [
        [Option(-row[a].reward, row[a].law) for a in choice]
        for row, choice in zip(model, actions, strict=True)
    ]
    q = optimal_q_of_options(costs, solved.problem.gamma)
    losses = [value + max(row) for value, row in zip(best, q, strict=True)]
    state = losses.index(max(losses))
    policy = tuple(choice[row.index(max(row))] for choice, row in zip(actions, q, strict=True))
    return Regret(losses[state], state, table, policy)


def _policies(ways: list[Actions]) -> tuple[int | None, tuple[tuple[int, ...], ...] | None]:
    """How many policies choose allowed actions in one of these ways, and which, if they are few."""
    if not ways:
        return 0, ()
    states, actions = ways[0].shape
    if actions**states > MAX_POLICIES:
        return None, None
    chosen = np.zeros(actions**states, dtype=bool)
    for way in ways:
        policies = np.ones(1, dtype=bool)
        for row in way:
            policies = (policies[:, None] & row).reshape(-1)
        chosen |= policies
    count = int(chosen.sum())
    if count > MAX_LISTED:
        return count, None
    places = actions ** np.arange(states - 1, -1, -1, dtype=object)
    return count, tuple(
        tuple(int(number // place % actions) for place in places)
        for number in np.flatnonzero(chosen).tolist()
    )


def _settled(solved: SolvedClass, left: Bool[np.ndarray, " q"]) -> int:
    """How many policies are greedy for every q that is left; 0 if there is none left."""
    in_common = solved.greedy[left].all(axis=0)
    return prod(int(count) for count in in_common.sum(axis=1)) if left.any() else 0


def _guarantee(solved: SolvedClass, left: Bool[np.ndarray, " q"]) -> Fraction | None:
    """The least, over all policies, of the most that one loses in a model whose q is left."""
    if _settled(solved, left):
        return Fraction(0)
    n, k = solved.states, solved.actions
    truths = np.flatnonzero(left[solved.q_of_model])
    if not len(truths) or k**n * len(truths) > MAX_PLAYS:
        return None
    models = [solved.problem.chosen(solved.table(T)) for T in truths.tolist()]
    best = [[max(row) for row in solved.q_table(int(solved.q_of_model[T]))] for T in truths]

    def losses(policy: tuple[int, ...]) -> Iterator[Fraction]:
        for model, values in zip(models, best, strict=True):
            chosen = [row[a] for row, a in zip(model, policy, strict=True)]
            earned = policy_values(chosen, solved.problem.gamma)
            yield max(v - e for v, e in zip(values, earned[:n], strict=True))

    guarantee: Fraction | None = None
    for policy in product(range(k), repeat=n):
        worst = Fraction(0)
        for loss in losses(policy):
            worst = max(worst, loss)
            if guarantee is not None and worst >= guarantee:
                break
        else:
            guarantee = worst
    return guarantee
