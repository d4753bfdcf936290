"""The batched agents against the plain ones of `reference_agents`, lane by lane, with the same draws.

How draws are laid out, and how a network lies in a row of parameters, is the batched side's own
business: the functions below read both, and nothing else of it.
"""

from functools import cache, partial
from math import prod

import pytest
import torch
from scipy import stats

from deep.adam import adam_step, no_moments
from deep.agent import Agent, Lanes
from deep.environments import Noise, OpenGrid, PanFlute, ProcMaze
from deep.models import AGENTS, PerfectModel, SimpleModel
from deep.networks import Network
from deep.online_loop import OnlineLoop, Protocol, learn
from deep.q_learning import Transitions, td_loss, td_target
from deep.random_streams import Purpose, Stream, lane_words, normal, uniform
from deep.replay_buffer import Replayed
from deep.tensor_tree import tensors
from tests.deep import reference_agents as reference
from tests.deep.reference_agents import Categorical, Gaussian, Sample, Transition

TRANSITIONS = 320
VARIABLES = 32
MAZE, FLUTE = ProcMaze(2), PanFlute(2)
LANES = Lanes(
    seed=torch.tensor([-9, 8]),
    step_size=torch.tensor([1.6e-3, 2.5e-5]),
    temperature=torch.tensor([0.4, 3.2]),
)
NAMES = {
    "er": (),
    "perfect": (),
    "simple": (("reward", "continuation", "next_observation"),),
    "categorical": (("encoder",), ("dynamics",), ("reward", "continuation"), ("decoder",)),
    "gaussian": (("encoder",), ("dynamics",), ("reward", "continuation"), ("decoder",)),
}
KINDS = {"categorical": Categorical, "gaussian": Gaussian}
every_learned_model = pytest.mark.parametrize("name", ["simple", *KINDS])


def assert_near(ours, plain):
    """To 1e-5 of the greatest of them."""
    plain = torch.as_tensor(plain, dtype=torch.float64)
    assert ours.shape == plain.shape
    assert (ours.double() - plain).abs().max() <= 1e-5 * plain.abs().max()


# One lane of the batched side, read plainly


def quiet(steps):
    """A protocol in which nothing is learned."""
    return Protocol(steps, 1, 100, 100, learning_starts=steps)


def stored(buffer, lane):
    """What a buffer that is not full holds, as plain transitions."""
    return [
        Transition(
            buffer.observation[lane, place].double(),
            buffer.action[lane, place].item(),
            buffer.reward[lane, place].item(),
            buffer.terminal[lane, place].item(),
            buffer.next_observation[lane, place].double(),
        )
        for place in range(int(buffer.stored))
    ]


def perceptrons(network, parameters):
    """The networks in one lane's parameters: a block each, weights in order, then biases.

    All blocks are as large as that of the widest output.
    """
    shapes, width = network.shapes, network.width
    for outputs, block in zip(network.outputs, parameters.view(network.heads, -1), strict=True):
        used = block.double().split([*map(prod, shapes), len(block) - sum(map(prod, shapes))])
        *parts, _ = used
        weights, biases = parts[: len(parts) // 2], parts[len(parts) // 2 :]
        *hidden, last = zip(weights, biases, strict=True)
        layers = [(W.view(-1, width), b) for W, b in hidden]
        yield [*layers, (last[0][: width * outputs].view(width, outputs), last[1][:outputs])]


def model_networks(name, agent, parameters):
    """One lane's model, from a tensor for each of its networks."""
    return {
        named: layers
        for names, network, own in zip(NAMES[name], agent.model.networks, parameters, strict=True)
        for named, layers in zip(names, perceptrons(network, own), strict=True)
    }


def q_networks(agent, parameters):
    return {"q": next(perceptrons(agent.q_network, parameters))}


def drawn(lane, step, purpose, count, *shape):
    """One lane's words, the last axis over words."""
    stream = Stream(LANES.seed[lane : lane + 1], torch.tensor(step), purpose)
    return lane_words(stream, count, *shape)[:, 0].movedim(0, -1)


def latent_draw(name, words):
    """From the words of one latent."""
    return (normal if name == "gaussian" else uniform)(words).double()


class PlainLane:
    """An agent in one lane, made of `reference_agents`, with the batched side's parameters and draws."""

    def __init__(
        self, name, environment, agent, learner, lane, *, clipped=False, length=10, lesson=32
    ):
        self.name, self.environment, self.lane = name, environment, lane
        self.clipped, self.length, self.lesson = clipped, length, lesson
        self.q = reference.new_learner(q_networks(agent, learner.q[lane]))
        self.target = q_networks(agent, learner.target[lane])["q"]
        own = [parameters[lane] for parameters in learner.model]
        self.model = reference.new_learner(model_networks(name, agent, own))
        self.step_size = LANES.step_size[lane].item()
        self.temperature = LANES.temperature[lane].item()
        self.updates = 0

    def features(self, observation, step, purpose, *index):
        """What the Q-network reads of an observation; `index` among the batch (and its size) that is drawn for."""
        if self.name not in KINDS:
            return observation
        place, size = index
        words = drawn(self.lane, step, purpose, VARIABLES, size)[place]
        kind, networks = KINDS[self.name], self.model.networks
        noise = latent_draw(self.name, words)
        return reference.encoded(kind, VARIABLES, networks, observation).sample(noise)

    def values(self, *seen):
        return reference.mlp(self.q.networks["q"], self.features(*seen))

    def replayed(self, stored, count):
        words = drawn(self.lane, self.updates, Purpose.REPLAY, 1, count)[:, 0]
        return [stored[(word % 2**32) * len(stored) // 2**32] for word in words.tolist()]

    def update(self, stored):
        """One update from a list of transitions; returns the losses of Q and of the model."""
        starts = TRANSITIONS if self.name == "er" else TRANSITIONS // self.length
        batch = self.replayed(stored, max(starts, self.lesson))
        starts, lesson = batch[:starts], batch[: self.lesson]
        if self.name == "er":
            self.q, q_loss = reference.er_update(self.q, self.target, starts, self.step_size)
            model_loss = 0.0
        elif self.name == "perfect":
            samples = [s for r in self.rollouts(starts, {}, self.q.networks["q"]) for s in r]
            self.q, q_loss = reference.q_update(self.q, self.target, samples, self.step_size)
            model_loss = 0.0
        else:
            self.model, self.q, model_loss, q_loss = reference.model_based_update(
                self.model,
                self.q,
                self.target,
                partial(self.loss, lesson),
                partial(self.rollouts, starts),
                model_step_size=2e-4,
                q_step_size=self.step_size,
            )
        self.updates += 1
        return q_loss, model_loss

    def loss(self, batch, networks):
        actions = self.environment.num_actions
        if self.name == "simple":
            return reference.simple_loss(networks, batch, actions)
        words = drawn(self.lane, self.updates, Purpose.MODEL_LOSS, VARIABLES, len(batch))
        noise = [latent_draw(self.name, own) for own in words]
        kind = KINDS[self.name]
        return reference.latent_loss(kind, VARIABLES, networks, batch, noise, actions)

    def rollouts(self, batch, networks, q):
        environment, lane, episodic = self.environment, self.lane, self.environment.episodic
        count = {
            "perfect": environment.transition_words,
            "simple": environment.num_features,
            "categorical": VARIABLES,
            "gaussian": VARIABLES,
        }[self.name]
        words = drawn(lane, self.updates, Purpose.ROLLOUT, 1 + count, self.length, len(batch))
        first = drawn(lane, self.updates, Purpose.ROLLOUT_START, VARIABLES, len(batch))
        for index, start in enumerate(batch):
            own = words[:, index]
            chances = uniform(own[:, 0]).tolist()
            if self.name == "perfect":
                transition = partial(self.transition, own[:, 1:])
                yield reference.perfect_rollout(
                    transition, self.observe, q, start.state, chances, self.temperature
                )
            elif self.name == "simple":
                yield reference.simple_rollout(
                    networks,
                    q,
                    start.observation,
                    list(zip(chances, uniform(own[:, 1:]).double(), strict=True)),
                    self.temperature,
                    episodic=episodic,
                    clipped=self.clipped,
                )
            else:
                noise = [latent_draw(self.name, step) for step in own[:, 1:]]
                yield reference.latent_rollout(
                    KINDS[self.name],
                    VARIABLES,
                    networks,
                    q,
                    start.observation,
                    latent_draw(self.name, first[index]),
                    list(zip(chances, noise, strict=True)),
                    self.temperature,
                    episodic=episodic,
                )

    def evaluation(self, step):
        environment = self.environment
        resets = drawn(self.lane, step, Purpose.EVALUATION_RESET, environment.reset_words, 32)

        @cache
        def words(moment):
            return drawn(self.lane, moment, Purpose.EVALUATION, environment.transition_words, 32)

        def act(episode, time, state):
            seen, purpose = self.observe(state), Purpose.EVALUATION_REPRESENTATION
            return int(self.values(seen, 100 * step + time, purpose, episode, 32).argmax())

        return reference.evaluation(
            lambda episode: environment.reset(resets[episode]),
            act,
            lambda episode, time, *taken: self.transition(
                words(100 * step + time), *taken, episode
            ),
            episodic=environment.episodic,
        )

    def transition(self, words, state, action, step):
        taken = self.environment.transition(state, torch.tensor(action), words[step])
        return taken.successor, taken.reward.item(), taken.terminal.item()

    def observe(self, state):
        return self.environment.observe(state).double()


def assert_same_learner(name, agent, learner, lane, plain):
    """Every parameter and every moment, tensor by tensor."""

    def model(tensors):
        return model_networks(name, agent, [tensor[lane] for tensor in tensors])

    def q(tensor):
        return q_networks(agent, tensor[lane])

    moments = learner.model_moments
    assert_near_learner(
        plain.model,
        2e-4,
        model(learner.model),
        model([m.first for m in moments]),
        model([m.second for m in moments]),
    )
    moments = learner.q_moments
    parts = map(q, (learner.q, moments.first, moments.second))
    assert_near_learner(plain.q, plain.step_size, *parts)
    assert_near_networks(q(learner.target), {"q": plain.target}, plain.step_size)


def assert_near_learner(plain, step_size, networks, first_moments, second_moments):
    assert_near_networks(networks, plain.networks, step_size)
    for ours, theirs in (
        (first_moments, plain.first_moments),
        (second_moments, plain.second_moments),
    ):
        assert_near_networks(ours, reference.with_parameters(plain.networks, theirs))


def assert_near_networks(ours, plain, step_size=0.0):
    """To 1e-5 of the tensor's greatest number; of parameters, or to a thousandth of a step."""
    assert ours.keys() == plain.keys()
    for name, layers in plain.items():
        for a, b in zip(
            reference.parameters({name: ours[name]}),
            reference.parameters({name: layers}),
            strict=True,
        ):
            assert a.shape == b.shape
            assert (a - b).abs().max() <= 1e-5 * b.abs().max() + 1e-3 * step_size


# A whole run


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
        evaluation_interval=STEPS,
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


# Piece by piece, on any numbers


def test_a_network_is_the_plain_network_in_each_lane_and_perceptron():
    network = Network(4, (2, 3), width=16)
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(3, network.num_parameters, generator=generator)
    inputs = torch.randn(3, 5, 4, generator=generator)
    outputs = [perceptron(inputs) for perceptron in network.perceptrons(parameters)]
    assert [output.shape for output in outputs] == [(3, 5, 2), (3, 5, 3)]
    for lane in range(3):
        for head, layers in enumerate(perceptrons(network, parameters[lane])):
            for sample in range(5):
                plain = reference.mlp(layers, inputs[lane, sample].double())
                assert_near(outputs[head][lane, sample], plain)


def test_first_weights_are_truncated_normal_by_their_fan_in_and_biases_0():
    network = Network(36, (4, 30))
    for parameters in network.initial(Stream(LANES.seed, torch.tensor(0), Purpose.INITIAL_Q)):
        for layers in perceptrons(network, parameters):
            for W, b in layers:
                assert not b.any()
                scaled = W.flatten().numpy() * len(W) ** 0.5
                assert stats.kstest(scaled, stats.truncnorm(-2, 2).cdf).pvalue > 1e-9


def test_lanes_of_a_network_are_vmap_over_its_parameters():
    network = Network(4, (2,), width=16)
    generator = torch.Generator().manual_seed(1)
    parameters = torch.randn(3, network.num_parameters, generator=generator).double()
    inputs = torch.randn(3, 5, 4, generator=generator).double()

    def alone(own, x):
        return reference.mlp(next(perceptrons(network, own)), x)

    mapped = torch.vmap(alone)(parameters, inputs)
    torch.testing.assert_close(network.perceptrons(parameters)[0](inputs), mapped)

    def batched_loss(p):
        return network.perceptrons(p)[0](inputs).square().sum()

    def mapped_loss(p):
        return torch.vmap(alone)(p, inputs).square().sum()

    ours, theirs = (
        torch.func.grad(batched_loss)(parameters),
        torch.func.grad(mapped_loss)(parameters),
    )
    torch.testing.assert_close(ours, theirs)


def test_the_td_loss_and_its_gradient_are_the_plain_ones():
    network = Network(3, (4,), width=16)
    generator = torch.Generator().manual_seed(2)
    lanes, batch = 2, 7
    q, target = torch.randn(2, lanes, network.num_parameters, generator=generator) * 0.3
    features, following = torch.randn(2, lanes, batch, 3, generator=generator)
    reward = torch.randn(lanes, batch, generator=generator)
    continuation, weight = torch.rand(2, lanes, batch, generator=generator)
    action = torch.randint(4, (lanes, batch), generator=generator)
    given = Transitions(features, action, reward, continuation, following, weight)
    aim = td_target(network.perceptrons(target)[0], given)
    q.requires_grad_()
    loss = td_loss(network.perceptrons(q)[0], aim, given)
    (gradient,) = torch.autograd.grad(loss.sum(), q)
    for lane in range(lanes):
        samples = [
            Sample(x.double(), a.item(), r.item(), c.item(), y.double(), w.item())
            for x, a, r, c, y, w in zip(*(field[lane] for field in given), strict=True)
        ]
        target_network = next(perceptrons(network, target[lane]))
        own = {"q": next(perceptrons(network, q[lane].detach()))}
        value, found = reference.gradients(
            lambda n, samples=samples, t=target_network: reference.q_loss(n["q"], t, samples), own
        )
        assert_near(loss[lane], value)
        ours = {"q": next(perceptrons(network, gradient[lane]))}
        assert_near_networks(ours, reference.with_parameters(own, found))


@pytest.mark.parametrize("terminal", [(False,) * 3, (True, False, True), (True,) * 3])
@every_learned_model
def test_the_loss_of_a_model_and_its_gradient_are_the_plain_ones(name, terminal):
    """A tensor that the plain loss does not depend on receives nothing here either."""
    agent = Agent(AGENTS[name](MAZE))
    learner = agent.initial(LANES.seed)
    generator = torch.Generator().manual_seed(3)
    lanes, batch = len(LANES.seed), len(terminal)
    seen, following = torch.randint(2, (2, lanes, batch, MAZE.num_features), generator=generator)
    replayed = Replayed(
        seen.byte(),
        torch.randint(MAZE.num_actions, (lanes, batch), generator=generator),
        torch.randn(lanes, batch, generator=generator),
        torch.tensor([terminal] * lanes),
        following.byte(),
    )
    for parameters in learner.model:
        parameters.requires_grad_()
    loss = agent.model.loss(
        agent.model.perceptrons(learner.model),
        replayed,
        Stream(LANES.seed, torch.tensor(0), Purpose.MODEL_LOSS),
        lambda: pytest.fail("needs no target network"),
    )
    gradients = torch.autograd.grad(loss.sum(), learner.model)
    for lane in range(lanes):
        plain = PlainLane(name, MAZE, agent, learner, lane)
        transitions = [
            Transition(x.double(), a.item(), r.item(), t.item(), y.double())
            for x, a, r, t, y in zip(*(field[lane] for field in replayed), strict=True)
        ]
        networks = plain.model.networks
        value, found = reference.gradients(partial(plain.loss, transitions), networks)
        none = [name for name, g in zip(tensor_owners(networks), found, strict=True) if g is None]
        masked = "next_observation" if name == "simple" else "decoder"
        assert set(none) == ({masked} if all(terminal) else set())
        found = [
            torch.zeros_like(p) if g is None else g
            for p, g in zip(reference.parameters(networks), found, strict=True)
        ]
        assert_near(loss[lane], value)
        ours = model_networks(name, agent, [gradient[lane] for gradient in gradients])
        assert_near_networks(ours, reference.with_parameters(networks, found))


@pytest.mark.parametrize("name", KINDS)
def test_a_latent_model_can_tell_the_rewards_and_ends_of_actions_apart(name):
    agent = Agent(AGENTS[name](MAZE))
    learner = agent.initial(LANES.seed)
    latent = torch.ones(len(LANES.seed), MAZE.num_actions, agent.model.num_features)
    every = torch.arange(MAZE.num_actions).expand(len(LANES.seed), -1)
    learned = agent.model.perceptrons(learner.model)
    for predicted in agent.model.predict_outcomes(learned, latent, every):
        assert len(set(predicted[0].tolist())) == MAZE.num_actions


def tensor_owners(networks):
    """The name of the network that each of `parameters` belongs to."""
    return [name for name, layers in networks.items() for _ in range(2 * len(layers))]


def test_the_optimizer_is_the_plain_one_with_a_step_size_for_each_lane():
    generator = torch.Generator().manual_seed(4)
    parameters = torch.zeros(2, 50)
    moments = no_moments(parameters)
    rows = [{"q": [(row[:0].double(), row.double())]} for row in parameters]
    learners = [reference.new_learner(row) for row in rows]
    for _ in range(30):
        gradient = torch.randn(2, 50, generator=generator)
        gradient *= 10 ** torch.empty(2, 50).uniform_(-7, 1, generator=generator)
        adam_step(parameters, moments, gradient, LANES.step_size.unsqueeze(1))
        learners = [
            reference.adam(learner, [row[:0].double(), row.double()], size.item())
            for learner, row, size in zip(learners, gradient, LANES.step_size, strict=True)
        ]
    for lane, learner in enumerate(learners):
        _, plain = learner.networks["q"][0]
        assert (parameters[lane] - plain).abs().max() <= 1e-3 * LANES.step_size[lane]
        assert_near(moments.first[lane], learner.first_moments[1])
        assert_near(moments.second[lane], learner.second_moments[1])


def test_a_thousand_steps_without_gradient_cost_a_thousandth_whatever_the_step_size():
    parameters = torch.linspace(0.01, 0.2, 10_000).repeat(2, 1)
    begin, moments = parameters.clone(), no_moments(parameters)
    for _ in range(1000):
        adam_step(parameters, moments, torch.zeros_like(parameters), LANES.step_size.unsqueeze(1))
    lost = 1 - parameters / begin
    assert lost.mean(1).tolist() == pytest.approx([1e-3, 1e-3], rel=0.005)


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
    before = {name: tensor.clone() for name, tensor in tensors(learner).items()}

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
