"""How often each interval covers the truth, by simulation: with few seeds, skewed data and ties.

An interval of 95 % is right about 95 of 100 samples if its assumptions hold. Student's and Welch's assume a normal
distribution; what is measured of agents is often skewed (a few seeds take off) or tied (all at the floor but some).
Here they meet such data, whose true means are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.analysis.across_tasks import (
    interquartile_mean,
    interquartile_means,
    mean_of_tasks,
    probability_of_improvement,
)
from experiments.analysis.statistics import (
    Interval,
    contrast_interval,
    difference_interval,
    mean_interval,
    proportion_interval,
)

Draw = Callable[[np.random.Generator, tuple[int, ...]], Float[np.ndarray, "..."]]
Bootstrap = Callable[[np.random.Generator, Draw, int], tuple[float, float]]

SEEDS = (3, 5, 10, 30)
TAKE_OFF = 0.3
"""Share of the seeds that take off, where most stay at the floor."""


class Distribution(NamedTuple):
    """What seeds are drawn from.

    Attributes:
        about: In words.
        mean: The truth.
        draw: From a generator and a shape to numbers of that shape.
    """

    about: str
    mean: float
    draw: Draw


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "normal": Distribution(
        "normal: what Student and Welch assume", 0.0, lambda random, shape: random.normal(size=shape)
    ),
    "skewed": Distribution(
        "exponential: skewed, with a long tail", 1.0, lambda random, shape: random.exponential(size=shape)
    ),
    "tied": Distribution(
        f"0 but 1 in {TAKE_OFF:.0%} of the seeds: most stay at the floor, and tie",
        TAKE_OFF,
        lambda random, shape: (random.random(shape) < TAKE_OFF).astype(float),
    ),
}  # fmt: skip


class Coverage(NamedTuple):
    """How often an interval covered the truth.

    Attributes:
        interval: Which one.
        data: Name of the distribution.
        seeds: Of each sample; the second of a difference has twice as many.
        samples: How many were drawn.
        covered: Share of them whose interval has the truth in it.
        too_high: Share whose interval lies above the truth.
        too_low: Share whose interval lies below it.
    """

    interval: str
    data: str
    seeds: int
    samples: int
    covered: float
    too_high: float
    too_low: float


def interval_coverage(
    samples: int, bootstrapped: int, *, seeds: tuple[int, ...] = SEEDS, seed: int = 0
) -> Iterator[Coverage]:
    """The coverage of every interval that a verdict or a table uses, one after the other.

    Args:
        samples: How many for Student's, Welch's and the exact interval.
        bootstrapped: How many for the bootstrap, which costs more.
        seeds: Numbers of seeds.
        seed: Of the simulation; each line has a generator of its own.
    """
    streams = iter(np.random.SeedSequence(seed).spawn(10_000))
    for count in seeds:
        for name, data in DISTRIBUTIONS.items():
            for interval, truth, simulate in _PARAMETRIC:
                random = np.random.default_rng(next(streams))
                found = simulate(random, data.draw, (count, samples))
                expected = truth * data.mean
                yield _coverage(interval, name, count, found.low > expected, found.high < expected)
            for interval, make in _BOOTSTRAPS.items():
                random = np.random.default_rng(next(streams))
                yield _bootstrapped(interval, make, name, data, count, bootstrapped, random)
        random = np.random.default_rng(next(streams))
        low, high = proportion_interval(random.binomial(count, TAKE_OFF, samples), count)
        yield _coverage("proportion, exact", "tied", count, low > TAKE_OFF, high < TAKE_OFF)


def _one(random: np.random.Generator, draw: Draw, shape: tuple[int, int]) -> Interval:
    return mean_interval(draw(random, shape))


def _two(random: np.random.Generator, draw: Draw, shape: tuple[int, int]) -> Interval:
    """The second sample has a spread three times as large, and twice as many seeds."""
    return difference_interval(draw(random, shape), 3 * draw(random, (2 * shape[0], shape[1])))


def _four(random: np.random.Generator, draw: Draw, shape: tuple[int, int]) -> Interval:
    samples = [scale * draw(random, shape) for scale in (1, 3, 1, 1)]
    return contrast_interval(samples, (1, -1, -1, 1))


_PARAMETRIC = (
    ("mean, Student", 1, _one),
    ("difference, Welch", -2, _two),
    ("difference of differences, Welch", -2, _four),
)
"""Name, the truth in units of the distribution's mean, and the interval of as many samples at once."""


def _mean(random: np.random.Generator, draw: Draw, count: int) -> tuple[float, float]:
    return mean_of_tasks([draw(random, (count,)) for _ in range(2)])[1:]


def _middle(random: np.random.Generator, draw: Draw, count: int) -> tuple[float, float]:
    return interquartile_mean([draw(random, (count,)) for _ in range(2)])[1:]


def _improves(random: np.random.Generator, draw: Draw, count: int) -> tuple[float, float]:
    first, second = ([draw(random, (count,)) for _ in range(2)] for _ in range(2))
    return probability_of_improvement(first, second)[1:]


_BOOTSTRAPS: Mapping[str, Bootstrap] = {
    "mean of 2 tasks, bootstrap": _mean,
    "interquartile mean of 2 tasks, bootstrap": _middle,
    "probability of improvement on 2 tasks, bootstrap": _improves,
}


def _bootstrapped(
    interval: str,
    make: Bootstrap,
    name: str,
    data: Distribution,
    count: int,
    samples: int,
    random: np.random.Generator,
) -> Coverage:
    ends = np.array([make(random, data.draw, count) for _ in range(samples)])
    truth = _bootstrap_truth(make, data, count)
    return _coverage(interval, name, count, ends[:, 0] > truth, ends[:, 1] < truth)


def _bootstrap_truth(make: Bootstrap, data: Distribution, count: int) -> float:
    """What the estimate is on average; of an interquartile mean that depends on the number of seeds."""
    if make is _mean:
        return data.mean
    if make is _improves:
        return 0.5
    many = data.draw(np.random.default_rng(0), (100_000, 2 * count))
    return float(interquartile_means(many).mean())


def _coverage(
    interval: str,
    data: str,
    seeds: int,
    above: Bool[np.ndarray, " sample"],
    below: Bool[np.ndarray, " sample"],
) -> Coverage:
    missed = float(above.mean()), float(below.mean())
    return Coverage(interval, data, seeds, len(above), 1 - sum(missed), *missed)


def coverage_table(found: Sequence[Coverage]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns, and a row for each interval and distribution, by number of seeds."""
    shares = {(each.interval, each.data, each.seeds): each.covered for each in found}
    kinds = dict.fromkeys((each.interval, each.data) for each in found)
    seeds, order = (
        sorted({each.seeds for each in found}),
        list(dict.fromkeys(e.interval for e in found)),
    )
    columns = ["interval", "data", *(f"{count} seeds" for count in seeds)]
    rows: list[tuple[object, ...]] = [
        (*kind, *(f"{shares[*kind, count]:.3f}" for count in seeds))
        for kind in sorted(kinds, key=lambda kind: order.index(kind[0]))
    ]
    return columns, rows
