"""Every environment in both forms: the readable rule and the batched one. Register here, get every test.

`SMALL` cases are compared state by state with the exact rule; `LARGE` ones have the sizes that
agents meet. A batched environment takes its coin, if it tosses one, from the first word of a
transition, so that the tests can decide it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

import deep.environments as batched
import tabular.environments as readable
from deep.environments.walled_maze import basic_layouts

HEADS, TAILS = -(2**31), 2**31 - 1
"""The words for which a coin of any probability above 0 is true, and of any below 1 false."""

_GRID = np.array([0, 2, 3, 4, 1])  # the actions after a quarter turn to the left
_TRANSPOSED = np.array([0, 2, 1, 4, 3])


UNLIKE_LAYOUTS = tuple(tuple(sign == "#" for sign in text) for text in (".........", ".##.#.###"))
"""Two layouts of unlike sizes: no wall at all, and six walls that cut a cell off from the goal."""


@dataclass(frozen=True)
class Case:
    """An environment, batched and readable, and how a grid's observation is laid out.

    Attributes:
        batched: The batched environment.
        rule: The readable one.
        channels: Features of a cell; 0 where an observation is not laid out cell by cell.
        turns: Whether quarter turns are symmetries (reflection at the diagonal always is).
    """

    batched: batched.Environment[Any]
    rule: Any
    channels: int = 0
    turns: bool = True

    def __str__(self) -> str:
        return str(self.rule).replace("spontaneous=True, ", "")

    def states(self, *rule_states: Any) -> Any:
        """Readable states as one batched state."""
        return self.batched.from_observation(
            torch.tensor([self.rule.observation(s) for s in rule_states], dtype=torch.uint8)
        )

    def symmetries(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pairs of permutations: of the features, and of the actions."""
        size = round((self.batched.num_features / self.channels) ** 0.5)
        features = np.arange(self.batched.num_features).reshape(size, size, self.channels)
        images = [(features, np.arange(5)), (features.swapaxes(0, 1), _TRANSPOSED)]
        turned, actions = features, np.arange(5)
        for _ in range(3 if self.turns else 0):
            turned, actions = np.rot90(turned), _GRID[actions]
            images += [(turned, actions), (turned.swapaxes(0, 1), _TRANSPOSED[actions])]
        return [(image.reshape(-1), permuted) for image, permuted in images]


def case(name: str, *size: int, channels: int = 0, turns: bool = True, **options: Any) -> Case:
    """The same settings for both forms."""
    make: list[Callable[..., Any]] = [getattr(form, name) for form in (batched, readable)]
    return Case(*(kind(*size, **options) for kind in make), channels, turns)


SMALL = [
    case("PanFlute", 1),
    case("PanFlute", 2),
    case("PanFlute", 3),
    case("PanFlute", 3, spontaneous=False),
    case("ButtonGrid", 1, 2, channels=3),
    case("ButtonGrid", 2, 2, channels=3),
    case("ButtonGrid", 2, 2, channels=3, spontaneous=False),
    case("ButtonGrid", 2, 2, channels=3, spontaneous_event="redraw"),
    case("ButtonGrid", 1, 3, channels=3),
    case("ProcMaze", 1, channels=4),
    case("ProcMaze", 2, channels=4),
    case("ProcMaze", 3, channels=4),
    case("ProcMaze", 3, channels=4, spontaneous=False),
    case("ProcMaze", 3, channels=4, spontaneous_event="terminate"),
    case("OpenGrid", 1, channels=1, turns=False),
    case("OpenGrid", 2, channels=1, turns=False),
    case("OpenGrid", 3, channels=1, turns=False),
    case("OpenGrid", 3, channels=1, turns=False, spontaneous=False),
    case("WalledMaze"),
    case("WalledMaze", terminal_step="from-goal"),
    case("WalledMaze", layouts=UNLIKE_LAYOUTS),
]
LARGE = [
    case("PanFlute", 7),
    case("PanFlute", 11),
    case("ButtonGrid", 4, channels=3),
    case("ButtonGrid", 6, 7, channels=3),
    case("ProcMaze", 4, channels=4),
    case("ProcMaze", 6, channels=4),
    case("OpenGrid", 12, channels=1, turns=False),
    case("WalledMaze", layouts=basic_layouts(), terminal_step="from-goal"),
]


@cache
def reachable(case: Case) -> tuple[Any, ...]:
    """Every state of the rule that some episode can visit."""
    found = dict.fromkeys(case.rule.initial_distribution())
    waiting = list(found)
    while waiting:
        state = waiting.pop()
        for action in range(case.rule.num_actions):
            for outcome in case.rule.outcomes(state, action):
                if not outcome.terminal and outcome.next_state not in found:
                    found[outcome.next_state] = None
                    waiting.append(outcome.next_state)
    return tuple(found)
