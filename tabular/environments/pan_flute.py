"""PanFlute (paper, section 3): n pipes that sound together only if played in the right order."""

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction

from tabular.argument_checks import require_positive_integer
from tabular.rule import MAX_SIZE, Branches, Environment, Outcome

PanFluteState = tuple[tuple[int, ...], ...]
"""The cells of each pipe, first to last; 1 where active."""


@dataclass(frozen=True)
class PanFlute(Environment[PanFluteState]):
    """Pipe i (0 <= i < num_pipes) has i + 1 cells. Continuing: no outcome is terminal.

    Attributes:
        num_pipes: The number n of pipes, and of actions.
        spontaneous: Whether, with probability 1/n^2, the last cells of all pipes become active.
    """

    num_pipes: int
    _: KW_ONLY
    spontaneous: bool = True

    def __post_init__(self) -> None:
        require_positive_integer("num_pipes", self.num_pipes, MAX_SIZE)

    @property
    def event_probability(self) -> Fraction:
        """Chance of the spontaneous event in a step."""
        return Fraction(int(self.spontaneous), self.num_pipes**2)

    def initial_distribution(self) -> dict[PanFluteState, Fraction]:
        """All cells are inactive."""
        return {tuple((0,) * (i + 1) for i in range(self.num_pipes)): Fraction(1)}

    def branches(self, state: PanFluteState, action: int) -> Branches:
        """Reward 1 if all last cells are active; activation moves up, and enters pipe `action`."""
        reward = int(all(pipe[-1] for pipe in state))
        moved = tuple((int(i == action), *pipe[:-1]) for i, pipe in enumerate(state))
        sounding = tuple((*pipe[:-1], 1) for pipe in moved)
        p = self.event_probability
        return {
            "usual": [Outcome(1 - p, moved, reward, False)],
            "spontaneous": [Outcome(p, sounding, reward, False)],
        }

    def observation(self, state: PanFluteState) -> tuple[int, ...]:
        """The pipes one after the other: n (n + 1) / 2 features."""
        return tuple(cell for pipe in state for cell in pipe)

    @property
    def num_actions(self) -> int:
        """One action for each pipe."""
        return self.num_pipes

    @property
    def causes(self) -> tuple[str, ...]:
        """The shared coin."""
        return ("usual", "spontaneous")

    @property
    def max_states(self) -> int:
        """What a state holds: the last n actions (fewer after a reset) and the last coin."""
        n = self.num_pipes
        recent_actions: int = sum(n**k for k in range(n + 1))
        return min(1 << n * (n + 1) // 2, 2 * recent_actions)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """One factor for each pipe."""
        return tuple(f"pipe {i}" for i in range(self.num_pipes))

    def factors(self, state: PanFluteState) -> PanFluteState:
        """The cells of each pipe."""
        return state

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:  # noqa: ARG002
        """Each pipe depends on itself alone; the last cell of a pipe never matters."""
        return {
            f"pipe {i}": frozenset([f"pipe {i}"] if i > (cause == "spontaneous") else [])
            for i in range(self.num_pipes)
        }
