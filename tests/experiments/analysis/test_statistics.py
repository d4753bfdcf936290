"""Intervals over seeds, against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.analysis.statistics import (
    CONFIDENCE,
    contrast_interval,
    difference_interval,
    mean_interval,
    proportion_interval,
)

VALUES = st.lists(st.integers(-1000, 1000), min_size=2, max_size=12)


@given(VALUES)
def test_the_interval_of_a_mean_is_students(values):
    sample = np.array(values, dtype=float)
    interval = mean_interval(sample)
    assert interval.estimate == pytest.approx(sample.mean(), abs=1e-12)
    assert interval.seeds == len(values)
    if sample.std() == 0:
        assert interval.half_width == 0
        assert interval.p_value == (0.0 if sample.any() else 1.0)
        return
    expected = stats.ttest_1samp(sample, 0.0).pvalue
    assert interval.p_value == pytest.approx(expected, abs=1e-12)
    low, high = stats.t.interval(
        CONFIDENCE, len(values) - 1, loc=sample.mean(), scale=stats.sem(sample)
    )
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)


@given(VALUES, VALUES)
def test_the_interval_of_a_difference_is_welchs(first, second):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    interval = difference_interval(a, b)
    assert interval.estimate == pytest.approx(a.mean() - b.mean(), abs=1e-12)
    assert interval.seeds == min(len(a), len(b))
    if a.std() == b.std() == 0:
        assert interval.half_width == 0
        return
    if min(a.std(), b.std()) > 0:  # scipy warns of a sample without spread
        test = stats.ttest_ind(a, b, equal_var=False)
        expected = test.confidence_interval(CONFIDENCE)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
        assert interval.p_value == pytest.approx(test.pvalue, abs=1e-12)


@given(VALUES, VALUES, st.sampled_from([0.25, 3.0, -2.0]))
def test_a_weight_multiplies_a_mean_as_multiplying_its_sample_does(first, second, weight):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    weighed = contrast_interval((a, b), (weight, -1))
    np.testing.assert_allclose(weighed, difference_interval(weight * a, b), rtol=1e-9, atol=1e-9)


@given(VALUES, st.sampled_from([0.5, 0.9, 0.99]))
def test_another_confidence_is_anothers_quantile(values, confidence):
    sample = np.array(values, dtype=float)
    interval = mean_interval(sample, confidence)
    if sample.std() > 0:
        low, high = stats.t.interval(
            confidence, len(values) - 1, loc=sample.mean(), scale=stats.sem(sample)
        )
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)


@given(st.integers(1, 40), st.data(), st.sampled_from([0.8, CONFIDENCE, 0.996]))
def test_the_interval_of_a_proportion_is_the_exact_one(trials, data, confidence):
    successes = data.draw(st.integers(0, trials))
    low, high = proportion_interval(np.array(successes), trials, confidence)
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_sample_without_spread_leaves_the_other_ones_interval():
    spread, still = np.array([1.0, 2.0, 4.0]), np.zeros(5)
    alone = mean_interval(spread)
    assert difference_interval(spread, still).half_width == pytest.approx(alone.half_width)


def test_measurements_are_taken_one_by_one():
    samples = np.arange(24.0).reshape(4, 3, 2) ** 2
    together = mean_interval(samples)
    for index in np.ndindex(3, 2):
        alone = mean_interval(samples[:, *index])
        assert together.estimate[index] == alone.estimate
        assert together.half_width[index] == alone.half_width


def test_failed_seeds_are_left_out_and_counted():
    samples = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0]])
    interval = mean_interval(samples)
    assert interval.seeds.tolist() == [2, 3]
    assert interval.half_width[0] == mean_interval(np.array([1.0, 3.0])).half_width
    welch = difference_interval(samples, np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert welch.seeds.tolist() == [2, 2]
    kept = difference_interval(np.array([1.0, 3.0]), np.array([0.0, 1.0]))
    assert welch.half_width[0] == kept.half_width


@pytest.mark.parametrize(("sample", "mean"), [([2.0], 2.0), ([2.0, np.nan], 2.0)])
def test_of_one_seed_nothing_bounds_the_spread(sample, mean):
    interval = mean_interval(np.array(sample))
    assert interval.estimate == mean
    assert (interval.low, interval.high, interval.p_value) == (-np.inf, np.inf, 1.0)
    for welch in (
        difference_interval(np.array(sample), np.array([0.0, 1.0])),
        difference_interval(np.array([0.0, 1.0]), np.array(sample)),
    ):
        assert (welch.low, welch.high, welch.seeds) == (-np.inf, np.inf, 1)


@pytest.mark.parametrize("sample", [[], [np.nan, np.nan]])
def test_without_seeds_there_is_no_mean(sample):
    interval = mean_interval(np.array(sample))
    assert np.isnan(interval.estimate)
    assert (interval.low, interval.high, interval.seeds) == (-np.inf, np.inf, 0)
    assert interval.p_value == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval(np.array(1.0)), "axis of seeds"),
        (lambda: mean_interval(np.array([1.0, np.inf])), "finite"),
        (lambda: difference_interval(np.zeros((3, 2)), np.zeros((3, 4))), "measure the same"),
    ],
)
def test_what_is_no_sample_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_intervals_cover_the_mean_as_often_as_they_say():
    samples = np.random.default_rng(0).normal(3.0, 2.0, (5, 20_000))
    interval = mean_interval(samples)
    covered = ((interval.low <= 3.0) & (interval.high >= 3.0)).mean()
    assert stats.binomtest(int(covered * 20_000), 20_000, CONFIDENCE).pvalue > 1e-6
