"""Evidence against brute force over the definitions; parts 1 and 3, and monotonicity."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.solving.test_laws import best_of_all_policies, built, classes
from theory import (
    GALLERY,
    check_class,
    check_evidence,
    checked_evidence,
    mdp_class,
    option,
    option_class,
    solve,
    tabular,
    version_space,
)
from theory.criteria.exchange import closed_under_equivalence, splices_hold
from theory.criteria.version_spaces import evidence_space


def subsets(count):
    return [tuple(o for o in range(count) if mask >> o & 1) for mask in range(1, 1 << count)]


def definitions(problem, evidence):
    """H_M(E) and H_B(E) as sets of tables; shares nothing with `theory` but the numbers of the class."""
    options, n, k = problem.transitions.options, problem.states, problem.actions
    models = problem.transitions.models(0, problem.transitions.size).tolist()
    H_M, H_B = set(), set()
    for model in models:
        q = best_of_all_policies([options[p][o] for p, o in enumerate(model)], problem.gamma, n, k)
        V = [*map(max, q), Fraction(0)]
        if all(o in allowed for o, allowed in zip(model, evidence, strict=True)):
            H_M.add(q)
        if all(
            any(
                options[p][o].reward + problem.gamma * sum(w * V[x] for x, w in options[p][o].law)
                == q[p // k][p % k]
                for o in allowed
            )
            for p, allowed in enumerate(evidence)
        ):
            H_B.add(q)
    return H_M, H_B


@given(classes(most=2), st.lists(st.integers(0, 10**6), min_size=3, max_size=3))
@settings(deadline=None, max_examples=25)
def test_evidence_leaves_what_the_definitions_say(drawn, chosen):
    problem = built(*drawn)
    every = list(product(*(subsets(len(pair)) for pair in problem.transitions.options)))
    for number in chosen:
        evidence = every[number % len(every)]
        report = check_evidence(problem, evidence)
        H_M, H_B = definitions(problem, evidence)
        assert (set(report.HM), set(report.HB)) == (H_M, H_B)
        assert report.part1
        assert H_M <= H_B
        assert report.strict == (bool(H_M) and H_M < H_B)
        assert checked_evidence(problem, [list(row) for row in report.evidence]) == evidence


@given(classes(most=2))
@settings(deadline=None, max_examples=25)
def test_both_are_equal_for_all_evidence_exactly_if_the_criteria_say_so(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    every = product(*(subsets(len(pair)) for pair in problem.transitions.options))
    equal = realizable_equal = True
    for evidence in every:
        space = evidence_space(solved, evidence)
        assert space.included  # part 1
        agree = bool((space.HM == space.HB).all())
        equal &= agree
        realizable_equal &= agree or not space.realizable
    assert equal == closed_under_equivalence(solved)
    assert realizable_equal == splices_hold(solved)
    assert check_class(problem).part3_evidence == realizable_equal
    if problem.transitions.is_tabular:
        assert equal  # part 3


@given(classes(most=3), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(deadline=None, max_examples=25)
def test_more_evidence_leaves_less(drawn, first, second):
    problem = built(*drawn)
    solved = solve(problem)
    counts = [len(pair) for pair in problem.transitions.options]
    wide, narrow = [], []
    for count in counts:
        choices = subsets(count)
        allowed = choices[first % len(choices)]
        wide.append(allowed)
        kept = subsets(len(allowed))
        narrow.append(tuple(allowed[i] for i in kept[second % len(kept)]))
    less, more = evidence_space(solved, tuple(wide)), evidence_space(solved, tuple(narrow))
    assert (more.HM <= less.HM).all()
    assert (more.HB <= less.HB).all()


def test_a_functional_dataset_is_evidence_with_one_option_at_the_observed_pairs():
    entry = GALLERY["push-tree"]
    problem = entry.make()
    solved = solve(problem)
    evidence = checked_evidence(problem, [[s, a, [x]] for s, a, x in entry.dataset])
    by_evidence, by_data = evidence_space(solved, evidence), version_space(solved, entry.dataset)
    assert (by_evidence.HM == by_data.HM).all()
    assert (by_evidence.HB == by_data.HB).all()
    report = check_evidence(problem, evidence)
    assert report.functional
    assert (len(report.HM), len(report.HB)) == (10, 19)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0, 0, []], "allows nothing"),
        ([0, 0, [0, 0]], "says something twice"),
        ([0, 0, [3]], "accepted: an integer from 0 to 2"),
        ([2, 0, [0]], "accepted: an integer from 0 to 1"),
        ([0, 0, 1], "accepted: .s, a, .allowed option numbers"),
        ([0, 0], "accepted: .s, a, .allowed option numbers"),
    ],
)
def test_what_is_no_evidence_is_refused(row, said):
    problem = mdp_class(tabular(2, 1), [[0], [1]], "1/2")
    with pytest.raises(ValueError, match=said):
        checked_evidence(problem, [row])
    with pytest.raises(ValueError, match="says something twice"):
        checked_evidence(problem, [[0, 0, [0]], [0, 0, [1]]])


def test_evidence_can_show_a_gap_in_one_pair_where_exact_data_cannot():
    """To stay for nothing, and to end for nothing, are worth the same; the class knows that one of them cannot be."""
    options = [[option(0, {0: 1}, 1), option(0, {1: 1}, 1), option(1, {1: 1}, 1)]]
    problem = mdp_class(option_class(1, 1, options, [[0], [2]]), [[0]], "1/2")
    report = check_class(problem)
    assert report.part3_realizable
    assert not report.part3_functional
    assert report.part3_evidence is False
    found = check_evidence(problem, checked_evidence(problem, [[0, 0, [1, 2]]]))
    assert found.strict
    assert (((Fraction(1),),),) == found.HM
    assert set(found.HB) == {((Fraction(0),),), ((Fraction(1),),)}
