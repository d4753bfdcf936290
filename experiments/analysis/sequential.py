"""A question that is looked at as its answer comes in: a group-sequential permutation test, and its intervals.

Seeds come in groups: in group k, agent a has the scores x[k, a, 1..n], none of which depends on
another. After each group one looks, at K planned times in all. Whatever makes one stop, an answer is
false with probability alpha at most.

*One hypothesis* (Mathieu et al., 2023, AdaStop). That some agents are equally distributed says that
within each group their scores may change places. A *path* is one such exchange for each group, and
its statistic at look k is the largest absolute difference of two agents' sums over the groups 1..k.
The first path exchanges nothing; the others are drawn uniformly. At each look the bound is the least
one by which a share alpha k / K of all paths, at most, is let go by then; what was let go stays so.
The hypothesis is rejected once the first path is let go. Proof: under it the paths are exchangeable,
the bounds do not depend on their order, and at most the share alpha of them is ever let go; so the
first is, with probability alpha at most. This holds for any distribution, ties among them, for any
number of paths, and for any rule of stopping.

*All pairs at once.* There is a hypothesis for each partition of the agents: those of a block are
equal. Agents i and j are told apart once every partition with both in a block is rejected (closed
testing; Marcus, Peritz and Gabriel, 1976), which steps down from all agents to the pair. Proof: one
partition is the true one, and whoever tells apart what is equal has rejected it.

*The interval* of a difference holds all shifts d for which "x less d is distributed as y" is not
rejected by now. If the two distributions differ by a shift, it covers that at all looks together with
probability 1 - alpha. If they differ in more, test and interval are about the means nearly, not
exactly: with as many seeds of each, the spread over paths is that of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from experiments.analysis.statistics import ROUNDING

PATHS = 1_000
"""Paths of a hypothesis, the one that exchanges nothing among them."""

_FINE, _REFINEMENTS = 129, 3
_REACH = 4.0  # times the range of all scores: as far as shifts are looked at


@dataclass(frozen=True)
class Design:
    """What is fixed before the first look.

    Attributes:
        looks: Planned, one after each group.
        alpha: Probability of a false answer, at most.
        margin: A difference below it does not matter; None if each does.
        seed: Of the exchanges.
        paths: Of each hypothesis.

    Raises:
        ValueError: Something is out of range.
    """

    looks: int
    alpha: float = 0.05
    margin: float | None = None
    seed: int = 0
    paths: int = PATHS

    def __post_init__(self) -> None:
        if self.looks < 1:
            raise ValueError(f"looks is {self.looks}; accepted: 1 or more")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is {self.alpha}; accepted: more than 0 and less than 1")
        if self.margin is not None and not 0 < self.margin < math.inf:
            raise ValueError(f"margin is {self.margin}; accepted: more than 0")
        if self.paths < 2:
            raise ValueError(f"paths is {self.paths}; accepted: 2 or more")


class Trace(NamedTuple):
    """The test of a hypothesis, look by look.

    Attributes:
        statistic: Of the path that exchanges nothing.
        bound: What it must exceed.
        rejected: Whether it has, now or before.
    """

    statistic: Float[np.ndarray, "*hypothesis look"]
    bound: Float[np.ndarray, "*hypothesis look"]
    rejected: Bool[np.ndarray, "*hypothesis look"]


def followed(
    statistic: Float[np.ndarray, "*hypothesis path look"], looks: int, alpha: float
) -> Trace:
    """Let paths go, look by look; the first is the one that counts.

    Args:
        statistic: Of each path at the looks so far.
        looks: Planned.
        alpha: Share of the paths that is let go by the last look.
    """
    *shape, paths, done = statistic.shape
    gone = np.zeros((*shape, paths), dtype=bool)
    bounds, rejected = np.empty((*shape, done)), np.empty((*shape, done), dtype=bool)
    for look in range(done):
        now = np.where(gone, -np.inf, statistic[..., look])
        by_now = math.floor(alpha * (look + 1) / looks * paths + 1e-9)
        most = by_now - gone.sum(axis=-1, keepdims=True)
        bound = np.take_along_axis(np.sort(now, axis=-1), paths - 1 - most, axis=-1)
        gone |= now > bound
        bounds[..., look], rejected[..., look] = bound[..., 0], gone[..., 0]
    return Trace(statistic[..., 0, :], bounds, rejected)


def block_test(
    scores: Float[np.ndarray, "group agent seed"],
    blocks: Sequence[Sequence[int]],
    design: Design,
) -> Trace:
    """Test that the agents of each block are equally distributed.

    Args:
        scores: Of the groups so far.
        blocks: Indices of agents; no agent is in two of them.
        design: What was fixed before.
    """
    groups, _, seeds = scores.shape
    statistic = np.zeros((design.paths, groups))
    for block in blocks:
        pooled = scores[:, block].reshape(groups, -1)
        sums = np.cumsum(
            [
                pooled[group][
                    _exchanges(design.seed, design.paths, tuple(block), seeds, group)
                ].sum(axis=-1)
                for group in range(groups)
            ],
            axis=0,
        )  # group path agent
        widest = sums.max(axis=-1) - sums.min(axis=-1)
        statistic = np.maximum(statistic, widest.T)
    return followed(_rounded(statistic, _sizes(scores)), design.looks, design.alpha)


def shift_test(
    first: Float[np.ndarray, "group seed"],
    second: Float[np.ndarray, "group seed"],
    shifts: Float[np.ndarray, " shift"],
    design: Design,
) -> Trace:
    """Test for each shift that `first` less the shift is distributed as `second`.

    Args:
        first: Scores of an agent, of the groups so far.
        second: Of another.
        shifts: To be tested.
        design: What was fixed before.
    """
    groups, seeds = first.shape
    pooled = np.concatenate([first, second], axis=1)
    belongs = np.repeat([1.0, 0.0], seeds)
    sums, moved = np.empty((groups, design.paths)), np.empty((groups, design.paths))
    for group in range(groups):
        places = _exchanges(design.seed, design.paths, (0, 1), seeds, group)
        values, marks = pooled[group][places].sum(axis=-1), belongs[places].sum(axis=-1)
        sums[group], moved[group] = values[:, 0] - values[:, 1], marks[:, 0] - marks[:, 1]
    D, a = np.cumsum(sums, axis=0).T, np.cumsum(moved, axis=0).T
    statistic = np.abs(D - shifts[:, None, None] * a)
    shifted = np.abs(shifts)[:, None, None] * seeds * np.arange(1, groups + 1)
    return followed(_rounded(statistic, _sizes(pooled) + shifted), design.looks, design.alpha)


def pair_trace(
    first: Float[np.ndarray, "group seed"],
    second: Float[np.ndarray, "group seed"],
    design: Design,
) -> Trace:
    """The test that two agents are equally distributed, in differences of means."""
    trace = block_test(np.stack([first, second], axis=1), [[0, 1]], design)
    seen = first.shape[1] * np.arange(1, len(first) + 1)
    return Trace(trace.statistic / seen, trace.bound / seen, trace.rejected)


def interval(
    first: Float[np.ndarray, "group seed"],
    second: Float[np.ndarray, "group seed"],
    design: Design,
) -> tuple[float, float]:
    """Ends of the interval of the mean of `first` less that of `second`, after the looks so far.

    It is the hull of the shifts that are not rejected, found on a grid that is made finer at both ends, each
    rounded outwards. An end is infinite if no shift is so large that it is rejected.
    """
    if not len(first):
        return -math.inf, math.inf
    centre = float(first.mean() - second.mean())
    spread = float(np.ptp(np.concatenate([first - centre, second])))
    reach = _REACH * spread + 1e-6 * (abs(centre) or 1.0)
    parts = np.linspace(-1, 1, _FINE)
    grid = centre + reach * parts**3  # finest where the ends will be
    kept = np.flatnonzero(~shift_test(first, second, grid, design).rejected[:, -1])
    if not len(kept):
        # What was seen is no shift: the interval of the look before covers it all the same.
        return interval(first[:-1], second[:-1], design)
    ends = []
    for sign, last in ((-1, int(kept[0])), (1, int(kept[-1]))):
        if last in (0, _FINE - 1):
            ends.append(sign * math.inf)
            continue
        near, far = float(grid[last]), float(grid[last + sign])
        for _ in range(_REFINEMENTS - 1):
            finer = np.linspace(near, far, 9)
            rejected = shift_test(first, second, finer, design).rejected[:, -1]
            inner = int(np.flatnonzero(~rejected)[-1])
            near, far = float(finer[inner]), float(finer[inner + 1])
        ends.append(far)
    return ends[0], ends[1]


def told_apart(
    scores: Float[np.ndarray, "group agent seed"], design: Design
) -> Bool[np.ndarray, "look agent agent"]:
    """Which agents are told apart at each of the looks so far, with one alpha for all pairs and looks."""
    groups, agents, _ = scores.shape
    apart = np.repeat(~np.eye(agents, dtype=bool)[None], groups, axis=0)
    for partition in _partitions(agents):
        blocks = [block for block in partition if len(block) > 1]
        if blocks:
            rejected = block_test(scores, blocks, design).rejected
            for i, j in (pair for block in blocks for pair in combinations(block, 2)):
                apart[:, i, j] &= rejected
                apart[:, j, i] &= rejected
    return apart


def _sizes(scores: Float[np.ndarray, "group ..."]) -> Float[np.ndarray, " look"]:
    """What a statistic is summed from by each look, which no exchange changes: as many times the largest score."""
    largest = np.abs(scores).reshape(len(scores), -1).max(axis=1)
    sizes: np.ndarray = np.cumsum(largest) * scores[0].size
    return sizes


def _rounded(
    statistic: Float[np.ndarray, "*any"], size: Float[np.ndarray, "*any"]
) -> Float[np.ndarray, "*any"]:
    """The statistic, with the rounding of sums taken off."""
    unit = ROUNDING * np.where(size > 0, size, 1.0)
    whole: np.ndarray = np.round(statistic / unit) * unit
    return whole


@lru_cache(maxsize=256)
def _exchanges(
    seed: int, paths: int, block: tuple[int, ...], seeds: int, group: int
) -> Int[np.ndarray, "path agent seed"]:
    """Where each path takes the scores of a block from, in a group: the same ones at every look."""
    stream = np.random.default_rng([seed, group, *block])
    size = len(block) * seeds
    places = stream.random((paths, size)).argsort(axis=1)
    places[0] = np.arange(size)
    return places.reshape(paths, len(block), seeds)


def _partitions(agents: int) -> Iterator[list[list[int]]]:
    """All partitions of the numbers below `agents` into blocks."""
    if agents == 0:
        yield []
        return
    for smaller in _partitions(agents - 1):
        for index in range(len(smaller)):
            yield [[*block, agents - 1] if i == index else block for i, block in enumerate(smaller)]
        yield [*smaller, [agents - 1]]
