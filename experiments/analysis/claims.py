"""From evidence to a verdict, by a rule that is fixed before anything has run.

A claim comes down to comparisons, each an effect with its 95 % interval, turned so that the claim
says it is above zero. The claim is confirmed if all of them are above, contradicted if one of them is
below, and open otherwise. While the runs of one are missing it is open, whatever the others say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from experiments.analysis.statistics import (
    CONFIDENCE,
    Interval,
    contrast_interval,
    difference_interval,
    mean_interval,
)

Verdict = Literal["confirmed", "contradicted", "open"]


class Comparison(NamedTuple):
    """An effect that a claim says is above zero.

    Attributes:
        label: What is compared, in words.
        effect: Estimate; NaN if runs are missing.
        low: Lower end of its 95 % interval.
        high: Upper end.
        seeds: Of the smaller sample.
    """

    label: str
    effect: float = nan
    low: float = nan
    high: float = nan
    seeds: int = 0

    @property
    def verdict(self) -> Verdict:
        """By the side of zero that the whole interval lies on."""
        if isnan(self.effect):
            return "open"
        return "confirmed" if self.low > 0 else "contradicted" if self.high < 0 else "open"


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, or one of ours, with the rule that decides it.

    Attributes:
        id: Short name, such as "O-simple".
        statement: What is claimed.
        source: Where; for the paper's, section or figure.
        compare: From what a study's analysis found to the comparisons that the claim comes down to.
    """

    id: str
    statement: str
    source: str
    compare: Callable[[Any], Sequence[Comparison]]


def verdict(comparisons: Sequence[Comparison]) -> Verdict:
    """Of a claim that says all of these are above zero."""
    verdicts = [comparison.verdict for comparison in comparisons]
    if any(isnan(comparison.effect) for comparison in comparisons):
        return "open"
    if "contradicted" in verdicts:
        return "contradicted"
    return "confirmed" if verdicts and set(verdicts) == {"confirmed"} else "open"


Sample: TypeAlias = Float[np.ndarray, " seed"]
"""One number of each seed; NaN where it diverged."""


def above(
    label: str,
    better: Sample | None,
    worse: Sample | None,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """That one mean is above another, by Welch's interval of their difference.

    Args:
        label: What is compared.
        better: Of the seeds that are claimed to do better; None if they have not run.
        worse: Of the others; None likewise.
        confidence: Of the interval.
    """
    if better is None or worse is None:
        return Comparison(label)
    return _comparison(label, difference_interval(better, worse, confidence))


def above_level(label: str, sample: Sample | None, level: float) -> Comparison:
    """That a mean is above a known level, by Student's interval; the effect is how far above.

    Args:
        label: What is compared.
        sample: Of the seeds; None if they have not run.
        level: That they are claimed to exceed.
    """
    if sample is None:
        return Comparison(label)
    return _comparison(label, mean_interval(sample - level))


def below(label: str, sample: Sample | None, level: float) -> Comparison:
    """That a mean is below a known level, by Student's interval; the effect is how far below.

    Args:
        label: What is compared.
        sample: Of the seeds; None if they have not run.
        level: That they are claimed to stay below.
    """
    if sample is None:
        return Comparison(label)
    return _comparison(label, mean_interval(level - sample))


def alike(label: str, one: Sample, other: Sample, margin: float) -> Comparison:
    """That two means differ by less than a margin; the effect is how far within it their difference lies.

    It is confirmed if the whole of Welch's interval of the difference lies within the margin, contradicted if all
    of it lies outside: two one-sided tests, each at half of what the interval leaves.

    Args:
        label: What is compared.
        one: Of some seeds.
        other: Of others.
        margin: Fixed beforehand, in the samples' unit.
    """
    difference = difference_interval(one, other)
    low, high = float(difference.low), float(difference.high)
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return Comparison(
        label,
        margin - abs(float(difference.estimate)),
        margin - max(abs(low), abs(high)),
        margin - nearest,
        int(difference.seeds),
    )


def gap_grows(
    label: str,
    wide: tuple[Sample | None, Sample | None],
    narrow: tuple[Sample | None, Sample | None],
) -> Comparison:
    """That the difference of the first pair is above that of the second: a difference of differences.

    The squared standard errors of all four add, and so do their degrees of freedom by Welch and
    Satterthwaite.
    """
    samples = [sample for sample in (*wide, *narrow) if sample is not None]
    if len(samples) < 4:
        return Comparison(label)
    return _comparison(label, contrast_interval(samples, (1, -1, -1, 1)))


def both(label: str, *ways: Comparison) -> Comparison:
    """That all of several effects are above zero: the smallest of each."""
    if any(isnan(way.effect) for way in ways):
        return Comparison(label)
    return Comparison(label, *(min(numbers) for numbers in list(zip(*ways, strict=True))[1:]))


def either(label: str, *ways: Comparison) -> Comparison:
    """That at least one of several effects is above zero."""
    known = [way for way in ways if not isnan(way.effect)]
    if len(known) < len(ways):
        return Comparison(label)
    return Comparison(
        label,
        max(way.effect for way in known),
        max(way.low for way in known),
        max(way.high for way in known),
        min(way.seeds for way in known),
    )


def _comparison(label: str, interval: Interval) -> Comparison:
    return Comparison(
        label,
        float(interval.estimate),
        float(interval.low),
        float(interval.high),
        int(interval.seeds),
    )
