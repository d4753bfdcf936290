"""Samples as evidence, and the curves of what they settle, against enumeration and the definitions."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import evidence_of_samples, mdp_class, sample_curves, solve, tabular
from theory.classes.options import option, option_class
from theory.criteria import sampled_outcomes
from theory.criteria.sampled_outcomes import pair_evidence
from theory.criteria.samples import Allowance
from theory.criteria.version_spaces import evidence_space

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
FAIR = option(0, {0: HALF, 1: HALF}, 1)
BIASED = option(0, {0: THIRD, 1: 2 * THIRD}, 1)
SURE = option(0, {1: 1}, 1)
PAID = option(1, {1: 1}, 1)


def one_pair(options):
    return mdp_class(option_class(1, 1, [options]), [[0]], "1/2", name="one pair")


def test_by_support_everything_that_was_seen_has_to_be_possible():
    problem = one_pair([FAIR, SURE, PAID])
    by_support = Allowance()
    assert evidence_of_samples(problem, [], by_support) == ((0, 1, 2),)
    assert evidence_of_samples(problem, [(0, 0, 0, 1)] * 9, by_support) == ((0, 1),)
    assert evidence_of_samples(problem, [(0, 0, 0, 1), (0, 0, 0, 0)], by_support) == ((0,),)
    assert evidence_of_samples(problem, [(0, 0, 1, 1)], by_support) == ((2,),)


def test_by_likelihood_an_option_is_allowed_at_the_threshold_exactly():
    problem = one_pair([FAIR, BIASED, SURE])
    seen = [(0, 0, 0, 0)]  # likelihoods 1/2, 1/3 and 0
    for threshold, allowed in (("2/3", (0, 1)), ("67/100", (0,)), ("1/100", (0, 1))):
        allowance = Allowance("likelihood", Fraction(threshold))
        assert evidence_of_samples(problem, seen, allowance) == (allowed,)


def test_in_a_deterministic_class_a_sample_is_a_transition():
    problem = mdp_class(tabular(1, 1), [[3]], "1/2")
    assert evidence_of_samples(problem, [(0, 0, 3, 1)], Allowance()) == ((1,),)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(0, 0, 2, 1)], "no option at .* explains its samples: reward 2 and t"),
        ([(0, 0, 0, 1), (0, 0, 1, 1)], "no option at .* explains its samples"),
        ([(1, 0, 0, 1)], "state of sample"),
        ([(0, 0, 0, 2)], "successor of sample .* accepted: an integer from 0 to 1"),
        ([(0, 0, 1)], "accepted: .s, a, reward, s'."),
    ],
)
def test_samples_that_say_what_cannot_be_are_refused(rows, said):
    with pytest.raises(ValueError, match=said):
        evidence_of_samples(one_pair([FAIR, SURE, PAID]), rows, Allowance())


@pytest.mark.parametrize(
    ("rule", "threshold", "said"),
    [
        ("support", Fraction(1, 2), "accepted: none by support"),
        ("likelihood", None, "threshold is missing"),
        ("likelihood", Fraction(0), "threshold is 0"),
        ("likelihood", Fraction(3, 2), "threshold is 3/2"),
    ],
)
def test_what_is_no_allowance_is_refused(rule, threshold, said):
    with pytest.raises(ValueError, match=said):
        Allowance(rule, threshold)


def test_the_law_of_the_evidence_is_that_of_all_sequences_of_draws():
    options = [FAIR, BIASED, SURE]
    allowance = Allowance("likelihood", Fraction(1, 2))
    problem = one_pair(options)
    for truth in range(3):
        expected = {}
        for drawn in product(options[truth].law, repeat=4):
            rows = [(0, 0, 0, x) for x, _ in drawn]
            p = Fraction(1)
            for _, q in drawn:
                p *= q
            (allowed,) = evidence_of_samples(problem, rows, allowance)
            expected[allowed] = expected.get(allowed, 0) + p
        assert pair_evidence(options, truth, 4, allowance) == expected
        assert sum(expected.values()) == 1


def two_places():
    """Pushing costs 1, and works with the same unknown probability in two states; to give up costs 3."""
    works = [Fraction(0), HALF, Fraction(1)]
    push = [[option(-1, {s: 1 - p, 2: p}, 2) for p in works] for s in (0, 1)]
    give_up = [[option(-3, {2: 1}, 2)] for _ in (0, 1)]
    options = [push[0], give_up[0], push[1], give_up[1]]
    models = [[i, 0, i, 0] for i in range(3)]
    return mdp_class(option_class(2, 2, options, models), [[0, 0]] * 2, "9/10", name="two places")


def test_curves_are_exact_where_outcomes_are_few_and_agree_with_draws(monkeypatch):
    allowance = Allowance("likelihood", Fraction(1, 10))
    exact = sample_curves(two_places(), 1, allowance, most=4)
    assert all(row.exact and row.draws == 0 for row in (*exact.rows, *exact.product))
    monkeypatch.setattr(sampled_outcomes, "MAX_EVIDENCES", 0)
    drawn = sample_curves(two_places(), 1, allowance, most=4, draws=400, seed=1)
    for row, other in zip(exact.rows, drawn.rows, strict=True):
        assert not other.exact
        for share, sampled in (
            (row.model.settled, other.model.settled),
            (row.bellman.settled, other.bellman.settled),
            (row.ruled_out, other.ruled_out),
        ):
            assert share.low == share.share == share.high
            assert abs(share.share - sampled.share) < 4 * 0.5 / 400**0.5
            assert sampled.low <= sampled.share <= sampled.high
    again = sample_curves(two_places(), 1, allowance, most=1, draws=400, seed=1)
    assert again.rows == drawn.rows[:2]


def all_walks(problem, truth, start, steps):
    """Every sequence of actions and successors from a state, with its probability, as samples."""
    n, k = problem.states, problem.actions
    walks = [(Fraction(1), start, ())]
    for _ in range(steps):
        walks = [
            (p * q / k, start if x == n else x, (*rows, (s, a, o.reward, x)))
            for p, s, rows in walks
            for a, o in enumerate(problem.chosen(truth)[s])
            for x, q in o.law
        ]
    return [(p, rows) for p, _, rows in walks]


def to_and_fro():
    """One action: from 0 to 1 by an unknown law, from 1 back or to the end by another that goes with it."""
    there = [option(1, {0: HALF, 1: HALF}, 2), option(1, {1: 1}, 2)]
    back = [option(-1, {0: THIRD, 2: 2 * THIRD}, 2), option(-1, {0: HALF, 1: HALF}, 2)]
    models = [[0, 0], [1, 1], [0, 1]]
    return mdp_class(
        option_class(2, 1, [there, back], models), [[0], [0]], "9/10", name="to and fro"
    )


@pytest.mark.parametrize("threshold", [None, Fraction(1, 3), Fraction(9, 10)])
@pytest.mark.parametrize("make", [two_places, to_and_fro])
def test_along_trajectories_every_figure_is_that_of_all_walks(make, threshold):
    problem = make()
    truth = problem.transitions.table(1)
    allowance = Allowance("likelihood", threshold) if threshold else Allowance()
    curves = sample_curves(problem, 1, allowance, most=4, start=1)
    solved = solve(problem)
    assert curves.start == 1
    for row in curves.rows:
        assert row.exact
        expected = [Fraction(0)] * 3
        for p, rows in all_walks(problem, truth, 1, row.observations):
            evidence = evidence_of_samples(problem, rows, allowance)
            space = evidence_space(solved, evidence)
            left = solved.greedy[space.HM].all(axis=0)
            settled = bool(left.any(axis=1).all()) and bool(space.HM.any())
            out = any(o not in there for o, there in zip(sum(truth, ()), evidence, strict=True))
            for i, x in enumerate((int(space.HM.sum()), settled, out)):
                expected[i] += p * x
        found = (row.model.hypotheses, row.model.settled.share, row.ruled_out.share)
        assert found == tuple(map(float, expected))
        assert row.model.standard_error == 0


@pytest.mark.parametrize(("make", "few"), [(two_places, 8), (to_and_fro, 2)])
def test_walks_that_are_too_many_are_drawn_and_agree_with_all_of_them(monkeypatch, make, few):
    allowance = Allowance("likelihood", Fraction(1, 10))
    exact = sample_curves(make(), 1, allowance, most=4, start=0)
    monkeypatch.setattr(sampled_outcomes, "MAX_EVIDENCES", few)
    drawn = sample_curves(make(), 1, allowance, most=4, start=0, draws=400, seed=2)
    assert [row.exact for row in drawn.rows] == [True, True, True, False, False]
    for row, other in zip(exact.rows, drawn.rows, strict=True):
        for left, sampled in ((row.model, other.model), (row.bellman, other.bellman)):
            assert abs(left.hypotheses - sampled.hypotheses) <= 4 * sampled.standard_error
            assert abs(left.settled.share - sampled.settled.share) < 4 * 0.5 / 400**0.5
    assert drawn.rows[4].model.standard_error > 0
    for row in drawn.product:  # part 3, on the same walks
        assert row.model == row.bellman


def test_a_trajectory_from_nowhere_is_refused():
    with pytest.raises(ValueError, match="start is 2; accepted: an integer from 0 to 1"):
        sample_curves(two_places(), 1, start=2)


def test_by_support_the_truth_is_never_ruled_out_and_no_observation_leaves_everything():
    curves = sample_curves(two_places(), 1, most=3)
    assert all(row.ruled_out.share == 0 for row in curves.rows)
    problem = two_places()
    solved = solve(problem)
    assert curves.rows[0].model.hypotheses == solved.value_functions
    assert curves.rows[0].bellman.hypotheses == solved.value_functions
    for row in curves.rows:
        assert row.model.hypotheses <= row.bellman.hypotheses
        assert row.model.settled == row.model.right
    for row in curves.product:  # part 3
        assert row.model == row.bellman


def test_draws_that_leave_several_q_have_intervals_too(monkeypatch):
    monkeypatch.setattr(sampled_outcomes, "MAX_EVIDENCES", 0)
    [row] = sample_curves(two_places(), 1, most=0, draws=5).rows
    assert row.model.hypotheses == 3
    assert row.model.settled.high > row.model.settled.share == 0


def test_a_class_of_all_choices_has_no_product_beside_it():
    assert sample_curves(one_pair([FAIR, SURE]), most=1).product == ()


@given(
    st.lists(st.tuples(st.sampled_from([0, 2]), st.integers(0, 2)), max_size=4), st.integers(0, 8)
)
@settings(deadline=None, max_examples=20)
def test_more_samples_leave_less_by_support(seen, cut):
    """Part 1 and monotonicity, for samples of pushing at two places."""
    problem = two_places()
    solved = solve(problem)
    rows = [(pair // 2, 0, -1, 2 if x == 2 else pair // 2) for pair, x in seen]
    fewer = evidence_space(solved, evidence_of_samples(problem, rows[:cut], Allowance()))
    more = evidence_space(solved, evidence_of_samples(problem, rows, Allowance()))
    assert fewer.included
    assert more.included
    assert (more.HM <= fewer.HM).all()
    assert (more.HB <= fewer.HB).all()


@pytest.mark.parametrize("start", [None, 0])
def test_how_far_it_is_is_told_while_data_are_drawn_too(monkeypatch, start):
    monkeypatch.setattr(sampled_outcomes, "MAX_EVIDENCES", 1)
    told = []
    sample_curves(two_places(), 1, most=4, draws=20, start=start, progress=told.append)
    assert told == sorted(told)
    assert sum(0 < each < 0.5 for each in told) >= 4
    assert told[-1] == 1
