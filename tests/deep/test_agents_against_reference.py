"""The batched agents against the plain ones of `reference_agents`, lane by lane, with the same draws."""

import pytest
import torch

from deep.agent import Agent
from deep.environments import Noise, OpenGrid
from deep.models import AGENTS, PerfectModel, SimpleModel
from deep.online_loop import OnlineLoop, Protocol, learn
from deep.q_learning import Transitions, td_loss
from deep.random_streams import Purpose, Stream, lane_words, uniform
from deep.replay_buffer import Replayed
from deep.tensor_tree import tensors
from tests.deep import reference_agents as reference
from tests.deep.plain_lane import (
    FLUTE,
    KINDS,
    LANES,
    MAZE,
    NAMES,
    TRANSITIONS,
    PlainLane,
    assert_near,
    assert_same_learner,
    drawn,
    every_learned_model,
    quiet,
    stored,
)
from tests.deep.states import copied


class PlainRun:
    """The online loop of one lane."""

    def __init__(self, plain, protocol):
        self.plain, self.protocol, self.stored = plain, protocol, []
        self.losses = [0.0, 0.0]

    def act(self, time, seen):
        plain = self.plain
        values = plain.values(seen, time, Purpose.REPRESENTATION, 0, 1)
        chance = uniform(drawn(plain.lane, time, Purpose.ACTION, 1)[0]).item()
        return reference.softmax_action(values, plain.temperature, chance)

    def noise(self, time):
        return self.plain.environment.noise(LANES.seed[self.plain.lane], torch.tensor(time))

    def store(self, time, transition):
        """In the place of the oldest, once the buffer is full."""
        place = time % self.protocol.buffer_capacity
        self.stored[place : place + 1] = [transition]

    def go(self, steps):
        plain, protocol = self.plain, self.protocol
        seed = LANES.seed[plain.lane]
        run = reference.experience(
            plain.environment.initial(seed, torch.tensor(0)),
            plain.observe,
            self.act,
            lambda time, state, action: plain.transition(
                [self.noise(time).words], state, action, 0
            ),
            lambda time: self.noise(time).fresh,
            steps,
            stale=protocol.stale_reset_observation,
        )
        for time, transition in enumerate(run, 1):
            self.store(time - 1, transition)
            if time > protocol.learning_starts:
                for _ in range(protocol.updates_per_step):
                    found = plain.update(self.stored)
                    self.losses = [a + b for a, b in zip(self.losses, found, strict=True)]
            plain.target = reference.target_after(
                time, protocol.target_period, plain.q.networks["q"], plain.target
            )


STEPS = 18
CASES = [
    *((name, MAZE, False) for name in NAMES),
    *((name, FLUTE, False) for name in ("er", "perfect", "simple", "gaussian")),
    *((name, MAZE, True) for name in ("er", "simple", "perfect")),
]


@pytest.mark.parametrize(
    ("name", "environment", "quirks"),
    CASES,
    ids=[f"{n}-{type(e).__name__}{'-quirks' * quirks}" for n, e, quirks in CASES],
)
def test_a_run_is_the_plain_run_of_each_lane(name, environment, quirks):
    """Act, step, store, learn, copy the target: all of it, with a buffer that overflows."""
    options = {"clipped_logit_sampling": quirks} if name == "simple" else {}
    agent = Agent(AGENTS[name](environment, **options))
    protocol = Protocol(
        steps=STEPS,
        updates_per_step=1 if name == "categorical" else 2,  # its plain latents are slow
        target_period=STEPS - 1,  # a copy between the updates
        learning_starts=STEPS - 2,
        buffer_capacity=STEPS - 6,
        stale_reset_observation=quirks,
    )
    loop = OnlineLoop(agent, protocol, LANES)
    learner = loop.state.learner
    runs = [
        PlainRun(PlainLane(name, environment, agent, learner, lane, clipped=quirks), protocol)
        for lane in range(len(LANES.seed))
    ]
    loop.advance(STEPS)
    assert learner.updates == 2 * protocol.updates_per_step
    for lane, run in enumerate(runs):
        run.go(STEPS)
        assert any(t.terminal for t in run.stored) == environment.episodic
        kept = run.stored
        if agent.model.stores_states:
            kept = [t._replace(observation=run.plain.observe(t.state)) for t in kept]
        assert_same_buffer(loop.state.buffer, lane, kept)
        assert_near(loop.state.tally.q_loss[lane], run.losses[0])
        assert_near(loop.state.tally.model_loss[lane], run.losses[1])
        assert_same_learner(name, agent, learner, lane, run.plain)


def assert_same_buffer(buffer, lane, kept):
    assert buffer.action.shape[1] == len(kept)
    for place, t in enumerate(kept):
        assert buffer.observation[lane, place].tolist() == t.observation.tolist()
        assert buffer.action[lane, place] == t.action
        assert buffer.reward[lane, place] == t.reward
        assert buffer.terminal[lane, place] == t.terminal
        assert buffer.next_observation[lane, place].tolist() == t.next_observation.tolist()


@pytest.mark.parametrize(("length", "lesson"), [(1, 32), (1, 320), (20, 32), (10, 40)])
def test_the_first_replayed_transitions_start_the_rollouts_and_train_the_model(length, lesson):
    agent = Agent(SimpleModel(MAZE, rollout_length=length, model_batch_size=lesson))
    loop = OnlineLoop(agent, quiet(60), LANES)
    loop.advance(60)
    learner = loop.state.learner
    plain = PlainLane("simple", MAZE, agent, learner, 0, length=length, lesson=lesson)
    learn(agent, LANES, loop.state)
    q_loss, model_loss = plain.update(stored(loop.state.buffer, 0))
    assert_near(loop.state.tally.q_loss[0], q_loss)
    assert_near(loop.state.tally.model_loss[0], model_loss)
    assert_same_learner("simple", agent, learner, 0, plain)


@pytest.mark.parametrize("lesson", [0, 321])
def test_a_model_learns_from_1_to_320_transitions_an_update(lesson):
    with pytest.raises(ValueError, match=f"model_batch_size must be .* 1 to 320, got {lesson}"):
        SimpleModel(MAZE, model_batch_size=lesson)


@pytest.mark.parametrize(("name", "environment"), [("er", MAZE), ("er", FLUTE), ("gaussian", MAZE)])
def test_an_evaluation_is_the_plain_evaluation_of_each_lane(name, environment):
    agent = Agent(AGENTS[name](environment))
    loop = OnlineLoop(agent, quiet(3), LANES)
    loop.advance(3)
    performance = loop.evaluate()
    for lane in range(len(LANES.seed)):
        expected = PlainLane(name, environment, agent, loop.state.learner, lane).evaluation(3)
        assert (-100 < expected < -1) if environment.episodic else (0 < expected < 1)
        assert_near(performance[lane], expected)


@pytest.mark.parametrize("name", KINDS)
def test_a_latent_model_can_tell_the_rewards_and_ends_of_actions_apart(name):
    agent = Agent(AGENTS[name](MAZE))
    learner = agent.initial(LANES.seed)
    latent = torch.ones(len(LANES.seed), MAZE.num_actions, agent.model.num_features)
    every = torch.arange(MAZE.num_actions).expand(len(LANES.seed), -1)
    learned = agent.model.perceptrons(learner.model)
    for predicted in agent.model.predict_outcomes(learned, latent, every):
        assert len(set(predicted[0].tolist())) == MAZE.num_actions


@every_learned_model
def test_a_model_learns_the_same_whatever_q_network_learns_beside_it(name):
    """The Q loss reaches nothing but the Q-network: not the encoder, nor any network of a model."""
    agent = Agent(AGENTS[name](MAZE))
    lanes = LANES._replace(seed=torch.tensor([8, 8]))
    loop = OnlineLoop(agent, quiet(20), LANES._replace(seed=lanes.seed, temperature=torch.ones(2)))
    loop.advance(20)
    learner = loop.state.learner
    before = [parameters.clone() for parameters in learner.model]
    for _ in range(2):
        learn(agent, lanes, loop.state)
    assert not torch.equal(learner.q[0], learner.q[1])
    for parameters, old in zip(learner.model, before, strict=True):
        assert not torch.equal(parameters, old)
        assert torch.equal(parameters[0], parameters[1])


@pytest.mark.parametrize("name", NAMES)
def test_model_and_q_network_learn_each_alone(name):
    """A model that was fitted beforehand, or one that is frozen, is the other update left out."""
    agent = Agent(AGENTS[name](MAZE))
    loop = OnlineLoop(agent, quiet(20), LANES)
    loop.advance(20)
    learner, step = loop.state.learner, torch.tensor(0)
    lesson, starts = agent.replay(loop.state.buffer, LANES, step)
    before = copied(learner)

    def changed():
        return {
            name.partition(".")[0]
            for name, tensor in tensors(learner).items()
            if not torch.equal(tensor, before[name])
        }

    agent.update_model(learner, lesson, LANES, step)
    learns = {"model", "model_moments"} if name in ("simple", *KINDS) else set()
    assert changed() == learns
    for name, tensor in tensors(learner).items():
        before[name].copy_(tensor)
    agent.update_q(learner, starts, LANES, step)
    assert changed() == {"q", "q_moments"}


@pytest.mark.parametrize("length", [1, 5, 10])
@pytest.mark.parametrize("name", NAMES)
def test_every_q_update_consumes_320_transitions(name, length, monkeypatch):
    agent = Agent(AGENTS[name](FLUTE, **({} if name == "er" else {"rollout_length": length})))
    loop = OnlineLoop(agent, quiet(5), LANES)
    loop.advance(5)
    consumed = []

    def counting(q, target, transitions):
        consumed.extend(field.shape[:2] for field in transitions)
        return td_loss(q, target, transitions)

    monkeypatch.setattr("deep.agent.td_loss", counting)
    learn(agent, LANES, loop.state)
    assert consumed == [(len(LANES.seed), TRANSITIONS)] * 6


@pytest.mark.parametrize("environment", [MAZE, FLUTE, OpenGrid(2)])
def test_the_perfect_model_imagines_by_the_environments_own_steps(environment):
    """Until it terminates; from then on the environment's step would start anew, and nothing counts."""
    model = PerfectModel(environment)
    seeds, starts, length = LANES.seed, 6, 10
    state = environment.reset(
        lane_words(Stream(seeds, torch.tensor(0), Purpose.RESET), environment.reset_words, starts)
    )
    action = torch.arange(starts).remainder(environment.num_actions).expand(2, starts)
    zeros = torch.zeros(2, starts)
    batch = Replayed(
        environment.observe(state), action, zeros, zeros.bool(), environment.observe(state)
    )
    stream = Stream(seeds, torch.tensor(7), Purpose.ROLLOUT)
    made = model.experience((), batch, lambda x, drawn: action, stream)
    steps = Transitions(*(field.unflatten(1, (length, starts)) for field in made))
    count = 1 + environment.transition_words
    drawn = lane_words(stream, count, length, starts)
    fresh = environment.reset(
        lane_words(Stream(seeds, torch.tensor(1), Purpose.RESET), environment.reset_words, starts)
    )
    alive = torch.ones(2, starts)
    for time in range(length):
        taken = environment.step(state, action, Noise(drawn[1:, :, time], fresh))
        assert torch.equal(steps.weight[:, time], alive)
        counts = alive.bool()
        for ours, theirs in (
            (steps.features, environment.observe(state).float()),
            (steps.next_features, environment.observe(taken.successor).float()),
            (steps.reward, taken.reward),
            (steps.continuation, 1 - taken.terminal.float()),
            (steps.action, action),
        ):
            assert torch.equal(ours[:, time][counts], theirs[counts])
        alive = alive * (1 - taken.terminal.float())
        state = taken.next_state
    assert (alive.min() == 0) == environment.episodic
