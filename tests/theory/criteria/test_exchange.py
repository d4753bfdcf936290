"""Two criteria that need no datasets, against going through all of them."""

from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    closed_under_equivalence,
    exchange_failures,
    exchange_holds,
    explicit,
    gallery_class,
    mdp_class,
    solve,
    tabular,
)
from theory.criteria import exchange as module
from theory.criteria.exchange import ExchangeTooLargeError, splice_failures


def equality_over_datasets(expected, states, actions):
    """Whether H_M(D) = H_B(D) for all functional and for all realizable D."""
    datasets = list(oracle.functional_datasets(states, actions))
    unequal = [D for D in datasets if expected.h_m(D) != expected.h_b(D)]
    return not unequal, not any(expected.extensions(D) for D in unequal)


@st.composite
def mixed_classes(draw, gamma):
    """Few models, most of a tabular class, or a union of fibers, so that each criterion holds at times."""
    n, k = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2)]))
    rewards = draw(oracle.tables(n, k, oracle.small_fractions))
    gamma = draw(gamma)
    every = list(oracle.all_models(n, k))
    kind = draw(st.sampled_from(["few", "most", "fibers"]))
    if kind == "few":
        return draw(st.lists(st.sampled_from(every), min_size=1, max_size=6)), rewards, gamma
    if kind == "most":
        left_out = draw(st.lists(st.sampled_from(every), max_size=2))
        return [m for m in every if m not in left_out] or every, rewards, gamma
    q_of = {m: oracle.optimal_q(m, rewards, gamma) for m in every}
    chosen = draw(st.lists(st.sampled_from(list(q_of.values())), min_size=1, max_size=4))
    return [m for m in every if q_of[m] in chosen], rewards, gamma


def check_criteria(models, rewards, gamma):
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    expected = oracle.VersionSpaces(models, rewards, gamma)
    functional, realizable = equality_over_datasets(expected, len(rewards), len(rewards[0]))
    assert closed_under_equivalence(solved) == functional
    assert exchange_holds(solved) == realizable

    failures = {
        (q, solved.q_of_model.tolist()[T0], T0)
        for q, models_without in exchange_failures(solved)
        for T0 in models_without.tolist()
    }
    n, k = len(rewards), len(rewards[0])
    lonely, spliced = set(), set()
    for q in range(solved.value_functions):
        table = solved.q_table(q)
        fiber = [m for m, q_of_m in expected.solved if q_of_m == table]
        for T0, (model, _) in enumerate(expected.solved):
            kept = [
                (s, a)
                for s, a in product(range(n), range(k))
                if oracle.consistent(table, rewards, gamma, (s, a, model[s][a]))
            ]
            if not any(all(m[s][a] == model[s][a] for s, a in kept) for m in fiber):
                lonely.add((q, solved.q_of_model.tolist()[T0], T0))
            choices = [
                [model[s][a]]
                if (s, a) in kept
                else [
                    x for x in range(n + 1) if oracle.consistent(table, rewards, gamma, (s, a, x))
                ]
                for s, a in product(range(n), range(k))
            ]
            splices = {
                tuple(splice[s * k : s * k + k] for s in range(n)) for splice in product(*choices)
            }
            if not splices <= set(fiber):
                spliced.add((q, T0))
    assert failures == lonely
    assert set(splice_failures(solved)) == spliced


@given(mixed_classes(oracle.gammas))
@settings(deadline=None, max_examples=40)
def test_both_criteria_decide_as_all_datasets_do(drawn):
    check_criteria(*drawn)


@given(mixed_classes(st.just(Fraction(1))))
@settings(deadline=None, max_examples=40)
def test_they_do_without_discount_too(drawn):
    models, rewards, _ = drawn
    if any(oracle.best_terminating_paths(m, rewards) for m in models):
        check_criteria(*drawn)


@given(oracle.classes(max_states=2, max_actions=1, max_models=9))
@settings(deadline=None, max_examples=40)
def test_arbitrary_datasets_are_decided_as_by_going_through_all_of_them(drawn):
    """All sets of transitions, functional or not: 4 of one state, 64 of two."""
    expected = oracle.VersionSpaces(*drawn)
    n = len(drawn[1])
    steps = [(s, 0, x) for s in range(n) for x in range(n + 1)]
    equal = all(
        expected.h_m(D) == expected.h_b(D)
        for size in range(len(steps) + 1)
        for D in combinations(steps, size)
    )
    models, rewards, gamma = drawn
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    assert module.equal_for_every_dataset(solved) == equal


def test_all_maps_of_one_state_that_pays_leave_the_same_for_arbitrary_data():
    """Where states are worth different values no q is consistent with two successors; without a reward all are."""
    for reward, equal in ((1, True), (0, False)):
        solved = solve(mdp_class(tabular(1, 1), [[reward]], "1/2"))
        assert module.equal_for_every_dataset(solved) == equal


def test_a_single_pair_at_which_a_q_is_consistent_with_two_successors_is_enough_to_tell_apart():
    solved = solve(gallery_class("tabular-2x2-sparse"))
    many = solved.consistent.sum(axis=2) > 1
    assert many.any()
    assert not many.all()
    assert closed_under_equivalence(solved)
    assert not module.equal_for_every_dataset(solved)


def test_part_1_is_denied_by_a_single_transition_that_is_not_consistent_with_its_own_q(monkeypatch):
    solved = solve(gallery_class("smallest-witness"))
    assert module.included_by_criterion(solved)
    consistent = solved.consistent.copy()
    consistent[solved.q_of_model[0], 0, solved.models[0, 0]] = False
    monkeypatch.setitem(vars(solved), "consistent", consistent)
    assert not module.included_by_criterion(solved)


@given(oracle.tables(2, 2, oracle.small_fractions), oracle.gammas | oracle.extreme_gammas)
@settings(deadline=None)
def test_the_tabular_class_meets_both_whatever_the_rewards_and_the_discount(rewards, gamma):
    solved = solve(mdp_class(tabular(2, 2), rewards, gamma))
    assert closed_under_equivalence(solved)
    assert exchange_holds(solved)


@pytest.mark.parametrize(
    ("name", "closed", "exchange"),
    [
        ("tabular-4x2-sparse", True, True),
        ("tabular-3x2-generic", True, True),
        ("push-tree", False, False),
        ("push-tree-independent", False, False),
        # Any box of successors is as good as the whole for data that some model could have produced.
        ("push-tree-tabular", False, True),
        ("smallest-witness", False, False),
        ("smallest-decision", False, False),
        ("gamma-one", False, False),
    ],
)
def test_the_gallery_is_decided(name, closed, exchange):
    solved = solve(gallery_class(name))
    assert closed_under_equivalence(solved) == closed
    assert exchange_holds(solved) == exchange


def test_a_class_with_the_exchange_property_need_not_be_closed():
    """One model alone: all its data leave one q to both, but other functional data leave none to the model."""
    solved = solve(mdp_class(explicit([[[0]]]), [[0]], "1/2"))
    assert exchange_holds(solved)
    assert not closed_under_equivalence(solved)


def test_too_many_comparisons_are_refused_with_their_number(monkeypatch):
    solved = solve(gallery_class("smallest-witness"))
    # Of two fibers of one model one is a box; the other meets two models, at two pairs.
    monkeypatch.setattr(module, "MAX_COMPARISONS", 4)
    assert len(list(exchange_failures(solved))) == 1
    monkeypatch.setattr(module, "MAX_COMPARISONS", 3)
    with pytest.raises(ExchangeTooLargeError, match="would take 4 comparisons"):
        next(exchange_failures(solved))
    assert not exchange_holds(solved)  # a single transition denies it


def test_how_far_the_search_is_is_told_fiber_by_fiber():
    told = []
    list(exchange_failures(solve(gallery_class("push-tree")), told.append))
    assert len(told) > 2
    assert told == [(done + 1) / len(told) for done in range(len(told))]


@pytest.mark.parametrize("states", [15, 16, 40])
def test_sizes_past_int64_are_multiplied_exactly(states):
    """With no rewards every transition is consistent: (n+1)^n models would be needed; 17^16 is past 2^63."""
    loops = [[s] for s in range(states)]
    solved = solve(mdp_class(explicit([loops]), [[0]] * states, "1/2"))
    assert module.set_products(solved.consistent) == [(states + 1) ** states]
    assert not closed_under_equivalence(solved)
