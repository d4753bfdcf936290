"""Planning in a table against replay, in Fractions."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from tabular import (
    Bootstrap,
    Dataset,
    EmpiricalMDP,
    Transition,
    certainty_equivalence,
    exact_table,
    expected_replay,
    imagined_transitions,
    sampled_planning,
    value_iteration_sweep,
)
from tests.tabular.datasets import STEP_SIZES, built, exact_certainty_equivalence, problems

HALF = Fraction(1, 2)


@pytest.fixture
def uneven():
    """Pair (0, 0) was seen three times, with different rewards; (1, 0) once."""
    steps = (Transition(0, 0, 0, 1), Transition(0, 0, 1, 1), Transition(0, 0, 2, None))
    return Dataset(2, 1, (*steps, Transition(1, 0, 4, None)))


def test_a_full_sweep_backs_up_the_expectation(uneven):
    table = np.array([[0], [3]], dtype=object)
    swept = value_iteration_sweep(EmpiricalMDP.from_dataset(uneven), table, Bootstrap(HALF))
    assert swept.tolist() == [[2], [4]]  # 1 + 1/2 (2/3 of 3)


@given(problems(), STEP_SIZES)
def test_drawing_pairs_by_count_is_in_expectation_replaying_a_stored_transition(drawn, step_size):
    dataset, table, bootstrap = built(drawn)
    imagined, probabilities = imagined_transitions(EmpiricalMDP.from_dataset(dataset))
    uniform = [Fraction(1, len(dataset)) for _ in dataset]
    replayed = expected_replay(dataset, uniform, table, bootstrap, step_size=step_size)
    planned = expected_replay(imagined, probabilities, table, bootstrap, step_size=step_size)
    assert planned.tolist() == replayed.tolist()


def test_drawing_pairs_uniformly_is_another_expectation(uneven):
    model = EmpiricalMDP.from_dataset(uneven)
    table, bootstrap = exact_table(2, 1), Bootstrap(HALF)
    in_proportion, uniform = (
        expected_replay(
            *imagined_transitions(model, by_count=by_count), table, bootstrap, step_size=1
        )
        for by_count in (True, False)
    )
    assert in_proportion.tolist() == [[Fraction(3, 4)], [1]]
    assert uniform.tolist() == [[HALF], [2]]


@given(problems(), STEP_SIZES)
def test_drawing_pairs_uniformly_rescales_the_expected_update_of_each(drawn, step_size):
    dataset, table, bootstrap = built(drawn)
    model = EmpiricalMDP.from_dataset(dataset)
    in_proportion, uniform = (
        expected_replay(
            *imagined_transitions(model, by_count=by_count), table, bootstrap, step_size=step_size
        )
        - table
        for by_count in (True, False)
    )
    by_hand = len(dataset) * in_proportion
    assert (model.visited.sum() * model.counts * uniform).tolist() == by_hand.tolist()


@given(problems())
@settings(max_examples=40)
def test_however_pairs_are_drawn_no_update_is_expected_at_the_certainty_equivalent_values(drawn):
    dataset, table, bootstrap = built(drawn)
    model = EmpiricalMDP.from_dataset(dataset)
    solved = exact_certainty_equivalence(dataset, table, bootstrap)
    for by_count in (True, False):
        law = imagined_transitions(model, by_count=by_count)
        assert expected_replay(*law, solved, bootstrap, step_size=HALF).tolist() == solved.tolist()


@given(problems())
def test_what_is_imagined_was_seen_and_is_as_likely_as_it_was_frequent(drawn):
    dataset, _, _ = built(drawn)
    model = EmpiricalMDP.from_dataset(dataset)
    seen = Counter((*transition.pair, transition.next_state) for transition in dataset)
    pairs = Counter(transition.pair for transition in dataset)
    for by_count in (True, False):
        imagined, probabilities = imagined_transitions(model, by_count=by_count)
        assert sum(probabilities) == 1
        law = {
            (*transition.pair, transition.next_state): probability
            for transition, probability in zip(imagined, probabilities, strict=True)
        }
        assert law == {
            (state, action, following): Fraction(count, len(dataset))
            if by_count
            else Fraction(count, pairs[state, action] * len(pairs))
            for (state, action, following), count in seen.items()
        }


def test_sampled_planning_draws_with_the_imagined_probabilities(uneven):
    model, bootstrap = EmpiricalMDP.from_dataset(uneven), Bootstrap(HALF)
    table, runs = exact_table(2, 1), 4000
    generator = np.random.default_rng(0)
    for by_count in (True, False):
        expected = expected_replay(
            *imagined_transitions(model, by_count=by_count), table, bootstrap, step_size=1
        )
        total = sum(
            sampled_planning(
                model,
                table,
                bootstrap,
                updates=1,
                step_size=1,
                generator=generator,
                by_count=by_count,
            )
            for _ in range(runs)
        )
        # an entry's standard deviation is at most 2, its mean's 0.032
        np.testing.assert_allclose((total / runs).astype(float), expected.astype(float), atol=0.15)


def test_sampled_planning_finds_the_certainty_equivalent_values_of_a_deterministic_chain():
    chain = [Transition(0, 0, -1, 1), Transition(1, 0, -1, 2), Transition(2, 0, 8, None)]
    model = EmpiricalMDP.from_dataset(Dataset(3, 1, tuple(chain)))
    bootstrap, table = Bootstrap(HALF), exact_table(3, 1)
    planned = sampled_planning(
        model, table, bootstrap, updates=60, step_size=1, generator=np.random.default_rng(1)
    )
    assert planned.tolist() == [[HALF], [3], [8]]
    assert certainty_equivalence(model, table, bootstrap).tolist() == [[0.5], [3.0], [8.0]]


def test_sampled_planning_is_a_function_of_its_generator(uneven):
    def planned(seed):
        return sampled_planning(
            EmpiricalMDP.from_dataset(uneven),
            exact_table(2, 1),
            Bootstrap(HALF),
            updates=5,
            step_size=Fraction(1, 3),
            generator=np.random.default_rng(seed),
        ).tolist()

    assert planned(0) == planned(0)
    assert len({str(planned(seed)) for seed in range(8)}) > 1


def test_no_updates_change_nothing_and_fewer_are_refused(uneven):
    model, table = EmpiricalMDP.from_dataset(uneven), exact_table(2, 1, 5)
    settings = {"step_size": HALF, "generator": np.random.default_rng(0)}
    same = sampled_planning(model, table, Bootstrap(HALF), updates=0, **settings)
    assert same.tolist() == table.tolist()
    with pytest.raises(ValueError, match=r"^updates must be at least 0, got -1$"):
        sampled_planning(model, table, Bootstrap(HALF), updates=-1, **settings)


@pytest.mark.parametrize("step_size", [0, -1, 2])
def test_a_step_size_out_of_range_is_refused(uneven, step_size):
    with pytest.raises(ValueError, match=f"^step_size must be .*, got {step_size}$"):
        sampled_planning(
            EmpiricalMDP.from_dataset(uneven),
            exact_table(2, 1),
            Bootstrap(HALF),
            updates=1,
            step_size=step_size,
            generator=np.random.default_rng(0),
        )


def test_a_table_of_integers_is_refused(uneven):
    with pytest.raises(ValueError, match=r"^values must be floats, or Fractions as objects"):
        value_iteration_sweep(
            EmpiricalMDP.from_dataset(uneven), np.zeros((2, 1), dtype=int), Bootstrap(HALF)
        )
