"""The perfect model: the environment's own dynamics, the strongest of baselines (paper, section 4)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.environments import Transition
from deep.models.rollout_model import RolloutModel
from deep.networks import Perceptrons


@dataclass(frozen=True)
class PerfectModel(RolloutModel):
    """The environment as its own model, spontaneous transitions included.

    An observation determines the state, so that what the buffer holds are whole states.
    """

    stores_states: ClassVar[bool] = True

    @property
    def step_words(self) -> int:
        return self.environment.transition_words

    def start(
        self,
        learned: Perceptrons,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Any:
        return self.environment.from_observation(observation)

    def features(self, state: Any) -> Float32[Tensor, "lane batch feature"]:
        return self.environment.observe(state).float()

    def step(
        self,
        learned: Perceptrons,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Any, Transition[Any]]:
        taken = self.environment.transition(state, action, drawn)
        return taken.successor, taken

    def next_features(
        self,
        learned: Perceptrons,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Float32[Tensor, "lane batch feature"]:
        """The next observation: the random words decide everything."""
        return self.features(self.environment.transition(state, action, drawn).successor)

    def outcomes(
        self,
        learned: Perceptrons,
        features: Float32[Tensor, "lane batch feature"],
        action: Int64[Tensor, "lane batch"],
        known: list[Transition[Any]],
    ) -> tuple[Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        terminal = torch.cat([taken.terminal for taken in known], 1)
        return torch.cat([taken.reward for taken in known], 1), 1 - terminal.float()
