"""Several tasks in one number, against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.analysis.across_tasks import (
    REPLICATES,
    interquartile_mean,
    interquartile_means,
    mean_of_tasks,
    probability_of_improvement,
)

VALUES = st.lists(st.integers(-20, 20), min_size=1, max_size=9)


@given(VALUES)
def test_the_interquartile_mean_is_the_mean_with_a_quarter_trimmed_at_each_end(values):
    scores = np.array(values, dtype=float)
    assert interquartile_means(scores) == pytest.approx(stats.trim_mean(scores, 0.25))


@settings(max_examples=25)
@given(VALUES, VALUES)
def test_the_probability_of_improvement_is_the_mann_whitney_statistic(first, second):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    statistic = stats.mannwhitneyu(a, b).statistic
    found = probability_of_improvement([a], [b])
    assert found.estimate == pytest.approx(statistic / (len(a) * len(b)))
    assert 0 <= found.low <= found.high <= 1


def test_one_task_is_bootstrapped_as_scipy_does_it():
    scores = np.array([0.1, 0.9, 0.4, 0.3, 0.8, 0.2])
    expected = stats.bootstrap(
        (scores,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), method="percentile",
        n_resamples=20_000, rng=1,
    ).confidence_interval  # fmt: skip
    found = interquartile_mean([scores])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_an_improvement_on_two_tasks_is_bootstrapped_as_scipy_does_it():
    better, worse = np.array([0.1, 0.9, 0.4, 0.3, 0.8]), np.array([0.2, 0.6, 0.0, 0.5])

    def share(a, b, axis):
        return (a[..., :, None] > b[..., None, :]).mean((-1, -2))

    expected = stats.bootstrap(
        (better, worse), share, method="percentile", n_resamples=20_000, rng=1, vectorized=True
    ).confidence_interval
    found = probability_of_improvement([better], [worse])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)
    # On a second task nothing varies, so that the mean over both varies half as much.
    both = probability_of_improvement([better, np.ones(4)], [worse, np.zeros(4)])
    halved = (1 + expected.low) / 2, (1 + expected.high) / 2
    assert (both.low, both.high) == pytest.approx(halved, abs=0.03)


def test_seeds_are_drawn_within_their_task():
    far_apart = [np.full(4, 0.0), np.full(4, 10.0)]
    assert mean_of_tasks(far_apart) == (5.0, 5.0, 5.0)


def test_tasks_weigh_the_same_whatever_their_seeds_in_a_mean_of_tasks():
    tasks = [np.zeros(9), np.ones(3)]
    assert mean_of_tasks(tasks).estimate == 0.5
    assert interquartile_mean(tasks).estimate == pytest.approx(0.0)


def test_the_same_data_give_the_same_interval_and_another_seed_another():
    scores = [np.array([0.1, 0.5, 0.7, 0.9]), np.array([0.2, 0.3, 0.4, 0.8])]
    assert interquartile_mean(scores) == interquartile_mean(scores)
    assert interquartile_mean(scores) != interquartile_mean(scores, seed=1)
    assert REPLICATES >= 1000


def test_a_seed_that_diverged_is_left_out_and_a_task_without_seeds_leaves_nothing():
    assert mean_of_tasks([np.array([1.0, np.nan, 3.0])]).estimate == 2.0
    assert np.isnan(mean_of_tasks([np.array([np.nan]), np.array([1.0])])).all()
    assert np.isnan(probability_of_improvement([np.array([1.0])], [np.array([np.nan])])).all()


def test_what_is_better_everywhere_improves_for_sure_and_a_tie_is_half():
    high, low = [np.array([2.0, 3.0])] * 2, [np.array([0.0, 1.0])] * 2
    assert probability_of_improvement(high, low) == (1.0, 1.0, 1.0)
    assert probability_of_improvement(low, low).estimate == 0.5
