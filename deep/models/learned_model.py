"""Models whose networks learn from the transitions that the agent met."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.model import TRANSITIONS, Parameters
from deep.models.rollout_model import RolloutModel
from deep.networks import Network, Perceptrons
from deep.one_hot import one_hot
from deep.random_streams import Stream
from deep.replay_buffer import Replayed


class Forecast(NamedTuple):
    """What a model says of a step from observations by actions.

    Attributes:
        reward: Its mean.
        continuation: The probability that the episode goes on.
        features: The probability that each feature of the next observation is 1, for each draw of
            what the model samples on the way; given the draw, features are independent.
    """

    reward: Float32[Tensor, "lane batch"]
    continuation: Float32[Tensor, "lane batch"]
    features: Float32[Tensor, "draw lane batch feature"]

    def probability_of_all(self, chosen: Sequence[int]) -> Float32[Tensor, "lane batch"]:
        """The probability that all these features are 1 together: the mean over the draws of the product."""
        return self.features[..., list(chosen)].prod(-1).mean(0)


@dataclass(frozen=True)
class LearnedModel(RolloutModel):
    """A model that learns its steps.

    Attributes:
        model_batch_size: Replayed transitions that train the networks in an update, 1 to 320. The
            paper's agents learn from the 32 transitions that start their rollouts. With rollouts of
            one step there are 320 starts: 32 keeps what the model learns from as it is, 320 is the
            paper's text.
    """

    model_batch_size: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("model_batch_size", self.model_batch_size, 1, TRANSITIONS)

    @property
    @abstractmethod
    def networks(self) -> tuple[Network, ...]:
        """What is learned."""

    @abstractmethod
    def outcome_perceptrons(self, learned: Perceptrons) -> Perceptrons:
        """Those of the reward's mean and of the continuation's logit, which read state and action."""

    @abstractmethod
    def loss(self, learned: Perceptrons, batch: Replayed, stream: Stream) -> Float[Tensor, "lane"]:
        """What learning minimizes, mean over the batch.

        Args:
            learned: The model's perceptrons.
            batch: Replayed transitions.
            stream: Of the random words that it draws.
        """

    @abstractmethod
    def forecast(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        stream: Stream,
        draws: int,
    ) -> Forecast:
        """What the model expects of a step.

        Args:
            parameters: Of the networks.
            observation: Where the step begins.
            action: What is done there.
            stream: Of the random words that it draws; its purpose is `Purpose.FORECAST`.
            draws: How many latents an average is taken over; a model without latents needs none.

        Raises:
            ValueError: `draws` is less than 1.
        """

    def features(
        self, state: Float32[Tensor, "lane batch feature"]
    ) -> Float32[Tensor, "lane batch feature"]:
        return state

    def read(
        self,
        state: Float[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
    ) -> Float[Tensor, "lane batch feature_and_action"]:
        """What networks read that predict from a state and an action: [state, one-hot action]."""
        return torch.cat((state, one_hot(action, self.environment.num_actions)), 2)

    def predict_outcomes(
        self,
        learned: Perceptrons,
        state: Float[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
    ) -> tuple[Float[Tensor, "lane batch"], Float[Tensor, "lane batch"]]:
        """The mean reward, and the logit of the episode going on."""
        read = self.read(state, action)
        reward, continuation = (
            perceptron(read).squeeze(2) for perceptron in self.outcome_perceptrons(learned)
        )
        return reward, continuation

    def outcomes(
        self,
        learned: Perceptrons,
        features: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        known: list[Any],
    ) -> tuple[Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        reward, continuation = self.predict_outcomes(learned, features, action)
        return reward, continuation.sigmoid()
