"""The Bellman equation up to eps, against the definition at every eps that matters."""

from fractions import Fraction
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from tests.theory.criteria.test_evidence import definitions, subsets
from tests.theory.solving.test_laws import built
from tests.theory.solving.test_laws import classes as option_classes
from theory import GALLERY, check_dataset, check_evidence, explicit, mdp_class


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


@given(option_classes(most=3).filter(lambda drawn: len(drawn[2]) <= 3), st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_of_evidence_the_best_allowed_option_counts(drawn, number):
    problem = built(*drawn)
    every = list(product(*(subsets(len(pair)) for pair in problem.transitions.options)))
    evidence = every[number % len(every)]
    report = check_evidence(problem, evidence, tolerance=True)
    H_Q = definitions(problem, tuple(tuple(range(len(p))) for p in problem.transitions.options))[0]

    def off(q, pair, o):
        law, V = problem.transitions.options[pair][o], [*map(max, q), 0]
        backup = law.reward + problem.gamma * sum(p * V[x] for x, p in law.law)
        return abs(q[pair // problem.actions][pair % problem.actions] - backup)

    for step in report.tolerance:
        left = {
            q
            for q in H_Q
            if all(
                any(off(q, pair, o) <= step.eps for o in allowed)
                for pair, allowed in enumerate(evidence)
            )
        }
        assert (step.HB, step.outside_HM) == (len(left), len(left - set(report.HM)))
    assert (report.tolerance[0].eps, report.tolerance[0].HB) == (0, len(report.HB))
    assert len(H_Q) == report.tolerance[-1].HB


def test_in_the_papers_example_nothing_comes_in_below_81_hundredths():
    entry = GALLERY["push-tree"]
    steps = check_dataset(entry.make(), entry.dataset, tolerance=True).tolerance
    assert [(step.eps, step.HB, step.outside_HM) for step in steps] == [
        (0, 19, 9),
        (Fraction(81, 100), 28, 18),
    ]
