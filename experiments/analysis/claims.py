"""From evidence to a verdict, by a rule that is fixed before anything has run.

A claim comes down to comparisons, each an effect with its 95 % interval, turned so that the claim
says it is above zero. The claim is confirmed if all of them are above, contradicted if one of them is
below, and open otherwise. While the runs of one are missing it is open, whatever the others say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isinf, isnan, nan
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float
from scipy import special

from experiments.analysis.statistics import (
    CONFIDENCE,
    POWER,
    Interval,
    contrast_interval,
    difference_interval,
    mean_interval,
    proportion_interval,
    settled,
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
        p_above: Level from which on the interval would lie above zero; 1 if the effect is not above.
        p_below: Likewise below zero.
        seeds_needed: Those that would tell the effect from zero with a probability of 80 %, about, if effect and
            spread are as they look; infinite if the effect is zero or nothing is known of its spread. NaN while runs
            are missing.
    """

    label: str
    effect: float = nan
    low: float = nan
    high: float = nan
    seeds: int = 0
    p_above: float = 1.0
    p_below: float = 1.0
    seeds_needed: float = nan

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


LEVEL = 1 - CONFIDENCE


def incomplete(comparisons: Sequence[Comparison]) -> bool:
    """Whether runs of one of them are missing."""
    return any(isnan(comparison.effect) for comparison in comparisons)


def p_values(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Levels from which on a claim would be confirmed, and contradicted; 1 while one of its comparisons is missing.

    All comparisons have to confirm a claim, and any contradicts it: the more there are, the more often one does by
    chance. Each has half of its level on that side, so that two may be looked at as they are.
    """
    if not comparisons or incomplete(comparisons):
        return 1.0, 1.0
    chances = max(1.0, len(comparisons) / 2)
    below = min(each.p_below for each in comparisons)
    return max(each.p_above for each in comparisons), min(1.0, chances * below)


def holm(families: Sequence[Sequence[Comparison]]) -> list[Verdict]:
    """The verdicts of claims that are judged together, with a common error of 5 % (Holm, 1979).

    A claim keeps the verdict that it has alone if its level stands Holm's step-down test among all claims of the
    family, those among them whose runs are missing; else it is open.

    Args:
        families: The comparisons of each claim.
    """
    levels = [min(p_values(comparisons)) for comparisons in families]
    kept: set[int] = set()
    for rank, claim in enumerate(sorted(range(len(levels)), key=levels.__getitem__)):
        if levels[claim] >= LEVEL / (len(levels) - rank):
            break
        kept.add(claim)
    return [
        verdict(comparisons) if claim in kept else "open"
        for claim, comparisons in enumerate(families)
    ]


def verdict(comparisons: Sequence[Comparison]) -> Verdict:
    """Of a claim that says all of these are above zero."""
    verdicts = [comparison.verdict for comparison in comparisons]
    if incomplete(comparisons):
        return "open"
    if "contradicted" in verdicts:
        return "contradicted"
    return "confirmed" if verdicts and set(verdicts) == {"confirmed"} else "open"


def seeds_to_decide(comparisons: Sequence[Comparison]) -> float:
    """How many would decide a claim with a probability of 80 %, about, if effects and spreads are as they look.

    Of effects that are all above zero the last one decides, else the first of those below.

    Returns:
        As `Comparison.seeds_needed`; NaN too if there is nothing to decide.
    """
    if not comparisons or incomplete(comparisons):
        return nan
    below = [each.seeds_needed for each in comparisons if each.effect < 0]
    return min(below) if below else max(each.seeds_needed for each in comparisons)


def _seeds_needed(effect: float, error: float, seeds: int, confidence: float) -> float:
    """A standard error falls with the root of the number of seeds; of so many the interval is the normal law's."""
    if not effect or isinf(error):
        return inf
    apart = float(special.ndtri((1 + confidence) / 2) + special.ndtri(POWER))
    return ceil(seeds * (error / effect * apart) ** 2)


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
    return _comparison(label, difference_interval(better, worse, confidence), confidence)


def above_level(label: str, sample: Sample | None, level: float) -> Comparison:
    """That a mean is above a known level, by Student's interval; the effect is how far above.

    Args:
        label: What is compared.
        sample: Of the seeds; None if they have not run.
        level: That they are claimed to exceed.
    """
    if sample is None:
        return Comparison(label)
    return _comparison(label, mean_interval(settled(sample - level, np.asarray(level))))


def below(label: str, sample: Sample | None, level: float) -> Comparison:
    """That a mean is below a known level, by Student's interval; the effect is how far below.

    Args:
        label: What is compared.
        sample: Of the seeds; None if they have not run.
        level: That they are claimed to stay below.
    """
    if sample is None:
        return Comparison(label)
    return _comparison(label, mean_interval(settled(level - sample, np.asarray(level))))


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
    effect = margin - abs(float(difference.estimate))
    # The end of the margin that the difference is nearer to decides.
    end = float(np.copysign(margin, difference.estimate))
    p = float(difference_interval(one - end, other).p_value)
    return Comparison(
        label,
        effect,
        margin - max(abs(low), abs(high)),
        margin - nearest,
        int(difference.seeds),
        p if effect > 0 else 1.0,
        p if effect < 0 else 1.0,
        _seeds_needed(effect, float(difference.error), int(difference.seeds), CONFIDENCE),
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
    return _combined(label, ways, min, max, seeds_to_decide(ways))


def either(label: str, *ways: Comparison) -> Comparison:
    """That at least one of several effects is above zero: the largest of each."""
    above = [way.seeds_needed for way in ways if way.effect > 0]
    needed = min(above) if above else max(way.seeds_needed for way in ways)
    return _combined(label, ways, max, min, needed)


def _combined(
    label: str,
    ways: Sequence[Comparison],
    of_effects: Callable[[list[float]], float],
    of_levels: Callable[[list[float]], float],
    needed: float,
) -> Comparison:
    """One effect in place of several; its level of being above zero goes the other way. Open while one is missing."""
    if incomplete(ways):
        diverged = all(not isnan(way.low) for way in ways)
        return Comparison(label, low=-inf, high=inf) if diverged else Comparison(label)
    return Comparison(
        label,
        of_effects([way.effect for way in ways]),
        of_effects([way.low for way in ways]),
        of_effects([way.high for way in ways]),
        min(way.seeds for way in ways),
        of_levels([way.p_above for way in ways]),
        of_effects([way.p_below for way in ways]),
        needed,
    )


def majority(label: str, count: int, trials: int, confidence: float = CONFIDENCE) -> Comparison:
    """That something happens with a probability above one half, by the exact interval; the effect is how far above.

    Args:
        label: What happens.
        count: How often it did.
        trials: Of so many.
        confidence: Of the interval.
    """
    low, high = proportion_interval(np.array(count), trials, confidence)
    # The interval of a level has 1/2 in it unless a tail of the fair coin is below half of that level.
    above, below = (
        float(2 * special.bdtrc(least - 1, trials, 0.5)) for least in (count, trials - count)
    )
    share = count / trials
    effect = share - 0.5
    near = float(
        low if effect > 0 else high
    )  # the end towards one half, as if at the normal law's quantile
    error = abs(share - near) / float(special.ndtri((1 + confidence) / 2))
    return Comparison(
        label,
        effect,
        float(low) - 0.5,
        float(high) - 0.5,
        trials,
        _on_our_scale(above, confidence),
        _on_our_scale(below, confidence),
        _seeds_needed(effect, error, trials, confidence),
    )


def _comparison(label: str, interval: Interval, confidence: float = CONFIDENCE) -> Comparison:
    effect, p = float(interval.estimate), _on_our_scale(float(interval.p_value), confidence)
    return Comparison(
        label,
        effect,
        float(interval.low),
        float(interval.high),
        int(interval.seeds),
        p if effect > 0 else 1.0,
        p if effect < 0 else 1.0,
        _seeds_needed(effect, float(interval.error), int(interval.seeds), confidence),
    )


def _on_our_scale(p: float, confidence: float) -> float:
    """A p-value whose threshold is 1 - `confidence`, enlarged so that its threshold is 5 %."""
    return min(1.0, p * LEVEL / (1 - confidence))
