"""PanFlute (paper, section 3): make all pipes sound at once."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Int, Int32, UInt8
from torch import Tensor

from deep.argument_checks import require_integer, require_switch
from deep.environments.environment import LARGEST, Environment, Scopes, Transition


class PanFluteState(NamedTuple):
    """Which cells are active: the pipes one after the other, each from its first cell up."""

    active: Bool[Tensor, "*lane cell"]


@dataclass(frozen=True)
class PanFlute(Environment[PanFluteState]):
    """Pipe i has i + 1 cells. Continuing: no step is terminal.

    Reward 1 in a state whose last cells are all active, else 0. Activation moves up its pipe and
    leaves at the end; action i activates the first cell of pipe i.

    Attributes:
        num_pipes: The number of pipes n, and of actions.
        spontaneous: Whether, with probability 1/n^2, all last cells become active together.
    """

    num_pipes: int = 7
    _: KW_ONLY
    spontaneous: bool = True

    episodic: ClassVar[bool] = False
    reset_words: ClassVar[int] = 0
    transition_words: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_switch("spontaneous", self.spontaneous)
        require_integer("num_pipes", self.num_pipes, 1, LARGEST)
        super().__post_init__()

    @property
    def event_probability(self) -> Fraction:
        return Fraction(int(self.spontaneous), self.num_pipes**2)

    @property
    def num_actions(self) -> int:
        return self.num_pipes

    @property
    def num_features(self) -> int:
        return self.num_pipes * (self.num_pipes + 1) // 2

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> PanFluteState:
        """All cells are silent."""
        shape = (*drawn.shape[1:], self.num_features)
        return PanFluteState(torch.zeros(shape, dtype=torch.bool, device=drawn.device))

    def transition(
        self,
        state: PanFluteState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[PanFluteState]:
        event = self.event(drawn[0])
        sounding = torch.ones_like(event)
        moved = torch.empty_like(state.active)
        moved[..., 1:] = state.active[..., :-1]
        for pipe in range(self.num_pipes):
            first = pipe * (pipe + 1) // 2
            last = first + pipe
            sounding = sounding & state.active[..., last]
            moved[..., first] = action == pipe  # also replaces what left the pipe before
            moved[..., last].bitwise_or_(event)
        return Transition(PanFluteState(moved), sounding.float(), torch.zeros_like(event))

    def observe(self, state: PanFluteState) -> UInt8[Tensor, "*lane feature"]:
        """The cells themselves: n (n + 1) / 2 features."""
        return state.active.to(torch.uint8)

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> PanFluteState:
        return PanFluteState(observation.bool())

    @cached_property
    def scopes(self) -> Scopes:
        """A pipe is a factor, and depends on itself alone."""
        first = [pipe * (pipe + 1) // 2 for pipe in range(self.num_pipes + 1)]
        alone = tuple(frozenset([pipe] if pipe else []) for pipe in range(self.num_pipes))
        pipes = tuple(tuple(range(a, b)) for a, b in pairwise(first))
        return Scopes(pipes, (alone,) * self.num_actions)

    def ordinary(self, state: PanFluteState) -> Bool[Tensor, "*lane"]:
        return torch.ones_like(state.active[..., 0])

    def event_shows(self, successor: PanFluteState) -> Bool[Tensor, "*lane"]:
        """All last cells are active."""
        last = [pipe * (pipe + 3) // 2 for pipe in range(self.num_pipes)]
        return successor.active[..., last].all(-1)
