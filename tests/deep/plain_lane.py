"""A lane of the batched agents made of `reference_agents`, with the same parameters and draws.

How draws are laid out, and how a network lies in a row of parameters, is the batched side's own
business: the functions below read both, and nothing else of it.
"""

from functools import cache, partial
from math import prod

import pytest
import torch

from deep.agent import Lanes
from deep.environments import PanFlute, ProcMaze
from deep.online_loop import Protocol
from deep.random_streams import Purpose, Stream, lane_words, normal, uniform
from tests.deep import reference_agents as reference
from tests.deep.reference_agents import Categorical, Gaussian, Transition

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
    return Protocol(steps, 1, 100, learning_starts=steps)


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
