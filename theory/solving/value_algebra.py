"""Policy iteration over many models with the same rewards: each exact value is computed once, and is a number since.

The models of a class share few values: V(s) = r + gamma V(s') and the values of loops come up again and again. So a
value is computed in Fractions when it is first met, and looked up afterwards by the numbers of what it is made of. Two
values are compared as floats, and as Fractions where these are equal: rounding to the nearest float keeps the order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from theory.classes.mdp_class import Rewards


def seconds_per_model(states: int, actions: int) -> float:
    """About how long a model takes at most: a few improvements, each of n lassos and n k look-ups."""
    return 2e-6 * states**2 * actions


class ValueAlgebra:
    """The values that come up under some rewards and one discount, by number; 0 is number 0.

    Args:
        rewards: `rewards[s][a]`.
        gamma: the discount, in (0, 1).
    """

    def __init__(self, rewards: Rewards, gamma: Fraction) -> None:
        self.gamma = gamma
        self.values = [Fraction(0)]
        self._number = {Fraction(0): 0}
        self._rounded = [0.0]
        self._rewards = sorted({reward for row in rewards for reward in row})
        self._reward = [[self._rewards.index(reward) for reward in row] for row in rewards]
        self._backups: list[dict[int, int]] = [{} for _ in self._rewards]
        self._loops: dict[tuple[int, ...], int] = {}

    def optimal(self, model: Sequence[Sequence[int]]) -> list[int]:
        """The number of V*(s) in each state of one model, by policy iteration.

        Args:
            model: `model[s][a]`, the successor; n is terminal.
        """
        policy = [0] * len(model)
        while True:
            value = self._evaluate(
                [row[a] for row, a in zip(model, policy, strict=True)],
                [row[a] for row, a in zip(self._reward, policy, strict=True)],
            )
            improved = []
            for successors, rewards, a in zip(model, self._reward, policy, strict=True):
                best = a
                for b, (successor, reward) in enumerate(zip(successors, rewards, strict=True)):
                    if b == a:
                        continue
                    one = self._backup(reward, value[successor])
                    other = self._backup(rewards[best], value[successors[best]])
                    if one != other and self._larger(one, other):
                        best = b
                improved.append(best)
            if improved == policy:
                return value[:-1]
            policy = improved

    def _evaluate(self, successor: list[int], reward: list[int]) -> list[int]:
        """The numbers of a policy's values, the terminal state's 0 last."""
        n = len(successor)
        value = [-1] * n + [0]
        for start in range(n):
            path = []
            s = start
            while value[s] == -1:
                value[s] = -2  # on this path
                path.append(s)
                s = successor[s]
            if value[s] == -2:
                loop = path[path.index(s) :]
                value[s] = self._loop(tuple(reward[x] for x in loop))
            for x in reversed(path):
                if value[x] == -2:
                    value[x] = self._backup(reward[x], value[successor[x]])
        return value

    def _loop(self, rewards: tuple[int, ...]) -> int:
        """The value of going round these rewards for ever."""
        known = self._loops.get(rewards)
        if known is None:
            around = sum(self.gamma**i * self._rewards[r] for i, r in enumerate(rewards))
            known = self._loops[rewards] = self._numbered(around / (1 - self.gamma ** len(rewards)))
        return known

    def _backup(self, reward: int, value: int) -> int:
        known = self._backups[reward].get(value)
        if known is None:
            backup = self._rewards[reward] + self.gamma * self.values[value]
            known = self._backups[reward][value] = self._numbered(backup)
        return known

    def _numbered(self, value: Fraction) -> int:
        number = self._number.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
            self._rounded.append(_rounded(value))
        return number

    def _larger(self, one: int, other: int) -> bool:
        x, y = self._rounded[one], self._rounded[other]
        return x > y if x != y else self.values[one] > self.values[other]


def _rounded(value: Fraction) -> float:
    """The nearest float; infinite past their range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
