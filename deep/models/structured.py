"""The structured model: the simple model, whose features each see a learned few others (the paper's future work)."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from deep.gated_network import GatedNetwork, GatedPerceptron
from deep.models.model import Parameters, TargetNetwork
from deep.models.simple import SimpleModel
from deep.networks import Network, Perceptrons
from deep.random_streams import Stream, words
from deep.replay_buffer import Replayed


@dataclass(frozen=True)
class StructuredModel(SimpleModel):
    """A small network of its own for each feature of the next observation, which reads the state through gates.

    All read the whole action. Reward and continuation are predicted as in the simple model. The loss is that of
    the simple model, with noise in the gates where `gate_noise` says so (the same for the whole batch), and a price for
    each gate that is open.

    Attributes:
        gate_price: Of an open gate, in the unit of the loss, nats a transition.
        gate_noise: Whether gates are noisy in learning. Without, they learn as they are in rollouts, and one that has
            shut stays so.
    """

    has_kernels: ClassVar[bool] = False

    gate_price: float = 3e-3
    gate_noise: bool = True

    @property
    def network(self) -> Network:
        """That of reward and continuation."""
        return self._network(self.environment.num_features + self.environment.num_actions, 1, 1)

    @property
    def gated_network(self) -> GatedNetwork:
        """That of the next observation."""
        features, actions = self.environment.num_features, self.environment.num_actions
        return GatedNetwork(features, actions, precision=self.precision)

    @property
    def networks(self) -> tuple[Network, GatedNetwork]:
        """Perceptrons are in the order of the simple model's."""
        return self.network, self.gated_network

    def loss(
        self, learned: Perceptrons, batch: Replayed, stream: Stream, target: TargetNetwork
    ) -> Float[Tensor, "lane"]:
        """The negative log-likelihood, and the price of the gates that are open."""
        *outcome, gated = learned
        assert isinstance(gated, GatedPerceptron)
        seen = gated
        if self.gate_noise:
            seen = gated.with_noise(words(stream, self.environment.num_features**2))
        likelihood = super().loss((*outcome, seen), batch, stream, target)
        return likelihood + self.gate_price * gated.expected_open()

    def open_gates(self, parameters: Parameters) -> Bool[Tensor, "lane feature feature"]:
        """Whether the prediction of the second feature reads the first."""
        (gated,) = self.gated_network.perceptrons(parameters[1])
        return gated.open
