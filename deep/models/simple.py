"""The simple model (paper, sections 2 and 4): independent features, predicted in observation space."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.learned_model import Forecast, LearnedModel
from deep.models.likelihood import features_loss, outcome_loss
from deep.models.model import Parameters
from deep.networks import Network
from deep.one_hot import one_hot
from deep.random_streams import Stream, uniform
from deep.replay_buffer import Replayed


@dataclass(frozen=True)
class SimpleModel(LearnedModel):
    """Three networks on [observation, one-hot action]: reward, continuation, next observation.

    It cannot express that features of the next observation depend on each other.

    Attributes:
        clipped_logit_sampling: Imagine a feature with probability clip(logit, 0, 1) in place of
            sigmoid(logit): a quirk of the authors' code, and a departure from the paper.
    """

    clipped_logit_sampling: bool = False

    @property
    def network(self) -> Network:
        """The three, held together."""
        environment = self.environment
        inputs = environment.num_features + environment.num_actions
        return Network(inputs, (1, 1, environment.num_features), precision=self.precision)

    @property
    def networks(self) -> tuple[Network, ...]:
        return (self.network,)

    @property
    def step_words(self) -> int:
        return self.environment.num_features

    def start(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        return observation.float()

    def features(
        self, state: Float32[Tensor, "lane batch feature"]
    ) -> Float32[Tensor, "lane batch feature"]:
        return state

    def predict(
        self,
        parameters: Parameters,
        observation: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
    ) -> list[Float[Tensor, "lane batch _"]]:
        """Mean reward, continuation logit, and the logits of the next observation's features."""
        chosen = one_hot(action, self.environment.num_actions)
        return self.network(parameters[0], torch.cat((observation, chosen), 2))

    def loss(
        self,
        parameters: Parameters,
        batch: Replayed,
        stream: Stream,
    ) -> Float[Tensor, "lane"]:
        """The negative log-likelihood; that of the next observation where the episode went on."""
        reward, continuation, logits = self.predict(
            parameters, batch.observation.float(), batch.action
        )
        following = features_loss(logits, batch.next_observation, batch.terminal)
        return (outcome_loss(reward, continuation, batch) + following).mean(1)

    def step(
        self,
        parameters: Parameters,
        state: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[
        Float32[Tensor, "lane batch feature"],
        Float32[Tensor, "lane batch"],
        Float32[Tensor, "lane batch"],
    ]:
        """Draw the next observation's features; reward and continuation are their expectations."""
        reward, continuation, logits = self.predict(parameters, state, action)
        following = (uniform(drawn).movedim(0, 2) < self._chance(logits)).float()
        return following, reward.squeeze(2), continuation.squeeze(2).sigmoid()

    def forecast(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        stream: Stream,
        draws: int,
    ) -> Forecast:
        """The Bernoullis that `step` draws from; there is one draw, since nothing is sampled before."""
        require_integer("draws", draws, 1)
        reward, continuation, logits = self.predict(parameters, observation.float(), action)
        chance = self._chance(logits).unsqueeze(0)
        return Forecast(reward.squeeze(2), continuation.squeeze(2).sigmoid(), chance)

    def _chance(
        self, logits: Float[Tensor, "lane batch feature"]
    ) -> Float[Tensor, "lane batch feature"]:
        """The probability with which each feature is imagined to be 1."""
        return logits.clamp(0, 1) if self.clipped_logit_sampling else logits.sigmoid()
