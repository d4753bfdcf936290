"""The policies that are left, and what they may lose, against playing every policy in every model."""

from fractions import Fraction
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from tests.theory.criteria.test_evidence import definitions, subsets
from tests.theory.solving.test_laws import best_of_all_policies, built
from tests.theory.solving.test_laws import classes as option_classes
from theory import GALLERY, check_dataset, explicit, gallery_class, mdp_class, solve, version_space
from theory.criteria import policies
from theory.criteria.policies import TooManyPoliciesError, policies_left
from theory.criteria.version_spaces import evidence_space


@st.composite
def classes_with_data(draw):
    models, rewards, gamma = draw(oracle.classes(max_models=5))
    model = draw(st.sampled_from(models))
    steps = [(s, a, x) for s, row in enumerate(model) for a, x in enumerate(row)]
    D = draw(st.lists(st.sampled_from(steps), max_size=2, unique=True))
    if draw(st.integers(0, 4)) == 0:
        D = [(0, 0, 0), (0, 0, 1)]  # no model agrees with both
    return models, rewards, gamma, D


def earned(model, rewards, gamma, policy):
    return oracle.policy_values(
        [row[a] for row, a in zip(model, policy, strict=True)],
        [row[a] for row, a in zip(rewards, policy, strict=True)],
        gamma,
    )[:-1]


def greedy(policy, q):
    return all(q[s][a] == max(q[s]) for s, a in enumerate(policy))


@given(classes_with_data())
@settings(deadline=None, max_examples=40)
def test_policies_and_regrets_are_those_of_playing_all_of_them(drawn):
    models, rewards, gamma, D = drawn
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    expected = oracle.VersionSpaces(models, rewards, gamma)
    n, k = len(rewards), len(rewards[0])
    every = list(product(range(k), repeat=n))

    def losses(model, q, policy):
        values = earned(model, rewards, gamma, policy)
        return [max(row) - v for row, v in zip(q, values, strict=True)]

    both = policies_left(solved, version_space(solved, D))
    for found, H in zip(both, (expected.h_m(D), expected.h_b(D)), strict=True):
        left = [policy for policy in every if any(greedy(policy, q) for q in H)]
        settled = [policy for policy in every if H and all(greedy(policy, q) for q in H)]
        assert (found.policies, found.settled) == (len(left), len(settled))
        assert found.listed == tuple(left)
        truths = sorted(expected.extensions(D))
        worst = [max(losses(T, q, policy)) for T, q in truths for policy in left]
        assert (None if found.regret is None else found.regret.value) == max(worst, default=None)
        if found.regret is not None:
            assert found.regret.policy in left
            q = dict(truths)[found.regret.truth]
            lost = losses(found.regret.truth, q, found.regret.policy)
            assert lost[found.regret.state] == found.regret.value
        possible = [(T, q) for T, q in expected.solved if q in H]
        guarantees = [
            max(max(losses(T, q, policy)) for T, q in possible) for policy in every if possible
        ]
        assert found.guarantee == min(guarantees, default=None)
        assert (found.guarantee == 0) == bool(settled)
    by_model, by_equation = both
    assert by_model.policies <= by_equation.policies
    if by_model.regret is not None:
        assert by_model.regret.value <= by_equation.regret.value
        assert by_model.guarantee <= by_equation.guarantee


@given(option_classes(most=2), st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_with_chance_too_regrets_are_those_of_playing_all_policies(drawn, number):
    problem = built(*drawn)
    solved = solve(problem)
    n, k, gamma = problem.states, problem.actions, problem.gamma
    every = list(product(*(subsets(len(pair)) for pair in problem.transitions.options)))
    evidence = every[number % len(every)]
    H_M, H_B = definitions(problem, evidence)

    @cache
    def optimal(table):
        options = [o for row in problem.chosen(table) for o in row]
        return best_of_all_policies(options, gamma, n, k)

    @cache
    def losses(table, policy):
        alone = [problem.option_at(s, a, table[s][a]) for s, a in enumerate(policy)]
        earned = best_of_all_policies(alone, gamma, n, 1)
        return [max(row) - value for row, (value,) in zip(optimal(table), earned, strict=True)]

    tables = [problem.transitions.table(i) for i in range(problem.transitions.size)]
    truths = [
        table
        for table in tables
        if all(o in allowed for o, allowed in zip(sum(table, ()), evidence, strict=True))
    ]
    policies_of_all = list(product(range(k), repeat=n))
    both = policies_left(solved, evidence_space(solved, evidence))
    for found, H in zip(both, (H_M, H_B), strict=True):
        left = [policy for policy in policies_of_all if any(greedy(policy, q) for q in H)]
        assert found.listed == tuple(left)
        worst = [max(losses(T, policy)) for T in truths for policy in left]
        assert (None if found.regret is None else found.regret.value) == max(worst, default=None)
        if found.regret is not None:
            regret = found.regret
            assert losses(regret.truth, regret.policy)[regret.state] == regret.value
        possible = [T for T in tables if optimal(T) in H]
        guarantees = [
            max(max(losses(T, policy)) for T in possible) for policy in policies_of_all if possible
        ]
        assert found.guarantee == min(guarantees, default=None)


def test_in_the_papers_example_only_the_model_settles_a_policy():
    entry = GALLERY["push-tree"]
    left = check_dataset(entry.make(), entry.dataset, policies=True).policies
    assert (left.HM.policies, left.HB.policies) == (8, 8)
    assert (left.HM.settled, left.HB.settled) == (2, 0)
    assert left.HM.guarantee == 0
    assert left.HB.guarantee > 0


def test_what_is_too_many_is_left_out_or_refused(monkeypatch):
    solved = solve(gallery_class("push-tree"))
    space = version_space(solved, [])
    monkeypatch.setattr(policies, "MAX_POLICIES", 15)
    monkeypatch.setattr(policies, "MAX_PLAYS", 15)
    by_model, _ = policies_left(solved, space)
    assert (by_model.policies, by_model.listed, by_model.guarantee) == (None, None, None)
    monkeypatch.undo()
    monkeypatch.setattr(policies, "MAX_LISTED", 1)
    assert policies_left(solved, space)[0].listed is None
    monkeypatch.setattr(policies, "MAX_SECONDS", 0)
    with pytest.raises(
        TooManyPoliciesError, match=r"^49 models agree with the data, and H_M and H_B leave"
    ):
        policies_left(solved, space)
    problem = mdp_class(explicit([[[1]]]), [[1]], Fraction(1))
    with pytest.raises(ValueError, match="gamma is 1; accepted for the regret"):
        check_dataset(problem, [], policies=True)


def test_a_single_policy_of_many_states_is_listed():
    states = 70
    problem = mdp_class(explicit([[[s] for s in range(states)]]), [[1]] * states, Fraction(1, 2))
    solved = solve(problem)
    by_model, _ = policies_left(solved, version_space(solved, []))
    assert by_model.listed == ((0,) * states,)
