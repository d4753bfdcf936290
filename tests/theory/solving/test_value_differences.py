"""Bounds on differences of values over all models of a product class, against its models one by one."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.theory.certificates.product_classes import built, product_classes
from theory import factored, gallery_class, mdp_class, optimal_q
from theory.solving import value_differences as module
from theory.solving.value_differences import DifferencesTooLargeError, value_differences


def values(problem):
    """V of the states and the end, for each model."""
    for index in range(problem.transitions.size):
        q = optimal_q(problem.transitions.table(index), problem.rewards, problem.gamma)
        yield [*map(max, q), 0]


@given(product_classes())
@settings(deadline=None, max_examples=50)
def test_no_model_passes_a_bound(drawn):
    problem = built(*drawn)
    found = value_differences(problem, problem.transitions.blocks, permutations(range(3), 2))
    assert set(found.bound) == set(permutations(range(3), 2))
    for V in values(problem):
        assert all(V[x] - V[y] <= u for (x, y), u in found.bound.items())


@pytest.mark.parametrize("action", [0, 1])
def test_with_one_action_to_choose_the_bound_is_the_largest_difference(action):
    """Both states act alike but for one pair: the bound is reached."""
    problem = mdp_class(factored([2], [[((0,),)]]), [[action], [3]], "1/2")
    largest = {
        (x, y): max(V[x] - V[y] for V in values(problem)) for x, y in permutations(range(3), 2)
    }
    found = value_differences(problem, problem.transitions.blocks, [(0, 1), (1, 0)])
    assert found.bound[1, 0] == 3 - action + (3 - action)  # 1 stays, 0 stays: twice the difference
    assert all(largest[pair] <= u for pair, u in found.bound.items())


def test_a_factor_that_no_reward_depends_on_makes_no_difference():
    """Two factors, two actions; the second factor is moved about in unknown ways, and the first earns."""
    actions = [[((0,), (0, 1))], [((1,), (1,))]]
    problem = mdp_class(factored([2, 3], [actions[0]]), [[int(s >= 3)] for s in range(6)], "9/10")
    blocks = problem.transitions.blocks
    pairs = [(x, y) for x, y in permutations(range(6), 2) if x // 3 == y // 3]
    found = value_differences(problem, blocks, pairs)
    assert all(u == 0 for pair, u in found.bound.items() if pair in pairs)
    assert max(found.influence) == 0
    # Once the first factor follows the second, it does.
    other = mdp_class(factored([2, 3], [actions[1]]), [[int(s >= 3)] for s in range(6)], "9/10")
    assert max(value_differences(other, other.transitions.blocks, pairs).bound.values()) > 0


def test_another_action_may_be_the_better_answer():
    """In 1 action 0 ends it for nothing, and action 1 stays and earns: 0 can gain no more, by either."""
    problem = mdp_class(factored([2], [[(None,)]] * 2, fixed=[(1, 0, 2)]), [[1, 1], [0, 1]], "1/2")
    found = value_differences(problem, problem.transitions.blocks, [(0, 1), (1, 0)])
    assert (found.bound[0, 1], found.bound[1, 0]) == (0, 0)


def test_too_many_comparisons_are_refused(monkeypatch):
    problem = gallery_class("binary-factors-3")
    monkeypatch.setattr(module, "MAX_MOVES", 10)
    with pytest.raises(DifferencesTooLargeError, match="over 10 ways to go on"):
        value_differences(problem, problem.transitions.blocks, [(0, 1)])
    assert value_differences(problem, problem.transitions.blocks, []).bound == {}


def test_rewards_beyond_floats_are_bounded_exactly():
    large = 10**400
    blocks = [([0], np.array([[0], [1]], dtype=np.uint8)), ([1], np.array([[1]], dtype=np.uint8))]
    problem = mdp_class(factored([2], [[(None,)]]), [[0], [large]], "1/2")
    assert value_differences(problem, blocks, [(0, 1)]).bound == {(0, 1): -large}
