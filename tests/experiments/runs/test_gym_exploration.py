"""Environments of Gymnasium that are explored, against the tables that some keep of themselves."""

import threading
from copy import copy, deepcopy
from itertools import product

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Text, Tuple

from experiments.runs.gym_exploration import ExplorableGame, hashable, numbers_of
from tabular import FiniteMDP
from tabular.exploration import explored
from tabular.solvers import finite_horizon
from tabular.transition_table import TableRule


class OneTable(gymnasium.Wrapper):
    """Copies share the table, which nothing changes."""

    def __deepcopy__(self, memo):
        memo[id(self.unwrapped.P)] = self.unwrapped.P
        other = copy(self)
        other.env = deepcopy(self.env, memo)
        return other


def best_returns(table, initial, states):
    """Of 30 steps, from each state by its own name."""
    mdp = FiniteMDP.from_rule(TableRule(table, initial))
    returns = finite_horizon.total_reward(mdp, 30, None)
    return {states[number]: value for number, value in zip(mdp.states, returns, strict=True)}


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("FrozenLake-v1", {"is_slippery": False}, 11),
        ("CliffWalking-v1", {}, 37),
        ("Taxi-v4", {}, 400),
    ],
)
def test_exploring_finds_the_table_that_an_environment_keeps(name, arguments, count):
    game = gymnasium.make(name, **arguments)
    table, initial = game.unwrapped.P, game.unwrapped.initial_state_distrib
    environment = ExplorableGame(OneTable(game))
    found = explored(environment, environment.num_actions)
    assert len(found.states) == count
    for number, state in enumerate(found.states):
        assert found.table[number].keys() == table[state].keys()
        for action, ((_, following, reward, ended),) in table[state].items():
            ((_, entry, *rest),) = found.table[number][action]
            assert rest == [reward, ended]
            assert ended or found.states[entry] == following
    own = best_returns(table, initial, range(len(table)))
    assert best_returns(found.table, found.initial, found.states) == pytest.approx(own)
    assert {s for s, share in zip(found.states, found.initial, strict=True) if share} <= {
        state for state, chance in enumerate(initial) if chance
    }


def test_the_chance_of_a_random_state_that_copies_share_is_found():
    environment = ExplorableGame(gymnasium.make("FrozenLake-v1"))
    with pytest.raises(ValueError, match=r"action . in 0 led to observation = "):
        explored(environment, environment.num_actions)


def test_observations_are_numbered_by_their_parts_the_last_one_fastest():
    space = Dict(
        a=Discrete(2, start=5),
        b=Tuple([MultiBinary(2), MultiDiscrete([2, 3])]),
        c=Box(-1, 1, (1,), np.int8),
    )
    seen = [
        hashable({"a": a, "b": (np.array([b, c]), np.array([d, e])), "c": np.array([f])})
        for a, b, c, d, e, f in product((5, 6), (0, 1), (0, 1), (0, 1), range(3), (-1, 0, 1))
    ]
    assert numbers_of(space, tuple(seen)) == (list(range(144)), 144)


@pytest.mark.parametrize(
    ("space", "seen", "said"),
    [
        (Text(3), "a", "observations hold a Text, .* accepted: Discrete, "),
        (Box(0, 1), 0.5, "observations hold a Box, "),
        (Discrete(3), 3, "an observation holds 3; its space has 0 to 2"),
    ],
)
def test_observations_that_are_no_whole_numbers_of_their_space_have_no_numbers(space, seen, said):
    with pytest.raises(ValueError, match=said):
        numbers_of(space, (seen,))


class Still(gymnasium.Env):
    """Never moves."""

    observation_space, action_space = Discrete(1), Discrete(1)

    def reset(self, *, seed=None, options=None):
        return 0, {}

    def step(self, action):
        return 0, 0.0, False, False, {}


class Cut(Still):
    def step(self, action):
        return 0, 0.0, False, True, {}


class Broken(Still):
    def step(self, action):
        raise IndexError("list\nindex")


class Held(Still):
    def __init__(self):
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("game", "said"),
    [
        (Cut, "its own code truncates an episode, .* accepted: .* max_episode_steps"),
        (Broken, "its own code failed with IndexError: list index"),
        (Held, "copying it failed with TypeError: cannot pickle '_thread.lock' object"),
        (lambda: gymnasium.make("Pendulum-v1"), "its action space is Box.*; accepted: Discrete"),
    ],
)
def test_what_cannot_be_explored_is_refused_in_one_line(game, said):
    with pytest.raises(ValueError, match=said) as caught:
        explored(ExplorableGame(game()), 1)
    assert "\n" not in str(caught.value)
