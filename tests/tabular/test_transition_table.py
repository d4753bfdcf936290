"""A rule from the table that an environment keeps of its own dynamics."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular import FiniteMDP
from tabular.rule import Outcome
from tabular.solvers import finite_horizon
from tabular.transition_table import FactoredTable, TableRule

COIN = {
    0: {0: [(1 / 3, 0, -1, False), (1 / 3, 1, -1, False), (1 / 3, 1, -1, False)]},
    1: {0: [(1.0, 1, 0.5, True)]},
}


def test_equal_outcomes_are_added_up_and_floats_are_the_simplest_fractions():
    rule = TableRule(COIN, [1.0, 0.0])
    assert rule.initial_distribution() == {0: Fraction(1)}
    assert rule.outcomes(0, 0) == (
        Outcome(Fraction(1, 3), 0, -1, False),
        Outcome(Fraction(2, 3), 1, -1, False),
    )
    assert rule.outcomes(1, 0) == (Outcome(Fraction(1), None, Fraction(1, 2), True),)


def test_its_returns_are_those_of_a_calculation_by_hand():
    mdp = FiniteMDP.from_rule(TableRule(COIN, [1.0, 0.0]))
    # Two steps: -1, then -1 or, with 2/3, the end's 1/2.
    assert mdp.initial @ finite_horizon.total_reward(mdp, 2, None) == pytest.approx(
        -1 - 1 / 3 + 1 / 3
    )


def test_the_cliff_is_walked_along_in_13_steps_at_best():
    gymnasium = pytest.importorskip("gymnasium")
    cliff = gymnasium.make("CliffWalking-v1").unwrapped
    mdp = FiniteMDP.from_rule(TableRule(cliff.P, cliff.initial_state_distrib))
    assert mdp.initial @ finite_horizon.total_reward(mdp, 100, None) == pytest.approx(-13)


@pytest.mark.parametrize(
    ("table", "initial", "said"),
    [
        ({}, [], "a table of 0 states"),
        (COIN, [1.0], "a table of 2 states has 1 initial"),
        (COIN, [0.5, 0.4], "the initial states must be 0 or more and add to 1"),
        ({0: {0: [(0.5, 0, 0, False)]}}, [1.0], "state 0, action 0 must be 0 or more and add to 1"),
        ({0: {0: [(1.0, 0, 0, False)]}, 2: {}}, [1.0, 0.0], "no entry for state 1, action 0"),
        (COIN | {1: {0: COIN[1][0], 1: COIN[1][0]}}, [1.0, 0.0], "state 1 of the table has 2 act"),
        ({0: {0: [(1.0, 1, 0, False)]}}, [1.0], r"next state from 0 to 0, .* got \(1.0, 1, 0, F"),
        ({0: {0: [(1.0, 0.5, 0, False)]}}, [1.0], r"must be \(probability, .* got \(1.0, 0.5"),
        ({0: {0: [(1.0, 0, float("nan"), True)]}}, [1.0], "state 0, action 0 .* nan, True"),
        ({0: {0: [(1.0, 0)]}}, [1.0], r"an outcome of state 0, action 0 .* got \(1.0, 0\)"),
    ],
)
def test_a_table_that_is_none_is_refused(table, initial, said):
    with pytest.raises(ValueError, match=said):
        TableRule(table, initial)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_states_are_numbered_by_their_factors_the_last_one_fastest(sizes):
    states = int(np.prod(sizes))
    table = {state: {0: [(1.0, state, 0, False)]} for state in range(states)}
    rule = FactoredTable(
        table, [1 / states] * states, {f"x{i}": n for i, n in enumerate(sizes)}, name="still"
    )
    expected = list(zip(*np.unravel_index(range(states), sizes), strict=True))
    assert [rule.factors(state) for state in range(states)] == expected
    assert rule.factor_names == tuple(f"x{i}" for i in range(len(sizes)))


def test_factors_that_number_another_count_of_states_are_refused():
    with pytest.raises(ValueError, match="coin has 2 numbers of states, and factors of 2 x 3 n"):
        FactoredTable(COIN, [1.0, 0.0], {"x": 2, "y": 3}, name="coin")


def test_states_may_have_numbers_of_their_own():
    rule = FactoredTable(COIN, [1.0, 0.0], {"x": 2, "y": 3}, numbers=[5, 1], count=6)
    assert [rule.factors(state) for state in range(2)] == [(1, 2), (0, 1)]


def test_small_numbers_are_what_is_written():
    rule = TableRule({0: {0: [(1e-7, 0, 4e-7, True), (1 - 1e-7, 0, 0.12345678, False)]}}, [1.0])
    rare, usual = rule.outcomes(0, 0)
    assert (rare.probability, rare.reward) == (Fraction(1, 10**7), Fraction(4, 10**7))
    assert usual.reward == Fraction(12345678, 10**8)
    long = TableRule({0: {0: [(p, 0, 0, False) for p in (0.1234567, 0.2345678, 0.6419755)]}}, [1.0])
    assert [outcome.probability for outcome in long.outcomes(0, 0)] == [1]


def test_a_chance_too_small_for_simple_fractions_is_not_lost():
    with pytest.raises(ValueError, match="state 0, action 0 must be 0 or more and add to 1"):
        TableRule({0: {0: [(1 / 3, 0, 0, False)] * 3 + [(1e-17, 0, 0, True)]}}, [1.0])
