"""All models of a class solved: three methods, and the fibers, held against each other and against definitions."""

import re
from collections import Counter
from fractions import Fraction
from itertools import product
from math import lcm

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    ClassTooLargeError,
    SolvedClass,
    explicit,
    gallery_class,
    mdp_class,
    optimal_q,
    solve,
    tabular,
)
from theory.criteria.fiber_census import value_fibers
from theory.solving import deterministic as module
from theory.solving import lasso_table as lasso_table_module
from theory.solving.deterministic import (
    optimal_ranks,
    optimal_ranks_of_product,
    row_numbers,
    solve_by_table,
)
from theory.solving.lasso_table import lasso_table


@pytest.fixture(scope="module")
def solved_4x2() -> SolvedClass:
    return solve(gallery_class("tabular-4x2-sparse"))


def scaled_values(solved):
    """[model, vertex], as Python or int64 integers times solved.scale.factor."""
    return solved.levels[solved.ranks]


# Three methods on all 390,625 models of 4 states and 2 actions.


@pytest.mark.parametrize("first", range(5))
def test_policy_iteration_in_fractions_finds_the_same_q_in_all_models_of_4x2(solved_4x2, first):
    """Every model whose state 0 has `first` as its least successor; the five cases are all 390,625.

    Where both actions of a state earn the same, the best of r + gamma V(T(s, a)) does not ask which of the two leads
    where, so that exchanging their successors leaves the Bellman equation for V, and so V*, as it is; q* follows by
    q(s, a) = r(s, a) + gamma V*(T(s, a)). With sparse rewards this holds in states 0, 1 and 2. So the plain method
    solves the 15^3 * 25 = 84,375 models in which these states' successors do not decrease, and its V must be that
    of the fast one in every model that sorting takes to it.
    """
    problem = solved_4x2.problem
    models = solved_4x2.models.astype(np.int64).reshape(-1, 4, 2)
    ordered = models.copy()
    ordered[:, :3].sort(axis=2)
    place = 5 ** np.arange(7, -1, -1)
    representative = ordered.reshape(-1, 8) @ place
    mine = np.flatnonzero(ordered[:, 0, 0] == first)
    assert len(mine) == 5**6 * (2 * (4 - first) + 1)

    values = np.zeros((5**8, 5), dtype=np.int64)
    for index in np.unique(representative[mine]):
        table = models[index].tolist()
        q = optimal_q(table, problem.rewards, problem.gamma)
        exact = [max(row) * solved_4x2.scale.factor for row in q]
        assert all(v.denominator == 1 for v in exact)
        values[index, :4] = [int(v) for v in exact]
        backups = values[index][models[index]]
        assert q == tuple(
            tuple(
                r + problem.gamma * Fraction(int(v), solved_4x2.scale.factor)
                for r, v in zip(*rows, strict=True)
            )
            for rows in zip(problem.rewards, backups, strict=True)
        )
    assert np.array_equal(scaled_values(solved_4x2)[mine], values[representative[mine]])


def test_every_value_of_4x2_solves_the_bellman_optimality_equation(solved_4x2):
    """V(s) = max over a of r(s, a) + 9/10 V(T(s, a)), times 10 and times a scale computed here, in all models."""
    scale = 10**4 * lcm(10 - 9, 10**2 - 9**2, 10**3 - 9**3, 10**4 - 9**4)
    values = scaled_values(solved_4x2).astype(np.int64)
    assert solved_4x2.scale.factor == scale
    assert len(values) == 390_625
    reward = np.array([[0, 0]] * 3 + [[0, 1]]) * scale
    following = np.take_along_axis(values, solved_4x2.models.astype(np.int64), axis=1)
    backups = 10 * reward + 9 * following.reshape(-1, 4, 2)
    assert np.array_equal(10 * values[:, :4], backups.max(axis=2))
    assert not values[:, 4].any()


def test_the_fibers_of_4x2_have_the_sizes_that_the_census_counts(solved_4x2):
    problem = solved_4x2.problem
    fibers = value_fibers(problem.rewards, problem.gamma)
    assert fibers.scale == solved_4x2.scale
    vectors, inverse, models = np.unique(
        scaled_values(solved_4x2)[:, :4], axis=0, return_inverse=True, return_counts=True
    )
    assert np.array_equal(fibers.vectors, vectors)
    assert np.array_equal(fibers.models, models)
    of_q = inverse.reshape(-1)[solved_4x2.first_model]
    assert np.array_equal(fibers.value_functions, np.bincount(of_q))
    assert (solved_4x2.value_functions, solved_4x2.value_vectors) == (72_709, 101)


def test_the_look_up_model_by_model_agrees_with_the_product_state_by_state(solved_4x2):
    problem = solved_4x2.problem
    table = lasso_table(problem.rewards, problem.gamma)
    assert np.array_equal(optimal_ranks(solved_4x2.models, table, 2), solved_4x2.ranks)


def test_quantecon_finds_the_same_values_in_a_sample_of_4x2(solved_4x2):
    markov = pytest.importorskip("quantecon.markov")
    rewards = np.zeros((5, 2))
    rewards[3, 1] = 1
    rng = np.random.default_rng(0)
    for index in rng.integers(0, 5**8, 50):
        step = np.zeros((5, 2, 5))
        successors = solved_4x2.models[index].reshape(4, 2)
        step[np.arange(4)[:, None], np.arange(2), successors] = 1
        step[4, :, 4] = 1
        found = markov.DiscreteDP(rewards, step, 0.9).solve(method="policy_iteration").v
        exact = scaled_values(solved_4x2)[index] / solved_4x2.scale.factor
        assert found == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "models", "value_functions"),
    [
        ("tabular-3x2-sparse", 4_096, 1_439),
        ("tabular-3x2-cost", 4_096, 1_318),
        ("tabular-3x2-generic", 4_096, 4_089),
    ],
)
def test_policy_iteration_finds_the_same_q_in_all_models_of_3x2(name, models, value_functions):
    problem = gallery_class(name)
    solved = solve(problem)
    assert (len(solved.models), solved.value_functions) == (models, value_functions)
    tables = [solved.q_table(q) for q in range(solved.value_functions)]
    assert len(set(tables)) == value_functions
    for index, q in enumerate(solved.q_of_model):
        model = problem.transitions.table(index)
        assert optimal_q(model, problem.rewards, problem.gamma) == tables[q]


# Any class.


def check_against_definitions(problem, models, solved):
    rewards, gamma = problem.rewards, problem.gamma
    q_of = {m: oracle.optimal_q(m, rewards, gamma) for m in models}
    finite = [m for m in q_of if q_of[m] is not None]
    tables = [solved.q_table(q) for q in range(solved.value_functions)]
    assert [
        tuple(tuple(row) for row in m.reshape(problem.states, problem.actions).tolist())
        for m in solved.models
    ] == finite
    assert solved.dropped == len(q_of) - len(finite)
    assert [tables[q] for q in solved.q_of_model] == [q_of[m] for m in finite]
    assert tables == list(dict.fromkeys(q_of[m] for m in finite))
    assert solved.value_vectors == len({tuple(map(max, q)) for q in tables})
    sizes = Counter(q_of[m] for m in finite)
    for number, q in enumerate(tables):
        fiber = [
            tuple(tuple(row) for row in m.reshape(problem.states, problem.actions).tolist())
            for m in solved.fiber(number)
        ]
        assert fiber == [m for m in finite if q_of[m] == q]
        assert len(fiber) == sizes[q]
        for s, a in product(range(problem.states), range(problem.actions)):
            assert solved.greedy[number, s, a] == (q[s][a] == max(q[s]))
            for successor in range(problem.states + 1):
                expected = oracle.consistent(q, rewards, gamma, (s, a, successor))
                assert solved.consistent[number, s * problem.actions + a, successor] == expected


@given(oracle.classes(gamma=oracle.gammas | oracle.extreme_gammas))
@example(((((0,),), ((1,),)), ((Fraction(0),),), Fraction(999, 1000)))
@settings(deadline=None)
def test_values_fibers_and_bellman_sets_are_those_of_the_definitions(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    check_against_definitions(problem, models, solve(problem))


@given(oracle.classes(gamma=st.just(Fraction(1)), max_models=12))
@settings(deadline=None)
def test_without_discount_models_with_a_finite_q_are_kept_and_values_are_those_of_paths(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    if all(oracle.best_terminating_paths(m, rewards) is None for m in models):
        with pytest.raises(ValueError, match="no model of the class has a finite q"):
            solve(problem)
    else:
        check_against_definitions(problem, models, solve(problem))


def test_without_discount_unit_costs_count_the_steps_of_the_shortest_path():
    models = list(oracle.all_models(3, 2))
    solved = solve(mdp_class(tabular(3, 2), [[-1, -1]] * 3, 1))
    distances = {}
    for model in models:
        graph = nx.DiGraph([(t, s) for s, row in enumerate(model) for t in row] + [(3, 3)])
        reached = nx.single_source_shortest_path_length(graph, 3)
        if len(reached) == 4:
            distances[model] = [-reached[s] for s in range(4)]
    assert solved.dropped == len(models) - len(distances)
    assert scaled_values(solved).tolist() == list(distances.values())


@given(oracle.classes(max_states=2, max_models=5, gamma=oracle.gammas | oracle.extreme_gammas))
@settings(deadline=None)
def test_policy_iteration_takes_over_where_the_table_would_be_too_large(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lasso_table_module, "MAX_ENTRIES", 0)
        plain = solve(problem)
    fast = solve_by_table(problem, lasso_table(rewards, gamma))
    plainly, quickly = (
        [[solved.value(rank) for rank in row] for row in solved.ranks.tolist()]
        for solved in (plain, fast)
    )
    assert plainly == quickly
    assert np.array_equal(plain.q_of_model, fast.q_of_model)
    assert np.array_equal(plain.consistent, fast.consistent)
    check_against_definitions(problem, models, plain)


def table_made(problem):
    """Whether `solve` makes the table of all policies' values."""
    with pytest.MonkeyPatch.context() as patch:
        made = []
        patch.setattr(
            module, "lasso_table", lambda *asked: made.append(asked) or lasso_table(*asked)
        )
        solve(problem)
    return bool(made)


def test_the_cheaper_method_is_taken():
    few = [[[1, 2], [3, 4], [5, 6], [0, 1], [2, 3], [4, 5]], [[6, 6]] * 6]
    rewards = [[0, 1]] * 4 + [[0, 0]] * 2
    assert not table_made(mdp_class(explicit(few), rewards, "99/100"))
    assert table_made(mdp_class(tabular(3, 2), rewards[:3], "99/100"))
    assert table_made(mdp_class(explicit([[[1]], [[0]]]), [[-1]], 1))


def test_integers_past_63_bits_have_a_limit_of_their_own(monkeypatch):
    monkeypatch.setattr(lasso_table_module, "MAX_BIG_ENTRIES", 100)
    rewards = ((Fraction(0), Fraction(1)),) * 3
    assert lasso_table(rewards, Fraction(9, 10)).levels.dtype == np.int64
    with pytest.raises(
        ValueError, match=r"have 1\.54e\+3 entries, .* at most 100 of integers past 63"
    ):
        lasso_table(rewards, Fraction(999999, 1000000))
    census_too_large = gallery_class("tabular-4x2-sparse").rewards
    with pytest.raises(ValueError, match="of integers past 63 bits, by a simpler gamma"):
        value_fibers(census_too_large, Fraction(999999, 1000000))


def test_a_class_of_many_states_is_solved_past_int64():
    """A corridor of 40 states: V(s) is gamma^(39 - s)."""
    corridor = [[s + 1] for s in range(40)]
    rewards = [[int(s == 39)] for s in range(40)]
    solved = solve(mdp_class(explicit([corridor, [[40]] * 40]), rewards, "9/10"))
    assert solved.levels.dtype == object
    values = [solved.value(rank) for rank in solved.ranks[0].tolist()]
    assert values == [Fraction(9, 10) ** (39 - s) for s in range(40)] + [0]


def test_without_discount_there_is_no_plain_method():
    problem = mdp_class(explicit([[[9]] * 9]), [[-1]] * 9, 1)
    with pytest.raises(ValueError, match=r"would have 9\.00e\+9 entries"):
        solve(problem)


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_product_and_look_up_agree_with_allowed_successors_and_fixed_pairs(data):
    n, k = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    allowed = data.draw(st.lists(st.integers(0, n), unique=True, min_size=1, max_size=3))
    fixed = data.draw(st.lists(st.integers(0, n), max_size=n))
    rewards = data.draw(oracle.tables(n, k, oracle.small_fractions))
    gamma = data.draw(oracle.gammas)
    transitions = tabular(n, k, successors=allowed, fixed=[(s, 0, t) for s, t in enumerate(fixed)])
    table = lasso_table(rewards, gamma)
    models = transitions.models(0, transitions.size)
    by_product = optimal_ranks_of_product(transitions.state_assignments(), table)
    assert np.array_equal(optimal_ranks(models, table, k), by_product)


@given(
    oracle.classes(max_models=8),
    st.permutations(range(3)),
)
@settings(deadline=None)
def test_renaming_states_changes_no_count(drawn, order):
    models, rewards, gamma = drawn
    n = len(rewards)
    new = [s for s in order if s < n] + [n]  # state s is called new[s]
    old = [new.index(s) for s in range(n)]
    renamed = [tuple(tuple(new[t] for t in m[s]) for s in old) for m in models]
    before = solve(mdp_class(explicit(models), rewards, gamma))
    after = solve(mdp_class(explicit(renamed), [rewards[s] for s in old], gamma))
    assert before.value_functions == after.value_functions
    assert before.value_vectors == after.value_vectors
    assert before.q_of_model.tolist() == after.q_of_model.tolist()
    assert before.consistent.sum() == after.consistent.sum()


def test_an_optimal_q_is_an_exact_table_for_sympy_too():
    """Smallest witness: T0 stays at 0, so V(0) = -1 / (1 - 1/2)."""
    sympy = pytest.importorskip("sympy")
    solved = solve(gallery_class("smallest-witness"))
    for index, model in enumerate([(0, 2), (1, 0)]):
        V = sympy.symbols("V0 V1")
        V_all = (*V, sympy.Integer(0))
        solution = sympy.solve(
            [V[s] - (-1 + V_all[model[s]] * sympy.Rational(1, 2)) for s in range(2)], V
        )
        found = solved.q_table(int(solved.q_of_model[index]))
        assert [sympy.Rational(q.numerator, q.denominator) for (q,) in found] == [
            solution[v] for v in V
        ]


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=30))
@settings(deadline=None)
def test_equal_rows_get_equal_numbers_in_the_order_of_their_first_appearance(rows):
    distinct = list(dict.fromkeys(rows))
    numbers, first = row_numbers(np.array(rows))
    assert numbers.tolist() == [distinct.index(row) for row in rows]
    assert first.tolist() == [rows.index(row) for row in distinct]


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=30))
@settings(deadline=None)
def test_rows_too_wide_for_one_key_are_numbered_all_the_same(small):
    """Four columns of up to 2^40 take 160 bits."""
    rows = [tuple(value << 39 for value in row) for row in small]
    distinct = list(dict.fromkeys(rows))
    numbers, first = row_numbers(np.array(rows))
    assert numbers.tolist() == [distinct.index(row) for row in rows]
    assert first.tolist() == [rows.index(row) for row in distinct]


def test_enumeration_in_batches_is_the_same(monkeypatch):
    problem = gallery_class("push-tree-independent")
    whole = solve(problem)
    monkeypatch.setattr(module, "BATCH", 7)
    told = []
    parts = solve_by_table(problem, lasso_table(problem.rewards, problem.gamma), told.append)
    assert np.array_equal(whole.ranks, parts.ranks)
    assert np.array_equal(whole.models, parts.models)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(
    ("problem", "cost", "countable"),
    [
        (
            lambda: gallery_class("tabular-4x3-sparse"),
            "244140625 models, about 29.3 GB and 244 s to enumerate; accepted: at most 1.5 GB",
            True,
        ),
        (
            lambda: mdp_class(tabular(4, 3), [[-1] * 3] * 4, 1),
            "244140625 models, about 29.3 GB and 244 s to enumerate; accepted: at most 1.5 GB",
            False,
        ),
        (
            lambda: gallery_class("tabular-9x9-sparse"),
            "1.00000000000e+81 models, about 4.85e+74 GB and 1.00e+75 s to enumerate",
            False,
        ),
        (lambda: gallery_class("tabular-20x20-sparse"), "7.72178834806e+528 models", False),
    ],
)
def test_a_class_too_large_is_refused_with_its_size_its_cost_and_what_can_count_it(
    problem, cost, countable
):
    with pytest.raises(ClassTooLargeError, match=f"^the class has {re.escape(cost)}") as refused:
        solve(problem())
    assert str(refused.value).endswith("; the census can count it") == countable
    assert len(str(refused.value).splitlines()) == 1
