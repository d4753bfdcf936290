"""The seam: criteria, sweeps and witnesses serve a stochastic class, unknown rewards too, that fills three tables."""

import ast
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import theory
from tests.theory import oracle
from theory import (
    closed_under_equivalence,
    exchange_holds,
    explicit,
    find_decision_witness,
    find_witness,
    mdp_class,
    sweep_datasets,
    version_space,
)
from theory.solving.solved_class import SolvedClass

GAMMA = Fraction(1, 2)
END = 2  # of two states
# Of a pair: (reward, law), the law as {successor: probability}.
OPTIONS = [
    (0, {0: Fraction(1)}),
    (0, {END: Fraction(1)}),
    (1, {END: Fraction(1)}),
    (0, {0: Fraction(1, 2), END: Fraction(1, 2)}),
    (1, {0: Fraction(1, 2), 1: Fraction(1, 2)}),
    (-1, {1: Fraction(1)}),
]


def backup(option, values):
    reward, law = option
    return reward + GAMMA * sum(p * values[x] for x, p in law.items())


def optimal_table(model, options, actions):
    """The best of all policies, each evaluated by elimination; a model is one option number for each pair."""
    rows = [
        [options[s * actions + a][model[s * actions + a]] for a in range(actions)] for s in (0, 1)
    ]
    vectors = []
    for policy in product(range(actions), repeat=2):
        chosen = [rows[s][a] for s, a in enumerate(policy)]
        matrix = [[(i == j) - GAMMA * chosen[i][1].get(j, 0) for j in (0, 1)] for i in (0, 1)]
        vectors.append([*oracle.linear_solution(matrix, [r for r, _ in chosen]), Fraction(0)])
    best = [max(column) for column in zip(*vectors, strict=True)]
    return tuple(tuple(backup(option, best) for option in row) for row in rows)


@dataclass(frozen=True, kw_only=True)
class ByHand(SolvedClass):
    """Two states; the tables straight from the definitions."""

    tables: list
    pair_options: list

    @cached_property
    def consistent(self):
        most = max(map(len, self.pair_options))
        found = np.zeros((len(self.tables), self.pairs, most), dtype=bool)
        for q, table in enumerate(self.tables):
            values = [*map(max, table), 0]
            for pair, options in enumerate(self.pair_options):
                for o, option in enumerate(options):
                    found[q, pair, o] = (
                        backup(option, values) == table[pair // self.actions][pair % self.actions]
                    )
        return found

    @cached_property
    def greedy(self):
        return np.array([[[x == max(row) for x in row] for row in table] for table in self.tables])

    @cached_property
    def value_vectors(self):
        return len({tuple(map(max, table)) for table in self.tables})

    def q_table(self, q):
        return self.tables[q]


def solved_by_hand(pair_options, models, actions):
    tables = [optimal_table(model, pair_options, actions) for model in models]
    distinct = list(dict.fromkeys(tables))
    numbers = [distinct.index(table) for table in tables]
    return ByHand(
        problem=mdp_class(explicit([[[0] * actions] * 2]), [[0] * actions] * 2, GAMMA),
        models=np.array(models, dtype=np.uint8),
        q_of_model=np.array(numbers),
        first_model=np.array([numbers.index(q) for q in range(len(distinct))]),
        tables=distinct,
        pair_options=pair_options,
    )


@st.composite
def stochastic_classes(draw):
    """Some or all choices of an option for each pair."""
    actions = draw(st.sampled_from([1, 2]))
    choices = st.lists(st.integers(0, len(OPTIONS) - 1), min_size=1, max_size=3, unique=True)
    numbers = draw(st.lists(choices, min_size=2 * actions, max_size=2 * actions))
    pair_options = [[OPTIONS[i] for i in pair] for pair in numbers]
    models = list(product(*[range(len(options)) for options in pair_options]))
    if draw(st.booleans()):
        models = draw(st.lists(st.sampled_from(models), min_size=1, max_size=6, unique=True))
    return pair_options, models, actions


def definitions(solved, dataset):
    """H_M(D) and H_B(D) of observed options, as sets of tables."""
    k = solved.actions
    H_M = {
        solved.tables[q]
        for model, q in zip(solved.models.tolist(), solved.q_of_model.tolist(), strict=True)
        if all(model[s * k + a] == option for s, a, option in dataset)
    }
    H_B = {
        table
        for table in solved.tables
        if all(
            backup(solved.pair_options[s * k + a][option], [*map(max, table), 0]) == table[s][a]
            for s, a, option in dataset
        )
    }
    return H_M, H_B


@given(stochastic_classes())
@settings(deadline=None, max_examples=25)
def test_what_stands_above_needs_the_three_tables_alone(drawn):
    pair_options, models, k = drawn
    solved = solved_by_hand(*drawn)
    sweep = sweep_datasets(solved)
    pairs = [(s, a) for s in (0, 1) for a in range(k)]
    strict_sizes, equal = [], True
    for number, seen in enumerate(product(range(solved.options + 1), repeat=2 * k)):
        D = [(s, a, o) for (s, a), o in zip(pairs, seen, strict=True) if o < solved.options]
        if any(o >= len(pair_options[s * k + a]) for s, a, o in D):
            assert sweep.HM[number] == sweep.HB[number] == 0
            continue
        H_M, H_B = definitions(solved, D)
        assert H_M <= H_B  # part 1
        assert (sweep.HM[number], sweep.HB[number]) == (len(H_M), len(H_B))
        equal &= H_M == H_B
        if H_M and H_M < H_B:
            strict_sizes.append(len(D))
    assert closed_under_equivalence(solved) == equal
    assert exchange_holds(solved) == (not strict_sizes)
    witness = find_witness(solved)
    assert (None if witness is None else len(witness.dataset)) == min(strict_sizes, default=None)
    decided = find_decision_witness(solved)
    for found in filter(None, (witness, decided)):
        H_M, H_B = definitions(solved, found.dataset)
        assert version_space(solved, found.dataset).strict
        assert found.q0 in H_M
        assert found.q1 in H_B - H_M
    if len(models) == np.prod([len(options) for options in pair_options]):
        assert equal  # part 3, for the class of all choices


@pytest.mark.parametrize("room", ["criteria", "certificates"])
def test_nothing_above_asks_how_values_were_computed(room):
    inner = {"ranks", "levels", "backup_ranks"}
    for file in (Path(theory.__file__).parent / room).glob("*.py"):
        asked = {
            node.attr
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Attribute)
        }
        assert not asked & inner, file
