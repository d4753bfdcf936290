"""Replay against the empirical MDP, in Fractions."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import (
    Bootstrap,
    Dataset,
    EmpiricalMDP,
    Transition,
    certainty_equivalence,
    exact_table,
    expected_replay,
    q_iteration_sweep,
    q_learning_replay,
    value_iteration_sweep,
)
from tests.tabular.datasets import STEP_SIZES, built, exact_certainty_equivalence, problems

HALF = Fraction(1, 2)


def distance(left, right):
    return abs(left - right).max()


@given(problems())
def test_q_iteration_on_the_data_is_value_iteration_in_the_empirical_mdp_at_every_sweep(drawn):
    dataset, replayed, bootstrap = built(drawn)
    model, planned = EmpiricalMDP.from_dataset(dataset), replayed
    for _ in range(4):
        replayed = q_iteration_sweep(dataset, replayed, bootstrap)
        planned = value_iteration_sweep(model, planned, bootstrap)
        assert replayed.tolist() == planned.tolist()
    assert all(isinstance(value, Fraction) for value in replayed.flat)


def test_without_discounting_an_episode_is_worth_the_sum_of_its_rewards():
    steps = (Transition(0, 0, -1, 1), Transition(1, 0, -1, 2), Transition(2, 0, -1, None))
    dataset, table = Dataset(3, 1, steps), exact_table(3, 1)
    model, planned = EmpiricalMDP.from_dataset(dataset), table
    for _ in range(3):
        table = q_iteration_sweep(dataset, table, Bootstrap(1))
        planned = value_iteration_sweep(model, planned, Bootstrap(1))
        assert table.tolist() == planned.tolist()
    assert table.tolist() == [[-3], [-2], [-1]]


@given(problems())
@settings(max_examples=40)
def test_in_floats_both_agree_up_to_rounding_and_come_near_certainty_equivalence(drawn):
    dataset, table, bootstrap = built(drawn)
    model, replayed = EmpiricalMDP.from_dataset(dataset), table.astype(float)
    solved = certainty_equivalence(model, table, bootstrap)
    start, sweeps = distance(replayed, solved), 40
    for _ in range(sweeps):
        planned = value_iteration_sweep(model, replayed, bootstrap)
        replayed = q_iteration_sweep(dataset, replayed, bootstrap)
        np.testing.assert_allclose(replayed, planned, atol=1e-12)
    assert replayed.dtype == planned.dtype == float
    assert distance(replayed, solved) <= float(bootstrap.discount) ** sweeps * start + 1e-9


@given(problems())
@settings(max_examples=40)
def test_a_sweep_contracts_to_the_certainty_equivalent_values(drawn):
    dataset, table, bootstrap = built(drawn)
    solved = exact_certainty_equivalence(dataset, table, bootstrap)
    assert q_iteration_sweep(dataset, solved, bootstrap).tolist() == solved.tolist()
    swept = q_iteration_sweep(dataset, table, bootstrap)
    assert distance(swept, solved) <= bootstrap.discount * distance(table, solved)


@given(problems(), st.randoms(use_true_random=False))
def test_a_pass_with_frozen_targets_and_steps_of_one_over_k_is_a_sweep_in_any_order(drawn, random):
    dataset, table, bootstrap = built(drawn)
    order = list(range(len(dataset)))
    random.shuffle(order)
    passed = q_learning_replay(dataset, order, table, bootstrap, frozen=table)
    assert passed.tolist() == q_iteration_sweep(dataset, table, bootstrap).tolist()


@given(
    problems(deterministic=True),
    st.none() | STEP_SIZES,
    st.randoms(use_true_random=False),
)
def test_where_transitions_agree_each_pass_of_replay_comes_nearer_to_certainty_equivalence(
    drawn, step_size, random
):
    dataset, table, bootstrap = built(drawn)
    solved = exact_certainty_equivalence(dataset, table, bootstrap)
    shrinks = 1 - (step_size or 1) * (1 - bootstrap.discount)
    for _ in range(3):
        order = list(range(len(dataset)))
        random.shuffle(order)
        passed = q_learning_replay(dataset, order, table, bootstrap, step_size=step_size)
        assert distance(passed, solved) <= shrinks * distance(table, solved)
        table = passed


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=6), st.integers(1, 3))
def test_an_episode_replayed_backwards_once_gives_the_certainty_equivalent_values_exactly(
    rewards, copies
):
    last = len(rewards) - 1
    chain = [Transition(s, 0, r, None if s == last else s + 1) for s, r in enumerate(rewards)]
    dataset = Dataset(len(rewards), 1, tuple(chain * copies))
    backwards = sorted(range(len(dataset)), key=lambda i: -dataset.transitions[i].state)
    table, bootstrap = exact_table(len(rewards), 1, 7), Bootstrap(HALF)
    solved = exact_certainty_equivalence(dataset, table, bootstrap)
    once = q_learning_replay(dataset, backwards, table, bootstrap)
    assert once.tolist() == solved.tolist()
    forwards = table
    for _ in rewards:
        forwards = q_learning_replay(dataset, range(len(dataset)), forwards, bootstrap)
    assert forwards.tolist() == solved.tolist()


@pytest.fixture
def coin():
    """Two transitions of one pair that disagree: the episode ends with 0, or with 1."""
    return Dataset(1, 1, (Transition(0, 0, 0, None), Transition(0, 0, 1, None)))


def test_with_a_constant_step_size_the_order_decides_where_replay_of_noisy_data_ends(coin):
    table, bootstrap = exact_table(1, 1), Bootstrap(HALF)
    for order, limit in [((0, 1), Fraction(2, 3)), ((1, 0), Fraction(1, 3))]:
        at_limit = exact_table(1, 1, limit)
        passed = q_learning_replay(coin, order, at_limit, bootstrap, step_size=HALF)
        assert passed.tolist() == at_limit.tolist()  # the pass ends where it began
        far = q_learning_replay(coin, order, table, bootstrap, step_size=HALF)
        assert distance(far, at_limit) == distance(table, at_limit) / 4
    assert certainty_equivalence(EmpiricalMDP.from_dataset(coin), table, bootstrap) == HALF


def test_without_freezing_a_pass_over_noisy_data_leaves_the_certainty_equivalent_values(coin):
    noisy_then_before = (coin.transitions[0], Transition(1, 0, 0, 0), coin.transitions[1])
    dataset, bootstrap = Dataset(2, 1, noisy_then_before), Bootstrap(HALF)
    solved = exact_certainty_equivalence(dataset, exact_table(2, 1), bootstrap)
    assert solved.tolist() == [[HALF], [Fraction(1, 4)]]
    passed = q_learning_replay(dataset, range(3), solved, bootstrap)
    assert passed.tolist() == [[HALF], [0]]
    frozen = q_learning_replay(dataset, range(3), solved, bootstrap, frozen=solved)
    assert frozen.tolist() == solved.tolist()


def test_an_episode_replayed_forwards_needs_a_pass_for_each_step():
    steps = (Transition(0, 0, 0, 1), Transition(1, 0, 0, 2), Transition(2, 0, 8, None))
    dataset, table, passes = Dataset(3, 1, steps), exact_table(3, 1), []
    for _ in range(3):
        table = q_learning_replay(dataset, range(3), table, Bootstrap(HALF), step_size=1)
        passes.append(table.ravel().tolist())
    assert passes == [[0, 0, 8], [0, 4, 8], [2, 4, 8]]


def test_one_update_moves_the_share_of_the_way_to_its_target():
    dataset = Dataset(2, 2, (Transition(0, 0, 1, 1), Transition(1, 1, 3, None)))
    table = np.array([[0, 0], [4, 8]], dtype=object)
    moved = q_learning_replay(dataset, [0], table, Bootstrap(HALF), step_size=HALF)
    assert moved.tolist() == [[Fraction(5, 2), 0], [4, 8]]
    assert table[0, 0] == 0  # what is given is left as it is


def test_an_unvisited_pair_takes_part_in_the_maximum_or_does_not():
    dataset = Dataset(2, 2, (Transition(0, 0, 1, 1), Transition(1, 1, 3, None)))
    table = np.array([[0, 0], [100, 8]], dtype=object)
    for include, expected in [(True, 51), (False, 5)]:
        bootstrap = Bootstrap(HALF, include_unvisited=include)
        assert q_learning_replay(dataset, [0], table, bootstrap)[0, 0] == expected


@pytest.mark.parametrize("step_size", [0, -0.5, Fraction(3, 2), float("nan")])
def test_a_step_size_out_of_range_is_refused(coin, step_size):
    with pytest.raises(
        ValueError, match=f"^step_size must be above 0 and at most 1, got {step_size}$"
    ):
        q_learning_replay(coin, [0], exact_table(1, 1), Bootstrap(HALF), step_size=step_size)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_order_that_names_no_transition_is_refused(coin, index):
    with pytest.raises(ValueError, match=f"^order must name transitions 0 to 1, got {index}$"):
        q_learning_replay(coin, [index], exact_table(1, 1), Bootstrap(HALF))


def test_a_table_of_integers_is_refused_since_it_would_cut_values_off(coin):
    for sweep in (q_iteration_sweep, partial(q_learning_replay, order=[0])):
        with pytest.raises(ValueError, match=r"^values must be floats, .*, got int64$"):
            sweep(coin, values=np.zeros((1, 1), dtype=int), bootstrap=Bootstrap(HALF))


def test_a_table_of_another_shape_is_refused(coin):
    with pytest.raises(ValueError, match=r"^values must have the shape \(1, 1\), got \(2, 1\)$"):
        q_iteration_sweep(coin, exact_table(2, 1), Bootstrap(HALF))


def test_a_frozen_table_is_checked_as_well(coin):
    frozen = np.zeros((1, 1), dtype=int)
    with pytest.raises(ValueError, match=r"^values must be floats, .*, got int64$"):
        q_learning_replay(coin, [0], exact_table(1, 1), Bootstrap(HALF), frozen=frozen)


def test_probabilities_for_other_than_the_stored_transitions_are_refused(coin):
    with pytest.raises(
        ValueError, match=r"^there must be a probability for each of 2 trans.*got 1"
    ):
        expected_replay(coin, [1], exact_table(1, 1), Bootstrap(HALF), step_size=HALF)


@pytest.mark.parametrize("probability", [-1, 2, float("nan")])
def test_probabilities_out_of_range_are_refused(coin, probability):
    with pytest.raises(ValueError, match=r"^probabilities must be 0 to 1, got"):
        expected_replay(coin, [probability, 0], exact_table(1, 1), Bootstrap(HALF), step_size=HALF)


def test_exact_probabilities_do_for_a_table_of_floats(coin):
    exact, rounded = (
        expected_replay(coin, [HALF, HALF], table, Bootstrap(HALF), step_size=HALF)
        for table in (exact_table(1, 1), np.zeros((1, 1)))
    )
    assert rounded.dtype == float
    assert rounded.tolist() == [[float(exact[0, 0])]]
