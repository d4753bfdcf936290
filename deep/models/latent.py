"""Latent-space models after Dreamer, without memory (paper, section 4 and appendix D).

An encoder gives a distribution over latents for an observation, the *posterior*; the latent
dynamics give one for a latent and an action, the *prior*. Reward and continuation are predicted from
a sampled latent and an action too, the observation from the latent alone.
"""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.learned_model import Forecast, LearnedModel
from deep.models.likelihood import features_loss, outcome_loss
from deep.models.model import Parameters, TargetNetwork
from deep.networks import Network, Perceptron, Perceptrons
from deep.one_hot import one_hot
from deep.random_streams import Stream, categorical, lane_words, normal
from deep.replay_buffer import Replayed

VARIABLES = 32
CLASSES = 32
DYNAMICS_SHARE = 0.8  # of the KL divergence, that moves the prior and not the posterior
MIN_DEVIATION = 1e-6
ENCODER_DEVIATION = 0.1


class LatentModel(LearnedModel):
    """A model that is stepped in a latent space, whatever it learns that by."""

    @property
    def represent_words(self) -> int:
        return VARIABLES

    @property
    def step_words(self) -> int:
        return VARIABLES

    @property
    @abstractmethod
    def statistics(self) -> int:
        """Numbers that describe a distribution over latents."""

    def posterior(
        self, outputs: Float[Tensor, "lane batch statistic"]
    ) -> Float[Tensor, "lane batch statistic"]:
        """The encoder's distribution, from what its network puts out: as the dynamics', unless a kind differs."""
        return self.prior(outputs)

    @abstractmethod
    def prior(
        self, outputs: Float[Tensor, "lane batch statistic"]
    ) -> Float[Tensor, "lane batch statistic"]:
        """The dynamics' distribution, from what their network puts out."""

    @abstractmethod
    def sample(
        self,
        distribution: Float[Tensor, "lane batch statistic"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float[Tensor, "lane batch latent"]:
        """A draw that passes gradients on to the distribution."""

    @abstractmethod
    def divergence(
        self,
        posterior: Float[Tensor, "lane batch statistic"],
        prior: Float[Tensor, "lane batch statistic"],
    ) -> Float[Tensor, "lane batch"]:
        """KL(posterior || prior)."""

    @property
    def networks(self) -> tuple[Network, ...]:
        """Those that step it; perceptrons are in their order, and any others come after."""
        return self.stepping_networks

    @property
    def stepping_networks(self) -> tuple[Network, Network, Network]:
        """Encoder; dynamics; reward and continuation."""
        both = self.num_features + self.environment.num_actions
        return (
            self._network(self.environment.num_features, self.statistics),
            self._network(both, self.statistics),
            self._network(both, 1, 1),
        )

    def outcome_perceptrons(self, learned: Perceptrons) -> Perceptrons:
        return learned[2:4]

    def encode(
        self, encoder: Perceptron, observation: UInt8[Tensor, "lane batch feature"]
    ) -> Float[Tensor, "lane batch statistic"]:
        """The posterior given observations."""
        return self.posterior(encoder(observation.float()))

    def predict(
        self,
        learned: Perceptrons,
        latent: Float[Tensor, "lane batch latent"],
        action: Int64[Tensor, "lane batch"],
    ) -> Float[Tensor, "lane batch statistic"]:
        """The prior of the next latent."""
        return self.prior(learned[1](self.read(latent, action)))

    def represent(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch latent"]:
        """A latent drawn from the posterior, also where the agent then acts greedily."""
        (encoder,) = self.networks[0].perceptrons(parameters[0])
        return self.sample(self.encode(encoder, observation), drawn)

    def start(
        self,
        learned: Perceptrons,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch latent"]:
        return self.sample(self.encode(learned[0], observation), drawn)

    def step(
        self,
        learned: Perceptrons,
        state: Float32[Tensor, "lane batch latent"],
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Float32[Tensor, "lane batch latent"], None]:
        return self.sample(self.predict(learned, state, action), drawn), None


@dataclass(frozen=True)
class CategoricalLatents(LatentModel):
    """32 variables of 32 classes, with straight-through gradients (Hafner et al., 2020).

    A distribution is described by logits, `[lane, batch, 32 * 32]`; a latent is one-hot in each variable.
    """

    @property
    def num_features(self) -> int:
        return VARIABLES * CLASSES

    @property
    def statistics(self) -> int:
        return VARIABLES * CLASSES

    def prior(
        self, outputs: Float[Tensor, "lane batch statistic"]
    ) -> Float[Tensor, "lane batch statistic"]:
        return outputs

    def sample(
        self,
        distribution: Float[Tensor, "lane batch statistic"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float[Tensor, "lane batch latent"]:
        """One-hot draws; their gradient is passed to the probabilities as it is."""
        logits = distribution.unflatten(2, (VARIABLES, CLASSES))
        chosen = categorical(logits.detach(), drawn.movedim(0, 2))
        chance = logits.softmax(3)
        return torch.flatten(one_hot(chosen, CLASSES) + (chance - chance.detach()), 2)

    def divergence(
        self,
        posterior: Float[Tensor, "lane batch statistic"],
        prior: Float[Tensor, "lane batch statistic"],
    ) -> Float[Tensor, "lane batch"]:
        p, q = (x.unflatten(2, (VARIABLES, CLASSES)).log_softmax(3) for x in (posterior, prior))
        return torch.sum(p.exp() * (p - q), (2, 3))


@dataclass(frozen=True)
class GaussianLatents(LatentModel):
    """32 dimensions; a distribution is described by 32 means, then 32 standard deviations."""

    @property
    def num_features(self) -> int:
        return VARIABLES

    @property
    def statistics(self) -> int:
        return 2 * VARIABLES

    def posterior(
        self, outputs: Float[Tensor, "lane batch statistic"]
    ) -> Float[Tensor, "lane batch statistic"]:
        """The encoder alone adds 0.1 to the deviation, as in the authors' code."""
        mean, deviation = self.prior(outputs).chunk(2, 2)
        return torch.cat((mean, deviation + ENCODER_DEVIATION), 2)

    def prior(
        self, outputs: Float[Tensor, "lane batch statistic"]
    ) -> Float[Tensor, "lane batch statistic"]:
        mean, raw = outputs.chunk(2, 2)
        return torch.cat((mean, (2 * torch.sigmoid(raw / 2)).clamp(min=MIN_DEVIATION)), 2)

    def sample(
        self,
        distribution: Float[Tensor, "lane batch statistic"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float[Tensor, "lane batch latent"]:
        mean, deviation = distribution.chunk(2, 2)
        return mean + deviation * normal(drawn).movedim(0, 2)

    def divergence(
        self,
        posterior: Float[Tensor, "lane batch statistic"],
        prior: Float[Tensor, "lane batch statistic"],
    ) -> Float[Tensor, "lane batch"]:
        (mean_p, deviation_p), (mean_q, deviation_q) = posterior.chunk(2, 2), prior.chunk(2, 2)
        ratio = deviation_p / deviation_q
        shift = (mean_p - mean_q) / deviation_q
        return (0.5 * (ratio.square() + shift.square() - 1) - ratio.log()).sum(2)


class DecodingModel(LatentModel):
    """A latent model that learns by reconstruction.

    Terminal transitions are masked out of the decoder's loss alone, as in the authors' code.
    """

    @property
    def networks(self) -> tuple[Network, ...]:
        """Encoder; dynamics; reward and continuation; decoder. Perceptrons are in this order."""
        # Not of super(), whose properties compiled code does not see.
        decoder = self._network(self.num_features, self.environment.num_features)
        return (*self.stepping_networks, decoder)

    def decode(
        self,
        parameters: Parameters,
        latent: Float[Tensor, "lane batch latent"],
    ) -> Float[Tensor, "lane batch feature"]:
        """The probability that each feature of the observation behind a latent is 1."""
        (decoder,) = self.networks[3].perceptrons(parameters[3])
        return decoder(latent).sigmoid()

    def next_features(
        self,
        learned: Perceptrons,
        state: Float32[Tensor, "lane batch latent"],
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        """What the decoder makes of the next latent, which the random words decide."""
        following, _ = self.step(learned, state, action, drawn)
        return learned[4](following).sigmoid()

    def forecast(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        stream: Stream,
        draws: int,
    ) -> Forecast:
        """Averages over latents drawn from the posterior and, given these, from the prior."""
        require_integer("draws", draws, 1)
        learned, actions = self.perceptrons(parameters), action.repeat(1, draws)
        drawn = lane_words(stream, self.represent_words + self.step_words, actions.shape[1])
        posterior = self.encode(learned[0], observation).repeat(1, draws, 1)
        latent = self.sample(posterior, drawn[: self.represent_words])
        reward, continuation = (
            each.unflatten(1, (draws, -1)).mean(1)
            for each in self.outcomes(learned, latent, actions, [])
        )
        features = self.next_features(learned, latent, actions, drawn[self.represent_words :])
        return Forecast(reward, continuation, features.unflatten(1, (draws, -1)).movedim(1, 0))

    def loss(
        self,
        learned: Perceptrons,
        batch: Replayed,
        stream: Stream,
        target: TargetNetwork,
    ) -> Float[Tensor, "lane"]:
        """Reconstruction of the current observation, reward, continuation, and the balanced KL."""
        size = batch.action.shape[1]
        drawn = lane_words(stream, VARIABLES, size)
        both = torch.cat((batch.observation, batch.next_observation), 1)
        current, following = self.encode(learned[0], both).split(size, 1)
        latent = self.sample(current, drawn)
        prior = self.predict(learned, latent, batch.action)
        outcome = self.predict_outcomes(learned, latent, batch.action)
        logits = learned[4](latent)
        divergence = DYNAMICS_SHARE * self.divergence(following.detach(), prior) + (
            1 - DYNAMICS_SHARE
        ) * self.divergence(following, prior.detach())
        seen = features_loss(logits, batch.observation, batch.terminal)
        return (seen + outcome_loss(*outcome, batch) + divergence).mean(1)


@dataclass(frozen=True)
class CategoricalModel(DecodingModel, CategoricalLatents):
    """With 32 variables of 32 classes."""


@dataclass(frozen=True)
class GaussianModel(DecodingModel, GaussianLatents):
    """With 32 dimensions."""
