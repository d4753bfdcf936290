"""Value-equivalent models, after MuZero: latent models without a decoder (paper, section 5).

What comes of real trajectories is predicted, but not what it looks like. From the latent z_0 of the first observation
the model is unrolled along the actions that were taken, z_1, ..., z_K, and learns that

- in z_k the action earns the reward that it earned, and the episode goes on as it did,
- z_k is worth as much as the state that was met there: v(z_k) = v(latent of o_k) for k from 1 on,

where v is the greatest value of the target network, whose values are those of planning in this very model. The right
side is not learned. So a model without loss is value-equivalent for K steps in the sense of `theory`: for K = 1 it
knows what the Bellman equation of these transitions knows.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from deep.argument_checks import require_integer
from deep.models.latent import CategoricalLatents, GaussianLatents, LatentModel
from deep.models.likelihood import outcome_loss
from deep.models.model import TargetNetwork
from deep.networks import Perceptrons
from deep.random_streams import Stream, lane_words
from deep.replay_buffer import Replayed

MOST_STEPS = 10
"""As many as a rollout has."""


@dataclass(frozen=True)
class ValueEquivalentModel(LatentModel):
    """What both kinds of latents share: encoder, dynamics, reward and continuation, and nothing that looks at states.

    Attributes:
        value_steps: Steps K of the trajectories that it learns from, 1 to 10.
    """

    value_steps: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("value_steps", self.value_steps, 1, MOST_STEPS)

    @property
    def lesson_steps(self) -> int:
        return self.value_steps

    def loss(
        self, learned: Perceptrons, batch: Replayed, stream: Stream, target: TargetNetwork
    ) -> Float[Tensor, "lane"]:
        """Reward, continuation and value along trajectories, mean over these and K.

        Args:
            learned: The model's perceptrons.
            batch: Trajectories, time first; one ends where nothing was stored after it, or a step begins elsewhere
                than the step before led.
            stream: Of the random words that it draws.
            target: The network whose values the states of both sides have.
        """
        steps, size = self.value_steps, batch.action.shape[1] // self.value_steps
        latent = self.represent_words
        drawn = lane_words(stream, (1 + 2 * steps) * latent, size)
        first, ahead, met = drawn.split((latent, steps * latent, steps * latent))
        state = self.start(learned, batch.observation[:, :size], first)
        states = []
        for action, words in zip(batch.action.split(size, 1), ahead.split(latent), strict=True):
            states.append(state)
            state, _ = self.step(learned, state, action, words)
        states.append(state)
        before, after = torch.cat(states[:-1], 1), torch.cat(states[1:], 1)
        outcome = self.predict_outcomes(learned, before, batch.action)
        words = torch.cat(met.split(latent), 2)
        seen = self.start(learned, batch.next_observation, words).detach()
        q = target()
        error = q(after).amax(2) - q(seen).amax(2)
        follows = self._follows(batch, size).float()
        goes_on = 1 - batch.terminal.float()
        value = 0.5 * goes_on * error.square()
        total = follows * (outcome_loss(*outcome, batch) + value)
        return total.mean(1)

    def _follows(self, batch: Replayed, size: int) -> Bool[Tensor, "lane batch"]:
        """Whether each step belongs to the trajectory that the first one begins."""
        stored = torch.ones_like(batch.terminal) if batch.follows is None else batch.follows
        led = (batch.next_observation[:, :-size] == batch.observation[:, size:]).all(2)
        on = led & ~batch.terminal[:, :-size] & stored[:, size:]
        steps = torch.cat((stored[:, :size], on), 1).unflatten(1, (-1, size))
        so_far: Tensor = steps.long().cumprod(1).bool()
        return so_far.flatten(1)


@dataclass(frozen=True)
class ValueEquivalentCategorical(ValueEquivalentModel, CategoricalLatents):
    """With 32 variables of 32 classes."""


@dataclass(frozen=True)
class ValueEquivalentGaussian(ValueEquivalentModel, GaussianLatents):
    """With 32 dimensions."""
