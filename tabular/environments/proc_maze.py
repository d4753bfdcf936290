"""ProcMaze (paper, section 3): find the goal of a maze that is new in every episode."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from tabular.argument_checks import require_one_of, require_positive_integer
from tabular.environments.grid import NUM_ACTIONS, cell_name, interleaved, one_hot, target
from tabular.environments.maze_generation import Walls, estimated_mazes, maze_distribution
from tabular.rule import MAX_SIZE, Branches, Environment, Outcome

ProcMazeEvent = Literal["goal", "terminate"]


class ProcMazeState(NamedTuple):
    """The agent's cell, the goal's cell, and for each cell whether it is a wall."""

    agent: int
    goal: int
    walls: Walls


@dataclass(frozen=True)
class ProcMaze(Environment[ProcMazeState]):
    """A maze drawn by randomized depth-first search. Episodic, reward -1 a step.

    The step taken *on* the goal is the terminal one, and costs -1 like every other. A terminal
    outcome has no successor (`next_state` is None): the next episode draws a new maze.

    Attributes:
        grid_size: Cells along a side, g.
        spontaneous: Whether something happens by itself, with probability
            0.1 / ((g + 1) ceil(g/2) - (g mod 2)).
        spontaneous_event: What: the agent is put on the goal, or the episode terminates there and
            then, wherever the agent is.
    """

    grid_size: int
    _: KW_ONLY
    spontaneous: bool = True
    spontaneous_event: ProcMazeEvent = "goal"

    def __post_init__(self) -> None:
        require_positive_integer("grid_size", self.grid_size, MAX_SIZE)
        require_one_of("spontaneous_event", self.spontaneous_event, get_args(ProcMazeEvent))

    @property
    def event_probability(self) -> Fraction:
        """Chance of the spontaneous event in a step."""
        g = self.grid_size
        return Fraction(int(self.spontaneous), 10 * ((g + 1) * ((g + 1) // 2) - g % 2))

    def initial_distribution(self) -> dict[ProcMazeState, Fraction]:
        """The maze by randomized depth-first search; start and goal uniform over its open cells.

        Raises:
            ValueError: There are more than a million states, by estimate.
        """
        if self.max_states > 1_000_000:
            raise ValueError(
                f"{self} starts in about {self.max_states:.0e} states; "
                "at most 1,000,000 are enumerated"
            )
        return dict(self._starts())

    def branches(self, state: ProcMazeState, action: int) -> Branches:
        """On the goal the episode ends; else the agent moves unless a wall is in the way."""
        if state.agent == state.goal:
            return {"goal": [Outcome(Fraction(1), None, -1, True)]}
        ahead = target(state.agent, action, self.grid_size)
        moved = state if state.walls[ahead] else state._replace(agent=ahead)
        p = self.event_probability
        return {
            "usual": [Outcome(1 - p, moved, -1, False)],
            "spontaneous": [Outcome(p, None, -1, True)]
            if self.spontaneous_event == "terminate"
            else [Outcome(p, state._replace(agent=state.goal), -1, False)],
        }

    def observation(self, state: ProcMazeState) -> tuple[int, ...]:
        """Channels player, goal, wall, empty (that is, not wall): 4 grid_size^2 features."""
        cells = self.grid_size**2
        return interleaved(
            one_hot(state.agent, cells),
            one_hot(state.goal, cells),
            tuple(int(wall) for wall in state.walls),
            tuple(int(not wall) for wall in state.walls),
        )

    @property
    def num_actions(self) -> int:
        """Stay, up, left, down, right."""
        return NUM_ACTIONS

    @property
    def causes(self) -> tuple[str, ...]:
        """The coin, and the goal that ends the episode."""
        return ("usual", "spontaneous", "goal")

    @property
    def max_states(self) -> int:
        """Agent and goal anywhere in every maze; the number of mazes beyond size 4 is estimated."""
        return round(self.grid_size**4 * estimated_mazes(self.grid_size))

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The agent, the goal, and whether there is a wall in each cell."""
        return ("agent", "goal", *map(self._wall, range(self.grid_size**2)))

    def factors(self, state: ProcMazeState) -> tuple[int | bool, ...]:
        """The agent's cell, the goal's cell, and for each cell whether it is a wall."""
        return (state.agent, state.goal, *state.walls)

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:
        """Goal and walls stay; the agent depends on its cell and the walls that it may run into."""
        cells = range(self.grid_size**2)
        ahead = {target(cell, action, self.grid_size) for cell in cells if action}
        blocking = {"agent", *map(self._wall, ahead)}
        unchanged = {name: frozenset([name]) for name in self.factor_names}
        return unchanged | {"agent": frozenset(blocking if cause == "usual" else ["goal"])}

    def _wall(self, cell: int) -> str:
        return f"wall {cell_name(cell, self.grid_size)}"

    def _starts(self) -> Iterator[tuple[ProcMazeState, Fraction]]:
        for walls, probability in maze_distribution(self.grid_size).items():
            openings = [cell for cell, wall in enumerate(walls) if not wall]
            share = probability / len(openings) ** 2
            for agent in openings:
                for goal in openings:
                    yield ProcMazeState(agent, goal, walls), share
