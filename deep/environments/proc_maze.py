"""ProcMaze (paper, section 3): find the goal of a maze that is new in every episode."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Int, Int32, UInt8
from torch import Tensor

from deep.argument_checks import require_one_of, require_switch
from deep.environments.environment import Environment, Scopes, Transition
from deep.environments.grid import NUM_ACTIONS, Grid, nth_cell
from deep.environments.maze_generation import maze_words, most_open_cells, random_maze
from deep.random_streams import integers

ProcMazeEvent = Literal["goal", "terminate"]


class ProcMazeState(NamedTuple):
    """Sets of cells as bit boards (see `Grid`): where the agent is, the goal, and no wall."""

    agent: Int[Tensor, "*lane"]
    goal: Int[Tensor, "*lane"]
    open: Int[Tensor, "*lane"]


@dataclass(frozen=True)
class ProcMaze(Environment[ProcMazeState]):
    """A maze drawn by randomized depth-first search. Episodic, reward -1 a step.

    The step taken *on* the goal is the terminal one. Actions: stay, up, left, down, right.

    Attributes:
        grid_size: Cells along a side, g, 1 to 7.
        spontaneous: Whether something happens by itself, with probability
            0.1 / ((g + 1) ceil(g/2) - (g mod 2)).
        spontaneous_event: What: the agent is put on the goal, or the episode terminates there and
            then, wherever the agent is.
    """

    grid_size: int = 4
    _: KW_ONLY
    spontaneous: bool = True
    spontaneous_event: ProcMazeEvent = "goal"

    num_actions: ClassVar[int] = NUM_ACTIONS
    episodic: ClassVar[bool] = True
    transition_words: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_switch("spontaneous", self.spontaneous)
        Grid(self.grid_size)
        require_one_of("spontaneous_event", self.spontaneous_event, get_args(ProcMazeEvent))
        super().__post_init__()

    @property
    def grid(self) -> Grid:
        """The geometry."""
        return Grid(self.grid_size)

    @property
    def event_probability(self) -> Fraction:
        g = self.grid_size
        return Fraction(int(self.spontaneous), 10 * ((g + 1) * -(-g // 2) - g % 2))

    @property
    def num_features(self) -> int:
        return 4 * self.grid.num_cells

    @property
    def reset_words(self) -> int:
        return 2 + maze_words(self.grid_size)

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> ProcMazeState:
        """A new maze; start and goal are uniform over its open cells and may coincide."""
        cells, count = random_maze(self.grid, drawn[2:])
        most = most_open_cells(self.grid_size)
        agent, goal = (nth_cell(cells, integers(word, count), most) for word in drawn[:2])
        return ProcMazeState(agent, goal, cells)

    def transition(
        self,
        state: ProcMazeState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[ProcMazeState]:
        moved = self.grid.move(state.agent, action) & state.open
        agent = torch.where(moved != 0, moved, state.agent)
        event = self.event(drawn[0])
        terminal = state.agent == state.goal
        if self.spontaneous_event == "terminate":
            terminal = terminal | event
        else:
            agent = torch.where(event, state.goal, agent)
        reward = -torch.ones_like(terminal, dtype=torch.float32)
        return Transition(state._replace(agent=agent), reward, terminal)

    def observe(self, state: ProcMazeState) -> UInt8[Tensor, "*lane feature"]:
        """Channels player, goal, wall, empty (that is, not wall): 4 g^2 features."""
        walls = state.open ^ self.grid.board
        return self.grid.features(state.agent, state.goal, walls, state.open)

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> ProcMazeState:
        agent, goal, _, cells = self.grid.sets(observation, 4)
        return ProcMazeState(agent, goal, cells)

    @cached_property
    def scopes(self) -> Scopes:
        """Goal and walls stay; the agent depends on its cell and on walls that it may run into."""
        cells = range(self.grid.num_cells)
        agent, goal = (tuple(4 * cell + channel for cell in cells) for channel in (0, 1))
        walls = tuple((4 * cell + 2, 4 * cell + 3) for cell in cells)
        parents = tuple(
            (
                frozenset({0} | {2 + cell for cell in self.grid.targets(action)}),
                *(frozenset([factor]) for factor in range(1, 2 + len(cells))),
            )
            for action in range(self.num_actions)
        )
        return Scopes((agent, goal, *walls), parents)

    def ordinary(self, state: ProcMazeState) -> Bool[Tensor, "*lane"]:
        """Agent and goal are where no wall is."""
        return (state.agent | state.goal) & ~state.open == 0

    def event_shows(self, successor: ProcMazeState) -> Bool[Tensor, "*lane"]:
        """The agent is on the goal."""
        return successor.agent == successor.goal
