"""The best and the random policy, by hand."""

import pytest

from experiments.analysis.reference import Reference, reference_of, table_reference

STAY_OR_END = {0: {0: [(1.0, 0, 1.0, False)], 1: [(1.0, 0, 3.0, True)]}}
"""In one state, one action earns 1 and goes on, the other earns 3 and ends."""


def test_levels_lead_from_the_random_policy_to_the_best():
    reference = Reference(10.0, 0.0, 2.0, 0.0)
    assert [reference.level(share) for share in (0.0, 0.25, 1.0)] == [2.0, 4.0, 10.0]


@pytest.mark.parametrize(
    ("horizon", "best", "uniform"), [(1, 3.0, 2.0), (2, 4.0, 3.0), (3, 5.0, 3.5)]
)
def test_a_table_is_solved_exactly_within_its_horizon(horizon, best, uniform):
    assert table_reference(STAY_OR_END, [1.0], horizon) == (best, 0.0, uniform, 0.0)


def test_small_environments_are_gone_through_whole():
    # Every step costs 1, the terminal one too, and starts are uniform: 3, 2, 2 and 1 steps.
    reference = reference_of("OpenGrid", 2, spontaneous=False)
    assert (reference.optimal, reference.optimal_half_width) == (-2.0, 0.0)
    assert reference.uniform < -2.0
