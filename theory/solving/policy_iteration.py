"""Optimal values of one deterministic MDP by policy iteration in Fractions: the plain method.

It evaluates a policy by following its lassos, improves it greedily, and stops when nothing improves. No table, no
scaling: the fast method is held against it, and models too large for the fast method's table are served by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theory.classes.mdp_class import QTable, Rewards

Table = Sequence[Sequence[int]]


def seconds_per_model(states: int, actions: int) -> float:
    """About how long `optimal_q` takes: a few improvements, each of n lassos and n k backups of Fractions."""
    return 2e-5 * states**2 * actions


def policy_values(
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


def optimal_q(model: Table, rewards: Rewards, gamma: Fraction) -> QTable:
    """q*(s, a) of one model, as exact fractions.

    Args:
        model: `model[s][a]`, the successor; n is terminal.
        rewards: `rewards[s][a]`.
        gamma: the discount, in (0, 1).

    Raises:
        ValueError: if gamma is outside (0, 1).
    """
    if not 0 < gamma < 1:
        raise ValueError(f"gamma is {gamma}; accepted: a rational number in (0, 1)")
    policy = [0] * len(model)
    while True:
        value = policy_values(
            [row[a] for row, a in zip(model, policy, strict=True)],
            [row[a] for row, a in zip(rewards, policy, strict=True)],
            gamma,
        )
        q = tuple(
            tuple(r + gamma * value[successor] for r, successor in zip(rs, successors, strict=True))
            for rs, successors in zip(rewards, model, strict=True)
        )
        improved = [
            a if row[a] == max(row) else row.index(max(row))
            for row, a in zip(q, policy, strict=True)
        ]
        if improved == policy:
            return q
        policy = improved
