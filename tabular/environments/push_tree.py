"""The push-tree (paper, introduction): a tree, a stream, and food that may lie across it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from tabular.rule import Branches, Environment, Outcome

PUSH, CROSS = range(2)

_NIGHTFALL = Fraction(1, 4)
_MOST_BYSTANDERS = 10


class PushTreeState(NamedTuple):
    """Whether the tree has fallen, whether there is food across, and what else there is to see."""

    fallen: bool
    food: bool
    scenery: tuple[bool, ...]


@dataclass(frozen=True)
class PushTree(Environment[PushTreeState]):
    """Push the tree over, and it bridges the stream; cross to the food. Episodic, one meal at most.

    Crossing where the tree has fallen and there is food gives reward 1 and ends the episode. All
    else gives nothing, and night may fall, which ends the episode too.

    The paper's example has two factors. Here are some more, each a coin that is tossed at the start
    of an episode and never matters: a learner that tells them apart sees the tree anew each time.

    Attributes:
        num_bystanders: How many factors never matter, 0 to 10.
    """

    num_bystanders: int = 0

    def __post_init__(self) -> None:
        bystanders = self.num_bystanders
        if not isinstance(bystanders, int) or not 0 <= bystanders <= _MOST_BYSTANDERS:
            raise ValueError(
                f"num_bystanders must be an integer of 0 to {_MOST_BYSTANDERS}, "
                f"got {self.num_bystanders!r}"
            )

    def initial_distribution(self) -> dict[PushTreeState, Fraction]:
        """Every state is as likely."""
        return dict.fromkeys(self._states(), Fraction(1, self.max_states))

    def branches(self, state: PushTreeState, action: int) -> Branches:
        """A meal where the tree bridges the stream; pushing fells the tree; night may fall."""
        if state.fallen and state.food and action == CROSS:
            return {"meal": [Outcome(Fraction(1), None, 1, True)]}
        after = state._replace(fallen=True) if action == PUSH else state
        return {
            "usual": [Outcome(1 - _NIGHTFALL, after, 0, False)],
            "nightfall": [Outcome(_NIGHTFALL, None, 0, True)],
        }

    def observation(self, state: PushTreeState) -> tuple[int, ...]:
        """One feature for each factor."""
        return tuple(int(value) for value in self.factors(state))

    @property
    def num_actions(self) -> int:
        """Push and cross."""
        return 2

    @property
    def causes(self) -> tuple[str, ...]:
        """The usual course, the night, and the meal."""
        return ("usual", "nightfall", "meal")

    @property
    def max_states(self) -> int:
        """Every combination of values."""
        return 4 << self.num_bystanders

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The tree, the food, and the bystanders."""
        return ("fallen", "food", *(f"bystander {k}" for k in range(1, self.num_bystanders + 1)))

    def factors(self, state: PushTreeState) -> tuple[bool, ...]:
        """The value of each factor."""
        return (state.fallen, state.food, *state.scenery)

    def parents(self, action: int, cause: str) -> dict[str, frozenset[str]]:  # noqa: ARG002
        """Each factor depends on itself alone, and a tree that is pushed on nothing."""
        unchanged = {name: frozenset([name]) for name in self.factor_names}
        return unchanged | ({"fallen": frozenset()} if action == PUSH else {})

    def _states(self) -> Iterator[PushTreeState]:
        coins = product((False, True), repeat=self.num_bystanders)
        for scenery in coins:
            for fallen, food in product((False, True), repeat=2):
                yield PushTreeState(fallen, food, scenery)


def story() -> tuple[tuple[PushTreeState, int, int, PushTreeState | None], ...]:
    """What has been lived through in the paper's introduction, before the question of whether to push.

    State, action, reward and next state, None where the episode ended: a tree was pushed over where
    there was nothing to gain; a fallen tree led to a meal; and now the agent is where a tree stands
    and food lies across, and has tried to cross.
    """
    standing, fallen = PushTreeState(False, True, ()), PushTreeState(True, True, ())
    barren = PushTreeState(False, False, ())
    return (
        (barren, PUSH, 0, barren._replace(fallen=True)),
        (fallen, CROSS, 1, None),
        (standing, CROSS, 0, standing),
    )
