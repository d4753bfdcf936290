"""The walled 3x3 maze of section 2, and its four datasets."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Literal, NamedTuple, get_args

import networkx as nx

from tabular.argument_checks import require_one_of
from tabular.environments.grid import NUM_ACTIONS, cell_name, neighbours, one_hot, target
from tabular.environments.maze_generation import Walls
from tabular.rule import Branches, Environment, Outcome

SIZE = 3
GOAL = 0
"""The top left corner."""

Coverage = Literal["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
TerminalStep = Literal["into-goal", "from-goal"]


class WalledMazeState(NamedTuple):
    """The agent's cell, and for each cell whether it is a wall."""

    agent: int
    walls: Walls


def basic_layouts() -> tuple[Walls, ...]:
    """The 8 layouts with a single wall, in one of the non-goal cells."""
    return tuple(_layout(cell) for cell in range(SIZE**2) if cell != GOAL)


def evaluation_layouts() -> tuple[Walls, ...]:
    """The layouts with two walls whose 7 open cells form one path that starts at the goal."""
    others = [cell for cell in range(SIZE**2) if cell != GOAL]
    layouts = (_layout(*walls) for walls in combinations(others, 2))
    return tuple(walls for walls in layouts if _is_path_from_goal(_open_graph(walls)))


def path_to_goal(walls: Walls) -> tuple[int, ...]:
    """The cells of an evaluation layout from the far end to the goal."""
    distance = nx.single_source_shortest_path_length(_open_graph(walls), GOAL)
    return tuple(sorted(distance, key=lambda cell: -distance[cell]))


@dataclass(frozen=True)
class WalledMaze(Environment[WalledMazeState]):
    """A 3x3 maze whose goal is the top left corner. Episodic, reward -1 a step, no chance at all.

    The terminal step costs -1 like every other. A terminal outcome has no successor (`next_state` is
    None).

    Attributes:
        layouts: The walls of an episode are one of these, each as likely.
        terminal_step: The last step of an episode: the one *into* the goal, as the paper's words
            read, so that no step begins on the goal; or the one taken *from* it, as in the
            environments of section 3.
    """

    layouts: tuple[Walls, ...] = field(default_factory=evaluation_layouts)
    terminal_step: TerminalStep = "into-goal"

    def __post_init__(self) -> None:
        for walls in self.layouts:
            if len(walls) != SIZE**2 or walls[GOAL] or walls.count(False) == 1:
                raise ValueError(
                    f"a layout is {SIZE**2} walls, none on the goal and at most 7, got {walls!r}"
                )
        if not self.layouts or len(set(self.layouts)) < len(self.layouts):
            raise ValueError(f"layouts must be at least one, all distinct, got {self.layouts!r}")
        require_one_of("terminal_step", self.terminal_step, get_args(TerminalStep))

    def initial_distribution(self) -> dict[WalledMazeState, Fraction]:
        """The layout is uniform, then the start is uniform over the cells where a step can begin."""
        starts = {walls: _starts(walls, self.terminal_step) for walls in self.layouts}
        return {
            WalledMazeState(cell, walls): Fraction(1, len(starts) * len(cells))
            for walls, cells in starts.items()
            for cell in cells
        }

    def branches(self, state: WalledMazeState, action: int) -> Branches:
        """The agent moves unless a wall is in the way; the goal ends the episode."""
        ahead = target(state.agent, action, SIZE)
        moved = state if state.walls[ahead] else state._replace(agent=ahead)
        if (moved if self.terminal_step == "into-goal" else state).agent == GOAL:
            return {"goal": [Outcome(Fraction(1), None, -1, True)]}
        return {"usual": [Outcome(Fraction(1), moved, -1, False)]}

    def observation(self, state: WalledMazeState) -> tuple[int, ...]:
        """One-hot agent, one-hot goal, walls present, walls absent: 36 features."""
        present = tuple(int(wall) for wall in state.walls)
        absent = tuple(int(not wall) for wall in state.walls)
        return one_hot(state.agent, SIZE**2) + one_hot(GOAL, SIZE**2) + present + absent

    @property
    def num_actions(self) -> int:
        """Stay, up, left, down, right."""
        return NUM_ACTIONS

    @property
    def causes(self) -> tuple[str, ...]:
        """The usual course, and the goal that ends the episode."""
        return ("usual", "goal")

    @property
    def max_states(self) -> int:
        """Every cell of every layout where a step can begin."""
        return sum(len(_starts(walls, self.terminal_step)) for walls in self.layouts)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The agent, and whether there is a wall in each cell."""
        return ("agent", *(f"wall {cell_name(cell, SIZE)}" for cell in range(SIZE**2)))

    def factors(self, state: WalledMazeState) -> tuple[int | bool, ...]:
        """The agent's cell, and for each cell whether it is a wall."""
        return (state.agent, *state.walls)

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:  # noqa: ARG002
        """Walls stay; the agent depends on its cell and the walls that it may run into."""
        ahead = {target(cell, action, SIZE) for cell in range(SIZE**2) if action}
        blocking = frozenset({"agent", *(f"wall {cell_name(cell, SIZE)}" for cell in ahead)})
        unchanged = {name: frozenset([name]) for name in self.factor_names}
        return unchanged | {"agent": blocking}


def dataset(
    coverage: Coverage, terminal_step: TerminalStep = "into-goal"
) -> tuple[tuple[WalledMazeState, int], ...]:
    """The state-action pairs of a training set of section 2.

    Every set holds all transitions of the basic layouts. Of the evaluation layouts it holds: all
    transitions; one for each cell but the goal, along the path; all actions in the cell furthest
    from the goal; or none.

    Args:
        coverage: Which of the four sets.
        terminal_step: As of :class:`WalledMaze`; if it is the one from the goal, the transitions
            from there belong to those of a layout.

    Raises:
        ValueError: An argument is not one of those listed.
    """
    require_one_of("coverage", coverage, get_args(Coverage))
    require_one_of("terminal_step", terminal_step, get_args(TerminalStep))
    pairs = [
        (WalledMazeState(cell, walls), action)
        for walls in basic_layouts() + evaluation_layouts() * (coverage == "all-evaluation")
        for cell in _starts(walls, terminal_step)
        for action in range(NUM_ACTIONS)
    ]
    for walls in evaluation_layouts():
        path = path_to_goal(walls)
        if coverage == "path-to-goal":
            pairs += [
                (WalledMazeState(cell, walls), action)
                for cell, following in pairwise(path)
                for action in range(NUM_ACTIONS)
                if target(cell, action, SIZE) == following
            ]
        if coverage == "single-cell":
            pairs += [(WalledMazeState(path[0], walls), action) for action in range(NUM_ACTIONS)]
    return tuple(pairs)


def _layout(*walls: int) -> Walls:
    return tuple(cell in walls for cell in range(SIZE**2))


def _starts(walls: Walls, terminal_step: TerminalStep) -> list[int]:
    """The cells where a step can begin."""
    return [cell for cell in _openings(walls) if terminal_step == "from-goal" or cell != GOAL]


def _openings(walls: Walls) -> list[int]:
    return [cell for cell, wall in enumerate(walls) if not wall]


def _open_graph(walls: Walls) -> "nx.Graph[int]":
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(_openings(walls))
    graph.add_edges_from(
        (cell, other) for cell in graph for other in neighbours(cell, SIZE) if not walls[other]
    )
    return graph


def _is_path_from_goal(graph: "nx.Graph[int]") -> bool:
    degrees = sorted(degree for _, degree in graph.degree)
    return nx.is_tree(graph) and degrees[-1] <= 2 and graph.degree[GOAL] == 1
