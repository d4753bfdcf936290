"""Value-equivalent models against following every model by hand, and the chain from H_M to H_B."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    GALLERY,
    check_dataset,
    equivalent_steps,
    explicit,
    gallery_class,
    mdp_class,
    solve,
    value_equivalent,
    version_space,
)
from theory.classes.push_tree import EAT, PUSH, TRUTH


def walked(model, state, actions):
    """The trajectory of a model from a state, up to the terminal one."""
    trajectory = [state]
    for action in actions:
        trajectory += [action, model[trajectory[-1]][action]]
        if trajectory[-1] == len(model):
            break
    return tuple(trajectory)


def follows(model, q, rewards, trajectory, steps, functions, own):
    """Whether one model is value-equivalent along one trajectory, from the definition."""
    n = len(model)
    worth = [[*function, 0] for function in functions] + ([[*map(max, q), 0]] if own else [])
    states, actions = trajectory[0::2], trajectory[1::2]
    for start, state in enumerate(states[:-1]):
        at = state
        for i in range(start, min(start + steps, len(actions))):
            if at == n or rewards[at][actions[i]] != rewards[states[i]][actions[i]]:
                return False
            at = model[at][actions[i]]
            if any(V[at] != V[states[i + 1]] for V in worth):
                return False
    return True


@st.composite
def classes_with_trajectories(draw):
    models, rewards, gamma = draw(oracle.classes(max_models=8))
    n, k = len(rewards), len(rewards[0])
    trajectories = []
    for _ in range(draw(st.integers(0, 2))):
        actions = draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=4))
        if draw(st.booleans()):  # of some model: realizable
            start = draw(st.integers(0, n - 1))
            trajectories.append(walked(draw(st.sampled_from(models)), start, actions))
        else:
            states = draw(
                st.lists(st.integers(0, n - 1), min_size=len(actions), max_size=len(actions))
            )
            pairs = [x for pair in zip(states, actions, strict=True) for x in pair]
            trajectories.append((*pairs, draw(st.integers(0, n))))
    functions = draw(st.lists(st.tuples(*[st.integers(0, 1).map(Fraction)] * n), max_size=2))
    return models, rewards, gamma, trajectories, functions


@given(classes_with_trajectories())
@settings(deadline=None, max_examples=60)
def test_value_equivalent_models_leave_what_the_definition_says_between_h_m_and_h_b(drawn):
    models, rewards, gamma, trajectories, functions = drawn
    solved = solve(mdp_class(explicit(models), rewards, gamma))
    expected = oracle.VersionSpaces(models, rewards, gamma)
    horizons = {
        (own, F): equivalent_steps(solved, trajectories, 4, own_values=own, functions=F)
        for own in (True, False)
        for F in ((), tuple(functions))
    }
    for (own, F), horizon in horizons.items():
        for steps in range(1, 5):
            left = {
                q
                for model, q in expected.solved
                if all(follows(model, q, rewards, t, steps, F, own) for t in trajectories)
            }
            members = value_equivalent(solved, horizon, steps)
            assert {solved.q_table(int(q)) for q in np.flatnonzero(members)} == left

    space = version_space(
        solved, [t[i : i + 3] for t in trajectories for i in range(0, len(t) - 2, 2)]
    )
    for F in ((), tuple(functions)):
        chain = [value_equivalent(solved, horizons[True, F], steps) for steps in range(1, 5)]
        for wider, narrower in zip([space.HB, *chain], [*chain, space.HM], strict=True):
            assert (narrower <= wider).all()
        if not F:
            assert (chain[0] == space.HB).all()


@pytest.mark.parametrize(
    ("name", "trajectories", "counts"),
    [
        ("push-tree", [walked(TRUTH, 0, (PUSH, EAT, EAT)), (3, EAT, 4)], (6, 13, 11, 11)),
        (
            "push-tree-independent",
            [walked(TRUTH, 0, (PUSH, EAT, EAT)), (3, EAT, 4)],
            (8, 16, 12, 12),
        ),
        (
            "binary-factors-3",
            [walked(GALLERY["binary-factors-3"].truth, 0, (3, 0, 1, 1))],
            (8, 36, 36, 36),
        ),
    ],
)
def test_more_steps_ahead_narrow_h_b_down_but_not_to_h_m(name, trajectories, counts):
    report = check_dataset(gallery_class(name), trajectories, steps=3)
    sizes = [row.own for row in report.value_equivalence]
    assert (len(report.HM), *sizes) == counts
    assert len(report.HB) == sizes[0]
    assert report.value_equivalence[0].functions is None


def test_as_functions_are_added_the_values_alone_become_a_model():
    """With F empty H_B is left; with one function that tells all states apart, H_M."""
    data = [walked(TRUTH, 0, (PUSH, EAT, EAT)), (3, EAT, 4)]
    apart = [tuple(Fraction(s + 1) for s in range(4))]
    food = [tuple(Fraction(s % 2) for s in range(4))]
    problem = gallery_class("push-tree")
    sizes = {}
    for name, F in (("food", food), ("apart", apart)):
        [row] = check_dataset(problem, data, steps=1, functions=F).value_equivalence
        sizes[name] = row.own_and_functions, row.functions
    report = check_dataset(problem, data)
    H_M, H_B = len(report.HM), len(report.HB)
    assert sizes["apart"] == (H_M, H_M)
    assert H_M < sizes["food"][0] < H_B
    assert sizes["food"][1] >= sizes["food"][0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            (0, 0, 1, 1),
            "transition [0, 0, 1, 1] has 4 entries; accepted: [s, a, s'], or on from there",
        ),
        ((0, 0, 2, 0, 1), "state of transition [2, 0, 1] is 2; accepted: an integer from 0 to 1"),
        ((0,), "transition [0] has 1 entries"),
    ],
)
def test_what_is_no_trajectory_is_refused(row, message):
    problem = gallery_class("tabular-2x2-sparse")
    with pytest.raises(ValueError, match=re.escape(message)):
        check_dataset(problem, [row], steps=1)
    with pytest.raises(
        ValueError, match="a value function has 1 entries; accepted: one for each of 2"
    ):
        check_dataset(problem, [(0, 0, 1)], steps=1, functions=[(Fraction(0),)])
