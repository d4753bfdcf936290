"""The structured model: against plain loops, the law of its gates, and scopes that are known."""

from dataclasses import replace
from math import isclose

import pytest
import torch
from torch.nn.functional import elu
from torch.utils.flop_counter import FlopCounterMode

from deep import Agent, Lanes, OfflineLearner, OnlineLoop, Protocol, SimpleModel, StructuredModel
from deep.acceleration import Acceleration
from deep.environments import ButtonGrid, OpenGrid, PanFlute, ProcMaze
from deep.gated_network import LOGIT_SCALE, GatedNetwork, stretched
from deep.matrix_products import flops, update_products
from deep.model_accuracy import factors_read, parent_pairs
from deep.online_loop import learn
from deep.random_streams import Purpose, Stream, lane_words, words
from deep.replay_buffer import Replayed
from tests.deep import reference_agents as reference

SEED = torch.tensor([3, -4])
NETWORK = GatedNetwork(features=4, others=2, width=5)


def stream(step=0, purpose=Purpose.MODEL_LOSS):
    return Stream(SEED, torch.tensor(step), purpose)


def drawn_parameters(scale=10.0):
    """Gates of all kinds: some shut, some half open, some open."""
    generator = torch.Generator().manual_seed(2)
    parameters = NETWORK.initial(stream(purpose=Purpose.INITIAL_MODEL))
    parameters[:, :16] = torch.randn(2, 16, generator=generator) * scale / LOGIT_SCALE
    return parameters


def plain(parameters, gates, x):
    """Feature by feature in float64, for one lane and one row."""
    parts = parameters.double().split([16, 6 * 20, 4 * 25, 4 * 5, 20, 20, 4, len(parameters) - 300])
    first, second, third = (
        parts[1].view(6, 4, 5), parts[2].view(4, 5, 5), parts[3].view(4, 5),
    )  # fmt: skip
    biases = parts[4].view(4, 5), parts[5].view(4, 5), parts[6]
    out = []
    for feature in range(4):
        read = torch.cat((x[:4] * gates[:, feature], x[4:]))
        hidden = elu(read @ first[:, feature] + biases[0][feature])
        hidden = elu(hidden @ second[feature] + biases[1][feature])
        out.append(hidden @ third[feature] + biases[2][feature])
    return torch.stack(out)


def test_each_feature_is_predicted_by_a_network_of_its_own_behind_its_gates():
    parameters = drawn_parameters()
    (gated,) = NETWORK.perceptrons(parameters)
    x = torch.randn(2, 3, 6, generator=torch.Generator().manual_seed(1))
    found = gated(x)
    for lane in range(2):
        gates = stretched(LOGIT_SCALE * parameters[lane : lane + 1, :16].view(1, 4, 4))[0].double()
        assert ((gates > 0) == gated.open[lane]).all()
        for row in range(3):
            expected = plain(parameters[lane], gates, x[lane, row].double())
            torch.testing.assert_close(found[lane, row].double(), expected, rtol=1e-4, atol=1e-5)


def test_what_lies_behind_a_shut_gate_changes_nothing_and_behind_an_open_one_it_does():
    (gated,) = NETWORK.perceptrons(drawn_parameters())
    x = torch.ones(2, 1, 6)
    seen = gated(x)
    assert 4 < gated.open.sum() < 28
    for feature in range(4):
        other = x.clone()
        other[..., feature] = 0
        assert torch.equal((gated(other) != seen)[:, 0], gated.open[:, feature])


def test_noisy_gates_are_open_as_often_as_the_price_counts_them():
    parameters = drawn_parameters(3.0)
    (gated,) = NETWORK.perceptrons(parameters)
    total = torch.zeros(2, 4, 4)
    rounds = 300
    for step in range(rounds):
        noisy = gated.with_noise(words(stream(step), 16))
        # A gate is read off the weights of the first layer.
        gate = noisy.read[:, :4].unflatten(2, (4, 5))[..., 0]
        total += gate != 0
    assert torch.isclose(total.sum((1, 2)) / rounds, gated.expected_open(), atol=0.5).all()
    assert total.max() > 0.95 * rounds
    assert total.min() < 0.3 * rounds


def batch_of(environment, size=5):
    loop = OnlineLoop(Agent(SimpleModel(environment)), Protocol(40, 1, 9, 40), lanes())
    loop.advance(30)
    return loop.state.buffer.at(torch.arange(2 * size).view(2, size))


def lanes():
    return Lanes(SEED, torch.full((2,), 1e-4), torch.ones(2))


@pytest.mark.parametrize("environment", [PanFlute(3), ProcMaze(2)], ids=str)
def test_the_loss_is_the_simple_models_with_noise_in_the_gates_and_a_price_for_them(environment):
    model, dear = (StructuredModel(environment, gate_price=price) for price in (0.0, 0.5))
    parameters = Agent(model).initial(SEED).model
    batch, learned = batch_of(environment), model.perceptrons(parameters)
    noisy = learned[2].with_noise(words(stream(), environment.num_features**2))
    logits = noisy(model.read(batch.observation.float(), batch.action)).double()
    outcome = model.predict_outcomes(learned, batch.observation.float(), batch.action)
    found = model.loss(learned, batch, stream(), pytest.fail)
    for lane in range(2):
        total = 0.0
        for row in range(batch.action.shape[1]):
            at = Replayed(*(field[lane, row] for field in batch.transitions))
            total += reference.gaussian_nll(outcome[0][lane, row].double(), at.reward.double())
            goes_on = 1 - at.terminal.double()
            total += reference.bernoulli_nll(outcome[1][lane, row].double(), goes_on)
            if not at.terminal:
                total += reference.bernoulli_nll(logits[lane, row], at.next_observation.double())
        assert isclose(found[lane], total / batch.action.shape[1], rel_tol=1e-4)
    price = dear.loss(learned, batch, stream(), pytest.fail) - found
    torch.testing.assert_close(price, 0.5 * learned[2].expected_open(), rtol=1e-4, atol=1e-3)


def test_without_noise_the_loss_is_that_of_the_gates_as_they_are():
    model = StructuredModel(PanFlute(3), gate_price=0.0, gate_noise=False)
    parameters = Agent(model).initial(SEED).model
    batch, learned = batch_of(model.environment), model.perceptrons(parameters)
    found = [model.loss(learned, batch, stream(step), pytest.fail) for step in (0, 1)]
    assert torch.equal(*found)
    simple = SimpleModel.loss(model, learned, batch, stream(), pytest.fail)
    assert torch.equal(found[0], simple)
    noisy = replace(model, gate_noise=True)
    assert (noisy.loss(learned, batch, stream(), pytest.fail) != found[0]).all()


def test_a_gate_that_has_shut_without_noise_stays_shut():
    """Where the gate is 0 neither it nor what is behind it changes the likelihood, and the price shuts it further."""
    model = StructuredModel(PanFlute(3), gate_noise=False)
    parameters = Agent(model).initial(SEED).model
    parameters[1][:, :6] = -4 / LOGIT_SCALE  # of the first feature that is read
    shut = parameters[1].clone().requires_grad_()
    learned = model.perceptrons((parameters[0], shut))
    loss = model.loss(learned, batch_of(model.environment), stream(), pytest.fail)
    (gradient,) = torch.autograd.grad(loss.sum(), shut)
    assert (gradient[:, :6] > 0).all()
    assert not model.open_gates(parameters)[:, 0].any()


def test_rollouts_and_forecasts_are_without_noise():
    model = StructuredModel(PanFlute(3))
    parameters = Agent(model).initial(SEED).model
    seen, action = torch.ones(2, 4, 6, dtype=torch.uint8), torch.zeros(2, 4, dtype=torch.int64)
    one, other = (model.forecast(parameters, seen, action, stream(k), 1) for k in (0, 1))
    assert torch.equal(one.features, other.features)
    chance = model.next_features(
        model.perceptrons(parameters), seen.float(), action, lane_words(stream(), 6, 4)
    )
    assert torch.equal(one.features[0], chance)


def test_the_products_of_an_update_are_those_that_torch_counts():
    loop = OnlineLoop(Agent(StructuredModel(PanFlute(3))), Protocol(4, 1, 4, 4), lanes())
    loop.advance(2)
    with FlopCounterMode(display=False) as counter:
        learn(loop.agent, loop.lanes, loop.state)
    assert counter.get_total_flops() == 2 * flops(update_products(loop.agent))


def test_kernels_leave_its_networks_to_torch(monkeypatch):
    monkeypatch.setattr("deep.kernels.require", lambda: None)
    model = StructuredModel(PanFlute(3), precision="bf16")
    agent = Acceleration(compiled=True, kernels=True).agent(Agent(model))
    assert not agent.q_network.packs
    assert Acceleration(kernels=True).agent(Agent(SimpleModel(PanFlute(3)))).model.kernels


def test_gates_are_compared_with_scopes_factor_by_factor():
    """Pipes of one, two and three cells: features 0; 1 and 2; 3, 4 and 5."""
    flute = PanFlute(3)
    gates = torch.zeros(2, 6, 6, dtype=torch.bool)
    gates[0, 1, 2] = gates[0, 4, 5] = gates[0, 3, 4] = True  # pipes read themselves
    gates[1, 5, 0] = gates[1, 1, 1] = True
    read = factors_read(flute.scopes, gates)
    assert read.nonzero().tolist() == [[0, 1, 1], [0, 2, 2], [1, 1, 1], [1, 2, 0]]
    assert parent_pairs(flute.scopes, SEED.device).nonzero().tolist() == [[1, 1], [2, 2]]


@pytest.mark.parametrize(
    "environment", [PanFlute(4), ButtonGrid(2, 3), ProcMaze(3), OpenGrid(3)], ids=str
)
def test_pairs_are_the_parents_of_some_action(environment):
    scopes = environment.scopes
    pairs = parent_pairs(scopes, SEED.device)
    for parent in range(len(scopes.factors)):
        for child in range(len(scopes.factors)):
            expected = any(parent in own[child] for own in scopes.parents)
            assert bool(pairs[parent, child]) == expected


@pytest.mark.usefixtures("without_type_checks", "small_networks")
def test_it_learns_to_read_what_a_feature_depends_on_and_little_else(monkeypatch):
    """Of a flute with pipes of one and two cells only the last cell depends on another: on the first of its pipe."""
    monkeypatch.setattr("deep.gated_network.INITIAL_LOGIT", -2.2)  # near to being shut, to be quick
    flute, lanes = PanFlute(2, spontaneous=False), Lanes(*(torch.ones(3) for _ in range(3)))
    lanes = lanes._replace(seed=torch.arange(3))
    loop = OnlineLoop(Agent(SimpleModel(flute)), Protocol(200, 1, 9, 200), lanes)
    loop.advance(200)
    model = StructuredModel(flute, gate_price=0.02)
    learner = OfflineLearner(Agent(model), loop.state.buffer, lanes)
    assert model.open_gates(learner.state.learner.model).all()
    learner.advance(230, "model")
    gates = model.open_gates(learner.state.learner.model)
    assert gates[:, 1, 2].all()
    assert (gates.sum((1, 2)) <= 5).all()
