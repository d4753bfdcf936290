"""The built-in classes: that they show what they are there to show."""

import re
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest

from tests.theory import oracle
from theory import (
    GALLERY,
    check_class,
    cost_rewards,
    gallery_class,
    named_rewards,
    solve,
    sparse_rewards,
    version_space,
)
from theory.classes.gallery import binary_factors, binary_factors_dataset, binary_factors_truth


@cache
def solved_class(name):
    return solve(gallery_class(name))


@pytest.mark.parametrize("name", GALLERY)
def test_an_entry_is_whole(name):
    entry = GALLERY[name]
    problem = entry.make()
    assert problem.name == name
    assert gallery_class(name).name == name
    assert entry.about
    solved = solved_class(name)
    if entry.truth:
        assert problem.transitions.table(problem.transitions.index(entry.truth)) == entry.truth
    space = version_space(solved, entry.dataset)
    assert space.realizable or entry.counterexample
    assert space.included


@pytest.mark.parametrize("count", range(1, 6))
def test_the_gap_of_binary_factors_is_the_number_of_states_less_the_number_of_factors(count):
    solved = solved_class(f"binary-factors-{count}")
    space = version_space(solved, binary_factors_dataset(count))
    assert space.HM.sum() == 2**count
    assert space.HB.sum() == 2**count * (2**count - count)
    assert space.HB.sum() // space.HM.sum() == [1, 2, 5, 12, 27][count - 1]


@pytest.mark.parametrize("count", [1, 2])
def test_the_gap_of_binary_factors_by_the_definitions(count):
    """Bit i from the left is factor i; action i applies a map to it; the last action eats at (1, ..., 1)."""
    n, goal = 2**count, 2**count - 1
    choices = list(product(product((0, 1), repeat=2), repeat=count))

    def successor(state, action, factor_maps):
        if action == count:
            return n if state == goal else state
        bit = count - 1 - action
        value = factor_maps[action][state >> bit & 1]
        return state & ~(1 << bit) | value << bit

    models = [
        tuple(tuple(successor(s, a, maps) for a in range(count + 1)) for s in range(n))
        for maps in choices
    ]
    rewards = [[int((s, a) == (goal, count)) for a in range(count + 1)] for s in range(n)]
    expected = oracle.VersionSpaces(models, rewards, Fraction(9, 10))
    dataset = binary_factors_dataset(count)
    assert len(expected.h_m(dataset)) == 2**count
    assert len(expected.h_b(dataset)) == 2**count * (2**count - count)
    assert binary_factors_truth(count) in models
    transitions = binary_factors(count).transitions
    assert {transitions.table(i) for i in range(transitions.size)} == set(models)


def test_the_smallest_decision_settles_an_action_for_the_model_alone():
    entry = GALLERY["smallest-decision"]
    solved = solve(entry.make())
    space = version_space(solved, entry.dataset)
    assert (space.HM.sum(), space.HB.sum()) == (1, 2)

    def settled(left):
        return solved.greedy[left].all(axis=0).any(axis=1).tolist()

    assert settled(space.HM) == [True, True]
    assert settled(space.HB) != [True, True]


def test_tabular_classes_and_binary_factors_exist_in_other_sizes():
    problem = gallery_class("tabular-2x3-cost")
    assert (problem.states, problem.actions, problem.transitions.size) == (2, 3, 3**6)
    assert check_class(problem).part3_functional
    assert gallery_class("binary-factors-6").transitions.size == 4**6


def test_reward_tables_have_names():
    assert named_rewards("sparse", 4, 3) == sparse_rewards(4, 3)
    assert named_rewards("cost", 4, 3) == cost_rewards(4, 3)
    assert named_rewards("generic", 3, 2) == ((3, -2), (1, -5), (-4, 7))
    with pytest.raises(ValueError, match="1000000 states and 1000000 actions; accepted: at most"):
        named_rewards("sparse", 10**6, 10**6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no class is called ''; accepted: a JSON file or one of tabular-2x1-cost"),
        ("push", "no class is called 'push'"),
        ("tabular-3x2", "no class is called 'tabular-3x2'"),
        ("tabular-3x2-rich", "rewards 'rich' for 3 x 2; accepted: sparse, cost, or for 3 x 2 generic"),
        ("tabular-2x2-generic", "rewards 'generic' for 2 x 2; accepted"),
        ("tabular-0x2-sparse", "states is 0; accepted: 1 or more"),
        ("tabular-2x0-cost", "actions is 0; accepted: 1 or more"),
        ("tabular-999999x999999-sparse", "999999 states and 999999 actions; accepted: at most 65535 pairs"),
        ("binary-factors-0", "binary-factors-0; accepted: 1 to 10 factors"),
        ("binary-factors-11", "binary-factors-11; accepted: 1 to 10 factors"),
    ],
)  # fmt: skip
def test_a_name_that_means_nothing_is_refused(name, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        gallery_class(name)
    assert len(str(refused.value).splitlines()) == 1


def test_the_true_model_of_a_tabular_class_is_a_chain():
    truth = GALLERY["tabular-3x2-sparse"].truth
    assert truth == ((0, 1), (0, 2), (0, 3))
    solved = solve(gallery_class("tabular-3x2-sparse"))
    q = solved.q_table(int(solved.q_of_model[solved.problem.transitions.index(truth)]))
    assert [max(row) for row in q] == [Fraction(81, 100), Fraction(9, 10), 1]
    assert np.array(q).argmax(axis=1).tolist() == [1, 1, 1]
