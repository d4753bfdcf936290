"""What linear TD refuses, by name and value."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from tabular import (
    FeatureTransitions,
    least_squares_model,
    model_fixed_point,
    planning_sweep,
    replay_sweep,
    td_fixed_point,
    td_sums,
)
from tests.tabular.datasets import built
from tests.tabular.linear_data import exact, transitions

HALF = Fraction(1, 2)


@pytest.mark.parametrize("discount", [Fraction(-1, 10), 1.5, float("nan")])
def test_a_discount_out_of_range_is_refused(discount):
    data = transitions(([1], 0, None))
    model = least_squares_model(data)
    for use in (
        lambda: td_fixed_point(data, discount),
        lambda: model_fixed_point(model, discount),
        lambda: replay_sweep(data, exact([0]), discount, 1, fixed_weights=True),
    ):
        with pytest.raises(ValueError, match=f"^discount must be 0 to 1, got {discount}$"):
            use()


@pytest.mark.parametrize("step_size", [0, -1, float("nan"), float("inf")])
def test_a_step_size_that_is_not_positive_and_finite_is_refused(step_size):
    data = transitions(([1], 0, None))
    for use in (
        lambda: planning_sweep(td_sums(data, HALF), exact([0]), step_size),
        lambda: replay_sweep(data, exact([0]), HALF, step_size, fixed_weights=True),
    ):
        with pytest.raises(
            ValueError, match=f"^step_size must be positive and finite, got {step_size}$"
        ):
            use()


def test_weights_of_another_length_than_the_features_are_refused():
    data = transitions(([1, 0], 0, None))
    with pytest.raises(ValueError, match=r"^theta must have the shape \(2,\), got \(1,\)$"):
        replay_sweep(data, exact([0]), HALF, 1, fixed_weights=True)


def test_a_feature_table_with_other_than_a_row_for_each_state_is_refused():
    dataset, _, _ = built(((2, 1), [(0, 0, 0, 1)], [0, 0], (HALF, True)))
    with pytest.raises(ValueError, match=r"^features must have a row for each of 2 states, got 3$"):
        FeatureTransitions.from_dataset(dataset, np.eye(3))


def test_data_without_transitions_or_features_or_with_negative_weights_are_refused():
    empty = np.zeros((0, 2))
    with pytest.raises(ValueError, match=r"^there must be a transition and a feature, .*\(0, 2\)$"):
        FeatureTransitions(empty, np.zeros(0), empty, np.zeros(0))
    with pytest.raises(ValueError, match=r"^weights must not be negative, got -1$"):
        transitions(([1], 0, None, -1))


@pytest.mark.parametrize("name", ["features", "rewards", "next_features", "weights"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(name, number):
    arrays = {
        "features": np.eye(2),
        "rewards": np.zeros(2),
        "next_features": np.eye(2),
        "weights": np.ones(2),
    }
    arrays[name].flat[1] = number
    with pytest.raises(ValueError, match=f"^{name} must be finite, got {number}$"):
        FeatureTransitions(**arrays)


@pytest.mark.parametrize(
    ("rewards", "next_features", "message"),
    [
        ("zeros(3)", "eye(2)", "rewards must have the shape (2,), got (3,)"),
        (
            "zeros(2)",
            "eye(3)",
            "features and next_features must have the same shape, got (2, 2) and (3, 3)",
        ),
    ],
)
def test_arrays_of_different_lengths_are_refused_also_without_the_tests_shape_checks(
    rewards, next_features, message
):
    program = (
        "from numpy import eye, ones, zeros; from tabular import FeatureTransitions; "
        f"FeatureTransitions(eye(2), {rewards}, {next_features}, ones(2))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == f"ValueError: {message}"
