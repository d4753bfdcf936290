"""Counts, the MDP that they make, and its solution."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from tabular import (
    Bootstrap,
    Dataset,
    EmpiricalMDP,
    FiniteMDP,
    OpenGrid,
    PanFlute,
    Transition,
    certainty_equivalence,
    exact_table,
)
from tabular.solvers import discounted
from tests.tabular.datasets import built, exact_certainty_equivalence, problems

HALF = Fraction(1, 2)


@pytest.fixture
def coin():
    """From state 0, action 0 went on once and ended once; action 1 was never tried."""
    return Dataset(2, 2, (Transition(0, 0, 1, 1), Transition(0, 0, 2, None)))


def test_a_visited_pair_has_the_shares_of_its_successors_and_the_mean_of_its_rewards(coin):
    model = EmpiricalMDP.from_dataset(coin)
    assert model.transitions[0, 0].tolist() == [0, HALF]
    assert model.rewards[0, 0] == Fraction(3, 2)
    assert model.counts.tolist() == [[2, 0], [0, 0]]
    assert model.visited.tolist() == coin.visited.tolist() == [[True, False], [False, False]]


def test_exact_rewards_stay_exact_and_floats_stay_floats(coin):
    assert isinstance(EmpiricalMDP.from_dataset(coin).rewards[0, 0], Fraction)
    floats = Dataset(1, 1, (Transition(0, 0, 0.1, None), Transition(0, 0, 0.2, None)))
    reward = EmpiricalMDP.from_dataset(floats).rewards[0, 0]
    assert isinstance(reward, float)
    assert reward == pytest.approx(0.15)


@given(problems())
def test_probabilities_are_shares_of_the_stored_transitions(drawn):
    dataset, _, _ = built(drawn)
    model = EmpiricalMDP.from_dataset(dataset)
    assert model.counts.sum() == len(dataset)
    for state, action in np.ndindex(model.counts.shape):
        own = [t for t in dataset if (t.state, t.action) == (state, action)]
        assert model.counts[state, action] == len(own)
        assert model.rewards[state, action] * len(own) == sum(t.reward for t in own)
        for successor in range(dataset.num_states):
            found = sum(t.next_state == successor for t in own)
            assert model.transitions[state, action, successor] * len(own) == found


@given(problems())
@settings(max_examples=60)
def test_certainty_equivalence_is_what_exact_policy_iteration_on_the_lists_finds(drawn):
    dataset, table, bootstrap = built(drawn)
    solved = certainty_equivalence(EmpiricalMDP.from_dataset(dataset), table, bootstrap)
    exact = exact_certainty_equivalence(dataset, table, bootstrap)
    np.testing.assert_allclose(solved, exact.astype(float), atol=1e-9)


def every_step(rule, copies=1):
    """The mdp of a rule, and a dataset with each outcome as often as its probability says."""
    mdp = FiniteMDP.from_rule(rule)
    transitions = [
        Transition(
            position,
            action,
            outcome.reward,
            None if outcome.next_state is None else mdp.states.index(outcome.next_state),
        )
        for position, state in enumerate(mdp.states)
        for action in range(rule.num_actions)
        for outcome in rule.outcomes(state, action)
        for _ in range(int(outcome.probability * copies))
    ]
    return mdp, Dataset(mdp.num_states, mdp.num_actions, tuple(transitions))


@pytest.mark.parametrize(
    ("rule", "copies"), [(OpenGrid(3, spontaneous=False), 1), (PanFlute(2), 4)], ids=str
)
def test_data_in_the_proportions_of_the_truth_make_the_true_mdp(rule, copies):
    mdp, dataset = every_step(rule, copies)
    model = EmpiricalMDP.from_dataset(dataset)
    true = mdp.transitions.toarray().reshape(model.transitions.shape)
    np.testing.assert_allclose(model.transitions.astype(float), true, atol=1e-15)
    bootstrap = Bootstrap(Fraction(9, 10))
    table = exact_table(mdp.num_states, mdp.num_actions)
    values = certainty_equivalence(model, table, bootstrap).max(axis=1)
    np.testing.assert_allclose(values, discounted.linear_program(mdp, 0.9).values, atol=1e-7)


def test_an_unvisited_pair_that_counts_is_worth_what_the_table_says(coin):
    values = certainty_equivalence(
        EmpiricalMDP.from_dataset(coin), exact_table(2, 2, 10), Bootstrap(HALF)
    )
    assert values.tolist() == [[4.0, 10.0], [10.0, 10.0]]  # 3/2 + 1/2 (1/2 of 10)


def test_a_state_with_no_visited_pair_is_worth_nothing_where_these_are_left_out(coin):
    values = certainty_equivalence(
        EmpiricalMDP.from_dataset(coin),
        exact_table(2, 2, 10),
        Bootstrap(HALF, include_unvisited=False),
    )
    assert values.tolist() == [[1.5, 10.0], [10.0, 10.0]]


def test_a_pair_that_is_left_out_does_not_hide_one_that_loses():
    loop = Dataset(1, 2, (Transition(0, 0, -1, 0),))
    values = certainty_equivalence(
        EmpiricalMDP.from_dataset(loop), exact_table(1, 2), Bootstrap(HALF, include_unvisited=False)
    )
    assert values.tolist() == [[-2.0, 0.0]]


@pytest.mark.parametrize(
    ("transition", "message"),
    [
        (Transition(3, 0, 0, 0), r"state must be 0 to 2, got 3 in Transition\(.*"),
        (Transition(-1, 0, 0, 0), r"state must be 0 to 2, got -1 in .*"),
        (Transition(0, 2, 0, 0), r"action must be 0 to 1, got 2 in .*"),
        (Transition(0, 0, 0, 3), r"next_state must be 0 to 2, got 3 in .*"),
        (Transition(0, 0, float("nan"), 0), r"reward must be a finite number, got nan in .*"),
    ],
)
def test_a_transition_out_of_range_is_refused_in_one_line(transition, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Dataset(3, 2, (Transition(0, 0, 0, 0), transition))


def test_empty_data_are_refused():
    with pytest.raises(ValueError, match=r"^a dataset needs at least one transition, got none$"):
        Dataset(2, 2, ())


@pytest.mark.parametrize("discount", [-0.1, Fraction(11, 10), float("nan")])
def test_a_discount_out_of_range_is_refused(discount):
    with pytest.raises(ValueError, match=f"^discount must be 0 to 1, got {discount}$"):
        Bootstrap(discount)


def test_certainty_equivalence_without_discounting_is_refused(coin):
    with pytest.raises(ValueError, match=r"^certainty equivalence needs a discount less than 1, "):
        certainty_equivalence(EmpiricalMDP.from_dataset(coin), exact_table(2, 2), Bootstrap(1))


def test_a_table_of_another_shape_is_refused(coin):
    with pytest.raises(ValueError, match=r"^values must have the shape \(2, 2\), got \(2, 3\)$"):
        certainty_equivalence(EmpiricalMDP.from_dataset(coin), np.zeros((2, 3)), Bootstrap(HALF))
