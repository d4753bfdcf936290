"""Counting the tabular class by value vectors, against solving every model."""

from collections import Counter
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import census, cost_rewards, mdp_class, named_rewards, solve, sparse_rewards, tabular
from theory import value_fibers as all_fibers
from theory.criteria import fiber_census as module


@st.composite
def reward_tables(draw):
    n, k = draw(st.sampled_from([(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)]))
    return draw(oracle.tables(n, k, oracle.small_fractions))


@given(reward_tables(), oracle.gammas | oracle.extreme_gammas)
@example(((Fraction(0),),) * 3, Fraction(999, 1000))
@settings(deadline=None, max_examples=50)
def test_each_value_vector_has_the_models_and_the_q_that_solving_every_model_finds(rewards, gamma):
    n, k = len(rewards), len(rewards[0])
    q_of = [oracle.best_of_all_policies(m, rewards, gamma) for m in oracle.all_models(n, k)]
    vector = {q: tuple(map(max, q)) for q in q_of}
    models = Counter(vector[q] for q in q_of)
    functions = Counter(vector.values())

    fibers = all_fibers(rewards, gamma)
    vectors = [tuple(Fraction(int(v), fibers.scale.factor) for v in row) for row in fibers.vectors]
    assert vectors == sorted(models)
    assert fibers.models.tolist() == [models[v] for v in vectors]
    assert fibers.value_functions.tolist() == [functions[v] for v in vectors]

    counts = census(rewards, gamma)
    assert (counts.states, counts.actions, counts.gamma) == (n, k, str(gamma))
    assert counts.complete
    assert counts.models == counts.counted == len(q_of)
    assert counts.value_vectors == len(models)
    assert counts.value_functions == len(vector)
    assert counts.largest_fiber == max(models.values())


@pytest.mark.parametrize(
    ("states", "actions", "rewards", "models", "value_functions"),
    [
        (3, 2, "sparse", 4_096, 1_439),
        (3, 2, "cost", 4_096, 1_318),
        (3, 2, "generic", 4_096, 4_089),
        (4, 2, "sparse", 390_625, 72_709),
        (4, 3, "sparse", 244_140_625, 40_206_839),
    ],
)
def test_the_counts_of_the_tabular_classes(states, actions, rewards, models, value_functions):
    counts = census(named_rewards(rewards, states, actions), Fraction(9, 10))
    assert (counts.models, counts.counted) == (models, models)
    assert counts.value_functions == value_functions
    if (states, rewards) == (4, "sparse"):
        assert counts.value_vectors == 101


@pytest.mark.parametrize("gamma", [Fraction(1, 3), Fraction(9, 10), Fraction(999, 1000)])
@pytest.mark.parametrize("rewards", [sparse_rewards(3, 2), cost_rewards(3, 2)])
def test_the_census_counts_what_the_enumeration_finds(rewards, gamma):
    solved = solve(mdp_class(tabular(3, 2), rewards, gamma))
    counts = census(rewards, gamma)
    assert counts.complete
    assert counts.value_functions == solved.value_functions
    assert counts.value_vectors == solved.value_vectors
    sizes = np.unique(solved.ranks, axis=0, return_counts=True)[1]
    assert counts.largest_fiber == sizes.max()


def test_counts_past_int64_are_python_integers_and_still_complete():
    """4 x 8 has 5^32 = 2.3e22 models; with one state, k actions and rewards -1 the answer is a closed form."""
    fibers = all_fibers(cost_rewards(4, 8), Fraction(9, 10))
    assert fibers.models.dtype == object
    assert all(type(size) is int for size in fibers.models)
    assert sum(fibers.models) == 5**32
    assert census(cost_rewards(4, 8), Fraction(9, 10)).complete

    k = 80
    counts = census(cost_rewards(1, k), Fraction(1, 2))
    # Every action loops, V = -2; or some action ends it, V = -1, and each other one loops or ends it too.
    assert counts.models == counts.counted == 2**k
    assert counts.largest_fiber == 2**k - 1
    assert counts.value_vectors == 2
    assert counts.value_functions == 1 + (2**k - 1)


def test_python_integers_count_as_int64_does():
    rewards, gamma = named_rewards("generic", 3, 2), Fraction(9, 10)
    fast = all_fibers(rewards, gamma)
    huge = tuple(tuple(r * 10**30 for r in row) for row in rewards)
    exact = all_fibers(huge, gamma)
    assert (fast.vectors.dtype, exact.vectors.dtype) == (np.int64, object)
    # Values grow in proportion to the rewards, so nothing else may change.
    assert [[int(v) * 10**30 for v in row] for row in fast.vectors] == exact.vectors.tolist()
    assert np.array_equal(fast.models, exact.models)
    assert np.array_equal(fast.value_functions, exact.value_functions)


def test_batches_change_nothing(monkeypatch):
    rewards, gamma = cost_rewards(3, 2), Fraction(9, 10)
    whole = all_fibers(rewards, gamma)
    monkeypatch.setattr(module, "BATCH", 5)
    told = []
    parts = all_fibers(rewards, gamma, told.append)
    assert np.array_equal(whole.vectors, parts.vectors)
    assert np.array_equal(whole.models, parts.models)
    assert told == sorted(told)
    assert told[-1] == 1


def test_without_reward_all_models_share_one_value():
    counts = census(((Fraction(0),) * 2,) * 3, Fraction(1, 2))
    assert (counts.value_vectors, counts.value_functions) == (1, 1)
    assert counts.largest_fiber == counts.models == prod([4] * 6)


def test_an_incomplete_count_would_show():
    counts = census(sparse_rewards(2, 1), Fraction(1, 2))
    assert counts.complete
    assert not module.Census(**{**vars(counts), "counted": counts.counted - 1}).complete


@pytest.mark.parametrize("gamma", [Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(2)])
def test_a_discount_outside_the_open_interval_is_refused(gamma):
    with pytest.raises(
        ValueError, match=rf"^gamma is {gamma}; accepted by the census: .*\(0, 1\)$"
    ):
        census(sparse_rewards(2, 1), gamma)


@pytest.mark.parametrize(("states", "entries"), [(9, "4.61e+12"), (200, "1.40e+523")])
def test_too_many_policies_are_refused_with_their_number(states, entries):
    rewards = ((Fraction(0), Fraction(1)),) * states
    with pytest.raises(
        ValueError, match=r"^the table of all policies' values would have"
    ) as refused:
        census(rewards, Fraction(1, 2))
    assert f"would have {entries} entries" in str(refused.value)
