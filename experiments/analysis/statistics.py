"""Means over seeds and how sure one can be of them: 95 % intervals by Student, differences by Welch.

Seeds are runs; what a seed measured, curves and tables, lies along the axes after the first. A seed
that failed is marked NaN where it has no value. It is left out there, and `seeds` says how many are
left, so that nobody takes a mean of survivors for a mean of all.

From one seed nothing is known about the spread: the interval is then unbounded, and with none the
mean is NaN too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import special

CONFIDENCE = 0.95
POWER = 0.8
"""Probability with which an effect is to be found, where it is said how many seeds that takes."""


ROUNDING = 1e-12
"""Of what is added up: seeds that differ by less are alike, so that no order of adding decides a claim."""


class Interval(NamedTuple):
    """A mean, or a difference of means, with its interval; arrays of the shape that one seed has.

    Attributes:
        estimate: The mean over the seeds that did not fail.
        half_width: Half of the interval, infinite where fewer than two seeds are left.
        seeds: How many are left; of the smaller sample where two are compared.
        p_value: Two-sided, of the estimate being zero: the level below which the interval has zero in it.
        error: Standard error of the estimate, infinite where fewer than two seeds are left.
    """

    estimate: Float[np.ndarray, "*measured"]
    half_width: Float[np.ndarray, "*measured"]
    seeds: Int[np.ndarray, "*measured"]
    p_value: Float[np.ndarray, "*measured"]
    error: Float[np.ndarray, "*measured"]

    @property
    def low(self) -> Float[np.ndarray, "*measured"]:
        """The lower end; never NaN."""
        return self._end(-1)

    @property
    def high(self) -> Float[np.ndarray, "*measured"]:
        """The upper end; never NaN."""
        return self._end(1)

    def _end(self, sign: int) -> Float[np.ndarray, "*measured"]:
        end: np.ndarray = np.nan_to_num(self.estimate) + sign * self.half_width
        return end


class _Moments(NamedTuple):
    seeds: Int[np.ndarray, "*measured"]
    mean: Float[np.ndarray, "*measured"]
    squared_error: Float[np.ndarray, "*measured"]


def mean_interval(
    samples: Float[np.ndarray, "seed *measured"], confidence: float = CONFIDENCE
) -> Interval:
    """The mean over seeds, and its interval by Student's t with one degree of freedom less than seeds.

    Args:
        samples: Seeds first.
        confidence: Of the interval.

    Raises:
        ValueError: `samples` has no axis of seeds, or an infinite entry.
    """
    moments = _moments(samples)
    freedom = np.maximum(moments.seeds - 1, 1).astype(float)
    return _interval(moments.mean, moments.squared_error, moments.seeds, freedom, confidence)


def difference_interval(
    first: Float[np.ndarray, "seed *measured"],
    second: Float[np.ndarray, "other_seed *measured"],
    confidence: float = CONFIDENCE,
) -> Interval:
    """The mean of `first` less that of `second`, by Welch: neither spreads nor numbers need be equal.

    Args:
        first: Seeds first.
        second: Likewise.
        confidence: Of the interval.

    Raises:
        ValueError: The samples differ in what is measured; or as :func:`mean_interval`.
    """
    return contrast_interval((first, second), (1, -1), confidence)


def contrast_interval(
    samples: Sequence[Float[np.ndarray, "_ *measured"]],
    weights: Sequence[float],
    confidence: float = CONFIDENCE,
) -> Interval:
    """A weighted sum of the means of independent samples, by Welch and Satterthwaite.

    Args:
        samples: Seeds first; neither spreads nor numbers of seeds need be equal.
        weights: One for each sample; 1 and -1 give a difference.
        confidence: Of the interval.

    Returns:
        The sum and its interval; `seeds` are those of the smallest sample.

    Raises:
        ValueError: The samples differ in what is measured; or as :func:`mean_interval`.
    """
    moments = [_moments(sample) for sample in samples]
    if len({sample.mean.shape for sample in moments}) != 1:
        shapes = " and ".join(str(sample.shape) for sample in samples)
        raise ValueError(f"the samples must measure the same, got the shapes {shapes}")
    parts = [w * sample.mean for w, sample in zip(weights, moments, strict=True)]
    estimate = settled(np.asarray(sum(parts)), np.asarray(sum(map(np.abs, parts))))
    errors = [w * w * sample.squared_error for w, sample in zip(weights, moments, strict=True)]
    squared_error = sum(errors)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sum(
            (error / squared_error) ** 2 / (sample.seeds - 1)
            for error, sample in zip(errors, moments, strict=True)
        )
        freedom = np.fmax(1 / np.asarray(shares), 1)  # never less; NaN without spread: any will do
    seeds = np.minimum.reduce([sample.seeds for sample in moments])
    return _interval(estimate, np.asarray(squared_error), seeds, freedom, confidence)


def _moments(samples: Float[np.ndarray, "seed *measured"]) -> _Moments:
    """Mean and squared standard error of the seeds that did not fail; an infinite one below two."""
    if samples.ndim == 0:
        raise ValueError("samples must have a first axis of seeds, got a single number")
    if np.isinf(samples).any():
        raise ValueError("samples must be finite, or NaN where a seed failed; got an infinite one")
    valid = ~np.isnan(samples)
    count = valid.sum(axis=0)
    total = np.where(valid, samples, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    deviations = np.where(valid, settled(samples - mean, mean), 0.0)
    freedom = np.maximum(count - 1, 1)
    squared_error = (deviations**2).sum(axis=0) / freedom / (freedom + 1)
    return _Moments(count, mean, np.where(count > 1, squared_error, np.inf))


def settled(
    numbers: Float[np.ndarray, "*any"], size: Float[np.ndarray, "*any"]
) -> Float[np.ndarray, "*any"]:
    """The numbers, 0 where they are no more than what rounding leaves of numbers of that size."""
    return np.where(np.abs(numbers) <= ROUNDING * np.abs(size), 0.0, numbers)


def proportion_interval(
    successes: Int[np.ndarray, "*measured"], trials: int, confidence: float = CONFIDENCE
) -> tuple[Float[np.ndarray, "*measured"], Float[np.ndarray, "*measured"]]:
    """Ends of the exact interval of a probability (Clopper and Pearson, 1934).

    Args:
        successes: 0 to `trials`.
        trials: At least 1.
        confidence: Of the interval; it covers with at least this probability, whatever the truth.
    """
    tail = (1 - confidence) / 2
    failures = trials - successes
    low = np.where(
        successes > 0, special.betaincinv(np.maximum(successes, 1), failures + 1, tail), 0.0
    )
    high = np.where(
        failures > 0, special.betaincinv(successes + 1, np.maximum(failures, 1), 1 - tail), 1.0
    )
    return low, high


def _interval(
    estimate: Float[np.ndarray, "*measured"],
    squared_error: Float[np.ndarray, "*measured"],
    seeds: Int[np.ndarray, "*measured"],
    freedom: Float[np.ndarray, "*measured"],
    confidence: float,
) -> Interval:
    """By Student's t with so many degrees of freedom."""
    error = np.sqrt(squared_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(estimate) / error
    distance = np.where(np.isnan(distance), 0.0, distance)  # nothing is known, or all are zero
    half_width = special.stdtrit(freedom, (1 + confidence) / 2) * error
    return Interval(estimate, half_width, seeds, 2 * special.stdtr(freedom, -distance), error)
