"""The online loop: act, step, store, update; many lanes at once, and nothing waits for the host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from deep.acceleration import NONE, Acceleration
from deep.adam import forget
from deep.agent import Agent, Lanes, Learner, Learns, Losses
from deep.argument_checks import require_integer
from deep.environments import Noise, at
from deep.evaluation import MAX_RUN, GreedyEvaluation
from deep.replay_buffer import ReplayBuffer, empty_buffer
from deep.tensor_tree import fill

NOISE_STEPS = 100  # environment steps whose chance is drawn at once


@dataclass(frozen=True)
class Protocol:
    """What happens when, counted in environment steps.

    Attributes:
        steps: Of a run.
        updates_per_step: Once learning has started.
        target_period: Steps between copies to the target network.
        learning_starts: Steps before the first update.
        buffer_capacity: Transitions a lane.
        stale_reset_observation: After a terminal step act once more on what was seen before the
            reset, and store that transition: a quirk of the authors' code.
        model_steps: Steps after which the model is frozen and the Q-network begins from scratch, with
            an empty buffer and once more `learning_starts` steps before its first update (paper,
            figure 4, right); None if the model learns to the end.
    """

    steps: int
    updates_per_step: int
    target_period: int
    learning_starts: int = 1_000
    buffer_capacity: int = 100_000
    stale_reset_observation: bool = False
    model_steps: int | None = None

    def __post_init__(self) -> None:
        require_integer("steps", self.steps, 1, MAX_RUN)
        for name in ("updates_per_step", "target_period", "learning_starts", "buffer_capacity"):
            require_integer(name, getattr(self, name), 1)
        if self.model_steps is not None:
            require_integer("model_steps", self.model_steps, 1)


HIGH_DATA = Protocol(1_000_000, 1, 100)
LOW_DATA = Protocol(100_000, 10, 10)


Evaluation = Callable[[], Float32[Tensor, "lane"]]
"""Measures the performance of each lane's greedy policy, as it is whenever this is called."""


class Tally(NamedTuple):
    """Sums over each lane's steps and updates since they were last taken."""

    reward: Float32[Tensor, "lane"]
    episodes: Float32[Tensor, "lane"]
    q_loss: Float32[Tensor, "lane"]
    model_loss: Float32[Tensor, "lane"]


class OnlineState(NamedTuple):
    """All that a run is at a moment, as tensors that keep their places.

    Attributes:
        environment: The state of each lane's environment.
        observation: What the agent acts on next.
        learner: What it has learned.
        buffer: What it remembers.
        tally: What is reported.
        steps: Environment steps so far.
    """

    environment: Any
    observation: UInt8[Tensor, "lane feature"]
    learner: Learner
    buffer: ReplayBuffer
    tally: Tally
    steps: Int64[Tensor, ""]


def interact(
    agent: Agent, protocol: Protocol, lanes: Lanes, state: OnlineState, noise: Noise[Any]
) -> None:
    """Act once in every lane, and store what happened; in place."""
    environment = agent.model.environment
    action = agent.act(state.learner, lanes, state.observation, state.steps)
    taken = environment.step(state.environment, action, noise)
    seen = environment.observe(taken.successor)
    before = state.observation
    if protocol.stale_reset_observation and agent.model.stores_states:
        before = environment.observe(state.environment)
    shown = seen
    if environment.episodic and not protocol.stale_reset_observation:
        shown = environment.observe(taken.next_state)
    remember(state, before, action, taken.reward, taken.terminal, seen)
    state.observation.copy_(shown)
    for field, value in zip(state.environment, taken.next_state, strict=True):
        field.copy_(value)


def remember(
    state: OnlineState,
    before: UInt8[Tensor, "lane feature"],
    action: Int64[Tensor, "lane"],
    reward: Float32[Tensor, "lane"],
    terminal: Bool[Tensor, "lane"],
    seen: UInt8[Tensor, "lane feature"],
) -> None:
    """Store what happened in a step, and count it; in place."""
    state.buffer.store(before, action, reward, terminal, seen)
    state.tally.reward.add_(reward)
    state.tally.episodes.add_(terminal)
    state.steps.add_(1)


def learn(agent: Agent, lanes: Lanes, state: OnlineState, learns: Learns = "both") -> None:
    """Update the model, unless it is frozen, and by what it imagines the Q-network; in place."""
    losses = Losses(state.tally.q_loss, state.tally.model_loss)
    agent.learn(state.learner, state.buffer, lanes, losses, learns)


def initial_state(
    agent: Agent,
    protocol: Protocol,
    lanes: Lanes,
    environment: Any,
    observation: UInt8[Tensor, "lane feature"],
) -> OnlineState:
    """Before the first step, of which is given where the environments are and what is seen."""
    capacity = min(protocol.buffer_capacity, protocol.steps)
    device = lanes.seed.device
    return OnlineState(
        environment=environment,
        observation=observation,
        learner=agent.initial(lanes.seed),
        buffer=empty_buffer(
            *(len(lanes.seed), capacity, agent.model.environment.num_features, device),
            prioritized=agent.prioritized,
        ),
        tally=Tally(*(torch.zeros_like(lanes.temperature) for _ in Tally._fields)),
        steps=torch.zeros((), dtype=torch.int64, device=device),
    )


class OnlineLoop:
    """A run of many lanes: its state, and what moves it on.

    Between calls of `evaluate` and `take_tally` nothing waits for the device.

    Attributes:
        agent: What acts and learns.
        protocol: What happens when.
        lanes: Seeds and settings.
        state: All that changes; tensors keep their places.
        steps: Environment steps so far, known to the host.
        restarted: Lanes whose episode could not be found again at `load`, and began anew: none where
            the state holds all of it.
    """

    restarted: list[int]

    def __init__(
        self,
        agent: Agent,
        protocol: Protocol,
        lanes: Lanes,
        acceleration: Acceleration = NONE,
    ) -> None:
        self.agent = agent = acceleration.agent(agent)
        self.protocol = protocol
        self.lanes = lanes
        self.restarted = []
        self.state = self._initial_state()
        self.steps = 0
        self._acceleration = acceleration
        # Fresh states are drawn for many steps at once: rarely, and a maze takes minutes to compile.
        self._interact = acceleration.compile(interact)
        self._learn = acceleration.compile(learn)
        self._evaluation: Evaluation = self._evaluation_of_learner()
        self._segment = acceleration.capture_each(self._run_segment, self.state)

    def _initial_state(self) -> OnlineState:
        environment = self.agent.model.environment
        seed = self.lanes.seed
        start = environment.initial(seed, torch.zeros((), dtype=torch.int64, device=seed.device))
        own = type(start)(*(field.clone() for field in start))
        return initial_state(self.agent, self.protocol, self.lanes, own, environment.observe(start))

    def _evaluation_of_learner(self) -> Evaluation:
        return GreedyEvaluation(
            self.agent, self.lanes, self.state.learner, self.state.steps, self._acceleration
        )

    def advance(self, steps: int) -> None:
        """Make that many steps in every lane, with the updates and target copies due in them.

        Raises:
            ValueError: Fewer than 0, or more than the protocol has left.
        """
        require_integer("steps", steps, 0, self.protocol.steps - self.steps)
        end = self.steps + steps
        while self.steps < end:
            if self.steps == self.protocol.model_steps:
                self._begin_from_scratch()
            count, learns = self._segment_from(self.steps, end)
            self._segment(count, learns)
            self.steps += count
            if self.steps % self.protocol.target_period == 0:
                self.state.learner.copy_target()

    def _segment_from(self, start: int, end: int) -> tuple[int, Learns | None]:
        """How many steps are alike from here on, and what the updates after each change; None if there are none."""
        period, frozen = self.protocol.target_period, self.protocol.model_steps
        count = min(end - start, period - start % period, NOISE_STEPS)
        learns: Learns = "both"
        first = self.protocol.learning_starts
        if frozen is not None and start < frozen:
            count = min(count, frozen - start)
        elif frozen is not None:
            learns = "q"
            first += frozen
        learning: Learns | None = learns
        if start < first:
            count, learning = min(count, first - start), None
        return self._acceleration.launched(count, min(period, NOISE_STEPS)), learning

    def _run_segment(self, count: int, learns: Learns | None) -> None:
        state = self.state
        times = state.steps + torch.arange(count, device=state.steps.device).unsqueeze(1)
        noise = self.agent.model.environment.noise(self.lanes.seed, times)
        for time in range(count):
            self._interact(self.agent, self.protocol, self.lanes, state, at(noise, time))
            if learns is not None:
                for _ in range(self.protocol.updates_per_step):
                    self._learn(self.agent, self.lanes, state, learns)

    def _begin_from_scratch(self) -> None:
        """Keep the model and where the environment is; the Q-network, and what it learns from, are new."""
        learner = self.state.learner
        learner.q.copy_(self.agent.initial(self.lanes.seed).q)
        learner.target.copy_(learner.q)
        forget(learner.q_moments)
        self.agent.repack(learner)
        self.state.buffer.clear()

    def evaluate(self) -> Float32[Tensor, "lane"]:
        """Performance of the greedy policy of each lane; see `deep.evaluation`."""
        return self._evaluation()

    def take_tally(self) -> Tally:
        """What was summed since the last time, which begins anew."""
        taken = Tally(*(field.clone() for field in self.state.tally))
        for field in self.state.tally:
            field.zero_()
        return taken

    def finite(self) -> Bool[Tensor, "lane"]:
        """Lanes whose parameters are all numbers; the others have diverged."""
        return self.state.learner.finite()

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take the state from tensors named as `tensors(loop.state)` names them.

        Raises:
            ValueError: One is missing, too much, or of another shape or type.
        """
        fill(self.state, values)
        self.agent.repack(self.state.learner)
        self.steps = int(self.state.steps)
