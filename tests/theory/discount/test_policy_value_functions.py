"""Policy values as functions of gamma, against the values at single gammas, which know nothing of functions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from tests.theory import oracle
from theory import explicit, mdp_class
from theory.discount import policy_value_functions as module
from theory.discount.policy_value_functions import (
    StrataTooLargeError,
    find_coincidences,
    policy_value_functions,
)
from theory.progress import silent
from theory.solving.lasso_table import graph_stride, reward_choice


def denominator(states, gamma):
    """W at gamma: the product of the cyclotomic factors, by 1 - gamma^c = the product of those of d | c."""
    factor = {}
    for c in range(1, states + 1):
        rest = 1 - gamma**c
        for d in range(1, c):
            if c % d == 0:
                rest /= factor[d]
        factor[c] = rest
    return np.prod(list(factor.values()))


@given(oracle.classes(max_states=3, max_models=4, gamma=oracle.gammas))
@settings(deadline=None, max_examples=40)
def test_each_function_is_at_each_gamma_the_value_of_its_policy(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    n, k = problem.states, problem.actions
    functions = policy_value_functions(problem)
    choice, stride = reward_choice(problem.rewards), graph_stride(problem.rewards)
    unit = np.lcm.reduce([r.denominator for row in problem.rewards for r in row])
    for model, policy in product(models, product(range(k), repeat=n)):
        successors = [row[a] for row, a in zip(model, policy, strict=True)]
        earned = [row[a] for row, a in zip(problem.rewards, policy, strict=True)]
        values = oracle.policy_values(successors, earned, gamma)
        options = [choice[s, a] * (n + 1) + model[s][a] for s, a in enumerate(policy)]
        graph = int(np.dot(stride, options))
        for s in range(n):
            numerator = functions.numerators[functions.function[graph, s]]
            at_gamma = sum(c * gamma**i for i, c in enumerate(reversed(numerator)))
            assert at_gamma == values[s] * unit * denominator(n, gamma)


def test_two_values_coincide_where_their_difference_has_a_root():
    """One state pays 1 for ever, 1 / (1 - gamma); or 3 once, and ends: equal at gamma = 2/3 alone."""
    problem = mdp_class(explicit([[[0, 1]]]), [[1, 3]], "1/2")
    functions = policy_value_functions(problem)
    assert len(functions.numerators) == 3
    (polynomial,) = find_coincidences(functions, silent)
    assert polynomial == (3, -2)


def test_too_many_pairs_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_PAIRS", 2)
    functions = policy_value_functions(mdp_class(explicit([[[0, 1]]]), [[1, 3]], "1/2"))
    with pytest.raises(StrataTooLargeError, match=r"3 policy values .* 3 pairs to compare"):
        find_coincidences(functions, silent)
