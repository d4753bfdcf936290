"""What the built-in classes with options are there to show, from the definitions."""

import json
import re
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from tests.theory.solving.test_laws import best_of_all_policies
from theory import (
    GALLERY,
    check_class,
    checked_evidence,
    exchange_holds,
    find_evidence_witness,
    find_witness,
    gallery_class,
    mdp_class,
    option_class,
    parse_class,
    sample_curves,
    solve,
)
from theory.criteria.exchange import closed_under_equivalence
from theory.criteria.samples import Allowance
from theory.criteria.version_spaces import evidence_space


@cache
def brute(name):
    """Each model's option numbers with its q*, by all policies."""
    problem = gallery_class(name)
    options = problem.transitions.options
    return [
        (
            tuple(model),
            best_of_all_policies(
                [options[p][o] for p, o in enumerate(model)],
                problem.gamma,
                problem.states,
                problem.actions,
            ),
        )
        for model in problem.transitions.models(0, problem.transitions.size).tolist()
    ]


def left(name, s, a, o):
    """H_M and H_B for one option seen exactly, from the definitions."""
    problem = gallery_class(name)
    pair = s * problem.actions + a
    chosen = problem.options_at(pair)[o]
    H_M = {q for model, q in brute(name) if model[pair] == o}
    H_B = {
        q
        for _, q in brute(name)
        if chosen.backup([*map(max, q), Fraction(0)], problem.gamma) == q[s][a]
    }
    return H_M, H_B


@pytest.mark.parametrize("name", ["push-tree-fails", "noisy-factors", "unknown-rewards-and-ways"])
def test_the_gap_of_the_exact_data_is_that_of_the_definitions(name):
    entry = GALLERY[name]
    [(s, a, o)] = entry.dataset
    H_M, H_B = left(name, s, a, o)
    assert H_M < H_B
    problem = entry.make()
    solved = solve(problem)
    tables = {solved.q_table(q) for q in range(solved.value_functions)}
    assert tables == {q for _, q in brute(name)}
    space = evidence_space(solved, checked_evidence(problem, [[s, a, [o]]]))
    assert (space.HM.sum(), space.HB.sum()) == (len(H_M), len(H_B))


def test_how_often_pushing_fails_at_one_place_tells_a_model_what_pushing_is_worth_at_the_other():
    problem = gallery_class("push-tree-fails")
    assert (
        problem.transitions.size == 19
    )  # six maps that move something with three probabilities, and one that does not
    for number, (push, worth) in enumerate(
        [(True, "9/10"), (True, "81/91"), (False, "9/11")], start=1
    ):
        H_M, H_B = left("push-tree-fails", 0, 0, number)
        with_food = {q[1][0] for q in H_M if q[1][0] > 0}
        # V = gamma ((1 - f) + f V) where it is pushed on and on, and less where giving up earns more
        failure = [0, Fraction(1, 10), Fraction(1, 2)][number - 1]
        again = Fraction(9, 10) * (1 - failure) / (1 - Fraction(9, 10) * failure)
        assert again == Fraction(worth)
        assert (again > Fraction(17, 20)) == push
        assert len(with_food) == 1
        assert {max(q[1]) for q in H_M} == {max(again, Fraction(17, 20))}
        assert all((q[1][0] >= q[1][1]) == push for q in H_M)
        assert len({q[1][0] >= q[1][1] for q in H_B}) == 2  # the Bellman equation leaves it open


def test_part_3_holds_for_all_choices_of_the_laws_and_not_for_the_factored_class():
    assert closed_under_equivalence(solve(gallery_class("noisy-factors-product")))
    factored = solve(gallery_class("noisy-factors"))
    assert not closed_under_equivalence(factored)
    assert not exchange_holds(factored)
    problem = gallery_class("noisy-factors")
    for row in problem.transitions.models(0, 16):
        for s, (x, y) in enumerate(product((0, 1), repeat=2)):
            law = dict(problem.options_at(2 * s)[row[2 * s]].law)
            for other, (v, w) in enumerate(product((0, 1), repeat=2)):
                first = sum(p for z, p in law.items() if z // 2 == v)
                second = sum(p for z, p in law.items() if z % 2 == w)
                assert law[other] == first * second, (x, y)


def test_where_rewards_alone_are_unknown_every_subset_of_models_is_without_a_gap():
    problem = gallery_class("unknown-rewards")
    options = problem.transitions.options
    every = [[i, 0, j, 0] for i in (0, 1) for j in (0, 1)]
    for kept in range(1, 16):
        models = [model for i, model in enumerate(every) if kept >> i & 1]
        one = mdp_class(option_class(2, 2, options, models), [[0, 0]] * 2, "9/10")
        assert closed_under_equivalence(solve(one))


def test_the_flute_has_the_rules_of_its_environment_and_its_q_solve_the_equation():
    problem = gallery_class("flute-event")
    solved = solve(problem)
    assert solved.value_functions == 4
    for model, event in enumerate([Fraction(0), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)]):
        q = solved.q_table(int(solved.q_of_model[model]))
        for s, (short, first, last) in enumerate(product((0, 1), repeat=3)):
            for action in (0, 1):
                # the first pipe has one cell, which the action fills or leaves empty
                calm = (1 - action) * 4 + action * 2 + first
                struck = 4 + action * 2 + 1
                worth = (1 - event) * max(q[calm]) + event * max(q[struck])
                assert q[s][action] == short * last + Fraction(9, 10) * worth
    assert solved.models[2].reshape(8, 2).tolist() == [
        list(row) for row in GALLERY["flute-event"].truth
    ]
    assert find_witness(solved) is None


def test_fewer_samples_settle_a_policy_by_model_than_by_equation_or_without_structure():
    entry = GALLERY["push-tree-fails"]
    problem = entry.make()
    truth = problem.transitions.index(entry.truth)
    curves = sample_curves(
        problem, truth, Allowance("likelihood", Fraction(1, 20)), most=2, draws=100
    )
    for row, beside in zip(curves.rows, curves.product, strict=True):
        assert row.model.settled.share >= row.bellman.settled.share
        assert beside.model == beside.bellman
        assert row.model.hypotheses <= row.bellman.hypotheses


def test_the_table_of_the_page_on_options_is_what_the_command_prints():
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text("utf-8")
    stated = re.findall(
        r"^\| (\d+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \|$", page, re.MULTILINE
    )
    assert len(stated) == 4
    entry = GALLERY["push-tree-fails"]
    problem = entry.make()
    truth = problem.transitions.index(entry.truth)
    curves = sample_curves(problem, truth, Allowance("likelihood", Fraction(1, 20)), most=13)
    for amount, *shares in stated:
        row, beside = curves.rows[int(amount)], curves.product[int(amount)]
        found = (row.model.settled, row.bellman.settled, beside.model.settled, row.ruled_out)
        assert row.exact
        assert [f"{share.share:.3f}" for share in found] == shares


def test_the_share_of_walks_on_the_page_on_options_is_exact():
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text("utf-8")
    [(share, steps)] = re.findall(r"in (0\.\d+) of the walks of (\d+) steps", page)
    entry = GALLERY["push-tree-fails"]
    problem = entry.make()
    truth = problem.transitions.index(entry.truth)
    allowance = Allowance("likelihood", Fraction(1, 20))
    row = sample_curves(problem, truth, allowance, most=int(steps), start=0).rows[-1]
    assert row.exact
    assert f"{row.model.settled.share:.3f}" == share
    assert row.bellman.settled.share == 0


def test_the_table_of_the_smallest_evidence_is_what_is_found():
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text("utf-8")
    stated = re.findall(r"^\| `([a-z-]+)` \| \((.*), (\w+)\) \| (.*) \|$", page, re.MULTILINE)
    assert len(stated) == 4
    for name, state, action, ruled_out in stated:
        problem = gallery_class(name)
        [(s, a, allowed)] = find_evidence_witness(solve(problem)).evidence
        assert (problem.state_name(s), problem.action_name(a)) == (state, action)
        every = range(len(problem.options_at(s * problem.actions + a)))
        others = [problem.choice_name(s, a, o) for o in every if o not in allowed]
        assert others == [ruled_out]


def test_the_class_of_the_page_on_options_is_one():
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text("utf-8")
    [text] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    problem = parse_class(json.loads(text, parse_float=str))
    assert problem.transitions.size == 2
    assert problem.options_at(1)[0].law == ((1, Fraction(1)),)


def test_every_functional_evidence_of_the_gallery_obeys_part_1():
    for name in ("push-tree-fails", "noisy-factors", "unknown-rewards", "unknown-rewards-and-ways"):
        report = check_class(gallery_class(name))
        assert report.part1
        assert report.method.startswith("every functional dataset")
