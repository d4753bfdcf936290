"""Models that can be stepped, and the rollouts that make experience of them."""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.models.model import Behaviour, Model
from deep.networks import Perceptrons
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
        learned: Perceptrons,
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
        learned: Perceptrons,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Any, Any]:
        """The next state, and what `outcomes` has to know of the step beside state and action."""

    def next_features(
        self,
        learned: Perceptrons,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        """The probability that each feature of the next observation is 1, given the random words of the step.

        Given these, features are independent. Where the model predicts observations.
        """
        raise NotImplementedError

    @abstractmethod
    def outcomes(
        self,
        learned: Perceptrons,
        features: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        known: list[Any],
    ) -> tuple[Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        """The rewards of steps, and the probabilities that the episode goes on.

        They do not steer a rollout, and one large product is cheaper than many small ones: so those
        of all its steps are asked for at once.

        Args:
            learned: The model's perceptrons.
            features: Of the states, steps one after the other.
            action: Taken in them.
            known: What each step gave.
        """

    def experience(
        self,
        learned: Perceptrons,
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
        state = self.start(learned, batch.observation, drawn)
        drawn = lane_words(stream, 1 + self.step_words, length, starts)
        features = [self.features(state)]
        actions, known = [], []
        for now in drawn.unbind(2):
            actions.append(behaviour(features[-1], now[0]))
            state, seen = self.step(learned, state, actions[-1], now[1:])
            features.append(self.features(state))
            known.append(seen)
        states, action = torch.cat(features, 1), torch.cat(actions, 1)
        before, after = states[:, :-starts], states[:, starts:]
        reward, continuation = self.outcomes(learned, before, action, known)
        weight = torch.ones_like(reward)
        if self.environment.episodic:
            reached = continuation[:, :-starts].unflatten(1, (-1, starts)).cumprod(1)
            weight[:, starts:] = reached.flatten(1)
        return Transitions(before, action, reward, continuation, after, weight)
