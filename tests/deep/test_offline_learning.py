"""Learning from fixed data: its fixed point, what moves, and that it is the online loop's learning."""

import random

import numpy as np
import pytest
import torch

from deep import (
    AGENTS,
    Agent,
    Lanes,
    OfflineLearner,
    OnlineLoop,
    Protocol,
    Replay,
    SimpleModel,
    checkpoint,
)
from deep.environments import OpenGrid, PanFlute, ProcMaze
from deep.online_loop import learn
from deep.random_streams import Purpose, Stream
from deep.replay_buffer import Dataset, fixed_buffer
from deep.tensor_tree import tensors
from tabular import Bootstrap, EmpiricalMDP, certainty_equivalence, dataset
from tests.deep.states import assert_same_bits, copied

GRID = OpenGrid(2, spontaneous=False)
STATES, ACTIONS = 4, 5
DISCOUNT = 0.9
every_agent = pytest.mark.parametrize("name", AGENTS)


def lanes_of(count, step_size=1e-3):
    return Lanes(torch.arange(count), torch.full((count,), step_size), torch.full((count,), 0.5))


def transitions_by_chance(seed, copies):
    """So many transitions of every state and action, whatever they lead to, about half terminal."""
    chance = random.Random(seed)
    return [
        dataset.Transition(
            state,
            action,
            chance.choice([-2, -1, 0, 1]),
            chance.choice([None, chance.randrange(STATES)]),
        )
        for state in range(STATES)
        for action in range(ACTIONS)
        for _ in range(copies)
    ]


def transitions_of_the_grid():
    """Every state and action once: a step costs 1, and from the last cell it ends the episode."""
    moved = [(0, 0, 0, 2, 1), (1, 1, 0, 3, 1), (2, 0, 2, 2, 3)]
    steps = [(s, a, -1, after) for s, row in enumerate(moved) for a, after in enumerate(row)]
    return [dataset.Transition(*step) for step in [*steps, *((3, a, -1, None) for a in range(5))]]


def one_hot(states):
    return torch.eye(STATES, dtype=torch.uint8)[states]


def stored(transitions):
    """As a lane stores them."""
    state, action, reward, following = zip(*transitions, strict=True)
    return Dataset(
        one_hot(list(state)),
        torch.tensor(action),
        torch.tensor(reward, dtype=torch.float32),
        torch.tensor([after is None for after in following]),
        one_hot([after or 0 for after in following]),
    )


def exact_values(transitions):
    """The optimal values of the empirical MDP."""
    data = dataset.Dataset(STATES, ACTIONS, tuple(transitions))
    model = EmpiricalMDP.from_dataset(data)
    assert model.visited.all()
    return certainty_equivalence(model, np.zeros((STATES, ACTIONS)), Bootstrap(DISCOUNT))


def q_values(learner):
    seen = one_hot(range(STATES)).expand(len(learner.lanes.seed), -1, -1)
    stream = Stream(learner.lanes.seed, torch.tensor(0), Purpose.EVALUATION_REPRESENTATION)
    return learner.agent.values(learner.state.learner, seen, stream).numpy()


def worst_error(learner, exact):
    return np.abs(q_values(learner) - exact).max((1, 2))


@pytest.mark.usefixtures("without_type_checks")
def test_replay_comes_close_to_the_values_of_each_lanes_own_data():
    data = [transitions_by_chance(seed, copies=1 + seed) for seed in range(3)]
    exact = np.stack([exact_values(transitions) for transitions in data])
    apart = np.abs(exact[:, None] - exact).max((2, 3))
    assert (apart + 2 * np.eye(3) > 1).all()  # another lane's values would be far off
    buffer = fixed_buffer([stored(transitions) for transitions in data])
    learner = OfflineLearner(Agent(Replay(GRID)), buffer, lanes_of(3), target_period=20)
    before = worst_error(learner, exact)
    learner.advance(350)
    learner.lanes.step_size.mul_(0.1)  # the transitions of a pair differ, so that values tremble
    learner.advance(250)
    assert int(learner.state.learner.updates) == learner.updates == 600
    assert learner.finite().all()
    assert (before > 1).all()
    assert (worst_error(learner, exact) < 0.2).all()


@pytest.mark.usefixtures("without_type_checks")
def test_q_learning_on_a_model_that_was_learned_and_frozen_comes_close_to_the_exact_values():
    data = transitions_of_the_grid()
    buffer = fixed_buffer(2 * [stored(data)])
    agent = Agent(SimpleModel(GRID, rollout_length=1))
    teacher = OfflineLearner(agent, buffer, lanes_of(2))
    teacher.advance(600, "model")
    learner = OfflineLearner(agent, buffer, lanes_of(2), target_period=20)
    learner.set_model(teacher.state.learner.model)
    learner.advance(200, "q")
    exact = exact_values(data)
    assert (worst_error(teacher, exact) > 2).all()
    assert (worst_error(learner, exact) < 0.2).all()
    for taught, frozen in zip(
        teacher.state.learner.model, learner.state.learner.model, strict=True
    ):
        assert torch.equal(taught, frozen)
    # The mean distance to the goal, and the step from it; of 32 starts the mean is that to 0.4.
    assert learner.evaluate().numpy() == pytest.approx(-2, abs=0.4)
    assert (teacher.evaluate() < -3).all()


def offline(name, *, lanes=2, target_period=3, **options):
    """A learner of the episodic maze, with what an online run has stored."""
    agent = Agent(AGENTS[name](ProcMaze(2), **options))
    protocol = Protocol(12, 1, 3, learning_starts=8)
    loop = OnlineLoop(agent, protocol, lanes_of(lanes))
    loop.advance(12)
    return loop, OfflineLearner(agent, loop.state.buffer, loop.lanes, target_period)


@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in AGENTS), ("simple", {"rollout_length": 1, "model_batch_size": 320})],
)
def test_its_updates_are_those_of_the_online_loop_to_the_bit(name, options):
    loop, learner = offline(name, **options)
    online = loop.state.learner
    assert online.updates == 4
    learner.load(tensors(learner.state._replace(learner=online)))
    buffer = copied(loop.state.buffer)
    loop.take_tally()
    for update in range(5, 12):
        learn(loop.agent, loop.lanes, loop.state)
        if update % 3 == 0:
            online.target.copy_(online.q)
    learner.advance(7)
    assert learner.updates == 11
    assert_same_bits(learner.state.learner, online)
    losses = learner.take_losses()
    assert torch.equal(losses.q, loop.state.tally.q_loss)
    assert torch.equal(losses.model, loop.state.tally.model_loss)
    assert (losses.q > 0).all()
    assert not any(loss.any() for loss in learner.take_losses())
    assert_same_bits(learner.buffer, buffer)


@pytest.mark.parametrize("name", ["simple", "categorical", "gaussian"])
@pytest.mark.parametrize(
    ("learns", "moves"),
    [("both", {"q", "target", "model"}), ("model", {"model"}), ("q", {"q", "target"})],
)
def test_only_what_learns_moves(name, learns, moves):
    _, learner = offline(name)
    before = copied(learner.state.learner)
    learner.advance(3, learns)
    after = copied(learner.state.learner)
    moved = {key.split(".")[0] for key in after if not torch.equal(before[key], after[key])}
    networks = moves | {f"{part}_moments" for part in moves - {"target"}}
    assert moved == networks | {"updates"}
    assert learner.updates == int(after["updates"]) == 3
    losses = learner.take_losses()
    assert (losses.q > 0).all() == (learns != "model")
    assert (losses.model > 0).all() == (learns != "q")


def test_the_target_network_is_copied_after_every_so_many_updates():
    _, learner = offline("er", target_period=3)
    first = learner.state.learner.q.clone()
    learner.advance(2)
    assert torch.equal(learner.state.learner.target, first)
    learner.advance(1)
    third = learner.state.learner.q.clone()
    assert torch.equal(learner.state.learner.target, third)
    learner.advance(2)
    assert torch.equal(learner.state.learner.target, third)
    assert not torch.equal(learner.state.learner.q, third)


@every_agent
def test_a_learner_that_is_loaded_from_a_checkpoint_goes_on_as_if_nothing_had_happened(
    name, tmp_path
):
    _, whole = offline(name)
    whole.advance(4)
    checkpoint.save(tmp_path / "state", tensors(whole.state), {})
    whole.advance(5)
    _, resumed = offline(name)
    places = [leaf.data_ptr() for leaf in tensors(resumed.state).values()]
    resumed.load(checkpoint.load(tmp_path / "state")[0])
    assert resumed.updates == 4
    resumed.advance(5)
    assert [leaf.data_ptr() for leaf in tensors(resumed.state).values()] == places
    assert_same_bits(resumed.state, whole.state)
    assert torch.equal(resumed.evaluate(), whole.evaluate())


def test_a_lane_learns_the_same_alone_and_beside_others():
    data = [stored(transitions_by_chance(seed, copies=1 + seed)) for seed in range(3)]
    agent, lanes = Agent(Replay(GRID)), lanes_of(3)
    together = OfflineLearner(agent, fixed_buffer(data), lanes)
    alone = OfflineLearner(agent, fixed_buffer(data[1:2]), Lanes(*(x[1:2] for x in lanes)))
    for learner in (together, alone):
        learner.advance(20)
    torch.testing.assert_close(q_values(alone)[0], q_values(together)[1], rtol=1e-4, atol=1e-5)


def test_a_checkpoint_or_a_model_of_another_shape_is_refused_and_changes_nothing():
    _, learner = offline("simple")
    before = copied(learner.state)
    _, more = offline("simple", lanes=3)
    with pytest.raises(ValueError, match=r"learner.q must be torch.float32 of shape \(2, "):
        learner.load(tensors(more.state))
    with pytest.raises(ValueError, match=r"model.0 must be torch.float32 of shape \(2, "):
        learner.set_model(more.state.learner.model)
    with pytest.raises(ValueError, match=r"differ in 'model.0'"):
        learner.set_model(())
    assert_same_bits(learner.state, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda learner: learner.advance(-1), "updates must be an integer from 0 to .*, got -1"),
        (lambda learner: learner.advance(1, "model"), "both or q for Replay, .* got 'model'"),
        (
            lambda learner: OfflineLearner(learner.agent, learner.buffer, lanes_of(3)),
            "the buffer must have 3 lanes, got 2",
        ),
        (
            lambda learner: OfflineLearner(Agent(Replay(GRID)), learner.buffer, learner.lanes),
            "must have 4 features, got 16",
        ),
        (
            lambda learner: OfflineLearner(learner.agent, learner.buffer, learner.lanes, 0),
            "target_period must be an integer of at least 1, got 0",
        ),
        (
            lambda learner: OfflineLearner(
                learner.agent,
                learner.buffer._replace(stored=torch.tensor([3, 0])),
                learner.lanes,
            ),
            "a transition of each lane, got none",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused_in_one_line(call, message):
    _, learner = offline("er")
    with pytest.raises(ValueError, match=message) as refusal:
        call(learner)
    assert "\n" not in str(refusal.value)


@pytest.mark.usefixtures("small_networks")
def test_priorities_of_an_online_run_are_left_alone():
    flute = PanFlute(2)
    online = OnlineLoop(Agent(Replay(flute), True), Protocol(60, 1, 50, 50), lanes_of(2))
    online.advance(50)
    held = [tensor.clone() for tensor in tensors(online.state.buffer).values()]
    learner = OfflineLearner(Agent(SimpleModel(flute)), online.state.buffer, lanes_of(2))
    before = [part.clone() for part in learner.state.learner.model]
    learner.advance(2, "model")
    assert not any(map(torch.equal, before, learner.state.learner.model))
    assert all(map(torch.equal, held, tensors(online.state.buffer).values()))


def test_an_action_that_the_environment_does_not_have_is_refused():
    data = fixed_buffer(
        [
            Dataset(
                one_hot([0]), torch.tensor([7]), torch.zeros(1), torch.tensor([False]), one_hot([1])
            )
        ]
    )
    with pytest.raises(ValueError, match="actions in the buffer must be 0 to 4, got 7"):
        OfflineLearner(Agent(Replay(GRID)), data, lanes_of(1))
