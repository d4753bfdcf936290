"""Witnesses of part 2: provably smallest, held against going through every dataset by size."""

from fractions import Fraction
from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.criteria.test_evidence import definitions
from tests.theory.incomplete import all_maps_of_3x2_but
from theory import certify_evidence, checked_evidence
from theory.certificates import hitting_sets, verifier
from theory.certificates.certificate import certify
from theory.certificates.smallest_class import search_classes
from theory.certificates.witness import (
    WitnessSearchTooLargeError,
    find_decision_witness,
    find_witness,
)
from theory.classes.gallery import gallery_class
from theory.classes.mdp_class import MDPClass, mdp_class
from theory.classes.options import option, option_class
from theory.classes.transition_class import explicit, tabular
from theory.criteria.version_spaces import version_space
from theory.solving.policy_iteration import optimal_q
from theory.solving.solve import solve

HALF = Fraction(1, 2)


@st.composite
def plain_classes(draw, most_models=12):
    """Successors [model][pair], rewards [pair], the number of actions and gamma: 1 to 3 states, 1 or 2 actions."""
    n, k = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    row = st.lists(st.integers(0, n), min_size=n * k, max_size=n * k)
    rows = draw(st.lists(row, min_size=1, max_size=most_models, unique_by=tuple))
    rewards = draw(st.lists(st.integers(-1, 1), min_size=n * k, max_size=n * k))
    return rows, rewards, k, draw(st.sampled_from(["1/2", "9/10", "2/3"]))


def built(rows, rewards, actions: int, gamma: str) -> MDPClass:
    def table(row):
        return [row[i : i + actions] for i in range(0, len(row), actions)]

    return mdp_class(explicit([table(row) for row in rows]), table(rewards), gamma)


def realizable_datasets(problem: MDPClass, size: int):
    """Every set of `size` transitions that some model makes."""
    found = set()
    for index in range(problem.transitions.size):
        table = problem.transitions.table(index)
        steps = [(s, a, x) for s, row in enumerate(table) for a, x in enumerate(row)]
        found |= set(combinations(steps, size))
    return found


def greedy_in_common(problem: MDPClass, members: np.ndarray, solved, state: int):
    """The actions that are optimal in a state under every given q, by the exact tables."""
    tables = [solved.q_table(int(q)) for q in np.flatnonzero(members)]
    return {a for a in range(problem.actions) if all(q[state][a] == max(q[state]) for q in tables)}


def decides(problem: MDPClass, solved, dataset) -> set[tuple[int, int]]:
    """Straight from the definition: the states and actions that H_M(D) settles and H_B(D) leaves open."""
    space = version_space(solved, dataset)
    return {
        (s, a)
        for s in range(problem.states)
        for a in greedy_in_common(problem, space.HM, solved, s)
        if not greedy_in_common(problem, space.HB, solved, s)
    }


def smallest_by_going_through_all(problem: MDPClass, shows) -> int | None:
    pairs = problem.states * problem.actions
    return next(
        (
            size
            for size in range(pairs + 1)
            if any(shows(dataset) for dataset in realizable_datasets(problem, size))
        ),
        None,
    )


def assert_is_what_it_says(problem: MDPClass, solved, witness) -> None:
    space = version_space(solved, witness.dataset)
    tables = [problem.transitions.table(i) for i in range(problem.transitions.size)]
    assert witness.T0 in tables
    assert witness.T1 in tables
    assert all(witness.T0[s][a] == x for s, a, x in witness.dataset)
    assert witness.q0 == optimal_q(witness.T0, problem.rewards, problem.gamma)
    assert witness.q1 == optimal_q(witness.T1, problem.rewards, problem.gamma)
    H_M, H_B = ([solved.q_table(int(q)) for q in np.flatnonzero(H)] for H in (space.HM, space.HB))
    assert witness.q0 in H_M
    assert witness.q1 in H_B
    assert witness.q1 not in H_M
    assert space.strict


@settings(deadline=None, max_examples=150)
@given(plain_classes())
def test_a_witness_is_as_small_as_the_smallest_of_all_datasets(plain):
    problem = built(*plain)
    solved = solve(problem)
    witness = find_witness(solved)
    smallest = smallest_by_going_through_all(
        problem, lambda dataset: version_space(solved, dataset).strict
    )
    assert (None if witness is None else len(witness.dataset)) == smallest
    if witness is not None:
        assert_is_what_it_says(problem, solved, witness)
        assert witness.decision is None


@settings(deadline=None, max_examples=150)
@given(plain_classes(most_models=9))
def test_a_decision_witness_is_as_small_as_the_smallest_of_all_datasets(plain):
    problem = built(*plain)
    solved = solve(problem)
    witness = find_decision_witness(solved)
    smallest = smallest_by_going_through_all(
        problem, lambda dataset: decides(problem, solved, dataset)
    )
    assert (None if witness is None else len(witness.dataset)) == smallest
    if witness is not None:
        assert_is_what_it_says(problem, solved, witness)
        state, action = witness.decision
        assert (state, action) in decides(problem, solved, witness.dataset)
        assert witness.q1[state][action] < max(witness.q1[state])


@pytest.mark.parametrize(
    ("missing", "size"), [(2745, 1), (671, 2), (610, 3), (122, 4), (793, 5), (0, None)]
)
def test_all_maps_but_one_need_a_dataset_of_the_missing_map(missing, size):
    # Pasting D into a model of any q in H_B(D) gives a map with that q: a gap at D needs the missing map to extend D.
    absent = tabular(3, 2).models(missing, missing + 1).reshape(3, 2)
    problem = all_maps_of_3x2_but(missing)
    solved = solve(problem)
    steps = [(s, a, int(absent[s, a])) for s in range(3) for a in range(2)]
    strict = [
        len(dataset)
        for dataset in chain.from_iterable(combinations(steps, size) for size in range(1, 7))
        if version_space(solved, dataset).strict
    ]
    witness = find_witness(solved)
    assert min(strict, default=None) == size
    assert (None if witness is None else len(witness.dataset)) == size
    if witness is not None:
        assert_is_what_it_says(problem, solved, witness)


def test_the_smallest_witness_is_the_one_of_the_theory():
    witness = find_witness(solve(gallery_class("smallest-witness")))
    assert witness.dataset == ((0, 0, 0),)
    assert (witness.T0, witness.T1) == (((0,), (2,)), ((1,), (0,)))
    assert witness.q0 == ((-2,), (-1,))
    assert witness.q1 == ((-2,), (-2,))


def test_the_smallest_decision_names_its_state_and_action():
    witness = find_decision_witness(solve(gallery_class("smallest-decision")))
    assert witness.dataset == ((0, 0, 0),)
    assert witness.decision == (1, 1)  # end it at once: T0 does, T1 by the other action


def test_a_class_whose_models_are_all_determined_settles_no_action():
    assert find_decision_witness(solve(gallery_class("smallest-witness"))) is None


@pytest.mark.parametrize("name", ["tabular-2x1-cost", "tabular-3x2-sparse", "push-tree-tabular"])
def test_a_class_with_the_exchange_property_has_no_witness(name):
    solved = solve(gallery_class(name))
    assert find_witness(solved) is None
    assert find_decision_witness(solved) is None


@pytest.mark.parametrize(
    "name", ["push-tree", "push-tree-independent", *(f"binary-factors-{n}" for n in range(2, 5))]
)
def test_the_gallery_has_witnesses_of_one_transition(name):
    problem = gallery_class(name)
    solved = solve(problem)
    witness = find_witness(solved)
    assert len(witness.dataset) == 1  # no dataset at all is smaller: the empty one settles nothing
    assert_is_what_it_says(problem, solved, witness)


def test_independent_factors_need_two_observations_before_the_model_decides():
    solved = solve(gallery_class("push-tree-independent"))
    witness = find_decision_witness(solved)
    problem = solved.problem
    assert len(witness.dataset) == 2
    assert witness.decision in decides(problem, solved, witness.dataset)
    assert not any(decides(problem, solved, one) for one in realizable_datasets(problem, 1))


def test_a_witness_is_found_again_the_same():
    solved = solve(gallery_class("push-tree"))
    assert find_witness(solved) == find_witness(solve(gallery_class("push-tree")))
    assert find_decision_witness(solved) == find_decision_witness(solved)


def test_the_search_over_all_classes_finds_the_smallest_witness():
    problem, witness = search_classes(2, 2, [Fraction(-1), Fraction(0), Fraction(1)], HALF)
    assert (problem.states, problem.actions) == (2, 1)
    assert (problem.transitions.size, len(witness.dataset)) == (2, 1)
    assert_is_what_it_says(problem, solve(problem), witness)


def test_the_search_over_all_classes_finds_the_smallest_decision():
    found = search_classes(
        2, 2, [Fraction(-1), Fraction(0), Fraction(1)], HALF, decision_relevant=True
    )
    problem, witness = found
    assert (problem.states, problem.actions) == (2, 2)
    assert (problem.transitions.size, len(witness.dataset)) == (2, 1)
    solved = solve(problem)
    assert_is_what_it_says(problem, solved, witness)
    assert witness.decision in decides(problem, solved, witness.dataset)


@pytest.mark.parametrize("rewards", [[-1], [1], [-1, 0, 1], [-3, 2]])
def test_one_state_has_no_witness_and_one_action_no_decision(rewards):
    values = [Fraction(reward) for reward in rewards]
    assert search_classes(1, 3, values, HALF) is None
    assert search_classes(2, 1, values, HALF, decision_relevant=True) is None


def test_without_rewards_all_q_are_equal_and_nothing_is_strict():
    assert search_classes(2, 2, [Fraction(0)], HALF) is None


@settings(deadline=None, max_examples=20)
@given(st.integers(-2, 2), st.sampled_from(["1/2", "9/10"]))
def test_two_states_and_one_action_by_all_pairs_of_models(reward, gamma):
    table = [[reward]] * 2
    models = [[[x], [y]] for x in range(3) for y in range(3)]
    strict = any(
        version_space(solved, dataset).strict
        for pair in combinations(models, 2)
        for solved in [solve(mdp_class(explicit(pair), table, gamma))]
        for dataset in realizable_datasets(solved.problem, 1)
    )
    found = search_classes(2, 1, [Fraction(reward)], Fraction(gamma))
    assert (found is not None) == strict


def test_where_rewards_are_unknown_one_state_and_two_actions_have_a_witness_and_less_has_none():
    values = [Fraction(-1), Fraction(0), Fraction(1)]
    assert search_classes(1, 1, values, HALF, unknown_rewards=True) is None
    problem, witness = search_classes(2, 2, values, HALF, unknown_rewards=True)
    assert (problem.states, problem.actions, problem.transitions.size) == (1, 2, 2)
    assert len(witness.dataset) == 1
    solved = solve(problem)
    [(s, a, o)] = witness.dataset
    found = version_space(solved, [(s, a, o)])
    assert found.strict
    assert witness.q1 == solved.q_table(int(np.flatnonzero(found.HB & ~found.HM)[0]))
    assert verifier.verify(certify(solved, witness)) is None


def test_where_laws_are_unknown_and_rewards_known_two_states_are_needed_still():
    values = [Fraction(-1), Fraction(1)]
    assert search_classes(1, 2, values, HALF, denominator=2) is None
    problem, witness = search_classes(2, 1, values, HALF, denominator=2)
    assert (problem.states, problem.transitions.size, len(witness.dataset)) == (2, 2, 1)
    assert verifier.verify(certify(solve(problem), witness)) is None


def test_with_evidence_one_pair_is_enough_where_rewards_are_unknown_and_not_where_they_are_known():
    values = [Fraction(0), HALF, Fraction(1)]
    problem, found = search_classes(2, 2, values, HALF, unknown_rewards=True, evidence=True)
    assert (problem.states, problem.actions, problem.transitions.size) == (1, 1, 2)
    assert len(found.evidence) == 1
    evidence = checked_evidence(problem, found.evidence)
    H_M, H_B = definitions(problem, evidence)
    assert H_M < H_B
    assert verifier.verify(certify_evidence(solve(problem), found)) is None
    assert search_classes(1, 2, values, HALF, evidence=True) is None
    assert search_classes(1, 2, values, HALF, denominator=3, evidence=True) is None
    problem, found = search_classes(2, 1, values, HALF, evidence=True)
    assert (problem.states, len(found.evidence)) == (2, 1)
    with pytest.raises(ValueError, match="accepted: a proper inclusion"):
        search_classes(1, 1, values, HALF, evidence=True, decision_relevant=True)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.sampled_from([-1, 0, 1, HALF]), min_size=1, max_size=2, unique=True))
def test_one_state_with_unknown_rewards_by_all_pairs_of_models(values):
    options = [option(Fraction(r), {x: 1}, 1) for r in values for x in (0, 1)]
    models = list(product(range(len(options)), repeat=2))
    every = tuple(range(len(options)))
    strict = False
    for pair in combinations(models, 2):
        problem = mdp_class(option_class(1, 2, [options] * 2, pair), [[0, 0]], "1/2")
        for a, model in product((0, 1), pair):
            evidence = [every, every]
            evidence[a] = (model[a],)
            H_M, H_B = definitions(problem, evidence)
            strict |= H_M < H_B
    found = search_classes(1, 2, list(map(Fraction, values)), HALF, unknown_rewards=True)
    assert (found is not None) == strict


def test_a_decision_that_would_take_longer_than_its_time_by_far_is_refused_in_one_line():
    solved = solve(gallery_class("push-tree"))
    with pytest.raises(WitnessSearchTooLargeError) as refusal:
        find_decision_witness(solved, time_limit=0.001)
    assert str(refusal.value) == (
        "the class has 49 models and 28 distinct q: a smallest decision-relevant dataset takes about"
        " 0.00549 s or more; accepted: at most the time limit of 0.001 s"
    )


def test_a_search_that_runs_out_of_time_gives_its_best_and_says_what_it_does_not_know(monkeypatch):
    """The missing map 793 needs five transitions, 610 three; time ends before 610's turn has come."""
    solved = solve(all_maps_of_3x2_but(793, 610))
    smallest = find_witness(solved)
    assert (len(smallest.dataset), smallest.proved_smallest) == (3, True)
    looks = iter([0.0, 0.0, 0.0, *[2.0] * 100])
    monkeypatch.setattr(hitting_sets.time, "monotonic", lambda: next(looks))
    witness = find_witness(solved, time_limit=1.0)
    assert version_space(solved, witness.dataset).strict
    assert (len(witness.dataset), witness.at_least) == (5, 2)
    assert not witness.proved_smallest
    assert witness.left is None  # the time was over before any size was gone through
    assert certify(solved, witness)["smallest"] is False


def test_without_time_nothing_is_said_to_be_impossible():
    solved = solve(all_maps_of_3x2_but(793))
    with pytest.raises(
        WitnessSearchTooLargeError, match="open whether there is one; accepted: a lon"
    ):
        find_witness(solved, time_limit=0.0)


def test_200_random_models_of_8x4_settle_a_decision_at_once():
    rng = np.random.default_rng(0)
    models, rewards = rng.integers(0, 9, (200, 8, 4)), rng.integers(-2, 3, (8, 4))
    problem = mdp_class(explicit(models.tolist()), rewards.tolist(), "9/10")
    solved = solve(problem)
    witness = find_decision_witness(solved)
    assert_is_what_it_says(problem, solved, witness)
    assert witness.decision in decides(problem, solved, witness.dataset)
    assert len(witness.dataset) == 1


def test_a_search_over_all_classes_says_what_is_left_of_each_size():
    told = []
    assert search_classes(1, 2, [Fraction(-1), Fraction(1)], HALF, tell=told.append) is None
    assert {estimate.what for estimate in told} == {
        "classes of 1 states, 1 actions and 2 models, |D| = 1",
        "classes of 1 states, 2 actions and 2 models, |D| = 1",
    }
    assert [estimate.choices for estimate in told] == [1, 3, 2, 1]  # tables of two rewards
    assert all(estimate.seconds > 0 for estimate in told)


def test_a_box_too_large_is_refused_when_it_comes_to_it(monkeypatch):
    monkeypatch.setattr("theory.certificates.smallest_class.MAX_SOLVED", 100)
    with pytest.raises(
        WitnessSearchTooLargeError, match=r"2 states and 3 actions.*accepted: at most 100"
    ):
        search_classes(2, 3, [Fraction(0)], HALF)
    assert search_classes(2, 3, [Fraction(1)], HALF) is not None


@pytest.mark.parametrize("gamma", [0, 1, 2])
def test_the_search_needs_a_discount_below_one(gamma):
    with pytest.raises(ValueError, match=r"accepted: a rational number in \(0, 1\)"):
        search_classes(2, 1, [Fraction(1)], Fraction(gamma))
