"""How good the learned model of a run is: what it gets right of states that it has seen, and of new ones.

Half of the test cases begin where the lane's buffer does: a transition is drawn from it, its state and its action.
The other half begin where walks of uniformly random actions lead, from first states that no run has drawn. All
further actions are uniformly random. What is right is the usual course, without spontaneous events.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int32, Int64, UInt8
from torch import Tensor

from deep.agent import Agent, Lanes, Learner
from deep.environments import Noise, Scopes
from deep.model_accuracy import accuracy, factors_read, novelty, parent_pairs, usual_course
from deep.models import RolloutModel, StructuredModel
from deep.random_streams import MAX_WORDS, Purpose, Stream, integers, lane_words
from deep.replay_buffer import ReplayBuffer
from experiments.runs.quality_table import HORIZONS, NOVELTY, LearnedScopes, ModelQuality

CASES = 256
"""Of each lane and half."""

WALK = 32
"""Steps of a walk: enough to fill the pipes of a flute."""

DRAWS = 16
"""Courses that are imagined of each case."""


def require_words(model: RolloutModel) -> None:
    """Refuse a model whose courses take more random words than a draw has.

    Raises:
        ValueError: naming both; it would come after the last step of the run.
    """
    words = 2 * CASES * (model.represent_words + max(HORIZONS) * model.step_words)
    if words > MAX_WORDS:
        raise ValueError(
            f"model_quality of {model.environment} takes {words:,} random words a draw; accepted: {MAX_WORDS:,}, "
            "which fewer features take"
        )


def measure_model_quality(
    agent: Agent, learner: Learner, buffer: ReplayBuffer, lanes: Lanes
) -> ModelQuality:
    """Ask the model of every lane what comes of known and of new states.

    Args:
        agent: With a model that predicts observations, of an environment whose scopes are known.
        learner: What it has learned.
        buffer: What it has met.
        lanes: Their seeds decide the test cases.
    """
    model, scopes = agent.model, agent.model.environment.scopes
    assert isinstance(model, RolloutModel)
    assert scopes is not None
    observation, action = _cases(model, buffer, lanes)
    new = novelty(scopes, buffer, observation, action[..., 0])
    cases = torch.zeros(len(lanes.seed), len(HORIZONS), len(NOVELTY), dtype=torch.float64)
    right = torch.zeros_like(cases)
    for place, horizon in enumerate(HORIZONS):
        course = action[..., :horizon]
        following, determined = usual_course(model.environment, observation, course)
        first = torch.tensor(place * DRAWS, device=action.device)
        stream = Stream(lanes.seed, first, Purpose.IMAGINED_COURSE)
        found = accuracy(model, learner.model, observation, course, following, stream, DRAWS)
        for kind in range(len(NOVELTY)):
            counted = determined & (new == kind)
            cases[:, place, kind] = counted.sum(1).cpu()
            right[:, place, kind] = torch.where(counted, found, 0.0).double().sum(1).cpu()
    mean = np.where(cases > 0, right / cases.clamp(min=1), np.nan)
    return ModelQuality(cases.numpy(), mean, _learned_scopes(model, learner, scopes))


def _learned_scopes(model: RolloutModel, learner: Learner, scopes: Scopes) -> LearnedScopes | None:
    if not isinstance(model, StructuredModel):
        return None
    gates = model.open_gates(learner.model)
    learned, true = factors_read(scopes, gates), parent_pairs(scopes, gates.device)
    pairs = (learned, true.expand_as(learned), learned & true)
    found = (gates.double().mean((1, 2)), *(each.sum((1, 2)).double() for each in pairs))
    return LearnedScopes(*(each.cpu().numpy() for each in found))


def _cases(
    model: RolloutModel, buffer: ReplayBuffer, lanes: Lanes
) -> tuple[UInt8[Tensor, "lane batch feature"], Int64[Tensor, "lane batch step"]]:
    """Where the test cases begin, and what is done there."""
    environment = model.environment

    def drawn(step: int, number: int, *shape: int) -> Int32[Tensor, "word lane ..."]:
        moment = torch.tensor(step, device=lanes.seed.device)
        return lane_words(Stream(lanes.seed, moment, Purpose.MODEL_QUALITY), number, *shape)

    remembered = buffer.sample(drawn(0, 1, CASES)[0])
    start = state = environment.reset(drawn(1, environment.reset_words, CASES))
    for time in range(WALK):
        now = drawn(2 + time, 1 + environment.transition_words, CASES)
        at_random = integers(now[0], environment.num_actions)
        state = environment.step(state, at_random, Noise(now[1:], start)).next_state
    observation = torch.cat((remembered.observation, environment.observe(state)), 1)
    action = integers(drawn(2 + WALK, 1, 2 * CASES, max(HORIZONS))[0], environment.num_actions)
    action[:, :CASES, 0] = remembered.action
    return observation, action
