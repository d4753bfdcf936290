"""Policy iteration in fractions against elimination over all policies, a closed form, and quantecon."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import optimal_q
from theory.solving.policy_iteration import lasso_values


@st.composite
def one_model(draw):
    models, rewards, gamma = draw(
        oracle.classes(max_states=4, max_models=1, gamma=oracle.gammas | oracle.extreme_gammas)
    )
    return models[0], rewards, gamma


@given(one_model())
@settings(deadline=None)
def test_it_finds_the_best_of_all_policies(problem):
    assert optimal_q(*problem) == oracle.best_of_all_policies(*problem)


@given(one_model(), st.data())
@settings(deadline=None)
def test_a_policy_has_the_values_that_elimination_gives(problem, data):
    model, rewards, gamma = problem
    n, k = len(model), len(model[0])
    policy = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    successors = [model[s][a] for s, a in enumerate(policy)]
    gains = [rewards[s][a] for s, a in enumerate(policy)]
    assert lasso_values(successors, gains, gamma) == oracle.policy_values(successors, gains, gamma)


@given(st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=2), min_size=6, max_size=6))
@settings(deadline=None)
def test_with_unit_costs_the_value_is_that_of_the_shortest_path(model):
    """V(s) = -(1 - gamma^d) / (1 - gamma), d being the length that networkx finds, or infinite."""
    gamma = Fraction(3, 4)
    graph = nx.DiGraph([(t, s) for s, row in enumerate(model) for t in row] + [(6, 6)])
    distance = nx.single_source_shortest_path_length(graph, 6)
    q = optimal_q(model, ((Fraction(-1),) * 2,) * 6, gamma)
    for s in range(6):
        decayed = gamma ** distance[s] if s in distance else 0
        assert max(q[s]) == -(1 - decayed) / (1 - gamma)


def test_quantecon_finds_the_same_values():
    markov = pytest.importorskip("quantecon.markov")
    rng = np.random.default_rng(0)
    for _ in range(20):
        n, k = rng.integers(2, 6), rng.integers(1, 4)
        model = rng.integers(0, n + 1, (n, k))
        rewards = rng.integers(-5, 6, (n, k))
        q = optimal_q(
            [[int(t) for t in row] for row in model],
            tuple(tuple(Fraction(int(r)) for r in row) for row in rewards),
            Fraction(9, 10),
        )
        # The terminal state as a state that stays where it is and earns nothing.
        step = np.zeros((n + 1, k, n + 1))
        step[np.arange(n)[:, None], np.arange(k), model] = 1
        step[n, :, n] = 1
        process = markov.DiscreteDP(np.vstack([rewards, np.zeros(k)]), step, 0.9)
        found = process.solve(method="policy_iteration").v
        assert found == pytest.approx([*(float(max(row)) for row in q), 0], abs=1e-9)


def test_it_stops_where_all_actions_are_equally_good():
    zero = ((Fraction(0),) * 3,) * 2
    assert optimal_q([[0, 1, 2], [1, 0, 2]], zero, Fraction(1, 2)) == zero


@pytest.mark.parametrize("gamma", [Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(3, 2)])
def test_a_discount_outside_the_open_interval_is_refused(gamma):
    with pytest.raises(ValueError, match=rf"gamma is {gamma}; accepted: .*\(0, 1\)$"):
        optimal_q([[0]], ((Fraction(1),),), gamma)


def test_rewards_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        optimal_q([[0], [1]], ((Fraction(1),),), Fraction(1, 2))
