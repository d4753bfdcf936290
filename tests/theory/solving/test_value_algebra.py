"""Values by number, against every policy of every model by elimination."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import explicit, gallery_class, mdp_class, optimal_q, solve
from theory.solving import deterministic
from theory.solving.value_algebra import ValueAlgebra

# So close that most of them round to the same floats, and past the range of floats.
HUGE = Fraction(10**400)
CLOSE = st.sampled_from(
    [Fraction(1), 1 + Fraction(1, 10**30), 1 - Fraction(1, 10**40), HUGE, HUGE + 1, -HUGE]
)


@given(oracle.classes(), st.data())
@settings(deadline=None, max_examples=60)
def test_every_value_is_the_best_of_all_policies_however_close_they_are(drawn, data):
    models, rewards, gamma = drawn
    if data.draw(st.booleans()):
        rewards = data.draw(oracle.tables(len(rewards), len(rewards[0]), CLOSE))
    algebra = ValueAlgebra(rewards, gamma)
    for model in (*models, *models):  # again, from what is known
        found = [algebra.values[number] for number in algebra.optimal(model)]
        assert found == [max(row) for row in oracle.optimal_q(model, rewards, gamma)]
    assert len(set(algebra.values)) == len(algebra.values)


@pytest.mark.parametrize("name", ["push-tree", "golden-discount", "binary-factors-2"])
def test_a_class_solved_one_by_one_is_that_of_the_plain_method(name, monkeypatch):
    problem = gallery_class(name)
    monkeypatch.setattr(deterministic, "seconds_by_table", lambda _: float("inf"))
    solved = solve(problem)
    for index in range(problem.transitions.size):
        q = optimal_q(problem.transitions.table(index), problem.rewards, problem.gamma)
        assert solved.q_table(int(solved.q_of_model[index])) == q


def test_a_class_without_rewards_has_one_value():
    solved = solve(mdp_class(explicit([[[0]], [[1]]]), [[0]], "1/2"))
    assert (solved.value_functions, solved.value_vectors) == (1, 1)
