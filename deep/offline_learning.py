"""Learning from fixed data: a dataset in each lane, and nothing that acts (paper, section 2)."""

from collections.abc import Mapping
from typing import NamedTuple, get_args

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from deep.acceleration import NONE, Acceleration
from deep.agent import Agent, Lanes, Learner, Learns, Losses
from deep.argument_checks import require_integer, require_one_of
from deep.evaluation import MAX_RUN, GreedyEvaluation
from deep.models import Parameters
from deep.replay_buffer import ReplayBuffer
from deep.tensor_tree import fill, tensors

TARGET_PERIOD = 100  # updates
SEGMENT = 100  # updates that are captured at once, at most


class OfflineState(NamedTuple):
    """All that changes, as tensors that keep their places.

    Attributes:
        learner: What is learned.
        losses: What is reported.
    """

    learner: Learner
    losses: Losses


def learn_offline(
    agent: Agent, buffer: ReplayBuffer, lanes: Lanes, state: OfflineState, learns: Learns
) -> None:
    """Update what learns, by what the buffer holds; in place."""
    agent.learn(state.learner, buffer, lanes, state.losses, learns)


class OfflineLearner:
    """An agent in many lanes that learns from fixed data.

    The updates are those of the online loop: from the same learner and buffer, to the bit.

    Attributes:
        agent: What learns.
        buffer: What it learns from; never changed.
        lanes: Seeds and settings.
        target_period: Updates between copies to the target network.
        state: All that changes; tensors keep their places.
        updates: Updates of a lane so far, known to the host.
    """

    def __init__(
        self,
        agent: Agent,
        buffer: ReplayBuffer,
        lanes: Lanes,
        target_period: int = TARGET_PERIOD,
        acceleration: Acceleration = NONE,
    ) -> None:
        """Begin with the networks that an online run of these lanes begins with.

        Args:
            agent: What learns.
            buffer: At least one transition for each lane: datasets (`fixed_buffer`), or what an
                online run has stored.
            lanes: Seeds and settings.
            target_period: Updates between copies to the target network.
            acceleration: What is done to the updates and evaluations.

        Raises:
            ValueError: The buffer has other lanes, features of another environment, or holds
                nothing; or the agent replays by priority, which changes with what it learns.
        """
        if agent.prioritized:
            raise ValueError("prioritized replay learns online alone, got a fixed buffer")
        require_integer("target_period", target_period, 1)
        count, _, features = buffer.observation.shape
        if count != len(lanes.seed):
            raise ValueError(f"the buffer must have {len(lanes.seed)} lanes, got {count}")
        if features != agent.model.environment.num_features:
            raise ValueError(
                f"observations in the buffer must have {agent.model.environment.num_features} "
                f"features, got {features}"
            )
        if not bool((buffer.stored > 0).all()):
            raise ValueError("the buffer must hold a transition of each lane, got none")
        self.agent = agent = acceleration.agent(agent)
        actions = agent.model.environment.num_actions
        taken = int(buffer.action.max())
        if taken >= actions:
            raise ValueError(f"actions in the buffer must be 0 to {actions - 1}, got {taken}")
        self.buffer = buffer._replace(priorities=None)  # which are an online run's own
        self.lanes = lanes
        self.target_period = target_period
        losses = Losses(*(torch.zeros_like(lanes.temperature) for _ in Losses._fields))
        self.state = OfflineState(agent.initial(lanes.seed), losses)
        self.updates = 0
        self._acceleration = acceleration
        self._learn = acceleration.compile(learn_offline)
        self._evaluation = GreedyEvaluation(
            agent, lanes, self.state.learner, self.state.learner.updates, acceleration
        )
        self._segment = acceleration.capture_each(self._run_segment, self.state)

    def advance(self, updates: int, learns: Learns = "both") -> None:
        """Make that many updates in every lane, with the target copies due after them.

        Args:
            updates: How many.
            learns: "both" the model and the Q-network; the "model" alone; or "q", the Q-network
                alone, on a model that is frozen.

        Raises:
            ValueError: An argument is not as said, or there is no model that could learn alone.
        """
        require_integer("updates", updates, 0, MAX_RUN - self.updates)
        require_one_of("learns", learns, get_args(Learns))
        if learns == "model" and not self.agent.model.networks:
            raise ValueError(
                f"learns must be both or q for {type(self.agent.model).__name__}, "
                "which has no networks, got 'model'"
            )
        end = self.updates + updates
        while self.updates < end:
            left = self.target_period - self.updates % self.target_period
            usual = min(self.target_period, SEGMENT)
            count = self._acceleration.launched(min(end - self.updates, left, usual), usual)
            self._segment(count, learns)
            self.updates += count
            if self.updates % self.target_period == 0:
                self.state.learner.copy_target()

    def _run_segment(self, count: int, learns: Learns) -> None:
        for _ in range(count):
            self._learn(self.agent, self.buffer, self.lanes, self.state, learns)

    def set_model(self, parameters: Parameters) -> None:
        """Take a model for each lane, in place of the one that it has.

        Args:
            parameters: A tensor for each of the model's networks, as in `Learner.model`.

        Raises:
            ValueError: There are more or fewer tensors, or one is of another shape or type.
        """
        fill(self.state.learner.model, tensors(parameters, "model"), "model")
        self.agent.repack(self.state.learner)

    def evaluate(self) -> Float32[Tensor, "lane"]:
        """Performance of the greedy policy of each lane in the environment; see `deep.evaluation`."""
        return self._evaluation()

    def take_losses(self) -> Losses:
        """What was summed since the last time, which begins anew."""
        taken = Losses(*(loss.clone() for loss in self.state.losses))
        for loss in self.state.losses:
            loss.zero_()
        return taken

    def finite(self) -> Bool[Tensor, "lane"]:
        """Lanes whose parameters are all numbers; the others have diverged."""
        return self.state.learner.finite()

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take the state from tensors named as `tensors(learner.state)` names them.

        Raises:
            ValueError: One is missing, too much, or of another shape or type.
        """
        fill(self.state, values)
        self.agent.repack(self.state.learner)
        self.updates = int(self.state.learner.updates)
