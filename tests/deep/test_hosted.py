"""Environments of Gymnasium, stepped on the host: what is seen, what a copy lives, and what agents learn there."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from scipy import stats

from deep import AGENTS, Agent, Lanes, OnlineLoop, Protocol
from deep.environments import OpenGrid
from deep.gymnasium_adapter import SingleEnvironment
from deep.hosted import (
    Copies,
    Episode,
    EvaluationEpisodes,
    HostedEnvironment,
    HostedLoop,
    TableEnvironment,
    encoder_of,
    transition_table,
)
from deep.hosted.environment import TableState
from tests.deep.states import assert_same_bits, copied

FALSE_ALARM = 1e-6


# What is seen


SPACES = [
    spaces.MultiBinary(3),
    spaces.MultiBinary((2, 2)),
    spaces.Discrete(4),
    spaces.Discrete(2),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 3, 4]),
    spaces.Dict({"a": spaces.Discrete(3), "b": spaces.MultiBinary(2)}),
    spaces.Tuple((spaces.Discrete(3), spaces.Dict({"x": spaces.MultiDiscrete([3, 3])}))),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_features_are_those_of_gymnasiums_own_flattening(space, seed):
    space.seed(seed)
    observation = space.sample()
    encoder = encoder_of(space)
    assert encoder(observation).tolist() == spaces.flatten(space, observation).astype(int).tolist()
    assert encoder.num_features == spaces.flatdim(space)


def test_numbers_of_a_box_are_one_hot_and_its_booleans_are_features():
    box = spaces.Box(np.array([0, -1]), np.array([2, 0]), dtype=np.int8)
    assert encoder_of(box)(np.array([1, -1])).tolist() == [0, 1, 0, 1, 0]
    flags = spaces.Box(0, 1, (2, 2), bool)
    assert encoder_of(flags)(np.array([[True, False], [False, True]])).tolist() == [1, 0, 0, 1]


def test_levels_narrow_a_box_of_bytes_and_a_number_beyond_them_is_told():
    encoder = encoder_of(spaces.Box(0, 255, (2,), np.uint8), levels=3)
    assert encoder(np.array([2, 0])).tolist() == [0, 0, 1, 1, 0, 0]
    with pytest.raises(ValueError, match="value holds 3, which its space does not"):
        encoder(np.array([3, 0]))


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int32])
def test_levels_narrow_the_widest_box(kind):
    encoder = encoder_of(spaces.Box(0, np.iinfo(kind).max, (2,), kind), levels=3)
    assert encoder(np.array([2, 0], kind)).tolist() == [0, 0, 1, 1, 0, 0]


PAIR = spaces.Dict({"a": spaces.MultiBinary(3), "b": spaces.Discrete(4)})


@pytest.mark.parametrize(
    ("observation", "said"),
    [
        ({"a": [0.9, 0, 1], "b": 1}, "a holds 0.9, which its space does not"),
        ({"a": [0, 0, float("nan")], "b": 1}, "a holds nan, which"),
        ({"a": [0, 0, 2], "b": 1}, "a holds 2, which"),
        ({"a": [0, 1], "b": 1}, "a holds 2 numbers, not 3, which"),
        ({"a": 1, "b": 1}, "a holds 1 numbers, not 3, which"),
        ({"a": ["0", "1", "1"], "b": 1}, "a holds .*'0'.*, which"),
        ({"a": [0, 1, 1]}, "the observation has no b, which its space has"),
        ({"a": [0, [1], 1], "b": 1}, "the observation has no a, which its space has"),
        ({"a": [0, 1, 1], "b": None}, "b holds None, which"),
        (None, "the observation has no a, which its space has"),
    ],
)
def test_an_observation_that_is_none_of_its_space_is_told(observation, said):
    with pytest.raises(ValueError, match=said):
        encoder_of(PAIR)(observation)


def test_whole_numbers_may_be_floats():
    assert encoder_of(PAIR)({"a": [0.0, 1.0, 1.0], "b": 1.0}).tolist() == [0, 1, 1, 0, 1, 0, 0]


def test_keys_choose_the_parts_of_a_dict_in_their_order():
    space = spaces.Dict({"far": spaces.Box(0, 1, (1,)), "near": spaces.Discrete(2)})
    assert encoder_of(space, keys=["near"])({"far": 0.5, "near": 1}).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("space", "options", "said"),
    [
        (spaces.Box(-1, 1, (3,)), {}, r"value is Box\(-1.0, 1.0, \(3,\), float32\); accepted"),
        (spaces.Box(0, 999, (3,), np.int32), {}, "at most 256 values"),
        (spaces.Dict({"a": spaces.Text(3)}), {}, "observation's a is Text; accepted: MultiBinary"),
        (spaces.Discrete(20_000), {}, "20,000 features; accepted: 1 to 16,384"),
        (spaces.Discrete(2), {"keys": ["a"]}, "keys are of a Dict, and observations are Discrete"),
        (spaces.Dict({"a": spaces.Discrete(2)}), {"keys": ["b"]}, "no key 'b'; accepted: a"),
        (spaces.Dict({1: spaces.Discrete(2)}), {"keys": ["b"]}, "no key 'b'; accepted: 1"),
    ],
)
def test_what_features_of_0_and_1_cannot_hold_is_refused_with_what_can(space, options, said):
    with pytest.raises(ValueError, match=said):
        encoder_of(space, **options)


# What a copy lives


class Count(gymnasium.Env):
    """Counts its steps; ends by itself after `last`, with a reward for each step."""

    observation_space = spaces.Discrete(8)
    action_space = spaces.Discrete(2, start=5)

    def __init__(self, last=3, memory=None):
        self.last, self.memory = last, memory

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.first = int(self.np_random.integers(3))
        if self.memory is not None:  # does not repeat itself: lives differ by what was before
            self.memory.append(self.first)
            self.first = len(self.memory) % 5
        self.count = 0
        return self.first, {}

    def step(self, action):
        assert self.action_space.contains(np.int64(action))
        self.count += 1
        ended = self.count == self.last
        return min(self.first + self.count, 7), float(action), ended, False, {}


def copies_of(make, count=3):
    return Copies(make, count, encoder_of(Count.observation_space), lambda c, e: 100 * c + e)


def seen(features):
    return features.argmax(1).tolist()


def test_copies_begin_the_next_episode_where_one_ends_and_show_both_ends():
    copies = copies_of(Count)
    first = seen(copies.begin(np.zeros(3, np.int64)))
    for _ in range(2):
        taken = copies.step(np.array([0, 1, 1]))
        assert taken.reward.tolist() == [5, 6, 6]  # actions count from the space's own first one
        assert not taken.terminated.any()
    last = copies.step(np.array([0, 0, 0]))
    assert last.terminated.all()
    assert not last.truncated.any()
    assert seen(last.successor) == [value + 3 for value in first]
    assert seen(last.shown) == seen(copies_of(Count).begin(np.ones(3, np.int64)))


def test_a_time_limit_cuts_an_episode_and_does_not_end_it():
    copies = copies_of(lambda: TimeLimit(Count(), 2))
    copies.begin(np.zeros(3, np.int64))
    copies.step(np.zeros(3, np.int64))
    cut = copies.step(np.zeros(3, np.int64))
    assert cut.truncated.all()
    assert not cut.terminated.any()


def test_an_episode_is_found_again_by_its_number_and_actions():
    copies = copies_of(Count, 2)
    copies.begin(np.array([4, 9]))
    known = copies.step(np.array([1, 0])).shown
    episodes = [Episode(4, [1]), Episode(9, [0])]
    again = copies_of(Count, 2)
    assert again.begin_at(episodes, known) == {}
    taken = [each.step(np.array([1, 1])).successor for each in (copies, again)]
    assert np.array_equal(*taken)
    strange = 1 - known
    assert seen(np.stack(list(copies_of(Count, 2).begin_at(episodes, strange).values()))) == seen(
        copies_of(Count, 2).begin(np.array([5, 10]))
    )


def test_an_episode_that_ends_where_it_went_on_before_is_given_up():
    """Nothing is asked of the environment after its end."""
    copies = copies_of(lambda: Count(last=2), 2)
    nothing = np.zeros((2, 8), np.uint8)
    fresh = copies.begin_at([Episode(4, [1, 0, 1]), Episode(9, [0])], nothing)
    assert list(fresh) == [0, 1]
    assert copies.step(np.array([0, 0])).terminated.tolist() == [False, False]


@pytest.mark.parametrize("reward", [np.nan, np.inf])
def test_a_reward_that_is_no_number_is_told(reward):
    class Broken(Count):
        def step(self, action):
            return 0, reward, False, False, {}

    copies = copies_of(Broken, 1)
    copies.begin(np.zeros(1, np.int64))
    with pytest.raises(ValueError, match=f"gave the reward {reward}; accepted: a finite number"):
        copies.step(np.zeros(1, np.int64))


def test_an_error_of_the_environments_own_is_told_in_one_line():
    class Failing(Count):
        def step(self, action):
            raise RuntimeError("lost\nits way")

    copies = copies_of(Failing, 1)
    copies.begin(np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="the environment failed with RuntimeError: lost its way"):
        copies.step(np.zeros(1, np.int64))


# What agents do there


def lanes(count):
    return Lanes(torch.arange(count), torch.full((count,), 1e-3), torch.full((count,), 0.4))


def hosted_loop(make, space, name="er", count=2, steps=60):
    encoder = encoder_of(space)
    environment = HostedEnvironment(2, encoder.num_features)
    options = {} if name == "er" else {"rollout_length": 2}
    protocol = Protocol(steps, 1, 10, learning_starts=20, buffer_capacity=40)
    agent = Agent(AGENTS[name](environment, **options))
    return HostedLoop(agent, protocol, lanes(count), make, encoder, EvaluationEpisodes(2, 10))


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("name", ["er", "simple", "categorical", "gaussian"])
def test_a_run_that_is_stopped_anywhere_goes_on_to_the_same_bits(name):
    through, halves = (hosted_loop(Count, Count.observation_space, name) for _ in range(2))
    through.advance(60)
    halves.advance(31)  # in the middle of an episode
    held = copied(halves.state)
    again = hosted_loop(Count, Count.observation_space, name)
    again.load(held)
    assert again.restarted == []
    again.advance(29)
    assert int(again.state.learner.updates) == 40
    assert_same_bits(again.state, through.state)
    assert torch.equal(again.evaluate(), through.evaluate())


@pytest.mark.usefixtures("small_networks")
def test_what_is_stored_are_the_steps_with_their_ends_and_not_their_cuts():
    loop = hosted_loop(lambda: TimeLimit(Count(last=3), 2), Count.observation_space)
    loop.advance(12)
    buffer = loop.state.buffer
    assert not buffer.terminal[:, :12].any()
    first, after = (
        part[:, :12].argmax(2) for part in (buffer.observation, buffer.next_observation)
    )
    assert torch.equal(after, first + 1)  # also where an episode was cut and another one began
    assert int(loop.state.environment.episode[0]) == 6

    ended = hosted_loop(lambda: Count(last=2), Count.observation_space)
    ended.advance(12)
    assert ended.state.buffer.terminal[:, :12].tolist() == [[False, True] * 6] * 2
    assert ended.take_tally().episodes.tolist() == [6, 6]


@pytest.mark.usefixtures("small_networks")
def test_an_environment_that_does_not_repeat_itself_begins_a_new_episode_and_this_is_told():
    memory = []
    loop = hosted_loop(lambda: Count(memory=memory), Count.observation_space)
    loop.advance(31)
    held = copied(loop.state)
    again = hosted_loop(lambda: Count(memory=memory), Count.observation_space)
    again.load(held)
    assert again.restarted
    lane = again.restarted[0]
    assert int(again.state.environment.begun[lane]) == 31
    assert int(again.state.environment.episode[lane]) == int(held["environment.episode"][lane]) + 1
    again.advance(10)
    assert again.steps == 41


def grid_loops(count):
    """The same agents in our grid, by its batched form and as an environment of the host."""
    protocol = Protocol(500, 1, 25, learning_starts=300)
    native = OnlineLoop(Agent(AGENTS["er"](OpenGrid(2))), protocol, lanes(count))
    single = SingleEnvironment("OpenGrid", grid_size=2)
    encoder = encoder_of(single.observation_space)
    sizes = HostedEnvironment(int(single.action_space.n), encoder.num_features)
    hosted = HostedLoop(
        Agent(AGENTS["er"](sizes)), protocol, lanes(count),
        lambda: SingleEnvironment("OpenGrid", grid_size=2), encoder, EvaluationEpisodes(4, 100),
    )  # fmt: skip
    return native, hosted


@pytest.mark.usefixtures("without_type_checks", "small_networks")
def test_an_environment_of_ours_gives_the_same_performance_in_law_by_the_host():
    curves = []
    for loop in grid_loops(8):
        before = loop.evaluate()
        loop.advance(500)
        assert int(loop.state.learner.updates) == 200
        curves.append((before.numpy(), loop.evaluate().numpy()))
    for native, hosted in zip(*curves, strict=True):
        # Lanes of one seed begin with the same network: only the chance of the episodes differs.
        spread = native.std() + hosted.std()
        assert spread == 0 or stats.ttest_ind(native, hosted).pvalue > FALSE_ALARM
    for before, after in curves:
        assert np.median(after) > np.median(before) + 10
    # Medians: a single lane that went astray makes the spread so large that the test above tells nothing.
    assert abs(np.median(curves[0][1]) - np.median(curves[1][1])) < 2


# The perfect model of a table


def test_the_table_of_an_environment_is_stepped_with_its_own_chances():
    frozen = gymnasium.make("FrozenLake-v1").unwrapped
    world = TableEnvironment(4, 16, transition_table(frozen.P))
    tosses = 3000
    pairs = torch.cartesian_prod(torch.arange(16), torch.arange(4)).repeat_interleave(tosses, 0)
    drawn = torch.randint(
        -(2**31),
        2**31,
        (1, len(pairs)),
        dtype=torch.int32,
        generator=torch.Generator().manual_seed(1),
    )
    done = world.transition(TableState(pairs[:, 0]), pairs[:, 1], drawn)
    statistic = freedom = 0
    for row in range(64):
        state, action = pairs[row * tosses].tolist()
        expected = {}
        for chance, following, reward, ended in frozen.P[state][action]:
            key = (following, float(reward), bool(ended))
            expected[key] = expected.get(key, 0) + chance
        part = slice(row * tosses, (row + 1) * tosses)
        found = zip(
            done.successor.number[part].tolist(), done.reward[part].tolist(),
            done.terminal[part].tolist(), strict=True,
        )  # fmt: skip
        counts = dict.fromkeys(expected, 0)
        for key in found:
            counts[key] += 1  # what the table does not hold has no place
        statistic += sum((counts[k] - tosses * p) ** 2 / (tosses * p) for k, p in expected.items())
        freedom += len(expected) - 1
    assert stats.chi2.sf(statistic, freedom) > FALSE_ALARM


def test_a_state_is_found_again_by_what_is_seen_of_it():
    world = TableEnvironment(4, 16, transition_table(gymnasium.make("FrozenLake-v1").unwrapped.P))
    states = TableState(torch.arange(16).view(4, 4))
    assert torch.equal(world.from_observation(world.observe(states)).number, states.number)


STAY = (1.0, 0, 0, False)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({0: {0: [STAY], 1: [(0.5, 0, 0, True)]}}, "state 0, action 1 add to 0.5, not 1"),
        ({0: {0: [(-0.5, 0, 0, False), (1.5, 0, 0, True)]}}, "action 0 has -0.5; accepted: prob"),
        ({0: {0: [(1.0, 1, 0, False)]}}, "state 0, action 0 has 1; accepted: states 0 to 0"),
        ({1: {0: [STAY]}}, "1 states and 0 actions, and not each of them for state 0"),
        ({0: {0: [STAY]}, 1: {1: [STAY]}}, "1 actions, and not each of them for state 1"),
        ({0: [[STAY]]}, "not each of them for state 0"),
        ({}, "the table has no state 0 with an action"),
        ({0: {}}, "the table has no state 0 with an action"),
        (
            {0: {0: [(1.0, 0, 0)]}},
            r"an outcome of state 0, action 0 is \(1.0, 0, 0\); accepted: \(prob",
        ),
        ({0: {0: [(float("nan"), 0, 0, False)]}}, "an outcome of state 0, action 0 is .nan"),
        ({0: {0: [(1.0, 0, float("inf"), False)]}}, "an outcome of state 0, action 0 is"),
        ({0: {0: [(1.0, 0.7, 0, False)]}}, "an outcome of state 0, action 0 is"),
    ],
)
def test_a_table_that_is_no_law_is_refused(table, complaint):
    with pytest.raises(ValueError, match=complaint):
        transition_table(table)
