"""The values of all policies of all functional graphs against elimination in fractions."""

import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory.solving import lasso_table as module
from theory.solving.lasso_table import (
    INT64_MAX,
    TableTooLargeError,
    lasso_table,
    lasso_values,
    scale,
)


@st.composite
def rewards_and_gamma(draw, max_states=3):
    n, k = draw(st.integers(1, max_states)), draw(st.integers(1, 2))
    gamma = draw(oracle.gammas | oracle.extreme_gammas)
    return draw(oracle.tables(n, k, oracle.small_fractions)), gamma


def graphs(rewards):
    """Every graph of options, [(reward, successor) of each state], the last state's options fastest."""
    n = len(rewards)
    return product(*(list(product(sorted(set(row)), range(n + 1))) for row in rewards))


def check_values(rewards, gamma):
    values, s = lasso_values(rewards, gamma)
    every = list(graphs(rewards))
    assert len(values) == len(every)
    for row, options in zip(values, every, strict=True):
        gains, successors = zip(*options, strict=True)
        assert [Fraction(int(v), s.factor) for v in row] == oracle.policy_values(
            successors, gains, gamma
        )


@given(rewards_and_gamma(max_states=2))
@settings(deadline=None)
def test_each_graph_has_the_values_that_elimination_gives(problem):
    check_values(*problem)


@pytest.mark.parametrize("gamma", [Fraction(2, 3), Fraction(999, 1000)])
def test_loops_of_three_states_have_the_values_that_elimination_gives(gamma):
    check_values(
        ((Fraction(1, 2), Fraction(-2)), (Fraction(3),) * 2, (Fraction(-5, 3),) * 2), gamma
    )


@given(rewards_and_gamma())
@settings(deadline=None)
def test_ranks_have_the_order_of_the_values_and_zero_has_its_own(problem):
    values, _ = lasso_values(*problem)
    table = lasso_table(*problem)
    assert list(table.levels) == sorted({int(v) for v in values.reshape(-1)})
    assert np.array_equal(table.levels[table.ranks], values)
    assert table.levels[table.ranks[0, -1]] == 0


@given(rewards_and_gamma(), st.data())
@settings(deadline=None)
def test_choice_and_stride_address_the_graph_of_a_policy(problem, data):
    rewards, _ = problem
    n, k = len(rewards), len(rewards[0])
    table = lasso_table(*problem)
    policy = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    successors = data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    graph = sum(
        int(table.stride[s]) * (int(table.choice[s, a]) * (n + 1) + successors[s])
        for s, a in enumerate(policy)
    )
    expected = tuple((rewards[s][a], successors[s]) for s, a in enumerate(policy))
    assert list(graphs(rewards))[graph] == expected


def largest_reward_in_int64(gamma, states):
    low, high = 1, 2**63
    while high - low > 1:
        middle = (low + high) // 2
        fits = scale(((Fraction(middle),),) * states, gamma).fits_int64
        low, high = (middle, high) if fits else (low, middle)
    return low


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("gamma", [Fraction(1, 2), Fraction(9, 10), Fraction(11, 12)])
def test_python_integers_take_over_exactly_where_int64_could_overflow(gamma, sign):
    """Values grow in proportion to the reward, so the largest one shows whether a product has wrapped."""
    last = largest_reward_in_int64(gamma, 3)
    unit, s = lasso_values(((Fraction(1),),) * 3, gamma)
    for reward, dtype in ((last, np.dtype(np.int64)), (last + 1, np.dtype(object))):
        values, _ = lasso_values(((Fraction(sign * reward),),) * 3, gamma)
        assert values.dtype == dtype
        assert [int(v) for v in values.reshape(-1)] == [
            sign * reward * int(v) for v in unit.reshape(-1)
        ]
    # The bound is not idle: the largest value, reward / (1 - gamma), comes within half of it.
    assert last * s.factor / (1 - gamma) > INT64_MAX // 2


@pytest.mark.parametrize("gamma", [Fraction(1), Fraction(1, 1000), Fraction(999, 1000)])
def test_no_reward_at_all_is_worth_nothing_whatever_the_scale(gamma):
    zero = ((Fraction(0),),) * 3
    table = lasso_table(zero, gamma)
    infinite = [] if gamma < 1 else [-table.scale.infinity]
    assert list(table.levels) == [*infinite, 0]


@given(oracle.tables(3, 1, oracle.small_fractions))
@settings(deadline=None)
def test_without_discount_a_path_that_ends_has_its_sum_and_one_that_does_not_is_infinite(rewards):
    values, s = lasso_values(rewards, Fraction(1))
    for row, options in zip(values, graphs(rewards), strict=True):
        gains, successors = zip(*options, strict=True)
        for start in range(3):
            at, total, steps = start, Fraction(0), 0
            while at < 3 and steps < 3:
                total, at, steps = total + gains[at], successors[at], steps + 1
            if at == 3:
                assert Fraction(int(row[start]), s.factor) == total
                continue
            loop, x = [at], successors[at]
            while x != at:
                loop, x = [*loop, x], successors[x]
            positive = sum(gains[x] for x in loop) > 0
            assert row[start] == (s.infinity if positive else -s.infinity)


def test_undiscounted_sums_stay_below_the_infinity():
    large = Fraction(2**60)
    values, s = lasso_values(((large,), (large,)), Fraction(1))
    assert values.dtype == np.int64
    assert set(values.reshape(-1).tolist()) == {0, 2**60, 2**61, s.infinity}
    doubled, s = lasso_values(((2 * large,), (2 * large,)), Fraction(1))
    assert doubled.dtype == object
    assert set(doubled.reshape(-1)) == {0, 2**61, 2**62, s.infinity}


@pytest.mark.parametrize(("states", "entries"), [(9, "9.00e+9"), (200, "8.71e+462")])
def test_a_table_that_would_be_too_large_is_refused_with_its_size(states, entries):
    with pytest.raises(TableTooLargeError, match=re.escape(f"would have {entries} entries")):
        lasso_values(((Fraction(1),),) * states, Fraction(1, 2))


def test_the_limit_is_on_entries(monkeypatch):
    rewards = ((Fraction(0), Fraction(1)), (Fraction(0), Fraction(0)))
    assert module.table_entries(rewards) == 2 * (2 * 3) * (1 * 3)
    monkeypatch.setattr(module, "MAX_ENTRIES", 36)
    lasso_table(rewards, Fraction(1, 2))
    monkeypatch.setattr(module, "MAX_ENTRIES", 35)
    with pytest.raises(TableTooLargeError):
        lasso_table(rewards, Fraction(1, 2))


def test_a_value_off_its_bellman_equation_is_not_passed_on(monkeypatch):
    monkeypatch.setattr(module, "_cycle_values", lambda successor, reward, s: (reward, reward < 0))
    with pytest.raises(ArithmeticError, match="does not solve its Bellman equation"):
        lasso_table(((Fraction(1),),), Fraction(1, 2))
