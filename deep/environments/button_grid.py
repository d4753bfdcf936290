"""ButtonGrid (paper, section 3): step on buttons until all of them are on."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Int, Int32, UInt8
from torch import Tensor

from deep.argument_checks import require_integer, require_one_of, require_switch
from deep.environments.environment import Environment, Scopes, Transition, select
from deep.environments.grid import NUM_ACTIONS, Grid
from deep.random_streams import integers

ButtonGridEvent = Literal["switch_on", "redraw"]


class ButtonGridState(NamedTuple):
    """Sets of cells as bit boards (see `Grid`): the agent's, those with buttons, those that are on."""

    agent: Int[Tensor, "*lane"]
    buttons: Int[Tensor, "*lane"]
    on: Int[Tensor, "*lane"]


@dataclass(frozen=True)
class ButtonGrid(Environment[ButtonGridState]):
    """A grid with buttons in distinct cells. Continuing: no step is terminal.

    Entering a button's cell toggles it. Reward 1 in a state with all buttons on, else 0; from such
    a state everything is drawn anew. Actions: stay, up, left, down, right.

    Attributes:
        num_buttons: The number of buttons.
        grid_size: Cells along a side, 1 to 7.
        spontaneous: Whether something happens by itself, with probability 1/(10 grid_size^2).
        spontaneous_event: What: all buttons switch on, or everything is drawn anew.
    """

    num_buttons: int = 4
    grid_size: int = 5
    _: KW_ONLY
    spontaneous: bool = True
    spontaneous_event: ButtonGridEvent = "switch_on"

    num_actions: ClassVar[int] = NUM_ACTIONS
    episodic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_switch("spontaneous", self.spontaneous)
        require_integer("num_buttons", self.num_buttons, 1, Grid(self.grid_size).num_cells)
        require_one_of("spontaneous_event", self.spontaneous_event, get_args(ButtonGridEvent))
        super().__post_init__()

    @property
    def grid(self) -> Grid:
        """The geometry."""
        return Grid(self.grid_size)

    @property
    def event_probability(self) -> Fraction:
        return Fraction(int(self.spontaneous), 10 * self.grid.num_cells)

    @property
    def num_features(self) -> int:
        return 3 * self.grid.num_cells

    @property
    def reset_words(self) -> int:
        return 1 + self.num_buttons

    @property
    def transition_words(self) -> int:
        return 1 + self.reset_words

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> ButtonGridState:
        """Agent and distinct button cells are uniform, all buttons off.

        The set of buttons is drawn without replacement by Floyd's method: for each of the last m
        cells j draw a cell up to j; if it is taken already, take j, which is not.
        """
        agent = self.grid.random_cell(drawn[0])
        buttons = torch.zeros_like(agent)
        first = self.grid.num_cells - self.num_buttons
        for j, word in enumerate(drawn[1:], start=first):
            cell = self.grid.cell(integers(word, j + 1))
            free = self.grid.cell(torch.full_like(cell, j))
            buttons = buttons | torch.where(buttons & cell == 0, cell, free)
        return ButtonGridState(agent, buttons, torch.zeros_like(agent))

    def transition(
        self,
        state: ButtonGridState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[ButtonGridState]:
        moved = self.grid.move(state.agent, action) & self.grid.board
        agent = torch.where(moved != 0, moved, state.agent)
        entered = agent & ~state.agent
        on = state.on ^ (entered & state.buttons)
        success = state.on == state.buttons
        event = self.event(drawn[0])
        redraw = success
        if self.spontaneous_event == "redraw":
            redraw = success | event
        else:
            on = torch.where(event, state.buttons, on)
        anew = self.reset(drawn[1:])
        successor = select(redraw, anew, ButtonGridState(agent, state.buttons, on))
        return Transition(successor, success.float(), torch.zeros_like(success))

    def observe(self, state: ButtonGridState) -> UInt8[Tensor, "*lane feature"]:
        """Channels player, button on, button off: 3 grid_size^2 features."""
        return self.grid.features(state.agent, state.on, state.buttons ^ state.on)

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> ButtonGridState:
        agent, on, off = self.grid.sets(observation, 3)
        return ButtonGridState(agent, on | off, on)

    @cached_property
    def scopes(self) -> Scopes:
        """A cell's button depends on itself, and if the agent moves on the agent.

        In `tabular` a factor is a button and its cell; here it is a cell and its button.
        """
        cells = range(self.grid.num_cells)
        agent = tuple(3 * cell for cell in cells)
        buttons = tuple((3 * cell + 1, 3 * cell + 2) for cell in cells)
        own = frozenset([0] if self.grid_size > 1 else [])
        parents = tuple(
            (own, *((own if action else frozenset()) | {1 + cell} for cell in cells))
            for action in range(self.num_actions)
        )
        return Scopes((agent, *buttons), parents)

    def ordinary(self, state: ButtonGridState) -> Bool[Tensor, "*lane"]:
        """There are as many buttons as there should be, and one of them is off."""
        count = self.grid.features(state.buttons).sum(-1)
        return (count == self.num_buttons) & (state.on != state.buttons)

    def event_shows(self, successor: ButtonGridState) -> Bool[Tensor, "*lane"]:
        """All buttons are on; where the event draws everything anew, all are off."""
        if self.spontaneous_event == "redraw":
            return successor.on == 0
        return successor.on == successor.buttons
