"""How well an agent does when it acts greedily."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from deep.agent import Agent, Lanes, Learner
from deep.random_streams import Purpose, Stream, lane_words

EPISODES = 32
MAX_STEPS = 100


class Episodes(NamedTuple):
    """Evaluation episodes under way.

    Attributes:
        environment: The state of each.
        running: 1 until the episode ends, then 0.
        total: Reward so far.
    """

    environment: Any
    running: Float32[Tensor, "lane episode"]
    total: Float32[Tensor, "lane episode"]


def begin(agent: Agent, lanes: Lanes, step: Int64[Tensor, ""]) -> Episodes:
    """Start the episodes; another `step` gives others."""
    environment = agent.model.environment
    count = environment.reset_words
    drawn = lane_words(Stream(lanes.seed, step, Purpose.EVALUATION_RESET), count, EPISODES)
    running = lanes.temperature.new_ones(len(lanes.seed), EPISODES)
    start = environment.reset(drawn)
    state = type(start)(*(field.clone() for field in start))
    return Episodes(state, running, torch.zeros_like(running))


def act_greedily(
    agent: Agent, learner: Learner, lanes: Lanes, episodes: Episodes, step: Int64[Tensor, ""]
) -> None:
    """One step of every episode, in place; what is drawn in it depends on `step`."""
    environment = agent.model.environment
    seen = environment.observe(episodes.environment)
    stream = Stream(lanes.seed, step, Purpose.EVALUATION_REPRESENTATION)
    action = agent.values(learner, seen, stream).argmax(-1)
    stream = Stream(lanes.seed, step, Purpose.EVALUATION)
    drawn = lane_words(stream, environment.transition_words, EPISODES)
    taken = environment.transition(episodes.environment, action, drawn)
    episodes.total.add_(episodes.running * taken.reward)
    episodes.running.mul_(1 - taken.terminal.float())
    for field, value in zip(episodes.environment, taken.successor, strict=True):
        field.copy_(value)


def performance(agent: Agent, episodes: Episodes) -> Float32[Tensor, "lane"]:
    """Of each lane, after `MAX_STEPS` steps.

    Episodic environments: the mean undiscounted return. Continuing ones: the mean reward a step.
    """
    steps = 1 if agent.model.environment.episodic else MAX_STEPS
    return episodes.total.mean(1) / steps
