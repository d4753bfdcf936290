"""The kernels of `deep.kernels` against what they stand for in torch."""

import subprocess
import sys
from functools import partial
from math import prod
from pathlib import Path

import pytest
import torch
from torch.nn.functional import elu

from deep.acceleration import Acceleration, resolve
from deep.adam import BETA_1, no_moments
from deep.adam import adam_step as plain_adam_step
from deep.agent import Agent, Lanes
from deep.environments import ProcMaze
from deep.kernels import available, building
from deep.kernels.learning import adam_step, td_step
from deep.models import AGENTS
from deep.networks import Network
from deep.online_loop import OnlineLoop, Protocol
from deep.q_learning import Transitions, td_loss, td_target
from deep.random_streams import Purpose, Stream
from tests.deep.states import assert_same_bits, copied

ROOT = Path(__file__).parent.parent.parent

SHAPES = {  # inputs, outputs, width, depth, rows
    "Q-network": (64, (5,), 200, 3, 320),
    "simple model": (69, (1, 1, 64), 200, 3, 32),
    "one row": (36, (5,), 200, 3, 1),
    "odd sizes": (7, (3, 17), 33, 2, 13),
    "one hidden layer": (16, (16,), 16, 1, 8),
    "wide": (1029, (1024,), 200, 3, 9),
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def networks(inputs, outputs, width, depth):
    """In float32, in bfloat16 by torch, and by the kernels."""
    return [
        Network(inputs, outputs, width, depth, precision, kernels)
        for precision, kernels in (("highest", False), ("bf16", False), ("bf16", True))
    ]


def drawn(network, rows, lanes=3, share=0.3):
    """Parameters, biases other than 0 among them, and 0/1 inputs, of which this share are 1."""
    seed = torch.arange(lanes)
    parameters = network.initial(Stream(seed, torch.tensor(0), Purpose.INITIAL_Q))
    random = torch.Generator().manual_seed(1)
    shifted = parameters + 0.02 * torch.randn(parameters.shape, generator=random)
    used = sum(map(prod, network.shapes))
    shifted.view(lanes, network.heads, network.block_size)[:, :, used:] = 0
    inputs = torch.rand(lanes, rows, network.inputs, generator=random) < share
    return shifted, inputs.float(), random


def error(found, true):
    return float((found - true).norm() / true.norm())


@pytest.mark.usefixtures("kernels")
@every_shape
@pytest.mark.parametrize("share", [0.3, 0.03], ids=["usual inputs", "few are 1"])
def test_a_perceptron_is_that_of_torch_but_for_fewer_roundings(shape, share):
    *sizes, rows = shape
    plain, torch_bf16, kernels = networks(*sizes)
    parameters, inputs, random = drawn(plain, rows, share=share)
    weights = [torch.randn(3, rows, size, generator=random) for size in plain.outputs]

    def weighed(network):
        def loss(parameters, inputs):
            outputs = [each(inputs) for each in network.perceptrons(parameters)]
            summed = sum((a * b).sum() for a, b in zip(outputs, weights, strict=True))
            return summed, outputs

        (of_parameters, of_inputs), outputs = torch.func.grad(loss, (0, 1), has_aux=True)(
            parameters, inputs
        )
        return [of_parameters, of_inputs, *outputs]

    for true, usual, found in zip(*map(weighed, (plain, torch_bf16, kernels)), strict=True):
        assert found.shape == true.shape
        assert 0 < error(found, true) < 1.1 * error(usual, true)
    used = sum(map(prod, plain.shapes))
    blocks = weighed(kernels)[0].view(3, plain.heads, plain.block_size)
    assert not blocks[:, :, used:].any()


@pytest.mark.usefixtures("kernels")
def test_a_row_of_which_few_words_are_read_has_the_same_bits_as_among_rows_that_are_read_whole():
    _, _, network = networks(1029, (5,), 200, 3)
    parameters, few, _ = drawn(network, 24, share=0.03)
    perceptron = network.perceptrons(parameters)[0]
    _, whole, _ = drawn(network, 24, share=0.5)
    whole[:, ::8] = few[:, ::8]
    assert torch.equal(perceptron(whole)[:, ::8], perceptron(few)[:, ::8])


@pytest.mark.usefixtures("kernels")
def test_activations_are_rounded_to_nearest_and_sums_are_not():
    _, _, network = networks(7, (3,), 33, 2)
    parameters, inputs, _ = drawn(network, 13)
    perceptron = network._replace(kernels=False).perceptrons(parameters)[0]
    hidden = inputs.double()
    *layers, (weight, bias) = zip(perceptron.weights, perceptron.biases, strict=True)
    for matrix, shift in layers:
        hidden = elu(hidden @ matrix.double() + shift.double()).bfloat16().double()
    expected = hidden @ weight.double() + bias.double()
    found = network.perceptrons(parameters)[0](inputs)
    # Where a sum lies between two numbers it may fall to either side.
    assert (found - expected).abs().median() < 1e-6
    assert (found - expected).abs().max() < 4e-3


@pytest.mark.usefixtures("kernels")
def test_a_td_step_follows_the_gradient_of_the_td_loss():
    plain, usual, kernels = networks(64, (5,), 200, 3)
    parameters, inputs, random = drawn(plain, 320)
    target, _, _ = drawn(plain, 320)
    transitions = Transitions(
        features=inputs,
        action=torch.randint(5, (3, 320), generator=random),
        reward=torch.randn(3, 320, generator=random),
        continuation=torch.rand(3, 320, generator=random),
        next_features=inputs.roll(1, 1),
        weight=torch.rand(3, 320, generator=random),
    )

    def by_torch(network):
        aim = td_target(network.perceptrons(target)[0], transitions)

        def loss(parameters):
            losses = td_loss(network.perceptrons(parameters)[0], aim, transitions)
            return losses.sum(), losses

        return torch.func.grad(loss, has_aux=True)(parameters)

    true, rounded = by_torch(plain), by_torch(usual)
    before, step_size = parameters.clone(), torch.tensor([1e-3, 1e-4, 0])
    moments = no_moments(parameters)
    (q,), (held,) = (kernels.perceptrons(each) for each in (parameters, target))
    loss = td_step(q, moments, held, transitions, step_size)
    gradient = moments.first / (1 - BETA_1)
    assert error(loss, true[1]) < 1.1 * error(rounded[1], true[1]) + 1e-4
    assert error(gradient, true[0]) < 1.1 * error(rounded[0], true[0])
    expected, plainly = before.clone(), no_moments(before)
    plain_adam_step(expected, plainly, gradient, step_size.unsqueeze(1))
    assert_stepped(parameters, expected)
    assert_stepped(moments.second, plainly.second)
    assert torch.equal(q.packed, kernels.pack(parameters)[0])


def assert_stepped(found, expected):
    """To rounding."""
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.usefixtures("kernels")
@every_shape
def test_a_step_of_adam_is_that_of_torch_and_rounds_the_weights_anew(shape):
    *sizes, rows = shape
    plain, _, kernels = networks(*sizes)
    ours, _, random = drawn(plain, rows)
    parameters = ours.clone()
    learned = kernels.perceptrons(ours)
    moments, ours_moments = no_moments(parameters), no_moments(ours)
    for _ in range(2):
        gradients = [
            _unused_are_zero(plain, torch.randn(parameters.shape, generator=random), head)
            for head in range(plain.heads)
        ]
        plain_adam_step(parameters, moments, torch.cat(gradients, 1), 2e-4)
        adam_step(learned, ours, ours_moments, gradients, 2e-4)
    assert_stepped(ours, parameters)
    for found, expected in zip(ours_moments, moments, strict=True):
        assert_stepped(found, expected)
    for found, expected in zip(learned, kernels.pack(ours), strict=True):
        assert torch.equal(found.packed, expected)


def _unused_are_zero(network, drawn, head):
    """A gradient of one perceptron: 0 where its block has room that it does not use."""
    block = drawn.view(3, network.heads, network.block_size)[:, head]

    def summed(parameters):
        layers = network._replace(kernels=False).perceptrons(parameters)[head]
        return sum(part.sum() for part in (*layers.weights, *layers.biases))

    used = torch.func.grad(summed)(torch.zeros_like(drawn))
    return block * used.view(3, network.heads, network.block_size)[:, head]


@pytest.mark.usefixtures("kernels")
def test_what_is_no_number_stays_none():
    _, _, network = networks(7, (3,), 33, 2)
    parameters, inputs, _ = drawn(network, 4)
    parameters[1, 0] = torch.nan
    inputs[1, :, 0] = 1
    outputs = network.perceptrons(parameters)[0](inputs)
    assert outputs[1].isnan().all()
    assert outputs[[0, 2]].isfinite().all()


def loop_of(name, lanes=2, acceleration=None, **options):
    acceleration = acceleration or Acceleration(kernels=True)
    runs = Lanes(torch.arange(lanes), torch.full((lanes,), 1e-3), torch.ones(lanes))
    agent = Agent(AGENTS[name](ProcMaze(2), precision="bf16", **options))
    return OnlineLoop(agent, Protocol(40, 1, 4, learning_starts=8), runs, acceleration)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_goes_on_to_the_bit_with_any_threads_and_lanes_beside_it(name):
    whole, stopped, alone = loop_of(name), loop_of(name), loop_of(name, lanes=1)
    threads = torch.get_num_threads()
    whole.advance(14)
    stopped.advance(11)
    resumed = loop_of(name)
    resumed.load(copied(stopped.state))
    try:
        torch.set_num_threads(3 - min(threads, 2))
        resumed.advance(3)
        alone.advance(14)
    finally:
        torch.set_num_threads(threads)
    assert_same_bits(resumed.state, whole.state)
    assert torch.equal(alone.state.learner.q[0], whole.state.learner.q[0])
    assert not torch.equal(whole.state.learner.q, whole.state.learner.target)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_learns_as_it_does_by_torch(name):
    """One update from the same state moves the networks alike; a latent or two are drawn otherwise."""
    ours, usual = loop_of(name), loop_of(name, acceleration=Acceleration())
    for loop in (ours, usual):
        loop.advance(9)
    for found, true in zip(
        (ours.state.learner.q_moments, *ours.state.learner.model_moments),
        (usual.state.learner.q_moments, *usual.state.learner.model_moments),
        strict=True,
    ):
        assert error(found.first, true.first) < (0.2 if name == "categorical" else 0.02)


@pytest.mark.usefixtures("kernels")
def test_compiled_kernels_lead_where_the_kernels_do():
    """In a process of its own, since run-time checks of shapes cannot be compiled."""
    code = "from tests.deep.test_kernels import compare_compiled; compare_compiled()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def compare_compiled():
    way = resolve("kernels", torch.device("cpu"))
    compiled, plain = (loop_of("simple", acceleration=how, rollout_length=1) for how in (way, None))
    for loop in (compiled, plain):
        loop.advance(10)
    learner, same = compiled.state.learner, plain.state.learner
    assert learner.updates == same.updates == 2
    for found, expected in (
        (learner.q_moments, same.q_moments),
        (learner.model_moments[0], same.model_moments[0]),
    ):
        assert error(found.first, expected.first) < 1e-2


@pytest.fixture
def no_kernels_yet(monkeypatch, tmp_path):
    """As on a machine where they were never built."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(building, "_processor_suits", lambda: True)
    building.missing.cache_clear()
    yield tmp_path
    building.missing.cache_clear()


@pytest.mark.parametrize("compiler", ["/nowhere/g++", "false", "true"])
def test_where_they_cannot_be_built_torch_goes_on_alone(no_kernels_yet, monkeypatch, compiler):
    monkeypatch.setenv("CXX", compiler)
    assert not available()
    assert not list(no_kernels_yet.rglob("*.so"))
    with pytest.raises(ValueError, match=r"acceleration 'kernels' needs a (C\+\+ )?compiler"):
        resolve("kernels", torch.device("cpu"))
    assert not resolve("auto", torch.device("cpu")).kernels


def test_on_another_processor_nothing_is_built(no_kernels_yet, monkeypatch):
    monkeypatch.setattr(building, "_processor_suits", lambda: False)
    monkeypatch.setattr(building, "_build", lambda *_: pytest.fail("built"))
    plain = Agent(AGENTS["er"](ProcMaze(2)))
    for ask in (partial(resolve, "kernels", torch.device("cpu")), plain.with_kernels):
        with pytest.raises(ValueError, match="needs a processor with AVX512-BF16 and without AMX"):
            ask()


def test_importing_the_agents_builds_nothing():
    assert Acceleration().agent(Agent(AGENTS["er"](ProcMaze(2)))).model.kernels is False
