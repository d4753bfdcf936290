"""Models that can be stepped, and the rollouts that make experience of them."""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.models.model import Behaviour, Model, Parameters
from deep.q_learning import Transitions
from deep.random_streams import Purpose, Stream, lane_words
from deep.replay_buffer import Replayed


class RolloutModel(Model):
    """A model that can be stepped. Its states are tensors, or named tuples of them, `[lane, batch, ...]`."""

    @property
    @abstractmethod
    def step_words(self) -> int:
        """Random words that a step takes."""

    @abstractmethod
    def start(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Any:
        """The state in which a rollout from an observation starts, by `represent_words` words."""

    @abstractmethod
    def features(self, state: Any) -> Float32[Tensor, "lane batch feature"]:
        """What the Q-network reads of a state."""

    @abstractmethod
    def step(
        self,
        parameters: Parameters,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Any, Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        """The next state, the reward, and the probability that the episode goes on."""

    def experience(
        self,
        parameters: Parameters,
        batch: Replayed,
        behaviour: Behaviour,
        stream: Stream,
    ) -> Transitions:
        """Rollouts from the observations of the batch, time before start.

        In an episodic environment a transition weighs as much as its state is likely to be
        reached: the product of the continuation probabilities before it. In a continuing one it
        weighs 1.
        """
        starts, length = batch.action.shape[1], self.rollout_length
        first = stream._replace(purpose=Purpose.ROLLOUT_START)
        drawn = lane_words(first, self.represent_words, starts)
        state = self.start(parameters, batch.observation, drawn)
        drawn = lane_words(stream, 1 + self.step_words, length, starts)
        features = [self.features(state)]
        weight = torch.ones_like(batch.reward)
        actions, rewards, continuations, weights = [], [], [], []
        for now in drawn.unbind(2):
            action = behaviour(features[-1], now[0])
            state, reward, continuation = self.step(parameters, state, action, now[1:])
            features.append(self.features(state))
            actions.append(action)
            rewards.append(reward)
            continuations.append(continuation)
            weights.append(weight)
            if self.environment.episodic:
                weight = weight * continuation
        seen = torch.cat(features, 1)
        return Transitions(
            features=seen[:, :-starts],
            action=torch.cat(actions, 1),
            reward=torch.cat(rewards, 1),
            continuation=torch.cat(continuations, 1),
            next_features=seen[:, starts:],
            weight=torch.cat(weights, 1),
        )
