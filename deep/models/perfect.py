"""The perfect model: the environment's own dynamics, the strongest of baselines (paper, section 4)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.models.model import Parameters
from deep.models.rollout_model import RolloutModel


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
        parameters: Parameters,
        observation: UInt8[Tensor, "lane batch feature"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> Any:
        return self.environment.from_observation(observation)

    def features(self, state: Any) -> Float32[Tensor, "lane batch feature"]:
        return self.environment.observe(state).float()

    def step(
        self,
        parameters: Parameters,
        state: Any,
        action: Int64[Tensor, "lane batch"],
        drawn: Int32[Tensor, "word lane batch"],
    ) -> tuple[Any, Float32[Tensor, "lane batch"], Float32[Tensor, "lane batch"]]:
        taken = self.environment.transition(state, action, drawn)
        return taken.successor, taken.reward, 1 - taken.terminal.float()
