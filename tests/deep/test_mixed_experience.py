"""Learned models whose Q-network sees real transitions among the imagined ones."""

from functools import partial

import pytest
import torch

from deep import AGENTS, Agent, OnlineLoop, Protocol
from deep.models import TRANSITIONS
from deep.online_loop import learn
from deep.random_streams import Purpose
from deep.tensor_tree import tensors
from tests.deep import reference_agents as reference
from tests.deep.plain_lane import (
    KINDS,
    LANES,
    MAZE,
    VARIABLES,
    PlainLane,
    assert_near,
    assert_same_learner,
    drawn,
    every_learned_model,
    latent_draw,
    quiet,
    stored,
)

LEARNING = Protocol(14, 1, 5, learning_starts=11)


class MixedLane(PlainLane):
    """With the first `real` replayed transitions in the place of as many imagined ones, evenly spread."""

    real = 0

    def update(self, stored):
        starts = TRANSITIONS // self.length
        batch = self.replayed(stored, max(starts, self.lesson, self.real))
        self.model, self.q, model_loss, q_loss = reference.model_based_update(
            self.model,
            self.q,
            self.target,
            partial(self.loss, batch[: self.lesson]),
            lambda networks, q: self.mixed(batch, starts, networks, q),
            model_step_size=2e-4,
            q_step_size=self.step_size,
        )
        return q_loss, model_loss

    def mixed(self, batch, starts, networks, q):
        rollouts = [list(one) for one in self.rollouts(batch[:starts], networks, q)]
        for number, sample in enumerate(self.met(batch[: self.real], networks)):
            time, start = divmod(number * TRANSITIONS // self.real, starts)
            rollouts[start][time] = sample
        return rollouts

    def met(self, batch, networks):
        words = drawn(self.lane, self.updates, Purpose.RECALL, VARIABLES, 2 * len(batch))
        for number, sample in enumerate(reference.replayed_samples(batch)):
            if self.name not in KINDS:
                yield sample
                continue
            before, after = (
                reference.encoded(KINDS[self.name], VARIABLES, networks, seen).sample(
                    latent_draw(self.name, words[place])
                )
                for seen, place in (
                    (sample.features, number),
                    (sample.next_features, len(batch) + number),
                )
            )
            yield sample._replace(features=before, next_features=after)


@pytest.mark.parametrize(("name", "share"), [("simple", 0.05), ("simple", 0.5), ("gaussian", 0.05)])
def test_an_update_is_the_plain_one_with_real_transitions_among_the_imagined(name, share):
    agent = Agent(AGENTS[name](MAZE, real_share=share))
    loop = OnlineLoop(agent, quiet(30), LANES)
    loop.advance(30)
    plain = MixedLane(name, MAZE, agent, loop.state.learner, 0)
    plain.real = {0.05: 16, 0.5: 160}[share]
    learn(agent, LANES, loop.state)
    q_loss, model_loss = plain.update(stored(loop.state.buffer, 0))
    assert_near(loop.state.tally.q_loss[0], q_loss)
    assert_near(loop.state.tally.model_loss[0], model_loss)
    assert_same_learner(name, agent, loop.state.learner, 0, plain)


def run(name, **options):
    loop = OnlineLoop(Agent(AGENTS[name](MAZE, **options)), LEARNING, LANES)
    loop.advance(LEARNING.steps)
    assert loop.state.learner.updates == 3
    return tensors(loop.state)


@pytest.mark.usefixtures("small_networks")
def test_with_real_transitions_alone_the_agent_is_replay_to_the_bit():
    real, replay = run("simple", real_share=1.0), run("er")
    for name, value in replay.items():
        if name == "tally.model_loss":
            continue
        assert torch.equal(real[name], value), name


@pytest.mark.usefixtures("small_networks")
@every_learned_model
def test_with_no_real_transition_the_agent_is_as_it_is_without_the_option(name):
    usual, mixed = run(name), run(name, real_share=1e-3)  # of 320 less than one half
    for part, value in usual.items():
        assert torch.equal(mixed[part], value), part


@pytest.mark.usefixtures("small_networks")
@every_learned_model
def test_the_model_learns_the_same_whatever_the_share(name):
    """Of one buffer: what a share changes is the Q-network alone, and through it what is met later."""
    seen = {}
    for share in (0.0, 1.0):
        agent = Agent(AGENTS[name](MAZE, real_share=share))
        loop = OnlineLoop(agent, quiet(30), LANES)
        loop.advance(30)
        learn(agent, LANES, loop.state)
        seen[share] = loop.state.learner
    assert not torch.equal(seen[0].q, seen[1].q)
    for one, other in zip(seen[0].model, seen[1].model, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="real_share must be a number from 0 to 1, got "):
        AGENTS["simple"](MAZE, real_share=share)
