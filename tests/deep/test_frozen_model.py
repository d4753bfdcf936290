"""An online run whose model is frozen on the way: what stays, what begins anew, and when it learns."""

import pytest
import torch

from deep import Agent, GaussianModel, Lanes, OnlineLoop, Protocol, SimpleModel
from deep.adam import no_moments
from deep.agent import Losses
from deep.environments import PanFlute, at
from deep.online_loop import interact
from deep.tensor_tree import tensors
from tests.deep.states import assert_same_bits, copied

LEARNING_STARTS, MODEL_STEPS = 20, 50
PROTOCOL = Protocol(
    110, 1, 7, learning_starts=LEARNING_STARTS, buffer_capacity=40, model_steps=MODEL_STEPS
)


def made(model, protocol):
    lanes = Lanes(torch.tensor([3, 4]), torch.full((2,), 1e-3), torch.full((2,), 0.5))
    return OnlineLoop(Agent(model(PanFlute(num_pipes=2))), protocol, lanes)


@pytest.mark.parametrize("model", [SimpleModel, GaussianModel])
def test_a_frozen_run_is_a_run_and_then_another_by_hand_on_its_model(model):
    loop = made(model, PROTOCOL)
    loop.advance(33)
    loop.advance(77)  # over the moment at which the model is frozen

    usual = made(model, Protocol(110, 1, 7, LEARNING_STARTS, 40))
    usual.advance(MODEL_STEPS)
    agent, lanes, state = usual.agent, usual.lanes, usual.state
    learner = state.learner._replace(q=agent.initial(lanes.seed).q)
    learner = learner._replace(
        q_moments=no_moments(learner.q), target=learner.q.clone(),
    )  # fmt: skip
    state = state._replace(learner=learner)
    state.buffer.stored.zero_()
    for step in range(MODEL_STEPS, 110):
        noise = agent.model.environment.noise(lanes.seed, torch.tensor([[step]]))
        interact(agent, PROTOCOL, lanes, state, at(noise, 0))
        if step >= MODEL_STEPS + LEARNING_STARTS:
            losses = Losses(state.tally.q_loss, state.tally.model_loss)
            agent.learn(learner, state.buffer, lanes, losses, "q")
        if (step + 1) % 7 == 0:
            learner.target.copy_(learner.q)
    ours, others = tensors(loop.state), tensors(state)
    assert ours.keys() == others.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, others[name]), name


def test_updates_are_counted_before_and_after_and_only_the_second_part_leaves_the_model():
    loop, updates = made(SimpleModel, PROTOCOL), []
    before = loop.state.learner.model[0].clone()
    for steps in (MODEL_STEPS, LEARNING_STARTS, 110 - MODEL_STEPS - LEARNING_STARTS):
        loop.advance(steps)
        updates.append(int(loop.state.learner.updates))
        if len(updates) == 1:
            frozen = loop.state.learner.model[0].clone()
            assert not torch.equal(frozen, before)
        if len(updates) == 2:
            scratch = loop.state.learner.q.clone()
            assert torch.equal(scratch, loop.agent.initial(loop.lanes.seed).q)
    assert updates == [30, 30, 70]
    assert torch.equal(loop.state.learner.model[0], frozen)
    assert not torch.equal(loop.state.learner.q, scratch)
    assert int(loop.state.buffer.stored) == 110 - MODEL_STEPS


def test_a_run_that_stops_where_the_model_is_frozen_goes_on_exactly():
    through, halves = made(SimpleModel, PROTOCOL), made(SimpleModel, PROTOCOL)
    through.advance(110)
    halves.advance(MODEL_STEPS)
    again = made(SimpleModel, PROTOCOL)
    again.load(copied(halves.state))
    again.advance(110 - MODEL_STEPS)
    assert_same_bits(again.state, through.state)


def test_a_model_is_frozen_after_a_whole_number_of_steps():
    with pytest.raises(ValueError, match="model_steps must be"):
        Protocol(100, 1, 10, model_steps=0)
