"""Before the first look: how small a difference a question can find, and how many seeds a difference takes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from experiments.analysis.sequential import followed
from experiments.analysis.statistics import POWER


def detectable(looks: int, alpha: float, seeds: int, spread: float) -> float:
    """The smallest difference that is found with a probability of 80 %, about, by the last look.

    Args:
        looks: Planned.
        alpha: Of the two-sided test.
        seeds: Of each agent in a group.
        spread: Standard deviation of a seed's score, of both agents alike.
    """
    return _drift(looks, alpha) * spread * math.sqrt(2 / (seeds * looks))


def seeds_needed(difference: float, looks: int, alpha: float, spread: float) -> float:
    """Seeds of each agent with which such a difference is found with a probability of 80 %, about, in so many looks."""
    if not difference:
        return math.inf
    return math.ceil(2 * (_drift(looks, alpha) * spread / difference) ** 2)


def can_decide(looks: int, alpha: float, seeds: int) -> bool:
    """Whether differences that are large enough are told apart, about: of few exchanges no share is small enough."""
    return looks * math.log(math.comb(2 * seeds, seeds)) >= math.log(2 / alpha)


@cache
def _drift(looks: int, alpha: float) -> float:
    """Of a Brownian motion at time 1, for which it leaves the bounds by then with a probability of 80 %."""
    steps = np.random.default_rng(0).standard_normal((40_000, looks)) / math.sqrt(looks)
    motion = np.cumsum(steps, axis=1)
    bound = followed(np.abs(motion) * math.sqrt(looks), looks, alpha).bound / math.sqrt(looks)
    time = np.arange(1, looks + 1) / looks
    low, high = 0.0, 20.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        power = (np.abs(motion + middle * time) > bound).any(axis=1).mean()
        low, high = (middle, high) if power < POWER else (low, middle)
    return high
