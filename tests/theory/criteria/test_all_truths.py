"""Every model as the truth: means, worst cases and query trees against their definitions."""

import re
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from tests.theory.criteria.test_evidence import definitions
from tests.theory.solving.test_laws import built
from tests.theory.solving.test_laws import classes as option_classes
from theory import explicit, gallery_class, identify, mdp_class, over_all_truths
from theory.criteria import all_truths


def settled(left):
    return all(
        any(all(q[s][a] == max(q[s]) for q in left) for a in range(len(row)))
        for s, row in enumerate(next(iter(left)))
    )


class ByDefinition:
    def __init__(self, models, rewards, gamma):
        self.models = list(dict.fromkeys(models))
        self.spaces = oracle.VersionSpaces(models, rewards, gamma)
        self.pairs = list(product(range(len(rewards)), range(len(rewards[0]))))

    def answers(self, dataset):
        both = self.spaces.h_m(dataset), self.spaces.h_b(dataset)
        return [*map(len, both), *map(settled, both)]

    def data(self, truth, seen):
        return [(s, a, truth[s][a]) for s, a in seen]

    def subsets(self, truth, size):
        return [self.answers(self.data(truth, seen)) for seen in combinations(self.pairs, size)]

    def walks(self, truth, start, steps):
        n, k = len(truth), len(truth[0])
        found = []
        for actions in product(range(k), repeat=steps):
            s, seen = start, set()
            for a in actions:
                seen.add((s, a))
                s = start if truth[s][a] == n else truth[s][a]
            found.append(self.answers(self.data(truth, seen)))
        return found

    def depth(self, criterion, combine, dataset=()):
        """Of the best query tree: the worst case over truths, or the sum over them."""
        if self.answers(dataset)[2 + criterion]:
            return 0
        agreeing = [T for T in self.models if all(T[s][a] == x for s, a, x in dataset)]
        asked = {(s, a) for s, a, _ in dataset}
        best = []
        for s, a in self.pairs:
            if (s, a) in asked:
                continue
            below = [
                self.depth(criterion, combine, (*dataset, (s, a, x)))
                for x in sorted({T[s][a] for T in agreeing})
            ]
            best.append(combine(below) + (1 if combine is max else len(agreeing)))
        return min(best)


class WithOptions(ByDefinition):
    """The same where what a pair shows is an option, whose law says how likely each next state is."""

    def __init__(self, problem):
        self.problem = problem
        n, k = problem.states, problem.actions
        self.models = [problem.transitions.table(i) for i in range(problem.transitions.size)]
        self.pairs = list(product(range(n), range(k)))
        self.spaces = self

    def evidence(self, dataset):
        seen = {s * self.problem.actions + a: (o,) for s, a, o in dataset}
        options = self.problem.transitions.options
        return tuple(seen.get(p, tuple(range(len(pair)))) for p, pair in enumerate(options))

    @cache  # noqa: B019 - an oracle lives as long as its test
    def both(self, evidence):
        return definitions(self.problem, evidence)

    def answers(self, dataset):
        both = self.both(self.evidence(dataset))
        return [*map(len, both), *map(settled, both)]

    def walks(self, truth, start, steps):
        law = {(start, frozenset()): Fraction(1)}
        for _ in range(steps):
            following = Counter()
            for (s, seen), p in law.items():
                for a, option in enumerate(self.problem.chosen(truth)[s]):
                    for x, share in option.law:
                        at = start if x == self.problem.states else x
                        chance = p * share / self.problem.actions
                        following[at, seen | {(s, a)}] += chance
            law = following
        return [(p, self.answers(self.data(truth, seen))) for (_, seen), p in law.items()]


def check_row(row, by_truth):
    """by_truth: for each truth the answers on all of its datasets, equally likely or with their probabilities."""
    weighted = [
        [x if isinstance(x, tuple) else (Fraction(1, len(answers)), x) for x in answers]
        for answers in by_truth
    ]
    means = [[sum(p * x[i] for p, x in answers) for i in range(4)] for answers in weighted]
    for criterion, left in enumerate((row.model, row.bellman)):
        counts, shares = ([m[criterion + offset] for m in means] for offset in (0, 2))
        assert left.mean == pytest.approx(float(sum(counts) / len(counts)))
        assert left.worst == pytest.approx(float(max(counts)))
        assert left.settled == pytest.approx(float(sum(shares) / len(shares)))
        assert left.least_settled == pytest.approx(float(min(shares)))


@given(oracle.classes(max_states=2, max_models=6), st.data())
@settings(deadline=None, max_examples=25)
def test_every_figure_is_that_of_the_definitions(drawn, data):
    expected = ByDefinition(*drawn)
    models, rewards, gamma = drawn
    start = data.draw(st.integers(0, len(rewards) - 1))
    report = over_all_truths(mdp_class(explicit(models), rewards, gamma), start=start, steps=3)
    assert (report.subsets_exact, report.trajectories_exact) == (True, 3)
    assert [row.amount for row in report.subsets] == list(range(len(expected.pairs) + 1))
    for row in report.subsets:
        check_row(row, [expected.subsets(T, row.amount) for T in expected.models])
    assert [row.amount for row in report.trajectories] == [0, 1, 2, 3]
    for row in report.trajectories:
        check_row(row, [expected.walks(T, start, row.amount) for T in expected.models])
    trees, size = report.queries, len(expected.models)
    assert (trees.worst_model, trees.worst_bellman) == tuple(expected.depth(c, max) for c in (0, 1))
    assert trees.mean_model == pytest.approx(expected.depth(0, sum) / size)
    assert trees.mean_bellman == pytest.approx(expected.depth(1, sum) / size)


@given(option_classes(most=2), st.data())
@settings(deadline=None, max_examples=12)
def test_with_chance_too_every_figure_is_that_of_the_definitions(drawn, data):
    problem = built(*drawn)
    expected = WithOptions(problem)
    start = data.draw(st.integers(0, problem.states - 1))
    report = over_all_truths(problem, start=start, steps=2)
    for row in report.subsets:
        check_row(row, [expected.subsets(T, row.amount) for T in expected.models])
    for row in report.trajectories:
        check_row(row, [expected.walks(T, start, row.amount) for T in expected.models])
    trees = report.queries
    assert (trees.worst_model, trees.worst_bellman) == tuple(expected.depth(c, max) for c in (0, 1))


def test_in_the_papers_example_one_query_settles_by_model_what_takes_two_by_the_bellman_equation():
    trees = over_all_truths(gallery_class("push-tree"), steps=0).queries
    assert (trees.worst_model, trees.worst_bellman) == (1, 2)


def test_for_all_maps_model_and_bellman_equation_need_the_same():
    report = over_all_truths(gallery_class("tabular-2x2-sparse"))
    for row in (*report.subsets, *report.trajectories):
        assert row.model == row.bellman
    assert report.queries.worst_model == report.queries.worst_bellman
    assert len(report.trajectories) == 9


def test_the_mean_over_truths_is_that_of_the_curves_of_single_truths():
    problem = gallery_class("smallest-decision")
    report = over_all_truths(problem)
    curves = [identify(problem, truth).rows for truth in (0, 1)]
    for row in report.subsets:
        for side in ("model", "bellman"):
            single = [getattr(rows[row.amount], side) for rows in curves]
            together = getattr(row, side)
            assert together.mean == pytest.approx(sum(one.hypotheses for one in single) / 2)
            assert together.worst == pytest.approx(max(one.hypotheses for one in single))
            assert together.least_settled == pytest.approx(min(one.policy for one in single))


def test_what_is_too_much_is_sampled_and_its_worst_case_left_open(monkeypatch):
    problem = gallery_class("push-tree")
    whole = over_all_truths(problem, steps=3)
    monkeypatch.setattr(all_truths, "MAX_EVALUATED", 1)
    monkeypatch.setattr(all_truths, "MAX_TRUTHS", 48)
    monkeypatch.setattr(all_truths, "MAX_NODES", 10)
    first, again, other = (
        over_all_truths(problem, steps=3, samples=40, seed=seed) for seed in (1, 1, 2)
    )
    assert (first.subsets, first.trajectories) == (again.subsets, again.trajectories)
    assert first.subsets != other.subsets
    assert (first.subsets_exact, first.trajectories_exact, first.queries) == (False, -1, None)
    assert first.trajectories != other.trajectories
    for rows in ("subsets", "trajectories"):
        for exact, sampled in zip(getattr(whole, rows), getattr(first, rows), strict=True):
            assert (sampled.model.worst, sampled.bellman.least_settled) == (None, None)
            # Counts lie between 1 and 28: a mean of 40 has a standard error below 2.2; shares, below 0.08.
            assert abs(exact.bellman.mean - sampled.bellman.mean) < 9
            assert abs(exact.model.settled - sampled.model.settled) < 0.32


def test_walks_with_many_outcomes_are_gone_through_as_far_as_they_are_few(monkeypatch):
    problem = gallery_class("push-tree")
    whole = over_all_truths(problem, steps=6)
    assert whole.trajectories_exact == 6
    monkeypatch.setattr(all_truths, "MAX_WALKED", 49 * 6)
    told = []
    partly = over_all_truths(problem, steps=6, samples=400, progress=told.append)
    few = partly.trajectories_exact
    assert 0 < few < 6
    assert partly.trajectories[: few + 1] == whole.trajectories[: few + 1]
    for exact, sampled in zip(
        whole.trajectories[few + 1 :], partly.trajectories[few + 1 :], strict=True
    ):
        assert sampled.bellman.worst is None
        assert abs(exact.bellman.mean - sampled.bellman.mean) < 3
        assert abs(exact.model.settled - sampled.model.settled) < 0.11
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 2}, "start is 2; accepted: an integer from 0 to 1"),
        (
            {"steps": -1},
            "-1 steps, 1000 samples, seed 0; accepted: 0 to 10,000, 2 or more, 0 or more",
        ),
        ({"samples": 1}, "1 samples"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        over_all_truths(gallery_class("tabular-2x2-sparse"), **arguments)
