"""Optimal values of one model by policy iteration in Fractions: the plain method.

It evaluates a policy, improves it greedily, and stops when nothing improves. A model gives each pair an option: a
reward and a law over successors. Where all that a policy uses is certain, it is evaluated by following its lassos, and
by elimination elsewhere. No table, no scaling: the fast methods are held against it, and what asks about single models
is served by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theory.classes.mdp_class import QTable, Rewards
from theory.classes.options import Option

Table = Sequence[Sequence[int]]


def seconds_per_model(states: int, actions: int) -> float:
    """About how long `optimal_q` takes: a few improvements, each of n lassos and n k backups of Fractions."""
    return 2e-5 * states**2 * actions


def policy_values(chosen: Sequence[Option], gamma: Fraction) -> list[Fraction]:
    """V of the policy that has one option in each state: V = r + gamma * P V; the terminal state's 0 comes last.

    Args:
        chosen: for each state.
        gamma: the discount, in (0, 1).
    """
    if all(len(option.law) == 1 for option in chosen):
        successor = [option.law[0][0] for option in chosen]
        return lasso_values(successor, [option.reward for option in chosen], gamma)
    n = len(chosen)
    rows = []
    for s, option in enumerate(chosen):
        row = [Fraction(s == x) for x in range(n)] + [option.reward]
        for x, p in option.law:
            if x < n:
                row[x] -= gamma * p
        rows.append(row)
    for i in range(n):  # strictly diagonally dominant, so that no pivot is 0
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for j, row in enumerate(rows):
            if j != i and row[i]:
                rows[j] = [x - row[i] * y for x, y in zip(row, rows[i], strict=True)]
    return [*(row[-1] for row in rows), Fraction(0)]


def lasso_values(
    successor: Sequence[int], reward: Sequence[Fraction], gamma: Fraction
) -> list[Fraction]:
    """V(s) of a functional graph: V(s) = reward[s] + gamma * V(successor[s]), with V(n) = 0.

    Args:
        successor: the next state of each state; n is terminal.
        reward: the reward of each state's step.
        gamma: the discount, in (0, 1).
    """
    n = len(successor)
    value: list[Fraction | None] = [None] * n + [Fraction(0)]
    for start in range(n):
        path: list[int] = []
        s = start
        while value[s] is None and s not in path:
            path.append(s)
            s = successor[s]
        if value[s] is None:  # a new cycle: the path from s on
            cycle = path[path.index(s) :]
            discounted = sum(gamma**i * reward[x] for i, x in enumerate(cycle))
            value[s] = discounted / (1 - gamma ** len(cycle))
        following = value[s]
        for x in reversed(path):
            if value[x] is None:
                assert following is not None
                value[x] = reward[x] + gamma * following
            following = value[x]
    return [v for v in value if v is not None]


def optimal_q_of_options(model: Sequence[Sequence[Option]], gamma: Fraction) -> QTable:
    """q*(s, a) of one model, as exact fractions.

    Args:
        model: `model[s][a]`; states may differ in their numbers of actions.
        gamma: the discount, in (0, 1).

    Raises:
        ValueError: if gamma is outside (0, 1).
    """
    if not 0 < gamma < 1:
        raise ValueError(f"gamma is {gamma}; accepted: a rational number in (0, 1)")
    policy = [0] * len(model)
    while True:
        value = policy_values([row[a] for row, a in zip(model, policy, strict=True)], gamma)
        q = tuple(tuple(option.backup(value, gamma) for option in row) for row in model)
        improved = [
            a if row[a] == max(row) else row.index(max(row))
            for row, a in zip(q, policy, strict=True)
        ]
        if improved == policy:
            return q
        policy = improved


def optimal_q(model: Table, rewards: Rewards, gamma: Fraction) -> QTable:
    """q*(s, a) of one deterministic model with known rewards, as exact fractions.

    Args:
        model: `model[s][a]`, the successor; n is terminal.
        rewards: `rewards[s][a]`.
        gamma: the discount, in (0, 1).

    Raises:
        ValueError: if gamma is outside (0, 1).
    """
    one = Fraction(1)
    return optimal_q_of_options(
        [
            [Option(r, ((x, one),)) for r, x in zip(rs, successors, strict=True)]
            for rs, successors in zip(rewards, model, strict=True)
        ],
        gamma,
    )
