"""Identifiability curves against going through all sets of observed pairs by the definitions."""

from fractions import Fraction
from itertools import combinations, pairwise, product
from math import comb

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import explicit, gallery_class, identify, mdp_class, tabular
from theory.criteria import identifiability


def settled(left):
    """For each state, whether one action is greedy under every q that is left; and whether that holds in all."""
    states, actions = range(len(next(iter(left)))), range(len(next(iter(left))[0]))
    by_state = [any(all(q[s][a] == max(q[s]) for q in left) for a in actions) for s in states]
    return by_state, all(by_state)


def curves(models, rewards, gamma, truth):
    """For each number of observed pairs and each criterion: the means over all sets, as Fractions."""
    expected = oracle.VersionSpaces(models, rewards, gamma)
    n, k = len(rewards), len(rewards[0])
    pairs = list(product(range(n), range(k)))
    rows = []
    for observed in range(len(pairs) + 1):
        datasets = [
            [(s, a, truth[s][a]) for s, a in seen] for seen in combinations(pairs, observed)
        ]
        criteria = []
        for left_by in (expected.h_m, expected.h_b):
            left = [left_by(D) for D in datasets]
            answers = [settled(qs) for qs in left]
            total = len(datasets)
            criteria.append(
                (
                    Fraction(sum(map(len, left)), total),
                    [Fraction(sum(by[s] for by, _ in answers), total) for s in range(n)],
                    Fraction(sum(policy for _, policy in answers), total),
                )
            )
        rows.append(criteria)
    return rows


def check_curves(models, rewards, gamma, index):
    result = identify(mdp_class(explicit(models), rewards, gamma, name="drawn"), index)
    distinct = list(dict.fromkeys(models))
    assert (result.name, result.truth, result.transitions) == ("drawn", index, distinct[index])
    for observed, (row, criteria) in enumerate(
        zip(result.rows, curves(models, rewards, gamma, distinct[index]), strict=True)
    ):
        assert row.observed == observed
        assert row.exact
        assert row.subsets == comb(len(rewards) * len(rewards[0]), observed)
        for found, (hypotheses, state_action, policy) in zip(
            (row.model, row.bellman), criteria, strict=True
        ):
            assert found.standard_error == 0
            assert found.hypotheses == pytest.approx(float(hypotheses))
            assert found.state_action == pytest.approx([float(x) for x in state_action])
            assert found.policy == pytest.approx(float(policy))


@given(oracle.classes(max_states=2, max_models=6), st.data())
@settings(deadline=None, max_examples=50)
def test_the_curves_are_the_means_over_all_sets_of_observed_pairs(drawn, data):
    models, rewards, gamma = drawn
    check_curves(models, rewards, gamma, data.draw(st.integers(0, len(set(models)) - 1)))


@given(oracle.classes(max_states=2, max_models=6, gamma=st.just(Fraction(1))), st.data())
@settings(deadline=None, max_examples=50)
def test_so_they_are_without_discount_for_a_truth_with_a_finite_q(drawn, data):
    models, rewards, gamma = drawn
    distinct = list(dict.fromkeys(models))
    negative = tuple(tuple(-1 - abs(r) for r in row) for row in rewards)
    assume(any(oracle.best_terminating_paths(m, negative) for m in distinct))
    index = data.draw(st.integers(0, len(distinct) - 1))
    if oracle.best_terminating_paths(distinct[index], negative) is None:
        with pytest.raises(ValueError, match=f"^model {index} has an infinite q"):
            identify(mdp_class(explicit(models), negative, gamma), index)
    else:
        check_curves(models, negative, gamma, index)


def test_the_tabular_class_of_2x2_has_one_curve_for_both_criteria():
    """Part 3: the model and the Bellman equation leave the same."""
    problem = mdp_class(tabular(2, 2), [[0, 0], [0, 1]], "9/10")
    truth = problem.transitions.index(((0, 1), (0, 2)))
    check_curves(list(oracle.all_models(2, 2)), problem.rewards, problem.gamma, truth)
    for row in identify(problem, truth).rows:
        assert row.model == row.bellman


def test_more_data_never_leave_more_nor_settle_less():
    """Every set of k + 1 pairs holds sets of k, so the exact means are monotone."""
    problem = gallery_class("push-tree")
    result = identify(problem, 5)
    assert all(row.exact for row in result.rows)
    for criterion in ("model", "bellman"):
        line = [getattr(row, criterion) for row in result.rows]
        for before, after in pairwise(line):
            assert after.hypotheses <= before.hypotheses
            assert after.policy >= before.policy
            assert all(x <= y for x, y in zip(before.state_action, after.state_action, strict=True))
    for row in result.rows:
        assert row.model.hypotheses <= row.bellman.hypotheses
        assert row.model.policy >= row.bellman.policy
    assert result.rows[-1].model.hypotheses == 1


def test_a_sample_agrees_with_all_sets_within_its_standard_error(monkeypatch):
    problem = gallery_class("push-tree")
    exact = identify(problem, 7).rows
    monkeypatch.setattr(identifiability, "MAX_SUBSETS", 1)
    sampled = identify(problem, 7, samples=56, seed=3).rows
    assert [row.exact for row in sampled] == [comb(8, k) <= 56 for k in range(9)]
    assert [row.subsets for row in sampled] == [min(comb(8, k), 56) for k in range(9)]
    for all_sets, sample in zip(exact, sampled, strict=True):
        for criterion in ("model", "bellman"):
            whole, part = getattr(all_sets, criterion), getattr(sample, criterion)
            if sample.exact:
                assert part == whole
                continue
            assert part.standard_error > 0
            assert abs(part.hypotheses - whole.hypotheses) <= 5 * part.standard_error
            # A share of 56 sets has a standard error of at most 1 / (2 sqrt(56)) < 0.067.
            assert abs(part.policy - whole.policy) <= 5 * 0.067
            for x, y in zip(part.state_action, whole.state_action, strict=True):
                assert abs(x - y) <= 5 * 0.067


def test_the_standard_error_is_that_of_the_mean(monkeypatch):
    """Over many seeds, sample means scatter as the standard error says."""
    problem = gallery_class("push-tree")
    whole = identify(problem, 7).rows[4].bellman.hypotheses
    monkeypatch.setattr(identifiability, "MAX_SUBSETS", 1)
    squares = []
    for seed in range(60):
        part = identify(problem, 7, samples=20, seed=seed).rows[4].bellman
        squares.append(((part.hypotheses - whole) / part.standard_error) ** 2)
    assert 0.5 < sum(squares) / len(squares) < 2


def test_the_same_seed_gives_the_same_curves_and_another_seed_others(monkeypatch):
    monkeypatch.setattr(identifiability, "MAX_SUBSETS", 1)
    problem = gallery_class("push-tree")
    first, again, other = (identify(problem, 7, samples=20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.rows != other.rows


def test_the_truth_is_the_first_model_unless_said_and_progress_ends_at_one():
    told = []
    assert identify(gallery_class("push-tree"), progress=told.append).truth == 0
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("problem", "arguments", "message"),
    [
        (lambda: gallery_class("push-tree"), {"truth": 49}, "model 49 does not exist; accepted: 0 to 48"),
        (lambda: gallery_class("push-tree"), {"truth": -1}, "model -1 does not exist; accepted"),
        (lambda: gallery_class("push-tree"), {"samples": 1}, "samples is 1; accepted: 2 or more"),
        (lambda: gallery_class("push-tree"), {"seed": -1}, "seed is -1; accepted: 0 or more"),
        (lambda: gallery_class("gamma-one"), {}, "gamma is 1 and the rewards at .* sum to zero"),
        (lambda: gallery_class("tabular-9x9-cost"), {}, "the class has 1.00000000000e.81 models"),
        (lambda: gallery_class("tabular-9x9-cost"), {"truth": 2**63}, f"model {2**63} does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(problem, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}") as refused:
        identify(problem(), **arguments)
    assert len(str(refused.value).splitlines()) == 1
