"""ButtonGrid (paper, section 3): step on buttons until all of them are on."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Literal, NamedTuple, get_args

from tabular.argument_checks import require_one_of, require_positive_integer
from tabular.environments.grid import NUM_ACTIONS, interleaved, one_hot, target
from tabular.rule import MAX_SIZE, Branches, Environment, Outcome

ButtonGridEvent = Literal["switch_on", "redraw"]


class Button(NamedTuple):
    """A button: its cell, and whether it is on."""

    cell: int
    on: bool


class ButtonGridState(NamedTuple):
    """The agent's cell, and the buttons in the order of their cells."""

    agent: int
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class ButtonGrid(Environment[ButtonGridState]):
    """A grid with buttons in distinct cells. Continuing: no outcome is terminal.

    Attributes:
        num_buttons: The number of buttons.
        grid_size: Cells along a side.
        spontaneous: Whether something happens by itself, with probability 1/(10 grid_size^2).
        spontaneous_event: What: all buttons switch on, or everything is drawn anew.
    """

    num_buttons: int
    grid_size: int = 5
    _: KW_ONLY
    spontaneous: bool = True
    spontaneous_event: ButtonGridEvent = "switch_on"

    def __post_init__(self) -> None:
        require_positive_integer("num_buttons", self.num_buttons)
        require_positive_integer("grid_size", self.grid_size, MAX_SIZE)
        if self.num_buttons > self.grid_size**2:
            raise ValueError(
                f"num_buttons must be at most {self.grid_size**2}, the number of cells, "
                f"got {self.num_buttons}"
            )
        require_one_of("spontaneous_event", self.spontaneous_event, get_args(ButtonGridEvent))

    @property
    def event_probability(self) -> Fraction:
        """Chance of the spontaneous event in a step."""
        return Fraction(int(self.spontaneous), 10 * self.grid_size**2)

    def initial_distribution(self) -> dict[ButtonGridState, Fraction]:
        """Agent and distinct button cells are uniform, all buttons off.

        Raises:
            ValueError: There are more than a million such states.
        """
        return dict.fromkeys(self._layouts(), Fraction(1, self._num_layouts))

    def branches(self, state: ButtonGridState, action: int) -> Branches:
        """Reward 1 and all is drawn anew if all are on; else entering a button's cell toggles it."""
        if all(button.on for button in state.buttons):
            return {"success": self._redrawn(Fraction(1), reward=1)}
        agent = target(state.agent, action, self.grid_size)
        entered = agent if agent != state.agent else None
        toggled = tuple(Button(cell, on ^ (cell == entered)) for cell, on in state.buttons)
        all_on = tuple(Button(cell, True) for cell, _ in toggled)
        p = self.event_probability
        return {
            "usual": [Outcome(1 - p, ButtonGridState(agent, toggled), 0, False)],
            "spontaneous": self._redrawn(p, reward=0)
            if self.spontaneous_event == "redraw"
            else [Outcome(p, ButtonGridState(agent, all_on), 0, False)],
        }

    def observation(self, state: ButtonGridState) -> tuple[int, ...]:
        """Channels player, button on, button off: 3 grid_size^2 features."""
        cells = range(self.grid_size**2)
        return interleaved(
            one_hot(state.agent, len(cells)),
            tuple(int(Button(cell, True) in state.buttons) for cell in cells),
            tuple(int(Button(cell, False) in state.buttons) for cell in cells),
        )

    @property
    def num_actions(self) -> int:
        """Stay, up, left, down, right."""
        return NUM_ACTIONS

    @property
    def causes(self) -> tuple[str, ...]:
        """The shared coin, and the success that overrides it."""
        return ("usual", "spontaneous", "success")

    @property
    def max_states(self) -> int:
        """Every layout with every setting of the buttons."""
        return self._num_layouts << self.num_buttons

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The agent, and each button in the order of their cells."""
        return ("agent", *(f"button {k}" for k in range(1, self.num_buttons + 1)))

    def factors(self, state: ButtonGridState) -> tuple[int | Button, ...]:
        """The agent's cell, and each button's cell and setting."""
        return (state.agent, *state.buttons)

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:
        """A button depends on itself, and if the agent moves on the agent; a redraw on nothing."""
        redraw = cause == "success" or (
            cause == "spontaneous" and self.spontaneous_event == "redraw"
        )
        agent = frozenset() if redraw or self.grid_size == 1 else frozenset(["agent"])
        mover = agent if action and cause == "usual" else frozenset[str]()
        return {
            name: agent if name == "agent" else mover | (frozenset() if redraw else {name})
            for name in self.factor_names
        }

    @property
    def _num_layouts(self) -> int:
        return self.grid_size**2 * comb(self.grid_size**2, self.num_buttons)

    def _layouts(self) -> Iterator[ButtonGridState]:
        if self._num_layouts > 1_000_000:
            raise ValueError(
                f"{self} starts in {self._num_layouts:,} states; at most 1,000,000 are enumerated"
            )
        cells = range(self.grid_size**2)
        for chosen in combinations(cells, self.num_buttons):
            buttons = tuple(Button(cell, False) for cell in chosen)
            for agent in cells:
                yield ButtonGridState(agent, buttons)

    def _redrawn(self, probability: Fraction, *, reward: int) -> Iterator[Outcome]:
        share = probability / self._num_layouts
        for state in self._layouts():
            yield Outcome(share, state, reward, False)
