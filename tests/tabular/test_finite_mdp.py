"""Enumeration of a rule into matrices and a graph."""

from fractions import Fraction
from functools import partial
from math import isfinite

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tabular import ButtonGrid, FiniteMDP, OpenGrid, Outcome, PanFlute, ProcMaze
from tabular.solvers import finite_horizon


@pytest.mark.parametrize("rule", [PanFlute(3), ButtonGrid(1, 2), ProcMaze(2), OpenGrid(3)], ids=str)
def test_the_matrices_hold_the_law_of_every_state_and_action(rule):
    mdp = FiniteMDP.from_rule(rule)
    table = mdp.transitions.toarray().reshape(mdp.num_states, mdp.num_actions, mdp.num_states)
    for position, state in enumerate(mdp.states):
        for action in range(rule.num_actions):
            expected, reward, ending = np.zeros(mdp.num_states), Fraction(0), Fraction(0)
            for outcome in rule.outcomes(state, action):
                reward += outcome.probability * outcome.reward
                if outcome.terminal:
                    ending += outcome.probability
                else:
                    expected[mdp.states.index(outcome.next_state)] = outcome.probability
            np.testing.assert_array_equal(table[position, action], expected)
            assert mdp.rewards[position, action] == float(reward)
            assert mdp.termination[position, action] == pytest.approx(float(ending))
    assert dict(zip(mdp.states, mdp.initial, strict=True)).items() >= {
        (state, float(chance)) for state, chance in rule.initial_distribution().items()
    }
    assert mdp.initial.sum() == pytest.approx(1)


def test_only_reachable_states_are_enumerated():
    assert FiniteMDP.from_rule(PanFlute(2, spontaneous=False)).num_states == 5
    assert FiniteMDP.from_rule(PanFlute(2)).num_states == 6


def test_restarting_leads_from_the_goal_to_the_initial_distribution():
    mdp = FiniteMDP.from_rule(OpenGrid(2), restart=True)
    assert not mdp.termination.any()
    goal = mdp.states.index(3)
    np.testing.assert_allclose(mdp.transitions.toarray()[goal * 5], np.full(4, 0.25))


def test_the_graph_of_an_episodic_task_leads_to_its_end_from_the_goal_alone():
    graph = FiniteMDP.from_rule(OpenGrid(3)).transition_graph()
    assert set(graph.predecessors("end")) == {8}
    assert graph.edges[0, 1, 4]["probability"] == pytest.approx(29 / 30)
    assert graph.edges[0, 8, 4]["probability"] == pytest.approx(1 / 30)
    assert graph.edges[8, "end", 0]["probability"] == pytest.approx(1)
    assert nx.has_path(graph, 0, "end")


def test_a_stochastic_policy_mixes_the_rows_of_its_actions():
    mdp = FiniteMDP.from_rule(OpenGrid(2))
    transitions, rewards = mdp.chain(mdp.uniform_policy())
    each = [mdp.chain(np.full(4, action))[0].toarray() for action in range(5)]
    np.testing.assert_allclose(transitions.toarray(), np.mean(each, axis=0))
    np.testing.assert_allclose(rewards, -1)


def test_what_is_too_large_is_refused_with_an_estimate_before_or_while_enumerating():
    with pytest.raises(ValueError, match=r"up to 1,921,600 states; max_states is 100,000"):
        FiniteMDP.from_rule(PanFlute(7))
    with pytest.raises(ValueError, match=r"about .* transitions; allowed are"):
        FiniteMDP.from_rule(ButtonGrid(2, 3), max_transitions=10_000)


def test_a_rule_without_a_bound_is_refused_once_too_many_states_are_reached():
    class Counter:
        num_actions = 1

        def initial_distribution(self):
            return {0: Fraction(1)}

        def outcomes(self, state, action):
            return (Outcome(Fraction(1), state + 1, 0, False),)

    with pytest.raises(ValueError, match="at least 101 states"):
        FiniteMDP.from_rule(Counter(), max_states=100)


ACTION_FIRST = np.array(
    [
        [[0.25, 0.5, 0.25], [0.5, 0, 0.5], [0.25, 0.75, 0]],
        [[0, 0.5, 0.5], [0.75, 0.25, 0], [0.5, 0.25, 0.25]],
    ]
)
REWARDS = np.array([[1.0, 2], [3, 1], [0.5, 4]])


def test_arrays_of_both_layouts_are_read_and_never_taken_for_one_another():
    mdp = FiniteMDP.from_arrays(ACTION_FIRST, REWARDS, layout="action state state")
    table = mdp.transitions.toarray().reshape(3, 2, 3)
    for action in range(2):
        np.testing.assert_array_equal(table[:, action], ACTION_FIRST[action])
    swapped = FiniteMDP.from_arrays(ACTION_FIRST.swapaxes(0, 1), REWARDS)
    np.testing.assert_array_equal(swapped.transitions.toarray(), mdp.transitions.toarray())
    expected = r"shape \(3, 2, 3\), as rewards has \(3, 2\), got \(2, 3, 3\); layout may be"
    with pytest.raises(ValueError, match=expected):
        FiniteMDP.from_arrays(ACTION_FIRST, REWARDS)
    with pytest.raises(ValueError, match=r"got \(18,\)"):
        FiniteMDP.from_arrays(ACTION_FIRST.ravel(), REWARDS)
    with pytest.raises(ValueError, match=r"rewards must have the axes .*, got shape \(3,\)"):
        FiniteMDP.from_arrays(ACTION_FIRST, REWARDS[:, 0])


def test_whole_numbers_are_arrays_too_but_single_precision_is_refused():
    mdp = FiniteMDP.from_arrays([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], [[1, 5], [0, 2]])
    assert mdp.rewards.dtype == float
    with pytest.raises(ValueError, match="whole numbers or float64, got float32"):
        FiniteMDP.from_arrays(np.ones((1, 1, 1), dtype=np.float32), [[1.0]])


@pytest.mark.parametrize("reward", [np.nan, np.inf, -np.inf, 2e100])
def test_a_reward_that_is_no_number_of_reasonable_size_is_refused_where_it_stands(reward):
    with pytest.raises(ValueError, match=r"rewards must be .* got .* in state 0 with action 1"):
        FiniteMDP.from_arrays([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], [[1.0, reward], [0, 2.0]])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, np.nan], "be at least 0, got nan in state 0 with action 0"),
        ([1.5, -0.5], r"be at least 0, got -0\.5 in state 0 with action 0"),
        ([0.75, 0.75], r"add to at most 1, got 1\.5 in state 0 with action 0"),
        ([0, np.inf], "be at least 0, got inf in state 0 with action 0"),
    ],
)
def test_transitions_that_are_no_probabilities_are_refused_where_they_stand(row, message):
    with pytest.raises(ValueError, match=f"transition probabilities must {message}"):
        FiniteMDP.from_arrays([[row], [[1, 0]]], [[1.0], [0.0]])


def test_parts_that_do_not_belong_together_are_refused():
    whole = FiniteMDP.from_arrays([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], [[1, 5], [0, 2]])
    parts = (whole.states, whole.transitions, whole.rewards, whole.initial)
    with pytest.raises(ValueError, match=r"states must have the shape \(2,\), .*, got \(1,\)"):
        FiniteMDP((0,), *parts[1:])
    with pytest.raises(ValueError, match=r"initial probabilities .* a sum of 2\.0"):
        FiniteMDP(*parts[:3], np.ones(2))
    with pytest.raises(ValueError, match=r"needs a state and an action, got .* \(0, 2\)"):
        FiniteMDP.from_arrays(np.zeros((0, 2, 0)), np.zeros((0, 2)))


ODD = st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5, 1.0, -0.25, np.nan, np.inf, 1.5])


@given(st.integers(1, 3), st.integers(1, 2), st.data())
@settings(max_examples=200)
def test_whatever_arrays_are_given_their_law_is_kept_or_they_are_refused(states, actions, data):
    pairs = states * actions
    entries = data.draw(st.lists(ODD, min_size=pairs * states, max_size=pairs * states))
    paid = data.draw(st.lists(ODD, min_size=pairs, max_size=pairs))
    law = np.array(entries).reshape(states, actions, states)
    rewards = np.array(paid).reshape(states, actions)
    rows = law.reshape(pairs, states).tolist()
    right = all(map(isfinite, paid)) and all(
        all(isfinite(p) and p >= 0 for p in row) and sum(map(Fraction, row)) <= 1 for row in rows
    )
    if not right:
        with pytest.raises(ValueError, match=r"\A[^\n]*\Z"):
            FiniteMDP.from_arrays(law, rewards)
        return
    mdp = FiniteMDP.from_arrays(law, rewards)
    np.testing.assert_array_equal(mdp.transitions.toarray(), law.reshape(pairs, states))
    ending = [float(1 - sum(map(Fraction, row))) for row in rows]
    np.testing.assert_array_equal(mdp.termination.ravel(), ending)


def test_a_policy_is_read_as_actions_or_as_probabilities_by_everyone():
    mdp = FiniteMDP.from_arrays([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], [[1, 5], [0, 2]])
    for action, values in ((0, [2, 1]), (1, [15, 6])):
        chosen = np.full(2, action)
        same = np.eye(2)[chosen]
        for policy in (chosen, same, same.astype(int)):
            np.testing.assert_array_equal(finite_horizon.total_reward(mdp, 3, policy), values)
            np.testing.assert_array_equal(mdp.chain(policy)[1], mdp.rewards[:, action])
    for wrong, message in (
        (np.array([0, 2]), "the actions of a policy must be 0 to 1, got 0 to 2"),
        (np.array([0.0, 1.0]), r"a policy must be 2 whole numbers, .* got float64 of shape \(2,\)"),
        (np.array([0, 1, 0]), r"got int64 of shape \(3,\)"),
        (np.full((2, 2), 0.25), r"add to 1 in each state, .* sums of 0\.5 to 0\.5"),
        (np.array([[2.0, -1.0], [1.0, 0.0]]), r"a least one of -1\.0"),
        (np.full((2, 2), np.nan), "a least one of nan"),
    ):
        for read in (mdp.chain, partial(finite_horizon.total_reward, mdp, 3)):
            with pytest.raises(ValueError, match=message):
                read(wrong)


def test_a_negative_horizon_is_refused():
    mdp = FiniteMDP.from_arrays([[[1]]], [[1]])
    assert finite_horizon.total_reward(mdp, 0).tolist() == [0]
    with pytest.raises(ValueError, match="horizon must be at least 0, got -1"):
        finite_horizon.total_reward(mdp, -1)


def test_what_rounding_leaves_of_a_long_row_is_no_end():
    """Where the sum of 43,264 equal chances misses 1 by more than 1e-12."""
    count = 43_264
    away = sparse.csr_array(np.full((1, count), 1 / count))
    first = np.zeros(count - 1, int)
    back = sparse.csr_array((np.ones(count - 1), (np.arange(count - 1), first)), (count - 1, count))
    mdp = FiniteMDP(
        tuple(range(count)),
        sparse.csr_array(sparse.vstack([away, back])),
        np.ones((count, 1)),
        np.eye(1, count)[0],
    )
    assert abs((away @ np.ones(count))[0] - 1) > 1e-12
    assert not mdp.termination.any()
