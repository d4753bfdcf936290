"""OpenGrid (paper, appendix C): an empty grid, seen as one factor."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction

from tabular.argument_checks import require_positive_integer
from tabular.environments.grid import NUM_ACTIONS, one_hot, target
from tabular.rule import MAX_SIZE, Branches, Environment, Outcome


@dataclass(frozen=True)
class OpenGrid(Environment[int]):
    """The state is the agent's cell; the goal is the last one. Episodic, reward -1 a step.

    The step taken *on* the goal is the terminal one, and costs -1 like every other. A terminal
    outcome has no successor (`next_state` is None).

    Attributes:
        grid_size: Cells along a side.
        spontaneous: Whether, with probability 0.1/grid_size, the agent is put on the goal.
    """

    grid_size: int
    _: KW_ONLY
    spontaneous: bool = True

    def __post_init__(self) -> None:
        require_positive_integer("grid_size", self.grid_size, MAX_SIZE)

    @property
    def goal(self) -> int:
        """The goal's cell, the last."""
        return self.grid_size**2 - 1

    @property
    def event_probability(self) -> Fraction:
        """Chance of the spontaneous event in a step."""
        return Fraction(int(self.spontaneous), 10 * self.grid_size)

    def initial_distribution(self) -> dict[int, Fraction]:
        """The start is uniform over all cells, the goal among them."""
        return dict.fromkeys(range(self.grid_size**2), Fraction(1, self.grid_size**2))

    def branches(self, state: int, action: int) -> Branches:
        """On the goal the episode ends; else the agent moves, or is put on the goal."""
        if state == self.goal:
            return {"goal": [Outcome(Fraction(1), None, -1, True)]}
        p = self.event_probability
        return {
            "usual": [Outcome(1 - p, target(state, action, self.grid_size), -1, False)],
            "spontaneous": [Outcome(p, self.goal, -1, False)],
        }

    def observation(self, state: int) -> tuple[int, ...]:
        """The one-hot position: grid_size^2 features."""
        return one_hot(state, self.grid_size**2)

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
        """Every cell."""
        return self.grid_size**2

    @property
    def factor_names(self) -> tuple[str, ...]:
        """A single factor."""
        return ("position",)

    def factors(self, state: int) -> tuple[int]:
        """The agent's cell."""
        return (state,)

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:  # noqa: ARG002
        """The position depends on all there is, the position."""
        return {"position": frozenset(["position"] if cause == "usual" else [])}
