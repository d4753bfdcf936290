"""Models whose networks learn from the transitions that the agent met."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer, require_share
from deep.models.model import TRANSITIONS, Behaviour, Parameters, TargetNetwork
from deep.models.rollout_model import RolloutModel
from deep.networks import AnyNetwork, Perceptrons
from deep.one_hot import one_hot
from deep.q_learning import Transitions
from deep.random_streams import Purpose, Stream, lane_words
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
        real_share: Of the 320 transitions of a Q update, those that are replayed and not imagined;
            rounded to a whole number of transitions. 0 is the paper's agent, 1 is replay (but for the
            latents that a latent model draws). After Voelcker et al. (2024), who mix few
            imagined transitions into many real ones.
    """

    model_batch_size: int = 32
    real_share: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("model_batch_size", self.model_batch_size, 1, TRANSITIONS)
        require_share("real_share", self.real_share)

    @property
    def real(self) -> int:
        """Replayed transitions among the 320 of a Q update."""
        return round(self.real_share * TRANSITIONS)

    @property
    def batch_size(self) -> int:
        """Replayed transitions that `experience` takes: starts and real ones, both from the first on."""
        return max(self.starts, self.real)

    @property
    @abstractmethod
    def networks(self) -> tuple[AnyNetwork, ...]:
        """What is learned."""

    @abstractmethod
    def outcome_perceptrons(self, learned: Perceptrons) -> Perceptrons:
        """Those of the reward's mean and of the continuation's logit, which read state and action."""

    @abstractmethod
    def loss(
        self, learned: Perceptrons, batch: Replayed, stream: Stream, target: TargetNetwork
    ) -> Float[Tensor, "lane"]:
        """What learning minimizes, mean over the batch.

        Args:
            learned: The model's perceptrons.
            batch: Replayed transitions; where `lesson_steps` are several, trajectories, time first.
            stream: Of the random words that it draws.
            target: For models that learn of values.
        """

    @property
    def lesson_steps(self) -> int:
        """Steps of the trajectories that the loss is of."""
        return 1

    def forecast(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        stream: Stream,
        draws: int,
    ) -> Forecast:
        """What the model expects of a step, where it predicts observations.

        Args:
            parameters: Of the networks.
            observation: Where the step begins.
            action: What is done there.
            stream: Of the random words that it draws; its purpose is `Purpose.FORECAST`.
            draws: How many latents an average is taken over; a model without latents needs none.

        Raises:
            ValueError: `draws` is less than 1.
        """
        raise NotImplementedError

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

    def experience(
        self,
        learned: Perceptrons,
        batch: Replayed,
        behaviour: Behaviour,
        stream: Stream,
    ) -> Transitions:
        """Rollouts, with real transitions in the place of some.

        The places are spread evenly over all 320, so that no moment of the rollouts and none of their
        starts, which are alike in law, gives up more than its part.
        """
        if not self.real:
            return super().experience(learned, batch, behaviour, stream)
        real = self._recall(learned, batch.first(self.real), stream)
        if self.real == TRANSITIONS:
            return real
        imagined = super().experience(learned, batch.first(self.starts), behaviour, stream)
        places = torch.arange(self.real, device=real.action.device) * TRANSITIONS // self.real
        fields = zip(imagined, real, strict=True)
        return Transitions(*(made.index_copy(1, places, met) for made, met in fields))

    def _recall(self, learned: Perceptrons, batch: Replayed, stream: Stream) -> Transitions:
        """What was met, as the Q-network reads it."""
        count = batch.action.shape[1]
        seen = torch.cat((batch.observation, batch.next_observation), 1)
        drawn = lane_words(
            stream._replace(purpose=Purpose.RECALL), self.represent_words, seen.shape[1]
        )
        before, after = self.features(self.start(learned, seen, drawn)).split(count, 1)
        return Transitions(
            features=before,
            action=batch.action,
            reward=batch.reward,
            continuation=1 - batch.terminal.float(),
            next_features=after,
            weight=torch.ones_like(batch.reward),
        )

    def outcomes(
        self,
        learned: Perceptrons,
        features: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        known: list[Any],
    ) -> tuple[Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        reward, continuation = self.predict_outcomes(learned, features, action)
        return reward, continuation.sigmoid()
