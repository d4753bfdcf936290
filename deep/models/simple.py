"""The simple model (paper, sections 2 and 4): independent features, predicted in observation space."""

from dataclasses import dataclass

from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.learned_model import Forecast, LearnedModel
from deep.models.likelihood import features_loss, outcome_loss
from deep.models.model import Parameters, TargetNetwork
from deep.networks import AnyNetwork, Network, Perceptrons
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
        features = self.environment.num_features
        return self._network(features + self.environment.num_actions, 1, 1, features)

    @property
    def networks(self) -> tuple[AnyNetwork, ...]:
        return (self.network,)

    @property
    def step_words(self) -> int:
        return self.environment.num_features

    def start(
        self,
        learned: Perceptrons,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        return observation.float()

    def outcome_perceptrons(self, learned: Perceptrons) -> Perceptrons:
        return learned[:2]

    def next_logits(
        self,
        learned: Perceptrons,
        observation: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
    ) -> Float[Tensor, "lane batch feature"]:
        """Logits of the features of the next observation."""
        return learned[2](self.read(observation, action))

    def loss(
        self,
        learned: Perceptrons,
        batch: Replayed,
        stream: Stream,
        target: TargetNetwork,
    ) -> Float[Tensor, "lane"]:
        """The negative log-likelihood; that of the next observation where the episode went on."""
        observation = batch.observation.float()
        outcome = self.predict_outcomes(learned, observation, batch.action)
        logits = self.next_logits(learned, observation, batch.action)
        following = features_loss(logits, batch.next_observation, batch.terminal)
        return (outcome_loss(*outcome, batch) + following).mean(1)

    def step(
        self,
        learned: Perceptrons,
        state: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Float32[Tensor, "lane batch feature"], None]:
        """Draw the next observation's features."""
        chance = self._chance(self.next_logits(learned, state, action))
        return (uniform(drawn).movedim(0, 2) < chance).float(), None

    def next_features(
        self,
        learned: Perceptrons,
        state: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        """The Bernoullis that `step` draws from; the random words decide nothing."""
        return self._chance(self.next_logits(learned, state, action))

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
        learned, state = self.perceptrons(parameters), observation.float()
        chance = self._chance(self.next_logits(learned, state, action))
        return Forecast(*self.outcomes(learned, state, action, []), chance.unsqueeze(0))

    def _chance(
        self, logits: Float[Tensor, "lane batch feature"]
    ) -> Float[Tensor, "lane batch feature"]:
        """The probability with which each feature is imagined to be 1."""
        return logits.clamp(0, 1) if self.clipped_logit_sampling else logits.sigmoid()
