"""OpenGrid (paper, appendix C): an empty grid whose position is a single factor."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Int, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer, require_switch
from deep.environments.environment import LARGEST, Environment, Scopes, Transition
from deep.environments.grid import NUM_ACTIONS
from deep.random_streams import integers


class OpenGridState(NamedTuple):
    """Where the agent is, each from 0."""

    row: Int64[Tensor, "*lane"]
    column: Int64[Tensor, "*lane"]


@dataclass(frozen=True)
class OpenGrid(Environment[OpenGridState]):
    """The goal is the last cell and is not observed. Episodic, reward -1 a step.

    The step taken *on* the goal is the terminal one. Actions: stay, up, left, down, right.

    Attributes:
        grid_size: Cells along a side, 1 to 1,000.
        spontaneous: Whether, with probability 0.1/grid_size, the agent is put on the goal.
    """

    grid_size: int = 5
    _: KW_ONLY
    spontaneous: bool = True

    num_actions: ClassVar[int] = NUM_ACTIONS
    episodic: ClassVar[bool] = True
    reset_words: ClassVar[int] = 2
    transition_words: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_switch("spontaneous", self.spontaneous)
        require_integer("grid_size", self.grid_size, 1, LARGEST)
        super().__post_init__()

    @property
    def event_probability(self) -> Fraction:
        return Fraction(int(self.spontaneous), 10 * self.grid_size)

    @property
    def num_features(self) -> int:
        return self.grid_size**2

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> OpenGridState:
        """The start is uniform over all cells, the goal among them."""
        return OpenGridState(*integers(drawn, self.grid_size))

    def transition(
        self,
        state: OpenGridState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[OpenGridState]:
        last = self.grid_size - 1
        terminal = (state.row == last) & (state.column == last)
        row = (state.row + (action == 3).long() - (action == 1).long()).clamp(0, last)
        column = (state.column + (action == 4).long() - (action == 2).long()).clamp(0, last)
        event = self.event(drawn[0])
        successor = OpenGridState(row.masked_fill(event, last), column.masked_fill(event, last))
        return Transition(successor, -torch.ones_like(terminal, dtype=torch.float32), terminal)

    def observe(self, state: OpenGridState) -> UInt8[Tensor, "*lane feature"]:
        """The position alone, one-hot: g^2 features."""
        cells = torch.arange(self.num_features, device=state.row.device)
        position = state.row * self.grid_size + state.column
        return (position.unsqueeze(-1) == cells).byte()

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> OpenGridState:
        cell = observation.argmax(-1)
        return OpenGridState(cell // self.grid_size, cell % self.grid_size)

    @cached_property
    def scopes(self) -> Scopes:
        """The position depends on all there is."""
        position = tuple(range(self.num_features))
        return Scopes((position,), ((frozenset([0]),),) * self.num_actions)

    def ordinary(self, state: OpenGridState) -> Bool[Tensor, "*lane"]:
        return torch.ones_like(state.row, dtype=torch.bool)

    def event_shows(self, successor: OpenGridState) -> Bool[Tensor, "*lane"]:
        """The agent is on the goal."""
        last = self.grid_size - 1
        return (successor.row == last) & (successor.column == last)
