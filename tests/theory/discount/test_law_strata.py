"""Strata of classes with options: a closed form, the deterministic method, and a dense scan."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from tests.theory.solving.test_laws import built, classes
from theory import (
    closed_under_equivalence,
    exchange_holds,
    explicit,
    gallery_class,
    mdp_class,
    option,
    option_class,
    solve,
)
from theory.discount import law_strata
from theory.discount.discount_strata import find_strata
from theory.discount.policy_value_functions import StrataTooLargeError

HALF = Fraction(1, 2)


def test_a_loop_that_may_end_is_worth_a_chain_at_one_irrational_discount():
    """2 / (2 - gamma) = 1 + gamma / 4 + gamma^2, that is 4 gamma^2 - 7 gamma + 2 = 0, whose other root is above 1."""
    loop, chain = option(1, {0: HALF, 3: HALF}, 3), option(1, {1: 1}, 3)
    others = [[option(Fraction(1, 4), {2: 1}, 3)], [option(1, {3: 1}, 3)]]
    models = [[0, 0, 0], [1, 0, 0]]
    problem = mdp_class(option_class(3, 1, [[loop, chain], *others], models), [[0]] * 3, HALF)
    before, point, after = find_strata(problem).strata
    assert point.lower.coefficients == (4, -7, 2)
    assert point.lower.closed_form == "7/8 - sqrt(17)/8"
    assert point.sample is None
    assert [s.value_functions for s in (before, point, after)] == [2, 1, 2]
    assert [s.value_vectors for s in (before, point, after)] == [2, 1, 2]
    assert [s.part3_functional for s in (before, point, after)] == [True, True, True]
    assert "consistent transitions" in point.changes


def as_options(problem):
    options = [problem.options_at(pair) for pair in range(problem.transitions.pairs)]
    models = problem.transitions.models(0, problem.transitions.size).tolist()
    found = option_class(problem.states, problem.actions, options, models)
    return replace(problem, transitions=found)


def told(report):
    """Everything of the strata but the samples, and the intervals in which roots are isolated."""
    answers = ("part1", "strict", "part3_functional", "part3_realizable")
    counts = ("kind", "value_functions", "value_vectors", *answers, "changes")
    return [
        (s.lower.coefficients, s.upper.coefficients, *(getattr(s, name) for name in counts))
        for s in report.strata
    ]


@given(oracle.classes(max_states=2, max_models=4, gamma=st.just(HALF)))
@settings(deadline=None, max_examples=12)
def test_where_options_are_successors_the_strata_are_those_of_the_deterministic_method(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    assert told(find_strata(as_options(problem))) == told(find_strata(problem))


def test_the_golden_section_is_found_by_laws_too():
    problem = gallery_class("golden-discount")
    assert told(find_strata(as_options(problem))) == told(find_strata(problem))


@given(classes(most=2), st.integers(2, 40))
@settings(deadline=None, max_examples=12)
def test_every_discount_is_as_the_stratum_says_that_it_is_in(drawn, denominator):
    problem = built(*drawn)
    strata = find_strata(problem).strata
    assert (strata[0].lower.approximation, strata[-1].upper.approximation) == (0, 1)
    assert all(strata[i].changes or strata[i + 1].changes for i in range(1, len(strata), 2))
    samples = {Fraction(i, denominator) for i in range(1, denominator, max(1, denominator // 6))}
    for gamma in samples | {Fraction(s.sample) for s in strata if s.sample}:
        [here] = [s for s in strata if holds(s, gamma)]
        solved = solve(replace(problem, gamma=gamma))
        assert (here.value_functions, here.value_vectors) == (
            solved.value_functions,
            solved.value_vectors,
        )
        assert here.part3_functional == closed_under_equivalence(solved)
        assert here.part3_realizable == exchange_holds(solved)


def holds(stratum, gamma):
    """Whether a rational gamma is in a stratum; an irrational end's interval is narrower than any distance here."""
    lower, upper = Fraction(stratum.lower.upper), Fraction(stratum.upper.lower)
    if stratum.kind == "point":
        return stratum.lower.lower == stratum.lower.upper and lower == gamma
    return lower < gamma < upper


def test_the_smallest_gap_with_unknown_rewards_is_there_at_two_discounts_alone():
    strata = find_strata(gallery_class("unknown-rewards-and-ways")).strata
    proper = [s.sample for s in strata if s.strict]
    assert proper == ["1/4", "1/2"]
    assert all(s.kind == "point" for s in strata if s.strict)


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MAX_MODELS", 10, "the class has 16 models with laws"),
        ("MAX_BACKUPS", 10, "the class has 15 distinct q and 20 options at gamma = 1/2"),
        ("MAX_SOLVED", 1, "gamma has more than 1 candidates"),
    ],
)
def test_what_would_take_too_long_is_refused_in_a_line(monkeypatch, limit, value, said):
    monkeypatch.setattr(law_strata, limit, value)
    with pytest.raises(StrataTooLargeError, match=said):
        find_strata(gallery_class("noisy-factors"))
