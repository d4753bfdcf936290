"""Several tasks in one number, with an interval: interquartile mean and probability of improvement.

Seeds are runs, environments at their sizes are tasks. Scores are normalized, so that tasks can stand in one mean: 0 is
the uniformly random policy and 1 the best. Intervals are percentiles of a bootstrap that draws seeds within each task
and keeps the tasks (Agarwal et al., 2021): they say what other seeds would give, not what other tasks would. With few
seeds they are too short; `mbgen intervals` says by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from experiments.analysis.statistics import CONFIDENCE

Sample: TypeAlias = Float[np.ndarray, " seed"]
"""One score of each seed on a task."""

Resampled: TypeAlias = Float[np.ndarray, "replicate seed"]
"""Scores of a task, drawn again and again; the first axis may have length 1."""

REPLICATES = 2_000
SEED = 0


class BootstrapInterval(NamedTuple):
    """An estimate with its percentile interval; NaN without scores."""

    estimate: float
    low: float
    high: float


def interquartile_means(scores: Float[np.ndarray, "*batch score"]) -> Float[np.ndarray, "*batch"]:
    """The mean of the middle half along the last axis: a quarter of the scores, rounded down, is cut at each end."""
    cut = scores.shape[-1] // 4
    middle = np.sort(scores, axis=-1)[..., cut : scores.shape[-1] - cut]
    found: np.ndarray = middle.mean(axis=-1)
    return found


def interquartile_mean(tasks: Sequence[Sample], *, seed: int = SEED) -> BootstrapInterval:
    """The interquartile mean over all seeds of all tasks, with its interval by stratified bootstrap.

    Args:
        tasks: The scores of each task; one that is NaN, of a seed that diverged, is left out.
        seed: Of the bootstrap.
    """
    return _bootstrap(
        [tasks], lambda drawn: interquartile_means(np.concatenate(drawn[0], axis=1)), seed
    )


def mean_of_tasks(tasks: Sequence[Sample], *, seed: int = SEED) -> BootstrapInterval:
    """The mean over tasks of the mean over seeds, with its interval; as `interquartile_mean`."""
    return _bootstrap(
        [tasks],
        lambda drawn: np.mean([scores.mean(axis=1) for scores in drawn[0]], axis=0),
        seed,
    )


def probability_of_improvement(
    better: Sequence[Sample], worse: Sequence[Sample], *, seed: int = SEED
) -> BootstrapInterval:
    """How likely one run of the first does better than one of the second, a tie being half; the mean over tasks.

    On one task this is the Mann-Whitney statistic divided by the number of pairs of seeds.

    Args:
        better: The scores of each task; NaN where a seed diverged, which is left out.
        worse: Of the same tasks.
        seed: Of the bootstrap, which draws the seeds of either side.
    """

    def improvement(drawn: Sequence[Sequence[Resampled]]) -> Float[np.ndarray, " replicate"]:
        shares = [
            ((a > b).mean(axis=(1, 2)) + (a >= b).mean(axis=(1, 2))) / 2
            for first, second in zip(*drawn, strict=True)
            for a, b in [(first[:, :, None], second[:, None, :])]
        ]
        found: np.ndarray = np.mean(shares, axis=0)
        return found

    return _bootstrap([better, worse], improvement, seed)


def _bootstrap(
    sides: Sequence[Sequence[Sample]],
    statistic: Callable[[Sequence[Sequence[Resampled]]], Float[np.ndarray, " replicate"]],
    seed: int,
) -> BootstrapInterval:
    known = [[scores[~np.isnan(scores)] for scores in tasks] for tasks in sides]
    if not all(tasks and all(len(scores) for scores in tasks) for tasks in known):
        return BootstrapInterval(np.nan, np.nan, np.nan)
    random = np.random.default_rng(seed)
    drawn = [
        [scores[random.integers(len(scores), size=(REPLICATES, len(scores)))] for scores in tasks]
        for tasks in known
    ]
    estimate = statistic([[scores[None] for scores in tasks] for tasks in known])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(statistic(drawn), [tail, 1 - tail])
    return BootstrapInterval(float(estimate[0]), float(low), float(high))
