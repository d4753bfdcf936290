"""Tuples of optimal q against the definitions, and how many rewards close the gap."""

import re
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from tests.theory.solving.test_laws import best_of_all_policies, built
from tests.theory.solving.test_laws import classes as option_classes
from theory import (
    MDPClass,
    closed_under_equivalence,
    explicit,
    find_witness,
    gallery_class,
    gap_by_rewards,
    goal_rewards,
    jointly,
    mdp_class,
    option,
    random_rewards,
    solve,
    sweep_datasets,
    tabular,
    version_space,
)
from theory.criteria import several_rewards
from theory.criteria.several_rewards import gap


@st.composite
def classes_with_rewards(draw):
    models, rewards, gamma = draw(oracle.classes(max_states=2, max_models=6))
    n, k = len(rewards), len(rewards[0])
    others = draw(st.lists(oracle.tables(n, k, oracle.small_fractions), max_size=2))
    return list(dict.fromkeys(models)), [rewards, *others], gamma


class Tuples:
    """H_M^K and H_B^K by the definitions, as sets of tuples of q tables."""

    def __init__(self, models, rewards, gamma):
        self.rewards, self.gamma = rewards, gamma
        self.q_of = {T: tuple(oracle.optimal_q(T, r, gamma) for r in rewards) for T in models}

    def h_m(self, dataset):
        return {q for T, q in self.q_of.items() if all(T[s][a] == x for s, a, x in dataset)}

    def consistent(self, tuple_, transition):
        return all(
            oracle.consistent(q, r, self.gamma, transition)
            for q, r in zip(tuple_, self.rewards, strict=True)
        )

    def h_b(self, dataset):
        return {q for q in self.q_of.values() if all(self.consistent(q, t) for t in dataset)}

    def gap(self):
        """Pairs (T0, T1) such that the largest dataset of T0 that T1's tuple survives is a proper inclusion at it."""
        pairs = 0
        for T0, q in product(self.q_of, self.q_of.values()):
            steps = [(s, a, x) for s, row in enumerate(T0) for a, x in enumerate(row)]
            pairs += q not in self.h_m([t for t in steps if self.consistent(q, t)])
        return pairs

    def tell_all_apart(self):
        return all(
            len({tuple(max(q[x]) if x < len(q) else 0 for q in tuple_) for x in range(len(T) + 1)})
            == len(T) + 1
            for T, tuple_ in self.q_of.items()
        )


DOCUMENT = Path(__file__).parents[3] / "docs" / "beyond.md"


def joint(models, rewards, gamma):
    return jointly([solve(mdp_class(explicit(models), table, gamma)) for table in rewards])


@given(classes_with_rewards())
@settings(deadline=None, max_examples=25)
def test_tuples_are_left_as_the_definitions_say_and_part_1_holds_for_them(drawn):
    rewards = drawn[1]
    solved, expected = joint(*drawn), Tuples(*drawn)
    n, k = len(rewards[0]), len(rewards[0][0])
    sweep = sweep_datasets(solved)
    equal = True
    for number, D in enumerate(oracle.functional_datasets(n, k)):
        H_M, H_B = expected.h_m(D), expected.h_b(D)
        assert H_M <= H_B
        assert (sweep.HM[number], sweep.HB[number]) == (len(H_M), len(H_B))
        equal &= H_M == H_B
    assert closed_under_equivalence(solved) == equal
    assert equal or not expected.tell_all_apart()
    assert gap(solved) == expected.gap()
    assert solved.value_vectors == len(
        {tuple(tuple(map(max, q)) for q in tuple_) for tuple_ in expected.q_of.values()}
    )
    for q in range(solved.value_functions):
        rows = solved.q_table(q)
        tables = tuple(rows[i : i + n] for i in range(0, len(rows), n))
        assert tables in expected.q_of.values()
        assert solved.greedy[q].tolist() == [[x == max(row) for x in row] for row in rows]
    witness = find_witness(solved)
    assert (witness is None) == (expected.gap() == 0)
    if witness is not None:
        assert version_space(solved, witness.dataset).strict


@given(option_classes(most=2), st.data())
@settings(deadline=None, max_examples=15)
def test_with_chance_too_the_gap_is_that_of_the_definitions(drawn, data):
    problem = built(*drawn)
    n, k = problem.states, problem.actions
    added = data.draw(oracle.tables(n, k, oracle.small_fractions))
    models = [problem.transitions.table(i) for i in range(problem.transitions.size)]

    def options_under(rewards, table):
        return [
            option(o.reward if rewards is None else rewards[s][a], dict(o.law), n)
            for s, row in enumerate(problem.chosen(table))
            for a, o in enumerate(row)
        ]

    q_of = {
        T: tuple(
            best_of_all_policies(options_under(r, T), problem.gamma, n, k) for r in (None, added)
        )
        for T in models
    }

    def consistent(tables, T):
        """Where each reward's equation holds for what T does."""
        found = [True] * (n * k)
        for q, r in zip(tables, (None, added), strict=True):
            V = [*map(max, q), Fraction(0)]
            for pair, o in enumerate(options_under(r, T)):
                backup = o.reward + problem.gamma * sum(p * V[x] for x, p in o.law)
                found[pair] &= backup == q[pair // k][pair % k]
        return found

    def stands_in(T, T0, where):
        return all(
            not there or T[pair // k][pair % k] == T0[pair // k][pair % k]
            for pair, there in enumerate(where)
        )

    expected = sum(
        not any(q_of[T] == q_of[T1] and stands_in(T, T0, consistent(q_of[T1], T0)) for T in models)
        for T0, T1 in product(models, models)
    )
    report = gap_by_rewards(problem, {"added": added})
    assert report.rows[1].least == expected


@pytest.mark.parametrize("name", ["noisy-factors", "push-tree-fails"])
def test_where_laws_are_unknown_one_goal_closes_the_gap(name):
    problem = gallery_class(name)
    report = gap_by_rewards(problem, goal_rewards(problem), most=1)
    assert report.rows[0].least > 0
    assert len(report.smallest) == 1


def small_class():
    """The two models of the smallest witness, and two more."""
    models = [((0,), (2,)), ((1,), (0,)), ((2,), (2,)), ((1,), (1,))]
    return mdp_class(explicit(models), [[-1], [-1]], "1/2", name="small"), models


def test_the_curve_and_the_smallest_set_are_those_of_going_through_all_sets():
    problem, models = small_class()
    family = goal_rewards(problem) | random_rewards(problem, 2, seed=1)
    report = gap_by_rewards(problem, family)
    closing = []
    for row in report.rows:
        gaps = {
            names: Tuples(models, [problem.rewards, *map(family.get, names)], problem.gamma).gap()
            for names in combinations(family, row.added)
        }
        assert (row.sets, row.exact, row.closed) == (len(gaps), True, list(gaps.values()).count(0))
        assert (row.least, row.most) == (min(gaps.values()), max(gaps.values()))
        assert row.mean == pytest.approx(sum(gaps.values()) / len(gaps))
        closing += [names for names, size in gaps.items() if size == 0]
    assert report.rows[0].least > 0
    assert report.smallest == closing[0]
    assert report.proved_smallest
    assert report.family == tuple(family)


def test_two_goals_close_the_gap_of_push_tree_and_one_does_not():
    problem = gallery_class("push-tree")
    report = gap_by_rewards(problem, goal_rewards(problem), most=2)
    assert [row.closed for row in report.rows] == [0, 0, 12]
    assert report.smallest == ("((0,0), push)", "((0,1), push)")
    assert report.proved_smallest
    parts = [solve(problem)]
    for name in report.smallest:
        rewards = goal_rewards(problem)[name]
        parts.append(solve(MDPClass(problem.transitions, rewards, problem.gamma)))
        witness = find_witness(jointly(parts))
        assert (witness is None) == (len(parts) == 3)


@pytest.mark.parametrize(
    ("name", "goals"),
    [
        ("smallest-witness", 1),
        ("smallest-decision", 1),
        ("golden-discount", 1),
        ("binary-factors-2", 1),
    ],
)
def test_the_gallery_needs_as_many_goals_as_the_document_says(name, goals):
    problem = gallery_class(name)
    report = gap_by_rewards(problem, goal_rewards(problem), most=goals)
    assert report.rows[0].closed == 0
    assert len(report.smallest) == goals
    row = rf"^\| `{name}` \| {report.models} \| {goals} \| .*{re.escape(', '.join(report.smallest))}.* \|$"
    assert re.search(row, DOCUMENT.read_text(), re.MULTILINE)


def test_the_class_of_all_maps_has_no_gap_whatever_the_rewards():
    problem = mdp_class(tabular(2, 2), [[0, 0], [0, 1]], "9/10")
    report = gap_by_rewards(problem, random_rewards(problem, 2, seed=0))
    assert [row.most for row in report.rows] == [0, 0, 0]
    assert report.smallest == ()


def test_beside_no_reward_at_all_a_reward_widens_the_gap():
    problem, _ = small_class()
    nothing = mdp_class(problem.transitions, [[0], [0]], "1/2")
    report = gap_by_rewards(nothing, {"cost": problem.rewards})
    assert [row.least for row in report.rows] == [0, report.rows[1].most]
    assert report.rows[1].most > 0


def test_sets_too_many_are_sampled_and_nothing_is_called_proved(monkeypatch):
    problem = gallery_class("push-tree")
    monkeypatch.setattr(several_rewards, "MAX_SETS", 9)
    first, again, other = (
        gap_by_rewards(problem, goal_rewards(problem), most=3, samples=5, seed=seed)
        for seed in (1, 1, 2)
    )
    assert [(row.sets, row.exact) for row in first.rows] == [
        (1, True),
        (8, True),
        (5, False),
        (5, False),
    ]
    assert first.rows == again.rows
    assert first.rows != other.rows
    # Of two goals some close the gap: that set is smallest all the same, as all smaller ones were gone through.
    assert first.smallest is not None
    assert first.proved_smallest == (len(first.smallest) == 2)
    few = gap_by_rewards(problem, goal_rewards(problem), most=1)
    assert (few.smallest, few.proved_smallest) == (None, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"most": 5}, "most is 5; accepted: 0 to 2"),
        ({"samples": 0}, "samples is 0 and seed 0"),
        ({"seed": -1}, "samples is 1000 and seed -1"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments, message):
    problem, _ = small_class()
    with pytest.raises(ValueError, match=re.escape(message)):
        gap_by_rewards(problem, goal_rewards(problem), **arguments)
    with pytest.raises(ValueError, match="gamma is 1; accepted for several rewards"):
        gap_by_rewards(mdp_class(problem.transitions, [[-1], [-1]], 1), {})
    with pytest.raises(ValueError, match="0 random rewards of seed 0"):
        random_rewards(problem, 0, 0)
    other = solve(mdp_class(tabular(2, 1), [[0], [0]], Fraction(1, 2)))
    with pytest.raises(ValueError, match="of the same models"):
        jointly([solve(problem), other])
