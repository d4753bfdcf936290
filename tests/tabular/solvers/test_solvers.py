"""The solvers against one another, against brute force over all policies, and against quantecon."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import FiniteMDP
from tabular.solvers import average_reward, discounted, finite_horizon, stochastic_shortest_path

DISCOUNTED = (discounted.value_iteration, discounted.policy_iteration, discounted.linear_program)
SHORTEST_PATH = (
    stochastic_shortest_path.value_iteration,
    stochastic_shortest_path.policy_iteration,
    stochastic_shortest_path.linear_program,
)
TOLERANCE = 1e-7


@st.composite
def tables(draw, *, terminating=False, connected=False):
    """Transitions and rewards of a small MDP; a row's weights may end with that of termination."""
    states, actions = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    successors = states + terminating
    likely_none = st.sampled_from([0, 0, 0, 1, 3])  # so that chains of every structure occur
    weights = st.lists(likely_none, min_size=successors, max_size=successors)
    rows = [draw(weights.filter(any)) for _ in range(states * actions)]
    table = np.array(rows, dtype=float)
    if terminating or connected:
        table[:, -1 if terminating else 0] += 1
    table /= table.sum(axis=1, keepdims=True)
    kept = table[:, :states].reshape(states, actions, states)
    numerators = draw(
        st.lists(st.integers(-8, 8), min_size=states * actions, max_size=states * actions)
    )
    rewards = np.array(numerators, dtype=float).reshape(states, actions) / 4
    if terminating:
        rewards = -0.25 - np.abs(rewards)
    return kept, rewards


def policies(mdp):
    """Every deterministic policy."""
    for choice in product(range(mdp.num_actions), repeat=mdp.num_states):
        yield np.array(choice)


def dense(mdp, policy):
    transitions, rewards = mdp.chain(policy)
    return transitions.toarray(), rewards


def best_over_policies(mdp, discount):
    """The best value of each state, each policy solved by dense elimination."""
    solved = []
    for policy in policies(mdp):
        transitions, rewards = dense(mdp, policy)
        solved.append(np.linalg.solve(np.eye(mdp.num_states) - discount * transitions, rewards))
    return np.max(solved, axis=0)


def long_run_mean(transitions, rewards):
    """The gain by squaring the lazy chain 40 times, which asks nothing of its classes."""
    lazy = (transitions + np.eye(len(rewards))) / 2
    for _ in range(40):
        lazy = lazy @ lazy
        lazy /= lazy.sum(axis=1, keepdims=True)
    return lazy @ rewards


@given(tables(), st.sampled_from([0.0, 0.5, 0.9, 0.99]))
@settings(max_examples=40)
def test_discounted_values_are_the_best_of_all_policies_within_their_bound(table, discount):
    mdp = FiniteMDP.from_arrays(*table)
    best = best_over_policies(mdp, discount)
    for solve in DISCOUNTED:
        solution = solve(mdp, discount)
        assert solution.error_bound < TOLERANCE
        assert np.abs(solution.values - best).max() <= solution.error_bound + 1e-12
        followed = discounted.policy_values(mdp, discount, solution.policy)
        np.testing.assert_allclose(followed, best, atol=2 * TOLERANCE / (1 - discount))


@given(tables(terminating=True))
@settings(max_examples=40)
def test_discounting_an_mdp_that_may_terminate_counts_nothing_after_the_end(table):
    mdp = FiniteMDP.from_arrays(*table)
    for solve in DISCOUNTED:
        solution = solve(mdp, 0.9)
        best = best_over_policies(mdp, 0.9)
        assert np.abs(solution.values - best).max() <= solution.error_bound + 1e-12


@given(tables(terminating=True))
@settings(max_examples=40)
def test_shortest_path_values_are_the_best_of_all_policies_within_their_bound(table):
    mdp = FiniteMDP.from_arrays(*table)
    best = best_over_policies(mdp, 1.0)
    for solve in SHORTEST_PATH:
        solution = solve(mdp)
        assert solution.error_bound < 1e-5
        assert np.abs(solution.values - best).max() <= solution.error_bound + 1e-10
        followed = stochastic_shortest_path.policy_values(mdp, solution.policy)
        np.testing.assert_allclose(followed, best, rtol=1e-6)


@given(tables())
@settings(max_examples=40)
def test_average_reward_policy_iteration_finds_the_best_gain_from_every_state(table):
    mdp = FiniteMDP.from_arrays(*table)
    best = np.max([long_run_mean(*dense(mdp, policy)) for policy in policies(mdp)], axis=0)
    solution = average_reward.policy_iteration(mdp)
    np.testing.assert_allclose(solution.gain, best, atol=1e-8)
    assert np.abs(solution.gain - best).max() <= solution.error_bound + 1e-9
    followed = long_run_mean(*dense(mdp, solution.policy))
    np.testing.assert_allclose(followed, best, atol=1e-8)


@given(tables(connected=True))
@settings(max_examples=40)
def test_relative_value_iteration_agrees_where_one_gain_is_optimal_everywhere(table):
    mdp = FiniteMDP.from_arrays(*table)
    swept, solved = (
        average_reward.relative_value_iteration(mdp),
        average_reward.policy_iteration(mdp),
    )
    assert average_reward.is_weakly_communicating(mdp)
    assert swept.error_bound < TOLERANCE
    assert solved.error_bound < TOLERANCE
    assert np.abs(swept.gain - solved.gain).max() <= swept.error_bound + solved.error_bound


@given(tables(terminating=True), st.sampled_from([1.0, 0.1, 1e-3]))
@settings(max_examples=40)
def test_bounds_hold_where_value_iteration_is_stopped_early(table, tolerance):
    mdp = FiniteMDP.from_arrays(*table)
    for solution, discount in [
        (discounted.value_iteration(mdp, 0.9, tolerance=tolerance), 0.9),
        (stochastic_shortest_path.value_iteration(mdp, tolerance=tolerance), 1.0),
    ]:
        error = np.abs(solution.values - best_over_policies(mdp, discount)).max()
        assert error <= solution.error_bound + 1e-12 <= tolerance + 2e-12


@given(tables(connected=True), st.sampled_from([1.0, 0.1, 1e-3]))
@settings(max_examples=40)
def test_the_bracket_of_the_gain_holds_where_value_iteration_is_stopped_early(table, tolerance):
    mdp = FiniteMDP.from_arrays(*table)
    solution = average_reward.relative_value_iteration(mdp, tolerance=tolerance)
    exact = average_reward.policy_iteration(mdp).gain
    assert np.abs(solution.gain - exact).max() <= solution.error_bound + 1e-9
    assert solution.error_bound <= tolerance


@given(tables())
@settings(max_examples=40)
def test_gain_and_bias_satisfy_their_two_equations_for_every_chain_structure(table):
    mdp = FiniteMDP.from_arrays(*table)
    transitions, rewards = mdp.chain(mdp.uniform_policy())
    gain, bias = average_reward.gain_and_bias(transitions, rewards)
    np.testing.assert_allclose(transitions @ gain, gain, atol=1e-9)
    np.testing.assert_allclose(gain + bias, rewards + transitions @ bias, atol=1e-9)


@given(tables(), st.integers(0, 4))
@settings(max_examples=40)
def test_finite_horizon_values_are_those_of_the_best_tree_of_actions(table, horizon):
    mdp = FiniteMDP.from_arrays(*table)

    def best(state, steps):
        if not steps:
            return 0.0
        following = [best(successor, steps - 1) for successor in range(mdp.num_states)]
        return mdp.backup(np.array(following))[state].max()

    values = finite_horizon.total_reward(mdp, min(horizon, 3))
    expected = [best(state, min(horizon, 3)) for state in range(mdp.num_states)]
    np.testing.assert_allclose(values, expected, atol=1e-12)


@given(tables(), st.sampled_from([0.3, 0.9]))
@settings(max_examples=30)
def test_quantecon_agrees_on_discounted_values(table, discount):
    mdp = FiniteMDP.from_arrays(*table)
    markov = pytest.importorskip("quantecon.markov")
    shape = (mdp.num_states, mdp.num_actions, mdp.num_states)
    problem = markov.DiscreteDP(mdp.rewards, mdp.transitions.toarray().reshape(shape), discount)
    theirs = problem.solve(method="policy_iteration").v
    for solve in DISCOUNTED:
        np.testing.assert_allclose(solve(mdp, discount).values, theirs, atol=TOLERANCE)


@pytest.fixture
def two_islands():
    """State 0 chooses between two states that are never left, and that pay 1 and 3."""
    transitions = np.zeros((3, 2, 3))
    transitions[0, 0, 1] = transitions[0, 1, 2] = transitions[1, :, 1] = transitions[2, :, 2] = 1
    return FiniteMDP.from_arrays(transitions, np.array([[9.0, 0.0], [1.0, 1.0], [3.0, 3.0]]))


def test_a_multichain_optimum_has_a_gain_for_each_start_and_an_honest_bound(two_islands):
    solution = average_reward.policy_iteration(two_islands)
    np.testing.assert_allclose(solution.gain, [3, 1, 3])
    assert solution.policy[0] == 1
    assert solution.error_bound >= 2


def test_relative_value_iteration_refuses_a_multichain_mdp(two_islands):
    with pytest.raises(ValueError, match="weakly communicating"):
        average_reward.relative_value_iteration(two_islands)


def test_a_state_that_every_policy_leaves_does_not_hinder_weak_communication():
    transitions = np.zeros((2, 2, 2))
    transitions[0, :, 1] = transitions[1, :, 1] = 1
    mdp = FiniteMDP.from_arrays(transitions, np.array([[5.0, 6.0], [1.0, 2.0]]))
    assert average_reward.is_weakly_communicating(mdp)
    np.testing.assert_allclose(average_reward.relative_value_iteration(mdp).gain, [2, 2])


def test_average_reward_of_a_periodic_cycle_is_its_mean():
    transitions = np.zeros((3, 1, 3))
    transitions[[0, 1, 2], 0, [1, 2, 0]] = 1
    mdp = FiniteMDP.from_arrays(transitions, np.array([[1.0], [4.0], [1.0]]))
    for solve in (average_reward.relative_value_iteration, average_reward.policy_iteration):
        np.testing.assert_allclose(solve(mdp).gain, [2, 2, 2], atol=1e-8)


def test_average_reward_refuses_terminal_steps_and_says_what_to_do():
    mdp = FiniteMDP.from_arrays(np.array([[[0.5]]]), np.array([[1.0]]))
    for solve in (average_reward.relative_value_iteration, average_reward.policy_iteration):
        with pytest.raises(ValueError, match="restart=True"):
            solve(mdp)


def test_shortest_path_refuses_states_that_cannot_end_and_rewards_that_do_not_cost():
    stuck = FiniteMDP.from_arrays(np.array([[[1.0]]]), np.array([[-1.0]]))
    free = FiniteMDP.from_arrays(np.array([[[0.5]]]), np.array([[0.0]]))
    for solve in SHORTEST_PATH:
        with pytest.raises(ValueError, match="1 of 1 cannot"):
            solve(stuck)
        with pytest.raises(ValueError, match="must be negative, got 0"):
            solve(free)


@pytest.mark.parametrize("discount", [1.0, -0.1, 2.0])
def test_a_discount_outside_its_range_is_refused(discount):
    mdp = FiniteMDP.from_arrays(np.array([[[1.0]]]), np.array([[1.0]]))
    for solve in DISCOUNTED:
        with pytest.raises(ValueError, match=f"got {discount}"):
            solve(mdp, discount)
