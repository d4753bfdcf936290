"""Networks, losses and the optimizer against the plain ones of `reference_agents`, on any numbers."""

from functools import partial

import pytest
import torch
from scipy import stats

from deep.adam import adam_step, no_moments
from deep.agent import Agent
from deep.models import AGENTS
from deep.networks import Network
from deep.q_learning import Transitions, td_loss, td_target
from deep.random_streams import Purpose, Stream
from deep.replay_buffer import Replayed
from tests.deep import reference_agents as reference
from tests.deep.plain_lane import (
    LANES,
    MAZE,
    PlainLane,
    assert_near,
    assert_near_networks,
    every_learned_model,
    model_networks,
    perceptrons,
)
from tests.deep.reference_agents import Sample, Transition


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
            for x, a, r, t, y in zip(*(field[lane] for field in replayed.transitions), strict=True)
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
