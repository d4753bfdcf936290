"""Models whose networks learn from the transitions that the agent met."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.model import TRANSITIONS, Parameters
from deep.models.rollout_model import RolloutModel
from deep.networks import Network
from deep.random_streams import Stream
from deep.replay_buffer import Replayed


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
    def loss(
        self,
        parameters: Parameters,
        batch: Replayed,
        stream: Stream,
    ) -> Float[Tensor, "lane"]:
        """What learning minimizes, mean over the batch.

        Args:
            parameters: Of the networks.
            batch: Replayed transitions.
            stream: Of the random words that it draws.
        """
