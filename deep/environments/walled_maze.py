"""The walled 3x3 maze of section 2, and its four datasets."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from jaxtyping import Int, Int32, UInt8
from torch import Tensor

from deep.argument_checks import require_one_of
from deep.environments.environment import Environment, Transition
from deep.environments.grid import NUM_ACTIONS, Grid, nth_cell
from deep.random_streams import integers
from deep.replay_buffer import Dataset

GRID = Grid(3)
GOAL = 0
"""The top left corner; cells are numbered row by row."""

EVALUATION_PATHS = ((0, 3, 6, 7, 8, 5, 2), (0, 1, 2, 5, 8, 7, 6))
"""The open cells of the evaluation layouts from the goal to the far end, in `tabular`'s order.

No other layout with two walls is one path from the goal; `tabular` derives that.
"""

Coverage = Literal["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
TerminalStep = Literal["into-goal", "from-goal"]
Walls = tuple[bool, ...]
"""Of a layout: for each cell whether it is a wall."""

_GOAL_SET = GRID.set_of([GOAL])
_ACTIONS = {-GRID.size: 1, -1: 2, GRID.size: 3, 1: 4}
"""The action that leads to a neighbour, by the difference of the cells' numbers."""


class WalledMazeState(NamedTuple):
    """Sets of cells as bit boards (see `Grid`): where the agent is, and no wall."""

    agent: Int[Tensor, "*lane"]
    open: Int[Tensor, "*lane"]


def basic_layouts() -> tuple[Walls, ...]:
    """The 8 layouts with a single wall, in one of the non-goal cells."""
    cells = range(GRID.num_cells)
    return tuple(tuple(cell == wall for cell in cells) for wall in cells if wall != GOAL)


def evaluation_layouts() -> tuple[Walls, ...]:
    """The two layouts of figure 1 (left), in the order of `EVALUATION_PATHS`."""
    cells = range(GRID.num_cells)
    return tuple(tuple(cell not in path for cell in cells) for path in EVALUATION_PATHS)


@dataclass(frozen=True)
class WalledMaze(Environment[WalledMazeState]):
    """A 3x3 maze whose goal is the top left corner. Episodic, reward -1 a step, no chance at all.

    Actions: stay, up, left, down, right.

    Attributes:
        layouts: The walls of an episode are one of these, each as likely.
        terminal_step: The last step of an episode: the one *into* the goal, as the paper's words
            read, so that no step begins on the goal; or the one taken *from* it, as in the
            environments of section 3.
    """

    layouts: tuple[Walls, ...] = evaluation_layouts()
    terminal_step: TerminalStep = "into-goal"

    num_actions: ClassVar[int] = NUM_ACTIONS
    num_features: ClassVar[int] = 4 * GRID.num_cells
    episodic: ClassVar[bool] = True
    reset_words: ClassVar[int] = 2
    transition_words: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for walls in self.layouts:
            if len(walls) != GRID.num_cells or walls[GOAL] or walls.count(False) == 1:
                raise ValueError(
                    f"a layout is {GRID.num_cells} walls, none on the goal and at most 7, got {walls!r}"
                )
        if not self.layouts or len(set(self.layouts)) < len(self.layouts):
            raise ValueError(f"layouts must be at least one, all distinct, got {self.layouts!r}")
        require_one_of("terminal_step", self.terminal_step, get_args(TerminalStep))
        super().__post_init__()

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> WalledMazeState:
        """One of the layouts, then one of its cells where a step can begin; both uniform."""
        layout = integers(drawn[0], len(self.layouts))
        count, starts, cells = (
            torch.zeros_like(layout, dtype=dtype)
            for dtype in (layout.dtype, GRID.dtype, GRID.dtype)
        )
        for number, walls in enumerate(self.layouts):
            chosen, begin = layout == number, _starts(walls, self.terminal_step)
            count = count.masked_fill(chosen, len(begin))
            starts = starts.masked_fill(chosen, GRID.set_of(begin))
            cells = cells.masked_fill(chosen, GRID.set_of(_openings(walls)))
        agent = nth_cell(starts, integers(drawn[1], count), GRID.num_cells)
        return WalledMazeState(agent, cells)

    def transition(
        self,
        state: WalledMazeState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],  # noqa: ARG002
    ) -> Transition[WalledMazeState]:
        moved = GRID.move(state.agent, action) & state.open
        agent = torch.where(moved != 0, moved, state.agent)
        terminal = (agent if self.terminal_step == "into-goal" else state.agent) == _GOAL_SET
        reward = -torch.ones_like(terminal, dtype=torch.float32)
        return Transition(state._replace(agent=agent), reward, terminal)

    def observe(self, state: WalledMazeState) -> UInt8[Tensor, "*lane feature"]:
        """One-hot agent, one-hot goal, walls present, walls absent: 36 features."""
        goal = torch.full_like(state.agent, _GOAL_SET)
        sets = (state.agent, goal, state.open ^ GRID.board, state.open)
        return torch.cat([GRID.features(cells) for cells in sets], -1)

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> WalledMazeState:
        agent, _, _, cells = observation.unflatten(-1, (4, GRID.num_cells)).unbind(-2)
        return WalledMazeState(*(GRID.sets(features, 1)[0] for features in (agent, cells)))


def dataset(coverage: Coverage, terminal_step: TerminalStep = "into-goal") -> Dataset:
    """All transitions of the basic layouts, and some of the evaluation layouts.

    Args:
        coverage: Of the evaluation layouts all transitions; for each cell but the goal the one
            along the path; all in the cell furthest from the goal; or none.
        terminal_step: As of :class:`WalledMaze`; if it is the one from the goal, the transitions
            from there belong to those of a layout.

    Raises:
        ValueError: An argument is not one of those listed.
    """
    require_one_of("coverage", coverage, get_args(Coverage))
    environment = WalledMaze(terminal_step=terminal_step)
    pairs = [
        (walls, cell, action)
        for walls in basic_layouts() + evaluation_layouts() * (coverage == "all-evaluation")
        for cell in _starts(walls, terminal_step)
        for action in range(NUM_ACTIONS)
    ]
    for walls, path in zip(evaluation_layouts(), EVALUATION_PATHS, strict=True):
        if coverage == "path-to-goal":
            pairs += [
                (walls, cell, _ACTIONS[following - cell]) for following, cell in pairwise(path)
            ]
        if coverage == "single-cell":
            pairs += [(walls, path[-1], action) for action in range(NUM_ACTIONS)]
    layouts, cells, actions = zip(*pairs, strict=True)
    boards = [GRID.set_of(_openings(walls)) for walls in layouts]
    state = WalledMazeState(GRID.cell(torch.tensor(cells)), torch.tensor(boards, dtype=GRID.dtype))
    action = torch.tensor(actions)
    done = environment.transition(state, action, torch.empty(0, len(pairs), dtype=torch.int32))
    return Dataset(
        environment.observe(state),
        action,
        done.reward,
        done.terminal,
        environment.observe(done.successor),
    )


def _starts(walls: Walls, terminal_step: TerminalStep) -> list[int]:
    """The cells where a step can begin."""
    return [cell for cell in _openings(walls) if terminal_step == "from-goal" or cell != GOAL]


def _openings(walls: Walls) -> list[int]:
    return [cell for cell, wall in enumerate(walls) if not wall]
