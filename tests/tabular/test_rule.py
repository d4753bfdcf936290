"""Rules of a user's own: their law is kept exactly, or refused with the state and what is wrong."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import FiniteMDP, Outcome, enumerate_factors

ONE, HALF = Fraction(1), Fraction(1, 2)


class Rule:
    """One action, one factor. From (0,) goes the given law; from every other state a step ends."""

    num_actions = 1
    factor_names = ("x",)

    def __init__(self, *law, initial=None):
        self.law = law
        self.initial = {(0,): ONE} if initial is None else initial

    def initial_distribution(self):
        return self.initial

    def factors(self, state):
        return state

    def outcomes(self, state, action):
        return self.law if state == (0,) else (Outcome(ONE, None, -1, True),)


READERS = (FiniteMDP.from_rule, enumerate_factors)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("law", "message"),
    [
        ([(HALF, (1,), -1, False)], "the probabilities must add to 1, got 1/2"),
        (
            [(Fraction(3, 4), (1,), -1, False), (Fraction(3, 4), (0,), -1, False)],
            "the probabilities must add to 1, got 3/2",
        ),
        (
            [(Fraction(3, 2), (1,), -1, False), (-HALF, (0,), -1, False)],
            r"probabilities must be Fractions of at least 0, got Fraction\(-1, 2\)",
        ),
        ([(ONE, (1,), -1, True)], r"got terminal True and next state \(1,\)"),
        ([(ONE, None, -1, False)], "got terminal False and next state None"),
        ([], "the probabilities must add to 1, got 0"),
        ([(ONE, (1,), float("nan"), False)], "rewards must be finite numbers, got nan"),
        ([(ONE, (1,), "much", False)], "rewards must be finite numbers, got 'much'"),
        ([(ONE, (1,), 10**400, False)], "rewards must be finite numbers, got 1000"),
        ([(float("nan"), (1,), 0, False)], "probabilities must be Fractions .* got nan"),
        ([(ONE, [1], 0, False)], r"next states must be hashable, got \[1\]"),
    ],
)
def test_a_broken_law_is_refused_with_its_state(read, law, message):
    with pytest.raises(ValueError, match=rf"\Ain state \(0,\) with action 0 .*{message}"):
        read(Rule(*(Outcome(*outcome) for outcome in law)))


def test_an_outcome_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"each outcome must be an Outcome, got \(1, \(1,\)"):
        FiniteMDP.from_rule(Rule((1, (1,), 0, False)))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ({}, "must add to 1, got 0"),
        ({(0,): HALF}, "must add to 1, got 1/2"),
        (
            {(0,): Fraction(0), (1,): ONE},
            r"of state \(0,\) must be a positive Fraction, got Fraction\(0, 1\)",
        ),
    ],
)
def test_a_broken_initial_distribution_is_refused(read, initial, message):
    with pytest.raises(ValueError, match=f"initial probabilit.* {message}"):
        read(Rule(Outcome(ONE, None, 0, True), initial=initial))


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ((1, 2), r"factors of state \(0,\) must be a tuple of 1, .*, got \(1, 2\)"),
        ([1], r"factors of state \(0,\) must be a tuple of 1, .*, got \[1\]"),
        (([1],), r"factors of state \(0,\) must be hashable, got \(\[1\],\)"),
    ],
)
def test_factors_that_do_not_go_with_their_names_are_refused(factors, message):
    rule = Rule(Outcome(ONE, None, 0, True))
    rule.factors = lambda state: factors
    with pytest.raises(ValueError, match=message):
        enumerate_factors(rule)


PROBABILITIES = st.sampled_from([Fraction(0), HALF, HALF, ONE, Fraction(1, 3), -HALF, 1])
OUTCOMES = st.builds(
    Outcome,
    PROBABILITIES,
    st.sampled_from([None, (0,), (1,), (2,)]),
    st.sampled_from([0, 1, Fraction(1, 3), float("inf")]),
    st.booleans(),
)


ROUNDING = 2**-52  # of probabilities that are added in floats, or taken from 1


@given(st.lists(OUTCOMES, max_size=3))
@settings(max_examples=300)
def test_whatever_law_is_given_it_is_kept_or_refused(law):
    rule = Rule(*law)
    right = sum(Fraction(o.probability) for o in law) == 1 and all(
        o.probability >= 0 and o.reward != float("inf") and o.terminal == (o.next_state is None)
        for o in law
    )
    if not right:
        for read in READERS:
            with pytest.raises(ValueError, match=r"\Ain state \(0,\) with action 0 [^\n]*\Z"):
                read(rule)
        return
    assert len(enumerate_factors(rule).codes) == FiniteMDP.from_rule(rule).num_states
    mdp = FiniteMDP.from_rule(rule)
    row = mdp.transitions.toarray()[0]
    for state, probability in zip(mdp.states, row, strict=True):
        exact = sum(Fraction(o.probability) for o in law if o.next_state == state)
        assert probability == pytest.approx(float(exact), abs=ROUNDING)
    ending = sum(Fraction(o.probability) for o in law if o.terminal)
    assert mdp.termination[0, 0] == pytest.approx(float(ending), abs=ROUNDING)
    assert mdp.rewards[0, 0] == float(sum(Fraction(o.probability) * o.reward for o in law))
