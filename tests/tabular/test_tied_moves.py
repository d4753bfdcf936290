"""Models whose moves are tied between states: what is settled, what rollouts reach, what is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.tied_moves import TiedMoves, agreeing_models, rollout_pairs, settled_states

CONTEXTS, PLACES, ACTIONS, END = 2, 4, 2, 3
PAIRS = CONTEXTS * PLACES * ACTIONS


def untied(truth):
    """A class that knows nothing, with these successors for the truth."""
    keys = np.arange(PAIRS).reshape(CONTEXTS, PLACES, ACTIONS)
    return TiedMoves(keys, np.array(truth), np.ones((PAIRS, PLACES), dtype=bool), END)


def pairs(flags):
    mask = np.array(flags).reshape(CONTEXTS, PLACES, ACTIONS)
    mask[:, END] = False
    return mask


TRUTHS = st.lists(st.integers(0, PLACES - 1), min_size=PAIRS, max_size=PAIRS)
FLAGS = st.lists(st.booleans(), min_size=PAIRS, max_size=PAIRS)


def solution(moves, trained, elsewhere):
    """The values that obey the Bellman equation at the trained pairs, the other pairs having this value."""
    value = np.zeros((CONTEXTS, PLACES))
    contexts = np.arange(CONTEXTS)[:, np.newaxis, np.newaxis]
    for _ in range(250):
        backup = -1 + 0.9 * value[contexts, moves.successors]
        value = np.where(trained, backup, elsewhere).max(axis=-1)
        value[:, END] = 0
    return value


@given(TRUTHS, st.lists(st.sampled_from([True, True, True, False]), min_size=PAIRS, max_size=PAIRS))
@settings(max_examples=30)
def test_a_state_is_settled_if_nothing_else_moves_its_value(truth, flags):
    moves, trained = untied(truth), pairs(flags)
    high, higher = (solution(moves, trained, value) for value in (1e3, 2e3))
    same = np.isclose(high, higher, atol=1e-9)
    same[:, END] = False
    settled = settled_states(moves, trained)
    assert (settled == same).all()
    optimal = solution(moves, np.ones_like(trained), 0.0)
    assert np.allclose(high[settled], optimal[settled])


@given(TRUTHS, FLAGS, st.integers(1, 4))
@settings(max_examples=30)
def test_rollouts_try_what_some_sequence_of_actions_tries(truth, flags, length):
    moves, observed = untied(truth), pairs(flags)
    tried = np.zeros_like(observed)
    for context, start in np.argwhere(observed.any(axis=-1)):
        for actions in product(range(ACTIONS), repeat=length):
            place = start
            for action in actions:
                if place == END:
                    break
                tried[context, place, action] = True
                place = moves.successors[context, place, action]
    assert (rollout_pairs(moves, observed, length) == tried).all()


def test_a_true_model_outside_of_the_class_is_refused():
    with pytest.raises(ValueError, match="the class, which does not allow it at key 1"):
        TiedMoves(
            np.array([[[0, 1], [0, 0]]]), np.array([0, 1]), np.array([[True] * 2, [True, False]]), 1
        )


def test_more_models_than_can_be_gone_through_are_refused():
    moves = untied([0] * PAIRS)
    everywhere = np.arange(PLACES) != END
    asked = np.tile(everywhere, (CONTEXTS, 1))
    with pytest.raises(ValueError, match=r"^16,777,216 models would have to be gone through"):
        agreeing_models(moves, pairs([False] * PAIRS), asked)
