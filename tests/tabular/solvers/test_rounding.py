"""Solvers where floating point is short of digits, against the same MDPs in fractions."""

from contextlib import suppress
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import Bootstrap, Dataset, EmpiricalMDP, FiniteMDP, Transition, certainty_equivalence
from tabular.solvers import average_reward, discounted, stochastic_shortest_path
from tests.tabular.solvers.exact import optimal_values

OTHER_SHORTEST_PATH = (
    partial(stochastic_shortest_path.value_iteration, max_iterations=300),
    stochastic_shortest_path.linear_program,
)
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 3))


@st.composite
def tables(draw, *, ending=False):
    """Chains of every structure, ends and rare transitions, and rewards over 15 orders of magnitude."""
    states, actions = draw(SIZES)
    weight = st.sampled_from([0, 0, 1, 3, 1_000_000])
    weights = st.lists(weight, min_size=states + 1, max_size=states + 1)
    rows = np.array([draw(weights.filter(any)) for _ in range(states * actions)], dtype=float)
    if ending:
        rows[:, -1] += 1
    law = rows[:, :-1] / rows.sum(axis=1, keepdims=True)
    sizes = st.builds(lambda m, e: m * 10.0**e, st.integers(1, 99), st.integers(-3, 12))
    signs = st.just(-1) if ending else st.sampled_from([-1, 0, 1])
    rewards = [draw(sizes) * draw(signs) for _ in range(states * actions)]
    return law.reshape(states, actions, states), np.array(rewards).reshape(states, actions)


def assert_known(solution, best):
    error = max(
        abs(Fraction(float(v)) - exact) for v, exact in zip(solution.values, best, strict=True)
    )
    assert error <= solution.error_bound


@given(tables(), st.sampled_from([0.0, 0.9, 0.999, 1 - 1e-5, 1 - 1e-7, 1 - 1e-9]))
@settings(max_examples=150)
def test_policy_iteration_is_right_up_to_the_largest_discounts(table, discount):
    mdp = FiniteMDP.from_arrays(*table)
    best = optimal_values(mdp, discount)
    solution = discounted.policy_iteration(mdp, discount)
    assert_known(solution, best)
    largest = max(
        *map(abs, best), np.abs(mdp.rewards[np.arange(mdp.num_states), solution.policy]).max()
    )
    assert solution.error_bound <= 1e-4 * largest or largest == 0


@given(tables(), st.sampled_from([0.0, 0.9, 1 - 1e-5, 1 - 1e-9]))
@settings(max_examples=80)
def test_linear_programs_are_right_or_refused_up_to_the_largest_discounts(table, discount):
    mdp = FiniteMDP.from_arrays(*table)
    with suppress(ArithmeticError):
        assert_known(discounted.linear_program(mdp, discount), optimal_values(mdp, discount))


@given(tables(ending=True))
@settings(max_examples=100)
def test_shortest_paths_are_right_over_fifteen_orders_of_magnitude(table):
    mdp = FiniteMDP.from_arrays(*table)
    best = optimal_values(mdp, 1)
    assert_known(stochastic_shortest_path.policy_iteration(mdp), best)
    for solve in OTHER_SHORTEST_PATH:
        with suppress(ArithmeticError):
            assert_known(solve(mdp), best)


NEAR_ONE = (
    np.array([[[0.5, 0.5], [0, 1.0]], [[0.8, 0.2], [0.1, 0.9]]]),
    np.array([[5.0, 10.0], [-1.0, 2.0]]),
)


def test_an_improvement_far_below_the_values_is_made():
    values = discounted.policy_iteration(FiniteMDP.from_arrays(*NEAR_ONE), 1 - 1e-7).values
    np.testing.assert_allclose(values, [38888892.30, 38888886.19], rtol=1e-8)


def test_certainty_equivalence_hands_on_what_is_right_near_one():
    rows = [(0, 0, 5, 0), (0, 0, 5, 1), (0, 1, 10, 1)] + [(1, 0, -1, 0)] * 4
    rows += [(1, 0, -1, 1), (1, 1, 2, 0)] + [(1, 1, 2, 1)] * 9
    dataset = Dataset(2, 2, tuple(Transition(*row) for row in rows))
    empirical = EmpiricalMDP.from_dataset(dataset)
    near_one = Bootstrap(1 - Fraction(1, 10**7))
    table = certainty_equivalence(empirical, np.zeros((2, 2)), near_one)
    np.testing.assert_allclose(table.max(axis=1), [38888892.30, 38888886.19], rtol=1e-8)


def beside_a_large_reward():
    """States 0 and 1, and state 2, from which an action that costs 1e12 never need be taken."""
    law = [[[0, 1, 0], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]]]
    return FiniteMDP.from_arrays(law, [[0.0, 3.0], [3.006, 3.006], [-1e12, 0.0]])


def test_a_large_reward_that_nobody_meets_decides_nothing():
    mdp = beside_a_large_reward()
    for solve in (discounted.policy_iteration, discounted.value_iteration):
        solution = solve(mdp, 0.999)
        assert solution.values[0] == pytest.approx(3002.994, abs=1e-8)
        assert solution.policy[0] == 0
        assert solution.error_bound < 1e-6


def test_a_large_reward_that_nobody_meets_leaves_the_gain_alone():
    solution = average_reward.policy_iteration(beside_a_large_reward())
    np.testing.assert_allclose(solution.gain, 3.006)
    assert solution.error_bound < 1e-9
    joined = FiniteMDP.from_arrays(
        [[[0, 1], [1, 0]], [[1, 0], [1, 0]]], [[0.0, 1.0], [2.004, -1e12]]
    )
    for solve in (average_reward.policy_iteration, average_reward.relative_value_iteration):
        found = solve(joined)
        np.testing.assert_allclose(found.gain, 1.002)
        assert found.error_bound < 1e-8


def test_what_a_way_costs_once_does_not_hide_the_gain_it_leads_to():
    """State 0 stays for 1 a step, or leaves at a cost of 1e13 for state 1, which pays 2."""
    stays_or_leaves = FiniteMDP.from_arrays(
        [[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1.0, -1e13], [2.0, 2.0]]
    )
    solution = average_reward.policy_iteration(stays_or_leaves)
    np.testing.assert_allclose(solution.gain, [2, 2])
    assert solution.policy[0] == 1


@st.composite
def continuing_tables(draw):
    """Chains of every structure in probabilities that are binary fractions, so that rows add to 1 exactly."""
    states, actions = draw(SIZES)
    share = st.sampled_from([0, 0, 1, 2])
    rows = draw(
        st.lists(
            st.lists(share, min_size=states - 1, max_size=states - 1),
            min_size=states * actions,
            max_size=states * actions,
        )
    )
    law = np.array([[*row, 8 - sum(row)] for row in rows]) / 8
    sizes = st.builds(lambda m, e: m * 10.0**e, st.integers(-99, 99), st.integers(-3, 8))
    rewards = draw(st.lists(sizes, min_size=states * actions, max_size=states * actions))
    return law.reshape(states, actions, states), np.array(rewards).reshape(states, actions)


@given(continuing_tables())
@settings(max_examples=100)
def test_gains_are_right_whatever_the_sizes_of_rewards(table):
    """Against (1 - discount) v for a discount so near 1 that nothing else is left, in fractions."""
    mdp, rest = FiniteMDP.from_arrays(*table), Fraction(1, 2**300)
    best = [float(rest * v) for v in optimal_values(mdp, 1 - rest)]
    solution = average_reward.policy_iteration(mdp)
    error = np.abs(solution.gain - best)
    assert error.max() <= solution.error_bound * (1 + 1e-9)
    met = np.abs(mdp.rewards[np.arange(mdp.num_states), solution.policy]).max()
    assert error.max() <= 1e-8 * max(met, np.abs(best).max())


def test_costs_of_most_different_sizes_add_up():
    law = np.zeros((2, 2, 2))
    law[0, 1, 1] = 1  # to state 1, for next to nothing; everything else ends
    mdp = FiniteMDP.from_arrays(law, [[-1000.0, -1e-12], [-1.0, -1000.0]])
    for solve in (stochastic_shortest_path.policy_iteration, *OTHER_SHORTEST_PATH):
        solution = solve(mdp)
        np.testing.assert_allclose(solution.values, [-1.000000000001, -1], rtol=1e-15)
        assert solution.error_bound < 1e-13


def test_episodes_that_end_soon_are_known_whatever_the_discount():
    law = np.zeros((3, 2, 3))
    law[0, :, 1] = law[1, 0, 2] = law[1, 1, 0] = 1  # 0 -> 1 -> 2 -> the end, or back to 0
    mdp = FiniteMDP.from_arrays(law, [[-1.0, -2.0], [-1.0, -1e9], [-1.0, -1.0]])
    for solve in (discounted.policy_iteration, discounted.value_iteration):
        solution = solve(mdp, 1 - 2.0**-52)
        np.testing.assert_allclose(solution.values, [-3, -2, -1], rtol=1e-14)
        assert solution.error_bound < 1e-12


def test_what_rounding_leaves_unknown_is_refused_in_one_line():
    law = np.array([[[1.0, 0], [1, 0]], [[0, 1], [0, 1]]])
    mdp = FiniteMDP.from_arrays(law, [[1.0, 1.0], [2.0, 2.0]])
    for discount in (1 - 2.0**-52, 1 - 2.0**-50):
        with pytest.raises(ArithmeticError, match=r"only known within .*; accepted: 0.001 of"):
            discounted.policy_iteration(mdp, discount)


def test_a_linear_program_that_is_not_solved_says_why():
    law = np.array([[[0, 1.0], [1, 0]], [[0, 1], [0, 1.0]]])
    mdp = FiniteMDP.from_arrays(law, [[0.0, 3.0], [4.0, 4.0]])
    with pytest.raises(ArithmeticError, match=r"not solved: The problem is infeasible"):
        discounted.linear_program(mdp, 1 - 1e-9)
    solved = discounted.policy_iteration(mdp, 1 - 1e-9)
    np.testing.assert_allclose(solved.values, 4e9, rtol=1e-6)


def test_value_iteration_says_beforehand_that_it_would_take_long():
    mdp = FiniteMDP.from_arrays(*NEAR_ONE)
    with pytest.raises(ValueError, match=r"may need 3,.* sweeps .* is 1,000,000; policy iter"):
        discounted.value_iteration(mdp, 0.99999)
    with pytest.raises(ValueError, match="accepted: at most max_iterations, which is 10"):
        discounted.value_iteration(mdp, 0.9, max_iterations=10)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"tolerance": float("nan")}, "tolerance must be at least 0, got nan"),
        ({"tolerance": -1.0}, "tolerance must be at least 0, got -1"),
        ({"max_iterations": 0}, "max_iterations must be at least 1, got 0"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(limits, message):
    mdp = FiniteMDP.from_arrays(*NEAR_ONE)
    for solve in (
        partial(discounted.value_iteration, discount=0.9),
        stochastic_shortest_path.value_iteration,
        average_reward.relative_value_iteration,
    ):
        with pytest.raises(ValueError, match=message):
            solve(mdp, **limits)


def test_value_iteration_ends_where_an_end_hardly_ever_comes():
    mdp = FiniteMDP.from_arrays([[[1 - 1e-6]]], [[-1.0]])
    with pytest.raises(ArithmeticError, match="not within 1e-09 after 50 sweeps"):
        stochastic_shortest_path.value_iteration(mdp, max_iterations=50)
    assert stochastic_shortest_path.policy_iteration(mdp).values[0] == pytest.approx(-1e6)


@pytest.mark.parametrize(
    "solve",
    [
        lambda mdp, progress: discounted.value_iteration(mdp, 0.9, progress=progress),
        lambda mdp, progress: average_reward.relative_value_iteration(mdp, progress=progress),
    ],
)
def test_sweeps_report_how_far_they_are(solve):
    told = []
    solve(FiniteMDP.from_arrays(*NEAR_ONE), told.append)
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] == 1
