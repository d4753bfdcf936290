"""The strata of gamma against closed forms, a dense scan in fractions, and evaluation to 50 digits."""

import dataclasses
import functools
import json
import re
import subprocess
import sys
from fractions import Fraction
from itertools import combinations, pairwise, product
from pathlib import Path

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    check_class,
    explicit,
    gallery_class,
    mdp_class,
    sparse_rewards,
    tabular,
)
from theory.discount import discount_strata, policy_value_functions
from theory.discount.discount_strata import find_strata
from theory.discount.policy_value_functions import StrataTooLargeError

GAMMA = sympy.Symbol("gamma")
ROOT = Path(__file__).parents[3]


# In T0, V(0) = 1 / (1 - gamma); in T1, V(0) = 1 + gamma V(1). They have the same q exactly where both
# are equal, since 1 leads to the same value in both. State `zero` has the terminal state's value.
def two_models(second_reward, third_reward):
    zero, end = 3, 4
    return mdp_class(
        explicit([[[0], [2], [end], [end]], [[1], [2], [zero], [end]]]),
        [[1], [second_reward], [third_reward], [0]],
        "9/10",
    )


def test_two_models_with_the_same_q_at_the_golden_ratio_alone_satisfy_part_3_only_there():
    # 1 / (1 - gamma) = 1 + gamma (2 + gamma), that is gamma^2 + gamma - 1 = 0
    before, golden, after = find_strata(two_models(2, 1)).strata
    assert [s.kind for s in (before, golden, after)] == ["interval", "point", "interval"]
    assert golden.lower == golden.upper == before.upper == after.lower
    assert golden.lower.minimal_polynomial == "gamma**2 + gamma - 1"
    assert golden.lower.coefficients == (1, 1, -1)
    assert golden.lower.closed_form == "-1/2 + sqrt(5)/2"
    assert golden.lower.approximation == pytest.approx((5**0.5 - 1) / 2, rel=1e-15)
    assert golden.sample is None
    assert [s.value_functions for s in (before, golden, after)] == [2, 1, 2]
    assert [s.value_vectors for s in (before, golden, after)] == [2, 1, 2]
    assert [s.part3_realizable for s in (before, golden, after)] == [False, True, False]
    assert [s.strict for s in (before, golden, after)] == [True, False, True]
    assert not any(s.part3_functional for s in (before, golden, after))
    assert all(s.part1 for s in (before, golden, after))
    assert before.changes == ()
    assert set(golden.changes) == {
        "value functions",
        "value vectors",
        "consistent transitions",
        "answers",
    }


def test_a_rational_breakpoint_is_named_as_a_fraction():
    # 1 / (1 - gamma) = 1 + gamma (1 + 2 gamma), that is 2 gamma^2 - gamma = 0
    before, half, after = find_strata(two_models(1, 2)).strata
    assert (half.lower.lower, half.lower.upper, half.lower.closed_form) == ("1/2", "1/2", "1/2")
    assert half.sample == "1/2"
    assert (before.sample, after.sample) != ("1/2", "1/2")
    assert [s.value_functions for s in (before, half, after)] == [2, 1, 2]


def test_a_breakpoint_of_degree_three_has_a_polynomial_and_no_closed_form():
    end = 5
    problem = mdp_class(
        explicit([[[0], [2], [3], [end], [end]], [[1], [2], [3], [4], [end]]]),
        [[1], [2], [1], [1], [0]],
        "1/2",
    )
    # 1 / (1 - gamma) = 1 + gamma (2 + gamma + gamma^2), that is gamma^3 + gamma - 1 = 0
    (point,) = find_strata(problem).breakpoints
    assert point.minimal_polynomial == "gamma**3 + gamma - 1"
    assert point.closed_form is None
    assert point.approximation == pytest.approx(0.6823278038280193, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "value_functions", "value_vectors"),
    [
        ("smallest-witness", 2, 2),
        ("smallest-decision", 2, 2),
        ("tabular-2x2-sparse", 49, 5),
        ("tabular-3x2-sparse", 1439, 19),
        ("tabular-3x2-cost", 1318, 26),
        ("push-tree", 28, 4),
        ("push-tree-independent", 119, 13),
        ("push-tree-tabular", 4766, 26),
    ],
)
def test_classes_with_one_reward_at_most_have_the_same_structure_for_every_gamma(
    name, value_functions, value_vectors
):
    problem = gallery_class(name)
    (only,) = find_strata(problem).strata
    assert (only.lower.lower, only.upper.upper, only.kind) == ("0", "1", "interval")
    assert (only.value_functions, only.value_vectors) == (value_functions, value_vectors)
    report = check_class(problem, "realizable")
    assert only.part3_functional == report.part3_functional
    assert only.part3_realizable == report.part3_realizable


REWARDS = {
    "generic": [[3, -2], [1, -5]],
    "stairs": [[1, 2], [2, 3]],
    "fractions": [["1/2", 1], ["-3/2", "1/3"]],
    "line": [[3], [1], [-4]],
}


def tabular_problem(name, gamma="1/2"):
    rewards = REWARDS[name]
    return mdp_class(tabular(len(rewards), len(rewards[0])), rewards, gamma, name=name)


@functools.cache
def tabular_report(name):
    return find_strata(tabular_problem(name))


def stratum_at(report, gamma):
    """The stratum that holds a rational gamma, by the sign of the minimal polynomial of each end."""
    for stratum in report.strata:
        inside = not below(stratum.lower, gamma) and not above(stratum.upper, gamma)
        at_end = gamma in (exact(stratum.lower), exact(stratum.upper))
        if inside and (not at_end or stratum.kind == "point"):
            return stratum
    raise AssertionError(f"no stratum holds {gamma}")


def exact(number):
    return Fraction(number.lower) if number.lower == number.upper else None


def above(number, gamma):
    """Whether gamma > number."""
    return gamma > root_in(number)


def below(number, gamma):
    """Whether gamma < number."""
    return gamma < root_in(number)


def root_in(number):
    if number.lower == number.upper:
        return sympy.Rational(number.lower)
    polynomial = sympy.Poly.from_list(number.coefficients, GAMMA)
    ends = sympy.Rational(number.lower), sympy.Rational(number.upper)
    (root,) = (x for x in polynomial.real_roots() if ends[0] < x < ends[1])
    return root


@pytest.mark.parametrize("name", REWARDS)
def test_a_dense_scan_of_gamma_finds_the_structure_of_its_stratum(name):
    problem = tabular_problem(name)
    report = tabular_report(name)
    models = list(oracle.all_models(problem.states, problem.actions))
    for gamma in sorted({Fraction(p, q) for q in range(2, 14) for p in range(1, q)}):
        tables = {oracle.optimal_q(model, problem.rewards, gamma) for model in models}
        vectors = {tuple(map(max, q)) for q in tables}
        stratum = stratum_at(report, gamma)
        assert (stratum.value_functions, stratum.value_vectors) == (len(tables), len(vectors))


@pytest.mark.parametrize("name", REWARDS)
def test_solving_at_a_sample_or_a_rational_point_gives_its_stratum(name):
    problem = tabular_problem(name)
    for stratum in tabular_report(name).strata:
        if stratum.sample is not None:
            report = check_class(dataclasses.replace(problem, gamma=Fraction(stratum.sample)))
            assert stratum.value_functions == report.value_functions
            assert stratum.value_vectors == report.value_vectors
            assert stratum.part1 == report.part1
            assert stratum.part3_functional == report.part3_functional
            assert stratum.part3_realizable == report.part3_realizable
            assert stratum.strict == bool(report.strict)


def high_precision_q(model, rewards, gamma):
    """q* by the best of all policies, each by summing its lasso with mpmath."""
    n = len(model)

    def value(policy, s):
        seen, total, discount = {}, mpmath.mpf(0), mpmath.mpf(1)
        while s < n and s not in seen:
            seen[s] = total, discount
            reward = rewards[s][policy[s]]
            total += discount * reward.numerator / reward.denominator
            discount *= gamma
            s = model[s][policy[s]]
        if s == n:
            return total
        start, first = seen[s]
        return start + (total - start) / (1 - discount / first)

    policies = list(product(range(len(model[0])), repeat=n))
    V = [max(value(policy, s) for policy in policies) for s in range(n)] + [mpmath.mpf(0)]
    return [
        mpmath.mpf(r.numerator) / r.denominator + gamma * V[t]
        for rs, ts in zip(rewards, model, strict=True)
        for r, t in zip(rs, ts, strict=True)
    ]


@pytest.mark.parametrize("name", ["stairs", "line"])
def test_at_an_irrational_point_the_q_that_agree_to_40_digits_are_those_said_to_coincide(name):
    problem = tabular_problem(name)
    points = [s for s in tabular_report(name).strata if s.kind == "point" and s.sample is None]
    assert points
    for stratum in points:
        with mpmath.workdps(50):
            gamma = mpmath.mpf(sympy.N(root_in(stratum.lower), 50))
            tables = {
                tuple(mpmath.nstr(x, 40, strip_zeros=False) if abs(x) > 1e-40 else "0" for x in q)
                for model in oracle.all_models(problem.states, problem.actions)
                for q in [high_precision_q(model, problem.rewards, gamma)]
            }
        assert stratum.value_functions == len(tables)


@settings(max_examples=60, deadline=None)
@given(oracle.classes(max_states=2, max_models=5), st.booleans())
def test_every_class_has_at_every_gamma_the_answers_of_the_definitions(drawn, at_point):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    report = find_strata(problem)
    rational = [s.sample for s in report.strata if s.kind == "point" and s.sample]
    if at_point and rational:
        gamma = Fraction(rational[0])
    spaces = oracle.VersionSpaces(models, rewards, gamma)
    datasets = list(oracle.functional_datasets(problem.states, problem.actions))
    unequal = [D for D in datasets if spaces.h_m(D) != spaces.h_b(D)]
    stratum = stratum_at(report, gamma)
    assert stratum.value_functions == len(spaces.HQ)
    assert stratum.part3_functional == (not unequal)
    assert stratum.part3_realizable == (not any(map(spaces.extensions, unequal)))
    assert stratum.strict == any(map(spaces.extensions, unequal))


@settings(max_examples=40, deadline=None)
@given(oracle.classes(max_states=3, max_models=4))
def test_strata_cover_the_unit_interval_and_each_differs_from_its_neighbours(drawn):
    models, rewards, gamma = drawn
    report = find_strata(mdp_class(explicit(models), rewards, gamma))
    kinds = [s.kind for s in report.strata]
    assert kinds == ["interval", "point"] * (len(kinds) // 2) + ["interval"]
    assert report.strata[0].lower.approximation == 0
    assert report.strata[-1].upper.approximation == 1
    for left, right in pairwise(report.strata):
        assert left.upper == right.lower
    for left, point, right in zip(*(report.strata[i::2] for i in range(3)), strict=False):
        assert point.changes or right.changes
        assert left.lower.approximation < point.lower.approximation < right.upper.approximation


def test_each_end_is_the_only_root_of_an_irreducible_polynomial_in_its_interval():
    points = tabular_report("stairs").breakpoints
    for number in points:
        polynomial = sympy.Poly.from_list(number.coefficients, GAMMA)
        assert polynomial.is_irreducible
        lower, upper = sympy.Rational(number.lower), sympy.Rational(number.upper)
        assert polynomial.count_roots(lower, upper) == 1
        assert (lower == upper) == (polynomial.degree() == 1)
        assert abs(sympy.N(root_in(number), 30) - number.approximation) < 1e-15
        if polynomial.degree() <= 2:
            assert sympy.simplify(sympy.sympify(number.closed_form) - root_in(number)) == 0
    for left, right in combinations(points, 2):
        assert Fraction(left.upper) < Fraction(right.lower)


def test_the_gamma_of_the_class_is_ignored_even_at_one():
    at_one = find_strata(tabular_problem("generic", 1))
    assert at_one.strata == tabular_report("generic").strata


def test_only_the_rewards_of_lassos_that_occur_give_candidates():
    # Both rewards are met, but no model gets from one state to the other.
    problem = mdp_class(explicit([[[0], [1]], [[2], [2]]]), [[1], [3]], "1/2")
    report = find_strata(problem)
    values = [0, 1, 3, 1 / (1 - GAMMA), 3 / (1 - GAMMA)]
    assert report.policy_values == len(values)
    crossings = {
        root
        for f, g in combinations(values, 2)
        for root in sympy.solve(f - g, GAMMA)
        if 0 < root < 1
    }
    assert report.candidates == len(crossings) == 1
    assert len(report.strata) == 1  # 1 / (1 - gamma) = 3 compares values of two states in no q


def test_the_report_is_plain_json():
    report = find_strata(two_models(2, 1))
    text = json.dumps(dataclasses.asdict(report), allow_nan=False)
    assert json.loads(text)["strata"][1]["lower"]["minimal_polynomial"] == "gamma**2 + gamma - 1"


def test_progress_grows_to_one():
    told = []
    find_strata(tabular_problem("stairs"), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_too_many_models_are_refused_with_their_number_and_a_time():
    with pytest.raises(
        StrataTooLargeError, match="244140625 models, about 244 s for each candidate"
    ):
        find_strata(gallery_class("tabular-4x3-sparse"))


def test_a_class_too_large_for_a_float_is_refused_in_one_line():
    problem = mdp_class(tabular(20, 20), sparse_rewards(20, 20), "1/2")
    with pytest.raises(StrataTooLargeError, match=re.escape("accepted: at most 500000")) as raised:
        find_strata(problem)
    assert "\n" not in str(raised.value)


def test_too_many_policies_are_refused_before_they_are_listed():
    with pytest.raises(StrataTooLargeError, match="rational function of gamma"):
        find_strata(gallery_class("binary-factors-3"))


def test_too_many_pairs_of_policy_values_are_refused(monkeypatch):
    monkeypatch.setattr(policy_value_functions, "MAX_PAIRS", 9)
    with pytest.raises(StrataTooLargeError, match=r"5 policy values .* 10 pairs to compare"):
        find_strata(two_models(2, 1))


def test_too_many_solutions_are_refused(monkeypatch):
    monkeypatch.setattr(discount_strata, "MAX_SOLUTIONS", 5)
    with pytest.raises(StrataTooLargeError, match="2 models to solve at 1 candidate"):
        find_strata(two_models(2, 1))


def test_sympy_is_imported_by_who_asks_for_strata_alone():
    lines = [
        "import sys, theory",
        "assert 'sympy' not in sys.modules",
        "theory.find_strata",
        "assert 'sympy' in sys.modules",
    ]
    subprocess.run([sys.executable, "-c", "; ".join(lines)], check=True, cwd=ROOT)
