"""What a model is: a source of experience for Q-learning, from what was stored.

Replay is one (it hands back what was stored), the true environment is one, and learned networks
are. Adding a model is one file; a line in the registry makes an agent of it by name, and rules in
`deep.matrix_products` say what its updates multiply.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.environments import Environment
from deep.layers import Precision
from deep.networks import AnyNetwork, Network, Packs, Perceptron, Perceptrons
from deep.q_learning import Transitions
from deep.random_streams import Stream
from deep.replay_buffer import Replayed

TRANSITIONS = 320  # that a Q update consumes, whatever the agent

# Of a model: one tensor for each of its networks, `[lane, parameter]`.
Parameters = tuple[Float[Tensor, "lane _"], ...]

Behaviour = Callable[
    [Float32[Tensor, "lane batch feature"], Int32[Tensor, "lane batch"]],
    Int64[Tensor, "lane batch"],
]

TargetNetwork = Callable[[], Perceptron]
"""Gives the target network of the Q-learner, which is made only where it is asked for."""


@dataclass(frozen=True)
class Model(ABC):
    """A source of experience. Everything learned is in `parameters`, a tensor for each network.

    Attributes:
        environment: What it is a model of.
        precision: Of the products of its networks.
        rollout_length: Steps of a rollout; a divisor of 320.
        kernels: Whether the kernels compute its networks, see `deep.kernels`.
    """

    stores_states: ClassVar[bool] = False  # rather than what the agent saw of them
    has_kernels: ClassVar[bool] = True  # for all its networks

    environment: Environment[Any]
    precision: Precision = "highest"
    rollout_length: int = 10
    kernels: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        require_integer("rollout_length", self.rollout_length, 1, TRANSITIONS)
        if TRANSITIONS % self.rollout_length:
            raise ValueError(
                f"rollout_length must divide {TRANSITIONS}, the transitions of a Q update, "
                f"got {self.rollout_length}"
            )

    @property
    def starts(self) -> int:
        """Rollouts of an update; of replay, which makes none, the transitions."""
        return TRANSITIONS // self.rollout_length

    @property
    def batch_size(self) -> int:
        """Replayed transitions that `experience` takes: the starts of the rollouts, at least."""
        return self.starts

    @property
    def num_features(self) -> int:
        """Of what the Q-network reads."""
        return self.environment.num_features

    @property
    def networks(self) -> tuple[AnyNetwork, ...]:
        """What is learned; empty unless the model is a `LearnedModel`."""
        return ()

    def _network(self, inputs: int, *outputs: int) -> Network:
        """A network as this model computes it."""
        return Network(inputs, outputs, precision=self.precision, kernels=self.kernels)

    def perceptrons(
        self, parameters: Parameters, packed: tuple[Packs, ...] | None = None
    ) -> Perceptrons:
        """Those of all networks, one after the other, ready to be applied.

        Args:
            parameters: Of the networks.
            packed: Of each network, see `Network.perceptrons`.
        """
        kept = packed or (None,) * len(self.networks)
        return tuple(
            perceptron
            for network, own, words in zip(self.networks, parameters, kept, strict=True)
            for perceptron in network.perceptrons(own, words)
        )

    @property
    def represent_words(self) -> int:
        """Random words that `represent` takes for each observation."""
        return 0

    def represent(
        self,
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch _"]:
        """What the Q-network reads when the agent sees these observations."""
        return observation.float()

    @abstractmethod
    def experience(
        self,
        learned: Perceptrons,
        batch: Replayed,
        behaviour: Behaviour,
        stream: Stream,
    ) -> Transitions:
        """Give the 320 transitions of a Q update.

        Args:
            learned: The model's perceptrons.
            batch: `batch_size` replayed transitions.
            behaviour: Chooses actions, given features and a random word for each.
            stream: Of the random words that it draws.
        """
