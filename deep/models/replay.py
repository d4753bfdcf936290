"""Experience replay: a perfect model of the world, so far as it was seen (Lin, 1992)."""

from dataclasses import dataclass

import torch

from deep.models.model import Behaviour, Model
from deep.networks import Perceptrons
from deep.q_learning import Transitions
from deep.random_streams import Stream
from deep.replay_buffer import Replayed


@dataclass(frozen=True)
class Replay(Model):
    """Hands back what was stored: the agent ER."""

    rollout_length: int = 1

    def experience(
        self,
        learned: Perceptrons,
        batch: Replayed,
        behaviour: Behaviour,
        stream: Stream,
    ) -> Transitions:
        """The batch itself; bootstrapping stops where the episode ended."""
        return Transitions(
            features=batch.observation.float(),
            action=batch.action,
            reward=batch.reward,
            continuation=1 - batch.terminal.float(),
            next_features=batch.next_observation.float(),
            weight=torch.ones_like(batch.reward),
        )
