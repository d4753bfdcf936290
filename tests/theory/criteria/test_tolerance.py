"""The Bellman equation up to eps, against the definition at every eps that matters."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import GALLERY, check_dataset, explicit, mdp_class


@st.composite
def classes_with_data(draw):
    models, rewards, gamma = draw(oracle.classes(max_models=6))
    n, k = len(rewards), len(rewards[0])
    transition = st.tuples(st.integers(0, n - 1), st.integers(0, k - 1), st.integers(0, n))
    return models, rewards, gamma, draw(st.lists(transition, max_size=3))


@given(classes_with_data(), st.lists(oracle.small_fractions.map(abs), max_size=3))
@settings(deadline=None, max_examples=40)
def test_each_step_is_where_the_definition_has_it(drawn, others):
    models, rewards, gamma, D = drawn
    expected = oracle.VersionSpaces(models, rewards, gamma)
    report = check_dataset(mdp_class(explicit(models), rewards, gamma), D, tolerance=True)
    steps = report.tolerance

    def off(q, transition):
        s, a, successor = transition
        following = max(q[successor]) if successor < len(q) else 0
        return abs(q[s][a] - rewards[s][a] - gamma * following)

    def left(eps):
        return {q for q in expected.HQ if all(off(q, t) <= eps for t in D)}

    assert (steps[0].eps, steps[0].HB) == (0, len(report.HB))
    assert len(expected.HQ) == steps[-1].HB
    assert [step.eps for step in steps] == sorted({step.eps for step in steps})
    assert all(before.HB < after.HB for before, after in pairwise(steps))
    for eps in [*others, *(step.eps for step in steps)]:
        last = [step for step in steps if step.eps <= eps][-1]
        assert len(left(eps)) == last.HB
        assert last.outside_HM == len(left(eps) - expected.h_m(D))


def test_in_the_papers_example_nothing_comes_in_below_81_hundredths():
    entry = GALLERY["push-tree"]
    steps = check_dataset(entry.make(), entry.dataset, tolerance=True).tolerance
    assert [(step.eps, step.HB, step.outside_HM) for step in steps] == [
        (0, 19, 9),
        (Fraction(81, 100), 28, 18),
    ]
