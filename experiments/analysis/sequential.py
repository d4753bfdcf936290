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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

PATHS = 1_000
"""Paths of a hypothesis, the one that exchanges nothing among them."""

POWER = 0.8
_DIGITS = 9  # of a statistic in parts of the largest: sums of the same numbers in another order are the same
_FINE, _REFINEMENTS = 129, 3
_REACH = 4.0  # times the range of all scores: as far as shifts are looked at

AnswerName = Literal["model", "replay", "equivalent", "undecided"]


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


class Pair(NamedTuple):
    """What is known of two agents after the last look.

    Attributes:
        first: An agent.
        second: Another.
        difference: Mean of the first less that of the second.
        low: Lower end of the interval, -inf as long as nothing can be said.
        high: Upper end.
        different: Whether the two are told apart.
        equivalent: Whether they differ by less than the margin.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    different: bool
    equivalent: bool


class Decision(NamedTuple):
    """What a question comes to.

    Attributes:
        answer: "model" is better, "replay" is, they are "equivalent", or it is "undecided".
        agent: The model-based agent that the answer is about: the best of them, by its mean.
        pairs: Each other agent against replay.
    """

    answer: AnswerName
    agent: str
    pairs: tuple[Pair, ...]

    @property
    def pair(self) -> Pair:
        """Of the agent that the answer is about."""
        return next(pair for pair in self.pairs if pair.first == self.agent)


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
    return followed(_rounded(statistic), design.looks, design.alpha)


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
    return followed(_rounded(statistic), design.looks, design.alpha)


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
    centre = float(first.mean() - second.mean())
    spread = float(np.ptp(np.concatenate([first - centre, second])))
    reach = _REACH * spread + 1e-6 * (abs(centre) or 1.0)
    parts = np.linspace(-1, 1, _FINE)
    grid = centre + reach * parts**3  # finest where the ends will be
    kept = np.flatnonzero(~shift_test(first, second, grid, design).rejected[:, -1])
    if not len(
        kept
    ):  # what was seen is no shift: the interval of the look before covers it all the same
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


class Findings(NamedTuple):
    """Replay, the first agent, against each other one, at each look so far.

    Attributes:
        difference: Mean of the other less that of replay.
        different: Whether they are told apart.
        equivalent: Whether differences of the margin and more are rejected, both up and down.
    """

    difference: Float[np.ndarray, "look model"]
    different: Bool[np.ndarray, "look model"]
    equivalent: Bool[np.ndarray, "look model"]

    def of(self, models: Sequence[int]) -> Findings:
        """Of these models alone, by their index."""
        return Findings(*(each[:, list(models)] for each in self))

    def answer(self, look: int = -1) -> tuple[AnswerName, int]:
        """The answer at a look, and the index of the model that it is about."""
        difference, equivalent = self.difference[look], self.equivalent[look]
        above = self.different[look] & (difference > 0) & ~equivalent
        below = self.different[look] & (difference < 0)
        if above.any():
            return "model", int(np.where(above, difference, -np.inf).argmax())
        best = int(difference.argmax())
        if not (below | equivalent).all():
            return "undecided", best
        return ("equivalent" if equivalent.any() else "replay"), best


def findings(scores: Float[np.ndarray, "group agent seed"], design: Design) -> Findings:
    """What is found of replay, the first agent, against all others, which share alpha for their intervals."""
    groups, agents, seeds = scores.shape
    seen = seeds * np.arange(1, groups + 1)[:, None]
    means = scores.sum(axis=2).cumsum(axis=0) / seen
    difference = means[:, 1:] - means[:, :1]
    equivalent = np.zeros_like(difference, dtype=bool)
    if design.margin is not None:
        ends = np.array([-design.margin, design.margin])
        for model in range(1, agents):
            rejected = shift_test(
                scores[:, model], scores[:, 0], ends, _shared(design, agents)
            ).rejected.all(axis=0)
            equivalent[:, model - 1] = rejected & (np.abs(difference[:, model - 1]) < design.margin)
    return Findings(difference, told_apart(scores, design)[:, 0, 1:], equivalent)


def decide(
    scores: Mapping[str, Float[np.ndarray, "group seed"]],
    design: Design,
    candidates: Sequence[str] | None = None,
) -> Decision:
    """What the groups so far say: replay, the first agent, against all others.

    The model is better if one of its agents is told apart from replay and above it; replay is, if all are told
    apart and below; they are equivalent if each is below or within the margin, and at least one within. What is told
    apart and within the margin counts as within.

    Args:
        scores: By agent, replay first; two agents or more.
        design: What was fixed before.
        candidates: The agents that the answer is about; all but replay if None. The others are tested beside them.

    Raises:
        ValueError: There are fewer agents; or a score is not finite.
    """
    names = list(scores)
    if len(names) < 2:
        raise ValueError(f"agents are {', '.join(names)}; accepted: er and one more or several")
    table = np.stack(list(scores.values()), axis=1)
    if not np.isfinite(table).all():
        raise ValueError("scores must be finite, got NaN or infinite ones")
    found = findings(table, design)
    pairs = tuple(
        Pair(
            name,
            names[0],
            float(found.difference[-1, i]),
            *interval(table[:, i + 1], table[:, 0], _shared(design, len(names))),
            bool(found.different[-1, i]),
            bool(found.equivalent[-1, i]),
        )
        for i, name in enumerate(names[1:])
    )
    judged = [i for i, name in enumerate(names[1:]) if candidates is None or name in candidates]
    answer, best = found.of(judged).answer()
    return Decision(answer, names[judged[best] + 1], pairs)


def _shared(design: Design, agents: int) -> Design:
    """For the interval of one of the pairs with replay, which together hold alpha."""
    return replace(design, alpha=design.alpha / (agents - 1))


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


def _rounded(statistic: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """The statistic, with the rounding of sums taken off."""
    largest = statistic.max(axis=-2, keepdims=True)  # of the look: what was seen before stays
    unit = np.where(largest > 0, largest, 1.0)
    whole: np.ndarray = np.round(statistic / unit, _DIGITS) * unit
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
