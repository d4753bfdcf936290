"""Contexts grown from laws, and from samples of noise and signal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tabular.factored import exact_contexts, learned_contexts


@given(st.integers(0, 2), st.integers(0, 2), st.data())
def test_exact_contexts_separate_every_law(wanted, features, data):
    grid = np.stack(np.unravel_index(np.arange(24), (2, 3, 2, 2)), axis=1)
    law = data.draw(st.lists(st.integers(0, wanted), min_size=24, max_size=24))
    labels = np.array(law)
    labels = np.unique(labels, return_inverse=True)[1].reshape(-1)
    contexts = exact_contexts(grid, labels, grid)
    for context in np.unique(contexts):
        assert len(set(labels[contexts == context])) == 1
    assert np.array_equal(np.unique(contexts), np.arange(contexts.max() + 1))


def noise_and_signal(seed, rows, strength):
    """Four binary features and an action; the label follows the first feature, with this strength."""
    generator = np.random.default_rng(seed)
    everywhere = np.stack(np.unravel_index(np.arange(32), (2,) * 5), axis=1)
    drawn = generator.integers(32, size=rows)
    label = (generator.random(rows) < 0.5 + strength * (everywhere[drawn, 0] - 0.5)).astype(int)
    weights = np.zeros((32, 2))
    np.add.at(weights, (drawn, label), 1.0)
    return everywhere, weights


def test_a_node_is_divided_wrongly_no_more_often_than_the_rate_says():
    rate, runs = 0.1, 1000
    alarms = 0
    for seed in range(runs):
        everywhere, weights = noise_and_signal(seed, 400, 0.0)
        alarms += learned_contexts(everywhere, weights, everywhere, false_alarms=rate).max() > 0
    assert stats.binomtest(alarms, runs, rate, alternative="greater").pvalue > 1e-4
    assert alarms > 0  # the test is not idle


def test_a_parent_that_matters_is_found():
    for seed in range(50):
        everywhere, weights = noise_and_signal(seed, 400, 0.8)
        contexts = learned_contexts(everywhere, weights, everywhere, false_alarms=0.001)
        assert {tuple(set(contexts[everywhere[:, 0] == value])) for value in (0, 1)} == {(0,), (1,)}


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0])
def test_a_false_alarm_rate_is_a_probability(rate):
    everywhere, weights = noise_and_signal(0, 10, 0.0)
    with pytest.raises(ValueError, match="false_alarms must be above 0 and below 1"):
        learned_contexts(everywhere, weights, everywhere, false_alarms=rate)
