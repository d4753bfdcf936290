"""H_M(D) and H_B(D) against their definitions, for one dataset and for all functional ones."""

import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import explicit, gallery_class, mdp_class, solve, sweep_datasets, tabular, version_space
from theory.criteria import version_spaces
from theory.criteria.version_spaces import SweepTooLargeError, functional_datasets


def tables(solved, membership):
    return {solved.q_table(int(q)) for q in np.flatnonzero(membership)}


@st.composite
def class_and_dataset(draw, gamma=oracle.gammas):
    models, rewards, gamma = draw(oracle.classes(gamma=gamma))
    n, k = len(rewards), len(rewards[0])
    anything = st.tuples(st.integers(0, n - 1), st.integers(0, k - 1), st.integers(0, n))
    observed = [(s, a, t) for m in models for s, row in enumerate(m) for a, t in enumerate(row)]
    return models, rewards, gamma, draw(st.lists(anything | st.sampled_from(observed), max_size=5))


def check_version_space(models, rewards, gamma, dataset):
    expected = oracle.VersionSpaces(models, rewards, gamma)
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    space = version_space(solved, dataset)
    H_M, H_B = expected.h_m(dataset), expected.h_b(dataset)
    assert (tables(solved, space.HM), tables(solved, space.HB)) == (H_M, H_B)
    assert space.dataset == tuple(sorted(set(dataset)))
    assert space.models_consistent == len(expected.extensions(dataset))
    assert space.realizable == any(
        all(m[s][a] == t for s, a, t in dataset) for m, _ in expected.solved
    )
    assert space.functional == (len({(s, a) for s, a, _ in dataset}) == len(set(dataset)))
    assert space.included
    assert H_M <= H_B
    assert space.strict == (space.realizable and H_M < H_B)


@given(class_and_dataset())
@settings(deadline=None)
def test_any_dataset_leaves_what_the_definitions_say_and_the_inclusion_holds(drawn):
    check_version_space(*drawn)


@given(class_and_dataset(gamma=oracle.extreme_gammas))
@settings(deadline=None, max_examples=30)
def test_so_it_does_at_extreme_discounts(drawn):
    check_version_space(*drawn)


@given(class_and_dataset(gamma=st.just(Fraction(1))))
@settings(deadline=None)
def test_so_it_does_without_discount_among_the_models_with_a_finite_q(drawn):
    models, rewards, _, _ = drawn
    if any(oracle.best_terminating_paths(m, rewards) for m in models):
        check_version_space(*drawn)


def check_sweep(solved, expected, states, actions):
    sweep = sweep_datasets(solved)
    datasets = list(oracle.functional_datasets(states, actions))
    assert len(sweep.HM) == len(sweep.HB) == len(datasets) == functional_datasets(solved)
    assert sweep.HM.tolist() == [len(expected.h_m(D)) for D in datasets]
    assert sweep.HB.tolist() == [len(expected.h_b(D)) for D in datasets]
    assert sweep.outside == 0


@pytest.mark.parametrize("rewards", [[[-1], [-1]], [[0], [1]], [["1/3"], [-2]]])
@pytest.mark.parametrize("gamma", ["1/2", "9/10", "1/1000"])
def test_all_functional_datasets_of_2x1_are_counted_as_by_the_definitions(rewards, gamma):
    problem = mdp_class(tabular(2, 1), rewards, gamma)
    expected = oracle.VersionSpaces(oracle.all_models(2, 1), problem.rewards, problem.gamma)
    check_sweep(solve(problem), expected, 2, 1)


@pytest.mark.parametrize("rewards", [[[0, 0], [0, 1]], [[3, -2], [1, -5]]])
def test_all_functional_datasets_of_2x2_are_counted_as_by_the_definitions(rewards):
    problem = mdp_class(tabular(2, 2), rewards, "9/10")
    expected = oracle.VersionSpaces(oracle.all_models(2, 2), problem.rewards, problem.gamma)
    check_sweep(solve(problem), expected, 2, 2)


@given(oracle.classes(max_states=2, max_models=8))
@settings(deadline=None, max_examples=40)
def test_all_functional_datasets_of_any_small_class_are_counted_as_by_the_definitions(drawn):
    models, rewards, gamma = drawn
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    check_sweep(solved, oracle.VersionSpaces(*drawn), len(rewards), len(rewards[0]))


@given(oracle.classes(max_states=2, max_models=8, gamma=st.just(Fraction(1))))
@settings(deadline=None, max_examples=40)
def test_and_without_discount(drawn):
    models, rewards, gamma = drawn
    if any(oracle.best_terminating_paths(m, rewards) for m in models):
        solved = solve(mdp_class(explicit(models), rewards, gamma))
        check_sweep(solved, oracle.VersionSpaces(*drawn), len(rewards), len(rewards[0]))


def test_one_dataset_and_the_sweep_agree_on_3x2():
    """Every 97th of the 15,625 functional datasets."""
    solved = solve(gallery_class("tabular-3x2-generic"))
    sweep = sweep_datasets(solved)
    assert len(sweep.HM) == 15_625
    for number, dataset in enumerate(oracle.functional_datasets(3, 2)):
        if number % 97 == 0:
            space = version_space(solved, dataset)
            assert (space.HM.sum(), space.HB.sum()) == (sweep.HM[number], sweep.HB[number])


def test_the_smallest_witness_holds_at_every_discount():
    """T0: 0->0, 1->t; T1: 0->1, 1->0; rewards -1: D = {0->0} leaves one q to the model and two to Bellman."""
    for p, q in [(1, 2), (1, 1000), (999, 1000), (9, 10), (1, 3)]:
        gamma = Fraction(p, q)
        solved = solve(mdp_class(explicit([[[0], [2]], [[1], [0]]]), [[-1], [-1]], gamma))
        space = version_space(solved, [(0, 0, 0)])
        stay = ((-1 / (1 - gamma),), (Fraction(-1),))
        circle = ((-1 / (1 - gamma),),) * 2
        assert tables(solved, space.HM) == {stay}
        assert tables(solved, space.HB) == {stay, circle}
        assert space.strict


def test_without_discount_a_zero_sum_breaks_part_3_for_the_action_that_earns_nothing():
    """One state, rewards (-1, 0), every model that ends: seeing a1 stay leaves one q to the model, two to Bellman.

    Seeing a0 stay leaves both. The H_M and H_B are worked out by following paths, without `theory`.
    """
    rewards = ((Fraction(-1), Fraction(0)),)
    expected = oracle.VersionSpaces(oracle.all_models(1, 2), rewards, Fraction(1))
    solved = solve(mdp_class(tabular(1, 2), rewards, 1))
    both = {((-1, -1),), ((-1, 0),)}
    for action, left_to_models in ((1, {((-1, -1),)}), (0, {((-1, 0),)})):
        D = [(0, action, 0)]
        assert (expected.h_m(D), expected.h_b(D)) == (
            left_to_models,
            both if action == 1 else left_to_models,
        )
        space = version_space(solved, D)
        assert (tables(solved, space.HM), tables(solved, space.HB)) == (
            expected.h_m(D),
            expected.h_b(D),
        )


def test_two_successors_of_one_pair_break_part_3():
    solved = solve(gallery_class("non-functional"))
    space = version_space(solved, [(0, 0, 0), (0, 0, 1)])
    assert (tables(solved, space.HM), tables(solved, space.HB)) == (set(), {((0,),)})
    assert not space.functional
    assert not space.realizable
    assert not space.strict


def test_no_data_leaves_every_q_to_both():
    solved = solve(gallery_class("push-tree"))
    space = version_space(solved, [])
    assert space.HM.all()
    assert space.HB.all()
    assert space.functional
    assert space.realizable


@pytest.mark.parametrize(
    ("transition", "message"),
    [
        ((2, 0, 0), "state of transition [2, 0, 0] is 2; accepted: an integer from 0 to 1"),
        ((0, 2, 0), "action of transition [0, 2, 0] is 2; accepted: an integer from 0 to 1"),
        ((0, 0, 3), "successor of transition [0, 0, 3] is 3; accepted: an integer from 0 to 2"),
        ((-1, 0, 0), "state of transition [-1, 0, 0] is -1; accepted"),
        ((0, 0), "transition [0, 0] has 2 entries; accepted: [s, a, s']"),
    ],
)
def test_a_transition_of_what_does_not_exist_is_refused(transition, message):
    solved = solve(gallery_class("tabular-2x2-sparse"))
    with pytest.raises(ValueError, match=re.escape(message)):
        version_space(solved, [(0, 0, 0), transition])


def test_too_many_datasets_are_refused_with_their_number():
    solved = solve(gallery_class("binary-factors-3"))
    with pytest.raises(
        SweepTooLargeError, match=r"1\.00e\+32 functional datasets, about 2\.00e\+24 GB"
    ):
        sweep_datasets(solved)
    many = solve(mdp_class(explicit([[[s] for s in range(200)]]), [[-1]] * 200, "1/2"))
    with pytest.raises(SweepTooLargeError, match=r"1\.18e\+461 functional datasets"):
        sweep_datasets(many)


def test_too_many_steps_are_refused_with_their_number(monkeypatch):
    solved = solve(gallery_class("tabular-2x1-cost"))
    steps = version_spaces.sweep_steps(solved)
    by_model = 9 * 2**2
    boxes = sum(
        np.prod([1 + sum(row) for row in pairs], dtype=int) for pairs in solved.consistent.tolist()
    )
    assert steps == by_model + boxes
    monkeypatch.setattr(version_spaces, "MAX_STEPS", steps)
    sweep_datasets(solved)
    monkeypatch.setattr(version_spaces, "MAX_STEPS", steps - 1)
    with pytest.raises(
        SweepTooLargeError, match=f"16 functional datasets, {steps} steps to go through; accepted"
    ):
        sweep_datasets(solved)


def test_a_q_that_violates_part_1_would_be_counted():
    """Were no transition consistent, each q would lie outside H_B(D) for every D of its models but the empty one."""
    solved = solve(gallery_class("smallest-decision"))
    vars(solved)["consistent"] = np.zeros_like(solved.consistent)
    sweep = sweep_datasets(solved)
    assert sweep.HB.sum() == solved.value_functions
    assert sweep.outside == sweep.HM.sum() - solved.value_functions > 0
    assert not version_space(solved, [(0, 0, 0)]).included


def test_progress_ends_at_one():
    told = []
    sweep_datasets(solve(gallery_class("tabular-3x2-sparse")), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_every_dataset_has_its_place_in_the_order_of_the_sweep():
    """The oracle's order is the documented one: base n + 2, the first pair's digit the most significant."""
    states, actions = 2, 1
    for number, digits in enumerate(product(range(states + 2), repeat=states * actions)):
        dataset = [(s, 0, t) for s, t in enumerate(digits) if t <= states]
        assert list(oracle.functional_datasets(states, actions))[number] == dataset
