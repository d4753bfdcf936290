"""What tied moves leave open is what Theorem 1's H_M and H_B are, enumerated over all models in exact values."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.tied_moves import TiedMoves, agreeing_models, agreeing_values
from theory import explicit, mdp_class, solve, version_space

CONTEXTS, PLACES, ACTIONS = 2, 3, 2
MOST_KEYS = 5


@st.composite
def classes(draw):
    """A class, its observed pairs, and the states asked about."""
    end = draw(st.sampled_from([0, PLACES - 1]))
    numbers = st.integers(0, MOST_KEYS - 1)
    shape = (CONTEXTS, PLACES, ACTIONS)
    drawn = np.array(draw(st.lists(numbers, min_size=12, max_size=12))).reshape(shape)
    going_on = np.arange(PLACES) != end
    used, renumbered = np.unique(drawn[:, going_on], return_inverse=True)
    keys = np.zeros(shape, dtype=int)
    keys[:, going_on] = renumbered.reshape(CONTEXTS, PLACES - 1, ACTIONS)
    place = st.integers(0, PLACES - 1)
    truth = np.array([draw(place) for _ in used])
    allowed = np.array([[draw(st.booleans()) for _ in range(PLACES)] for _ in used])
    allowed[np.arange(len(used)), truth] = True
    flags = st.lists(st.booleans(), min_size=12, max_size=12)
    observed = np.array(draw(flags)).reshape(shape) & going_on[:, np.newaxis]
    asked = np.array(draw(flags)[: CONTEXTS * PLACES]).reshape(CONTEXTS, PLACES) & going_on
    return TiedMoves(keys, truth, allowed, end), observed, asked


def flat(moves, successors):
    """A table [state, action] over all contexts, the end being the last number."""
    going_on = np.arange(PLACES) != moves.end
    numbers = np.full((CONTEXTS, PLACES), CONTEXTS * (PLACES - 1))
    numbers[:, going_on] = np.arange(CONTEXTS * (PLACES - 1)).reshape(CONTEXTS, -1)
    contexts = np.arange(CONTEXTS)[:, np.newaxis, np.newaxis]
    return numbers[contexts, successors][:, going_on].reshape(-1, ACTIONS)


@given(classes())
@settings(max_examples=60)
def test_what_is_left_open_is_what_exact_enumeration_leaves(drawn):
    moves, observed, asked = drawn
    going_on = np.arange(PLACES) != moves.end
    options = [np.flatnonzero(places) for places in moves.allowed]
    models = [flat(moves, np.array(choice)[moves.keys]) for choice in product(*options)]
    assert len(models) == moves.size
    states = CONTEXTS * (PLACES - 1)
    solved = solve(
        mdp_class(explicit([m.tolist() for m in models]), [[-1] * ACTIONS] * states, "9/10")
    )
    true = flat(moves, moves.successors)
    pairs = np.argwhere(observed[:, going_on].reshape(states, ACTIONS))
    space = version_space(solved, [(int(s), int(a), int(true[s, a])) for s, a in pairs])
    asked_states = asked[:, going_on].reshape(states, 1)
    for found, members, count in (
        (agreeing_models(moves, observed, asked), space.HM, space.models_consistent),
        (agreeing_values(moves, observed, asked), space.HB, space.HB[solved.q_of_model].sum()),
    ):
        greedy = solved.greedy[members] & asked_states
        assert found.models == count
        for answer, expected in ((found.possible, greedy.any(0)), (found.certain, greedy.all(0))):
            assert not answer[:, moves.end].any()
            assert (answer[:, going_on].reshape(states, ACTIONS) == expected).all()
