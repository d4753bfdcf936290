"""Value-equivalent models: their loss against a plain one, and models whose loss is known."""

from math import isclose

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from deep import (
    Agent,
    Lanes,
    OnlineLoop,
    Protocol,
    ValueEquivalentCategorical,
    ValueEquivalentGaussian,
)
from deep.environments import PanFlute, ProcMaze
from deep.matrix_products import flops, update_products
from deep.online_loop import learn
from deep.random_streams import Purpose, Stream, lane_words, normal, uniform
from deep.replay_buffer import Replayed
from tests.deep import reference_agents as reference
from tests.deep.plain_lane import perceptrons
from tests.deep.reference_agents import Categorical, Gaussian

SEED = torch.tensor([3, -4])
LANES = Lanes(SEED, torch.full((2,), 1e-4), torch.ones(2))
MODELS = {"categorical": ValueEquivalentCategorical, "gaussian": ValueEquivalentGaussian}
every_kind = pytest.mark.parametrize("name", MODELS)
pytestmark = pytest.mark.usefixtures("small_networks")
VARIABLES, SIZE = 4, 5


def stream(step=0):
    return Stream(SEED, torch.tensor(step), Purpose.MODEL_LOSS)


def lesson_of(environment, steps):
    """What an agent met of a maze that ends often, and its trajectories; their starts are consecutive."""
    agent = Agent(ValueEquivalentGaussian(environment))
    loop = OnlineLoop(agent, Protocol(40, 1, 9, 40), LANES)
    loop.advance(30)
    first = torch.arange(20, 20 + 2 * SIZE).view(2, SIZE)
    return loop.state.buffer.trajectories(first, steps)


def plain_loss(kind, networks, target, lesson, lane, noise, steps, num_actions):
    """Trajectory by trajectory in float64."""
    first, ahead, met = noise
    total = 0.0
    for row in range(SIZE):
        z = reference.encoded(
            kind, VARIABLES, networks, lesson.observation[lane, row].double()
        ).sample(first[row])
        for time in range(steps):
            at = Replayed(*(field[lane, time * SIZE + row] for field in lesson.transitions))
            za = reference.with_action(z, int(at.action), num_actions)
            total = total + reference.gaussian_nll(
                reference.mlp(networks["reward"], za)[0], at.reward.double()
            )
            goes_on = 1 - at.terminal.double().view(1)
            total = total + reference.bernoulli_nll(
                reference.mlp(networks["continuation"], za), goes_on
            )
            if at.terminal:
                break
            z = reference.predicted(kind, VARIABLES, networks, za).sample(ahead[time][row])
            seen = reference.encoded(kind, VARIABLES, networks, at.next_observation.double())
            worth = reference.mlp(target, seen.sample(met[time][row])).max()
            total = total + (reference.mlp(target, z).max() - reference.stop(worth)) ** 2 / 2
            if time + 1 == steps:
                break
            following = (time + 1) * SIZE + row
            led = torch.equal(lesson.observation[lane, following], at.next_observation)
            if not (led and lesson.follows[lane, following]):
                break
    return total / SIZE / steps


@every_kind
@pytest.mark.parametrize("steps", [1, 4])
def test_the_loss_and_its_gradient_are_the_plain_ones(name, steps):
    maze = ProcMaze(2)
    model = MODELS[name](maze, value_steps=steps)
    agent, kind = Agent(model), {"categorical": Categorical, "gaussian": Gaussian}[name]
    learner, lesson = agent.initial(SEED), lesson_of(maze, steps)
    target = learner.target * 1.5
    parameters = tuple(each.requires_grad_() for each in learner.model)
    value = agent.q_network.perceptrons(target)[0]
    loss = model.loss(model.perceptrons(parameters), lesson, stream(), lambda: value)
    gradients = torch.autograd.grad(loss.sum(), parameters)
    words = lane_words(stream(), (1 + 2 * steps) * VARIABLES, SIZE)
    draw = normal if name == "gaussian" else uniform
    blocks = [draw(block).double() for block in words.split(VARIABLES)]  # [variable, lane, row]
    names = (("encoder",), ("dynamics",), ("reward", "continuation"))
    for lane in range(2):
        own = [each[lane].detach().double().requires_grad_() for each in parameters]
        networks = {
            called: layers
            for called_all, network, each in zip(names, model.networks, own, strict=True)
            for called, layers in zip(called_all, perceptrons(network, each), strict=True)
        }
        rows = [block[:, lane].T for block in blocks]
        noise = rows[0], rows[1 : 1 + steps], rows[1 + steps :]
        q = next(perceptrons(agent.q_network, target[lane]))
        plain = plain_loss(kind, networks, q, lesson, lane, noise, steps, maze.num_actions)
        assert isclose(loss[lane].item(), plain.item(), rel_tol=1e-5)
        for ours, theirs in zip(gradients, torch.autograd.grad(plain, own), strict=True):
            assert (ours[lane].double() - theirs).abs().max() <= 1e-4 * theirs.abs().max()
    assert lesson.terminal.any()


def test_a_step_that_begins_elsewhere_or_was_never_stored_is_no_part_of_a_trajectory():
    flute = PanFlute(2)
    model = ValueEquivalentGaussian(flute, value_steps=3)
    agent = Agent(model)
    learner = agent.initial(SEED)
    value = agent.q_network.perceptrons(learner.target)[0]
    silent, sounding = (
        torch.zeros(2, 1, 3, dtype=torch.uint8),
        torch.ones(2, 1, 3, dtype=torch.uint8),
    )

    def loss(after_first, second, third_reward, second_reward, follows=None):
        batch = Replayed(
            torch.cat((silent, second, second), 1),
            torch.zeros(2, 3, dtype=torch.int64),
            torch.tensor([[0.0, second_reward, third_reward]] * 2),
            torch.zeros(2, 3, dtype=torch.bool),
            torch.cat((after_first, second, second), 1),
            follows,
        )
        return model.loss(model.perceptrons(learner.model), batch, stream(), lambda: value)

    assert not torch.equal(loss(silent, silent, 0.0, 0.0), loss(silent, silent, 9.0, 0.0))
    assert torch.equal(loss(silent, sounding, 0.0, 0.0), loss(silent, sounding, 9.0, 7.0))
    newest = torch.tensor([[True, True, False]] * 2)  # the second, where it stays in its place
    assert torch.equal(
        loss(silent, silent, 0.0, 0.0, newest), loss(silent, silent, 9.0, 0.0, newest)
    )
    assert not torch.equal(
        loss(silent, silent, 0.0, 0.0, newest), loss(silent, silent, 0.0, 9.0, newest)
    )


@every_kind
def test_it_is_the_value_and_nothing_else_of_the_next_state_that_is_learned(name):
    """With a target network that says 0 of everything, what is seen next does not matter."""
    model = MODELS[name](PanFlute(2), value_steps=1)
    agent = Agent(model)
    learner = agent.initial(SEED)

    def target(scale):
        return lambda: agent.q_network.perceptrons(scale * learner.target)[0]

    silence, speech = target(0), target(1)
    one, other = (
        Replayed(
            torch.zeros(2, 6, 3, dtype=torch.uint8),
            torch.ones(2, 6, dtype=torch.int64),
            torch.zeros(2, 6),
            torch.zeros(2, 6, dtype=torch.bool),
            torch.full((2, 6, 3), seen, dtype=torch.uint8),
        )
        for seen in (0, 1)
    )
    learned = model.perceptrons(learner.model)
    assert torch.equal(
        model.loss(learned, one, stream(), silence), model.loss(learned, other, stream(), silence)
    )
    assert not torch.equal(
        model.loss(learned, one, stream(), speech), model.loss(learned, other, stream(), speech)
    )


@every_kind
def test_an_agent_learns_it_from_the_trajectories_of_its_buffer(name):
    model = MODELS[name](PanFlute(3), value_steps=3)
    loop = OnlineLoop(Agent(model), Protocol(40, 1, 5, learning_starts=20), LANES)
    loop.advance(24)
    agent, state = loop.agent, loop.state
    assert state.learner.updates == 4
    assert loop.finite().all()
    lesson, starts = agent.replay(state.buffer, LANES, state.learner.updates)
    assert lesson.action.shape == (2, 3 * 32)
    assert torch.equal(lesson.observation[:, :32], starts.observation)
    before = [each.clone() for each in state.learner.model]
    with FlopCounterMode(display=False) as counter:
        learn(agent, LANES, state)
    assert counter.get_total_flops() == 2 * flops(update_products(agent))
    assert all((x != y).any() for x, y in zip(before, state.learner.model, strict=True))


def test_what_it_does_not_say_is_not_said():
    model = ValueEquivalentGaussian(PanFlute(2))
    parameters = Agent(model).initial(SEED).model
    assert len(model.networks) == 3
    seen, action = torch.zeros(2, 1, 3, dtype=torch.uint8), torch.zeros(2, 1, dtype=torch.int64)
    with pytest.raises(NotImplementedError):
        model.forecast(parameters, seen, action, stream(), 1)


@pytest.mark.parametrize("steps", [0, 11])
def test_steps_out_of_range_are_refused(steps):
    with pytest.raises(
        ValueError, match=f"value_steps must be an integer from 1 to 10, got {steps}"
    ):
        ValueEquivalentGaussian(PanFlute(2), value_steps=steps)


@pytest.mark.usefixtures("without_type_checks")
def test_it_learns_rewards_that_come_two_steps_later():
    """From silence, the longer pipe and then the shorter one sound together; the shorter one alone does not."""
    flute = PanFlute(2, spontaneous=False)
    model = ValueEquivalentGaussian(flute, value_steps=3)
    lanes = Lanes(torch.arange(6), torch.ones(6), torch.full((6,), 1e6))
    loop = OnlineLoop(Agent(model), Protocol(300, 1, 9, 300), lanes)
    loop.advance(300)
    agent = loop.agent
    learner = agent.initial(lanes.seed)
    target = agent.q_network.perceptrons(learner.target)[0]
    parameters = [each.requires_grad_() for each in learner.model]
    optimizer = torch.optim.Adam(parameters, 0.01)
    for step in range(150):
        lesson, _ = agent.replay(loop.state.buffer, lanes, torch.tensor(step))
        moment = Stream(lanes.seed, torch.tensor(step), Purpose.MODEL_LOSS)
        loss = model.loss(
            model.perceptrons(tuple(parameters)), lesson, moment, lambda: target
        ).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def expected_reward(*actions):
        learned = model.perceptrons(tuple(parameters))
        words = torch.zeros(4, 6, 1, dtype=torch.int32)
        state = model.start(learned, torch.zeros(6, 1, 3, dtype=torch.uint8), words)
        for action in actions:
            state, _ = model.step(learned, state, torch.full((6, 1), action), words)
        return model.predict_outcomes(learned, state, torch.zeros(6, 1, dtype=torch.int64))[0]

    assert (expected_reward(1, 0) - expected_reward(0, 0) > 0.5).sum() >= 4  # of 6 lanes


@pytest.mark.usefixtures("kernels")
@pytest.mark.usefixtures("without_type_checks")
@every_kind
def test_kernels_learn_the_same_to_rounding(name):
    found = []
    for computed in (Agent, lambda model: Agent(model).with_kernels()):
        model = MODELS[name](PanFlute(3), precision="bf16", value_steps=3)
        loop = OnlineLoop(computed(model), Protocol(20, 1, 5, learning_starts=12), LANES)
        loop.advance(14)
        kernels = computed is not Agent
        assert all(network.packs == kernels for network in loop.agent.model.networks)
        found.append(loop.state.tally.model_loss)
    torch.testing.assert_close(*found, rtol=0.02, atol=0)
    assert not torch.equal(*found)
