"""Exact values of classes with options, against all policies, another solver, and the deterministic methods."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    closed_under_equivalence,
    mdp_class,
    solve,
    sweep_datasets,
    tabular,
    version_space,
)
from theory.classes.options import option, option_class
from theory.solving import laws


def best_of_all_policies(options, gamma, n, k):
    """q* of the model that has `options[pair]`: every policy by elimination."""
    vectors = []
    for policy in product(range(k), repeat=n):
        chosen = [options[s * k + a] for s, a in enumerate(policy)]
        matrix = [
            [(i == j) - gamma * dict(chosen[i].law).get(j, 0) for j in range(n)] for i in range(n)
        ]
        vectors.append(oracle.linear_solution(matrix, [o.reward for o in chosen]))
    V = [*map(max, zip(*vectors, strict=True)), Fraction(0)]
    q = [o.reward + gamma * sum(p * V[x] for x, p in o.law) for o in options]
    return tuple(tuple(q[s * k : (s + 1) * k]) for s in range(n))


@st.composite
def classes(draw, most=3):
    """Plain numbers: n, k, for each pair (reward, weights of successors) of its options, models if listed, gamma."""
    n, k = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]))
    rewards = st.sampled_from([0, 0, 1, -1, Fraction(1, 3)])
    weights = st.tuples(*[st.integers(0, 2)] * (n + 1)).filter(any)
    lists = st.lists(st.tuples(rewards, weights), min_size=1, max_size=most)
    options = [draw(lists) for _ in range(n * k)]
    model = st.tuples(*[st.integers(0, len(choices) - 1) for choices in options])
    models = draw(st.none() | st.lists(model, min_size=1, max_size=8))
    return n, k, options, models, draw(st.sampled_from(["1/2", "9/10", "1/7"]))


def built(n, k, options, models, gamma):
    """The class of these numbers; an option that comes twice counts once."""
    every = [
        [option(r, {x: Fraction(w, sum(ws)) for x, w in enumerate(ws)}, n) for r, ws in choices]
        for choices in options
    ]
    distinct = [list(dict.fromkeys(choices)) for choices in every]
    listed = models and [
        [distinct[pair].index(every[pair][o]) for pair, o in enumerate(model)] for model in models
    ]
    return mdp_class(option_class(n, k, distinct, listed), [[0] * k] * n, gamma, name="drawn")


@given(classes())
@settings(deadline=None, max_examples=25)
def test_values_and_the_three_tables_are_those_of_the_definitions(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    n, k = solved.states, solved.actions
    options = problem.transitions.options
    tables = [solved.q_table(q) for q in range(solved.value_functions)]
    assert len(set(tables)) == len(tables)
    assert solved.value_vectors == len({tuple(map(max, table)) for table in tables})
    for model, number in zip(solved.models.tolist(), solved.q_of_model, strict=True):
        chosen = [options[pair][o] for pair, o in enumerate(model)]
        assert tables[number] == best_of_all_policies(chosen, problem.gamma, n, k)
    for q, table in enumerate(tables):
        V = [*map(max, table), Fraction(0)]
        assert solved.greedy[q].tolist() == [[x == max(row) for x in row] for row in table]
        for pair, choices in enumerate(options):
            for o in range(solved.options):
                expected = (
                    o < len(choices)
                    and choices[o].reward + problem.gamma * sum(p * V[x] for x, p in choices[o].law)
                    == table[pair // k][pair % k]
                )
                assert solved.consistent[q, pair, o] == expected


@given(oracle.tables(2, 2, oracle.small_fractions), oracle.gammas)
@settings(deadline=None, max_examples=3)
def test_where_options_are_successors_all_is_as_by_the_deterministic_methods(rewards, gamma):
    options = [
        [option(rewards[s][a], {x: 1}, 2) for x in range(3)] for s in range(2) for a in range(2)
    ]
    by_laws = solve(mdp_class(option_class(2, 2, options), rewards, gamma))
    by_ranks = solve(mdp_class(tabular(2, 2), rewards, gamma))
    assert by_laws.models.tolist() == by_ranks.models.tolist()
    assert by_laws.q_of_model.tolist() == by_ranks.q_of_model.tolist()
    assert by_laws.consistent.tolist() == by_ranks.consistent.tolist()
    assert by_laws.greedy.tolist() == by_ranks.greedy.tolist()
    assert by_laws.value_vectors == by_ranks.value_vectors
    for q in range(by_laws.value_functions):
        assert by_laws.q_table(q) == by_ranks.q_table(q)


def test_batches_and_parts_change_nothing(monkeypatch):
    options = [
        [option(r, {0: Fraction(1, d), 1: 1 - Fraction(1, d)}, 2) for r in (0, 1) for d in (2, 3)]
        for _ in range(4)
    ]
    problem = mdp_class(option_class(2, 2, options), [[0] * 2] * 2, "9/10")
    whole = solve(problem)
    monkeypatch.setattr(laws, "BATCH", 37)
    monkeypatch.setattr(laws, "PART", 5)
    parts = laws.solve_laws(problem)
    assert parts.q_of_model.tolist() == whole.q_of_model.tolist()
    assert parts.consistent.tolist() == whole.consistent.tolist()
    assert parts.values == whole.values


def test_quantecon_has_the_same_values():
    quantecon = pytest.importorskip("quantecon.markov")
    rng = np.random.default_rng(3)
    n, k = 4, 2
    options = []
    for _ in range(n * k):
        weights = rng.integers(0, 4, (2, n + 1)) + np.eye(2, n + 1, dtype=int)
        options.append(
            [
                option(
                    int(rng.integers(-3, 4)),
                    {x: Fraction(int(w), int(row.sum())) for x, w in enumerate(row)},
                    n,
                )
                for row in weights
            ]
        )
    problem = mdp_class(option_class(n, k, options), [[0] * k] * n, "9/10")
    solved = solve(problem)
    for model in (0, 97, 255):
        R, Q = np.zeros((n + 1, k)), np.zeros((n + 1, k, n + 1))
        Q[n, :, n] = 1
        for pair, number in enumerate(solved.models[model]):
            chosen = options[pair][number]
            R[pair // k, pair % k] = chosen.reward
            for x, p in chosen.law:
                Q[pair // k, pair % k, x] = p
        V = quantecon.DiscreteDP(R, Q, 0.9).solve(method="policy_iteration").v
        ours = [float(max(row)) for row in solved.q_table(int(solved.q_of_model[model]))]
        assert np.allclose(V[:n], ours, rtol=1e-12)


@given(classes(most=2))
@settings(deadline=None, max_examples=15)
def test_every_functional_evidence_leaves_what_the_definitions_say(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    sweep = sweep_datasets(solved)
    assert sweep.outside == 0  # part 1
    tables = [solved.q_table(q) for q in range(solved.value_functions)]
    options, k = problem.transitions.options, solved.actions
    rows = [
        (model, tables[q])
        for model, q in zip(solved.models.tolist(), solved.q_of_model, strict=True)
    ]
    for number, seen in enumerate(product(*(range(count + 1) for count in solved.option_counts))):
        D = [(pair, o) for pair, o in enumerate(seen) if o < len(options[pair])]
        H_M = {q for model, q in rows if all(model[pair] == o for pair, o in D)}
        H_B = {
            q
            for q in tables
            if all(
                options[pair][o].backup([*map(max, q), Fraction(0)], problem.gamma)
                == q[pair // k][pair % k]
                for pair, o in D
            )
        }
        assert (sweep.HM[number], sweep.HB[number]) == (len(H_M), len(H_B))
        space = version_space(solved, [(pair // k, pair % k, o) for pair, o in D])
        assert space.included
    if problem.transitions.is_tabular:
        assert closed_under_equivalence(solved)  # part 3
