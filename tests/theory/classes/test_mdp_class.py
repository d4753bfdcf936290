"""Rewards, discounts and names of a class, and the zero-sum test of gamma = 1."""

import re
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import cost_rewards, exact, explicit, mdp_class, sparse_rewards, tabular
from theory.classes.mdp_class import zero_sum_choice


@given(st.integers(), st.integers(1, 10**6))
def test_integers_fractions_and_quotients_keep_their_value(p, q):
    assert exact(p) == p
    assert exact(Fraction(p, q)) == exact(f"{p}/{q}") == Fraction(p, q)


@given(st.decimals(-(10**9), 10**9, allow_nan=False))
@example(Decimal("0.9"))
@example(Decimal("1E-7"))
def test_a_decimal_string_means_the_decimal(number):
    assert exact(str(number)) == Fraction(*number.as_integer_ratio())


@pytest.mark.parametrize(("number", "size"), [("1e100", "large"), ("-2.5E-100", "small")])
def test_an_exponent_that_is_not_written_out_is_refused_as_what_it_is(number, size):
    assert exact("1e99", "a reward") == 10**99
    with pytest.raises(
        ValueError, match=rf"^a reward is '{number}', too {size}; accepted: exponents"
    ):
        exact(number, "a reward")


@pytest.mark.parametrize(
    "number",
    [
        *("", "a", "1/0", "1/00", "1//2", "0.9/2", "--1", " 1", "1\n", "1_0", "nan", "inf", "0x1"),
        *("9" * 201, 0.9, float("nan"), True, None, [], {}, 1j, Decimal("0.9")),
    ],
)
def test_what_is_no_exact_number_is_refused_in_one_line(number):
    with pytest.raises(ValueError, match=r"^a reward is .*; accepted: an integer") as refused:
        exact(number, "a reward")
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 150


def test_sparse_rewards_are_one_for_the_last_action_of_the_last_state():
    assert sparse_rewards(2, 3) == ((0, 0, 0), (0, 0, 1))
    assert cost_rewards(2, 1) == ((-1,), (-1,))


@given(oracle.tables(4, 2, oracle.small_fractions))
@settings(deadline=None)
def test_a_choice_that_sums_to_zero_is_found_exactly_if_there_is_one(rewards):
    sums = [
        [r for r in chosen if r is not None]
        for chosen in product(*((*row, None) for row in rewards))
    ]
    exists = any(chosen and sum(chosen) == 0 for chosen in sums)
    choice = zero_sum_choice(rewards)
    assert (choice is not None) == exists
    if choice is not None:
        assert choice
        assert sum(rewards[s][a] for s, a in choice.items()) == 0


def test_no_choice_of_negative_rewards_sums_to_zero():
    assert zero_sum_choice(cost_rewards(30, 3)) is None
    assert zero_sum_choice(((Fraction(-1), Fraction(0)),)) == {0: 1}


def test_names_default_to_numbers():
    named = mdp_class(
        tabular(1, 2), [[0, 1]], "0.9", state_names=["home"], action_names=["go", "stay"]
    )
    plain = mdp_class(tabular(1, 2), [[0, 1]], "0.9")
    assert named.gamma == Fraction(9, 10)
    assert [named.state_name(s) for s in (0, 1)] == ["home", "t"]
    assert [plain.state_name(s) for s in (0, 1)] == ["0", "t"]
    assert [named.action_name(a) for a in (0, 1)] == ["go", "stay"]
    assert [plain.action_name(a) for a in (0, 1)] == ["a0", "a1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": 0}, "gamma is 0; accepted: a rational number in (0, 1]"),
        ({"gamma": "11/10"}, "gamma is 11/10; accepted"),
        ({"gamma": "-1/2"}, "gamma is -1/2; accepted"),
        ({"gamma": 0.5}, "gamma is 0.5; accepted: an integer"),
        ({"rewards": [[0]]}, "rewards is not a table of 2 states by 1 actions"),
        ({"rewards": [[0], [0, 0]]}, "rewards is not a table"),
        ({"rewards": [[0], [float("nan")]]}, "a reward is nan"),
        ({"state_names": ["a"]}, "state_names is ['a']; accepted: 2 distinct names"),
        ({"state_names": ["a", "a"]}, "state_names is ['a', 'a']; accepted: 2 distinct names"),
        ({"action_names": ["x", "y"]}, "action_names is ['x', 'y']; accepted: 1 distinct names"),
    ],
)
def test_what_does_not_fit_the_class_is_refused(arguments, message):
    fitting = {"rewards": [[0], [1]], "gamma": "1/2"}
    with pytest.raises(ValueError, match=re.escape(message)):
        mdp_class(explicit([[[0], [1]]]), **fitting | arguments)
