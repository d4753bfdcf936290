"""What a learning curve comes down to."""

import numpy as np

from experiments.analysis.learning_curves import final_performance, lanes_above, steps_to


def test_final_performance_is_the_mean_of_the_last_ten_evaluations_of_each_lane():
    curves = np.stack([np.arange(12.0), np.full(12, 3.0)])
    assert final_performance(curves).tolist() == [6.5, 3.0]


def test_a_lane_that_diverged_has_no_final_performance():
    curves = np.array([[1.0, np.nan], [1.0, 3.0]])
    final = final_performance(curves)
    assert np.isnan(final[0])
    assert final[1] == 2.0


def test_the_first_evaluation_at_the_level_counts():
    step = np.array([500, 1000, 1500])
    assert steps_to(step, np.array([0.0, 0.9, 1.0]), 0.9) == 1000
    assert steps_to(step, np.array([0.0, 0.5, 0.8]), 0.9) is None
    assert steps_to(step, np.array([np.nan, np.nan, 1.0]), 0.9) == 1500


def test_lanes_that_reach_a_level_are_counted_and_diverged_ones_are_not():
    curves = np.array([[1.0, 1.0], [0.5, 0.5], [0.2, 0.2], [np.nan, np.nan]])
    assert lanes_above(curves, 0.5) == 2
