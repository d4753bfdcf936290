"""Tables that are found by taking every action in every state."""

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.exploration import explored


@dataclass
class Machine:
    """Moves by a table of (next state or None, reward); resets with seeds 0, 1, ... take turns."""

    moves: dict[Any, list[tuple[Any, float]]]
    starts: tuple[Any, ...] = (0,)
    state: Any = 0
    steps: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def reset(self, seed):
        self.state, self.steps = self.starts[seed % len(self.starts)], 0
        return self.state

    def step(self, action):
        self.steps += 1
        self.state, reward = self.moves[self.state][action]
        return self.state, reward

    def copy(self):
        return deepcopy(self)

    def reseed(self, generator):
        self.random = generator


class Slippery(Machine):
    """Seldom stays where it is, by a random state that copies share."""

    def step(self, action):
        before = self.state
        found = super().step(action)
        if self.random.random() < 0.01:
            self.state = before
            return before, found[1]
        return found


class Crumbling(Machine):
    """Seldom ends."""

    def step(self, action):
        following, reward = super().step(action)
        return (None if self.random.random() < 0.01 else following), reward


class Tiring(Machine):
    """The reward falls with the steps of the episode."""

    def step(self, action):
        following, reward = super().step(action)
        return following, reward - self.steps / 100


class Locked(Machine):
    """Whether the second door opens is decided by the reset, and never seen."""

    def reset(self, seed):
        self.open = seed != 500
        return super().reset(seed)

    def step(self, action):
        found = super().step(action)
        return found if self.open else (found[0], -1.0)


class Endless(Machine):
    def step(self, action):
        self.state += 1
        return self.state, 0.0


RING = {k: [((k + 1) % 4, 0.0), (k, 1.0)] for k in range(4)}


def machines():
    move = st.tuples(st.none() | st.integers(0, 5), st.sampled_from([-1.0, 0.0, 0.5]))
    moves = st.lists(st.lists(move, min_size=2, max_size=2), min_size=6, max_size=6)
    return st.tuples(moves, st.sets(st.integers(0, 5), min_size=1))


@settings(max_examples=20, deadline=None)
@given(machines())
def test_what_is_found_is_the_machines_own_table_on_what_can_be_reached(drawn):
    moves, starts = drawn
    machine = Machine(dict(enumerate(moves)), tuple(starts))
    found = explored(machine, 2)
    graph = nx.DiGraph([(k, n) for k, row in enumerate(moves) for n, _ in row if n is not None])
    graph.add_nodes_from(range(6))
    assert set(found.states) == set(starts).union(*(nx.descendants(graph, k) for k in starts))
    for number, state in enumerate(found.states):
        for action, (following, reward) in enumerate(moves[state]):
            ((chance, entry, gained, ended),) = found.table[number][action]
            assert (chance, gained, ended) == (1.0, reward, following is None)
            assert ended or found.states[entry] == following


def test_first_states_are_counted_over_resets():
    found = explored(Machine(RING, starts=(0, 0, 0, 2)), 2)
    assert dict(zip(found.states, found.initial, strict=True)) == {0: 0.75, 2: 0.25, 1: 0, 3: 0}


def test_the_share_that_is_told_ends_at_all():
    told = []
    explored(Machine(RING), 2, report=told.append)
    assert told == [1 / 2, 2 / 3, 3 / 4, 1]


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Slippery(RING), r"action 0 in \d led to observation = \d, and another time \d: chance"),
        (Tiring(RING), r"action \d in \d got the reward .*, and another time .* not observed"),
        (Locked(RING), r"action \d in 0 got the reward .*, and another time -1: "),
    ],
)
def test_what_chance_or_something_unseen_has_a_part_in_is_refused(machine, said):
    with pytest.raises(ValueError, match=said) as caught:
        explored(machine, 2)
    assert "\n" not in str(caught.value)


def test_an_end_that_comes_by_chance_is_refused():
    with pytest.raises(
        ValueError, match="action 0 in 0 did not end the episode, and another time did: ch"
    ):
        explored(Crumbling({0: [(0, 0.0)]}), 1)


def test_the_place_where_long_observations_differ_is_named():
    long = [((0, 0), (k, 0) * 40) for k in range(3)]
    moves = {a: [(b, 0.0)] for a, b in pairwise([*long, long[0]])}
    with pytest.raises(ValueError, match=r"\.\.\. led to observation\[1\]\[0\] = ") as caught:
        explored(Slippery(moves, starts=(long[0],)), 1)
    assert len(str(caught.value)) < 250


def test_more_states_than_are_allowed_are_refused():
    with pytest.raises(ValueError, match="more than 50 states: 51 were reached from 50 of them"):
        explored(Endless({}), 1, max_states=50)
