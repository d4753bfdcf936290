"""The walled 3x3 maze of section 2, as four fixed datasets of transitions."""

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_one_of
from deep.environments.grid import NUM_ACTIONS

SIZE = 3
GOAL = 0
"""The top left corner."""

Coverage = Literal["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
Layout = frozenset[int]
"""The cells with walls; cells are numbered row by row."""

_STEPS = ((0, 0), (-1, 0), (0, -1), (1, 0), (0, 1))


class Transitions(NamedTuple):
    """A dataset. What follows a terminal transition means nothing: it repeats the observation."""

    observation: UInt8[Tensor, "transition feature"]
    action: Int64[Tensor, "transition"]
    reward: Float32[Tensor, "transition"]
    terminal: Bool[Tensor, "transition"]
    next_observation: UInt8[Tensor, "transition feature"]


def basic_layouts() -> tuple[Layout, ...]:
    """The 8 layouts with a single wall, in one of the non-goal cells."""
    return tuple(frozenset([cell]) for cell in range(SIZE**2) if cell != GOAL)


def evaluation_layouts() -> tuple[Layout, ...]:
    """The layouts with two walls whose 7 open cells form one path that starts at the goal."""
    cells = (cell for cell in range(SIZE**2) if cell != GOAL)
    layouts = map(frozenset, combinations(cells, 2))
    return tuple(walls for walls in layouts if len(path_from_goal(walls)) == SIZE**2 - len(walls))


def path_from_goal(walls: Layout) -> tuple[int, ...]:
    """The cells that are reached from the goal for as long as there is exactly one way on."""
    path = [GOAL]
    while len(ways := _neighbours(path[-1], walls) - set(path)) == 1:
        path += ways
    return tuple(path) if not ways else ()


def observation(agent: int, walls: Layout) -> tuple[int, ...]:
    """One-hot agent, one-hot goal, walls present, walls absent: 36 features."""
    cells = range(SIZE**2)
    return (
        *(int(cell == agent) for cell in cells),
        *(int(cell == GOAL) for cell in cells),
        *(int(cell in walls) for cell in cells),
        *(int(cell not in walls) for cell in cells),
    )


def dataset(coverage: Coverage) -> Transitions:
    """All transitions of the basic layouts, and some of the evaluation layouts.

    Reward is -1 in every transition; terminal are those *from* the goal.

    Args:
        coverage: Of the evaluation layouts all transitions; for each cell but the goal the one
            along the path; all in the cell furthest from the goal; or none.

    Raises:
        ValueError: `coverage` is not one of the four.
    """
    require_one_of("coverage", coverage, get_args(Coverage))
    pairs = [pair for walls in basic_layouts() for pair in _pairs(walls)]
    for walls in evaluation_layouts():
        path = path_from_goal(walls)
        towards_goal = dict(zip(path[1:], path[:-1], strict=True))
        pairs += [
            (agent, action, walls)
            for agent, action, _ in _pairs(walls)
            if coverage == "all-evaluation"
            or (coverage == "path-to-goal" and _ahead(agent, action) == towards_goal.get(agent))
            or (coverage == "single-cell" and agent == path[-1])
        ]
    terminal = [agent == GOAL for agent, _, _ in pairs]
    return Transitions(
        torch.tensor([observation(agent, walls) for agent, _, walls in pairs], dtype=torch.uint8),
        torch.tensor([action for _, action, _ in pairs]),
        torch.full((len(pairs),), -1.0),
        torch.tensor(terminal),
        torch.tensor([observation(_next(*pair), pair[2]) for pair in pairs], dtype=torch.uint8),
    )


def _pairs(walls: Layout) -> Iterator[tuple[int, int, Layout]]:
    """Every open cell with every action."""
    for cell in range(SIZE**2):
        if cell not in walls:
            yield from ((cell, action, walls) for action in range(NUM_ACTIONS))


def _next(agent: int, action: int, walls: Layout) -> int:
    ahead = _ahead(agent, action)
    return agent if agent == GOAL or ahead in walls else ahead


def _ahead(cell: int, action: int) -> int:
    """The cell that an action leads to; a move off the grid stays."""
    row, column = cell // SIZE + _STEPS[action][0], cell % SIZE + _STEPS[action][1]
    return row * SIZE + column if row in range(SIZE) and column in range(SIZE) else cell


def _neighbours(cell: int, walls: Layout) -> set[int]:
    return {_ahead(cell, action) for action in range(NUM_ACTIONS)} - {cell} - walls
