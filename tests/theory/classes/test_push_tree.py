"""The introduction's example: its four classes, and what each lets one conclude about pushing at (0, 1)."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from tests.theory import oracle
from theory import gallery_class, solve, version_space
from theory.classes.push_tree import EXPERIENCE, PUSH, STANDING_WITH_FOOD, STATES, TRUTH

# The values of q((0, 1), push) that the table of the theory gives.
FOUR = {Fraction(0), Fraction(729, 1000), Fraction(81, 100), Fraction(9, 10)}


def pushing(solved, left):
    return {solved.q_table(int(q))[STANDING_WITH_FOOD][PUSH] for q in np.flatnonzero(left)}


@pytest.mark.parametrize(
    ("name", "models", "value_functions", "left_to_models", "left_to_bellman"),
    [
        ("push-tree", 49, 28, 10, 19),
        ("push-tree-independent", 256, 119, 32, 46),
        ("push-tree-tabular", 16_384, 4_766, 1_358, 1_358),
    ],
)
def test_the_table_of_the_theory(name, models, value_functions, left_to_models, left_to_bellman):
    solved = solve(gallery_class(name))
    space = version_space(solved, EXPERIENCE)
    assert (len(solved.models), solved.value_functions) == (models, value_functions)
    assert (space.HM.sum(), space.HB.sum()) == (left_to_models, left_to_bellman)


def test_pushing_becomes_attractive_only_if_an_action_is_known_to_change_one_factor_at_most():
    solved = solve(gallery_class("push-tree"))
    space = version_space(solved, EXPERIENCE)
    assert pushing(solved, space.HM) == {Fraction(9, 10)}
    assert pushing(solved, space.HB) == FOUR

    solved = solve(gallery_class("push-tree-independent"))
    space = version_space(solved, EXPERIENCE)
    assert pushing(solved, space.HM) == pushing(solved, space.HB) == FOUR

    solved = solve(gallery_class("push-tree-tabular"))
    space = version_space(solved, EXPERIENCE)
    assert pushing(solved, space.HM) == pushing(solved, space.HB)
    assert len(pushing(solved, space.HM)) == 5
    assert (space.HM == space.HB).all()


def test_with_nothing_known_beforehand_the_model_gains_nothing():
    solved = solve(gallery_class("push-tree-unrestricted"))
    space = version_space(solved, EXPERIENCE)
    # Every map, with the rewards of the tabular 4 x 2 class: reward 1 for the last action of the last state alone.
    assert (len(solved.models), solved.value_functions) == (390_625, 72_709)
    assert space.models_consistent == 5**6
    assert (space.HM == space.HB).all()
    assert 0 < space.HM.sum() < solved.value_functions


def maps(one_factor):
    """Every map of the four states by an own map of each factor; `one_factor`: one of the two changes nothing."""
    factor_maps = list(product((0, 1), repeat=2))
    stay = (0, 1)
    return {
        tuple(STATES.index((tree[fallen], meal[food])) for fallen, food in STATES)
        for tree, meal in product(factor_maps, repeat=2)
        if not one_factor or stay in (tree, meal)
    }


@pytest.mark.parametrize(
    ("name", "one_factor"), [("push-tree", True), ("push-tree-independent", False)]
)
def test_the_factored_classes_by_their_definition_in_words(name, one_factor):
    """Models written as loops, values by elimination over all policies, H_M and H_B by their definitions."""
    models = [
        tuple((p, 4 if s == 3 else e) for s, (p, e) in enumerate(zip(push, eat, strict=True)))
        for push, eat in product(maps(one_factor), repeat=2)
    ]
    rewards = [[0, 0], [0, 0], [0, 0], [0, 1]]
    expected = oracle.VersionSpaces(models, rewards, Fraction(9, 10))
    problem = gallery_class(name)
    solved = solve(problem)
    found = {problem.transitions.table(i) for i in range(problem.transitions.size)}
    assert found == set(models)
    space = version_space(solved, EXPERIENCE)
    for left, tables in (
        (space.HM, expected.h_m(EXPERIENCE)),
        (space.HB, expected.h_b(EXPERIENCE)),
    ):
        assert {solved.q_table(int(q)) for q in np.flatnonzero(left)} == tables


@pytest.mark.parametrize(
    "name", ["push-tree", "push-tree-independent", "push-tree-tabular", "push-tree-unrestricted"]
)
def test_the_truth_and_its_experience_belong_to_every_class(name):
    problem = gallery_class(name)
    assert problem.transitions.table(problem.transitions.index(TRUTH)) == TRUTH
    assert all(TRUTH[s][a] == successor for s, a, successor in EXPERIENCE)
    names = [problem.state_name(s) for s in range(5)]
    assert names == ["(0,0)", "(0,1)", "(1,0)", "(1,1)", "t"]
    assert [problem.action_name(a) for a in range(2)] == ["push", "eat"]
    assert problem.rewards == ((0, 0), (0, 0), (0, 0), (0, 1))
