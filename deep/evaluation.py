"""How well an agent does when it acts greedily."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from deep.acceleration import NONE, Acceleration
from deep.agent import Agent, Lanes, Learner
from deep.random_streams import Purpose, Stream, lane_words

EPISODES = 32
MAX_STEPS = 100
MAX_RUN = 2**32 // MAX_STEPS - 1
"""Steps or updates of which every evaluation draws words of its own."""


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


class GreedyEvaluation:
    """Measures how well a learner does when it acts greedily, as it is whenever this is called."""

    def __init__(
        self,
        agent: Agent,
        lanes: Lanes,
        learner: Learner,
        time: Int64[Tensor, ""],
        acceleration: Acceleration = NONE,
    ) -> None:
        """Prepare, and evaluate nothing yet.

        Args:
            agent: What acts.
            lanes: Their seeds decide the chance of the episodes.
            learner: What the agent has learned; changed in place between calls.
            time: Steps or updates so far, 0 to `MAX_RUN`, likewise: at another time, other episodes.
            acceleration: What is done to the steps of the episodes.
        """
        self._agent, self._lanes, self._learner, self._time = agent, lanes, learner, time
        self._act_greedily = acceleration.compile(act_greedily)
        self._performance = torch.zeros_like(lanes.temperature)
        self._measure = acceleration.capture_each(self._run, (self._performance,))

    def __call__(self) -> Float32[Tensor, "lane"]:
        """The performance of each lane."""
        self._measure()
        return self._performance.clone()

    def _run(self) -> None:
        episodes = begin(self._agent, self._lanes, self._time)
        for step in range(MAX_STEPS):
            moment = self._time * MAX_STEPS + step
            self._act_greedily(self._agent, self._learner, self._lanes, episodes, moment)
        self._performance.copy_(performance(self._agent, episodes))
