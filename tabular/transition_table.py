"""A finite MDP from the table that an environment keeps of its own dynamics.

Gymnasium's toy-text environments hold one, called `P`: for every state and action a list of
(probability, next state, reward, terminal).
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from tabular.rule import Outcome, merged

Table = Mapping[int, Mapping[int, Sequence[tuple[Any, ...]]]]
"""For each state and action (probability, next state, reward, terminal)."""

_LARGEST_DENOMINATOR = 10**6


class TableRule:
    """The rule that a table states; states are numbers from 0.

    Probabilities are the simplest fractions that the floats of the table can mean: 0.333... is 1/3.
    """

    def __init__(self, table: Table, initial: Iterable[float]) -> None:
        """Read the table.

        Args:
            table: For each state and action (probability, next state, reward, terminal).
            initial: Probability of each state after a reset.

        Raises:
            ValueError: States or actions are not numbered from 0 or differ in number; or
                probabilities are negative or do not add to 1.
        """
        initial = list(initial)
        states, self._actions = len(table), len(table[0]) if 0 in table else 0
        if not states or len(initial) != states:
            raise ValueError(f"a table of {states} states has {len(initial)} initial probabilities")
        self._initial = _law("the initial states", list(enumerate(initial)))
        self._outcomes: dict[tuple[int, int], tuple[Outcome, ...]] = {}
        for state in range(states):
            for action in range(self._actions):
                if state not in table or action not in table[state]:
                    raise ValueError(f"the table has no entry for state {state}, action {action}")
                listed = table[state][action]
                where = f"state {state}, action {action}"
                chances = _law(where, [(index, found[0]) for index, found in enumerate(listed)])
                self._outcomes[state, action] = merged(
                    Outcome(
                        chances[index],
                        None if terminal else int(following),
                        _exact(float(reward)),
                        bool(terminal),
                    )
                    for index, (_, following, reward, terminal) in enumerate(listed)
                    if index in chances
                )

    @property
    def num_actions(self) -> int:
        """Actions are the integers 0 to num_actions - 1, in every state."""
        return self._actions

    def initial_distribution(self) -> dict[int, Fraction]:
        """Probability of each state after a reset."""
        return self._initial

    def outcomes(self, state: int, action: int) -> tuple[Outcome, ...]:
        """The law of a step."""
        return self._outcomes[state, action]


def _law(where: str, chances: list[tuple[int, float]]) -> dict[int, Fraction]:
    """Exact and without the impossible; adds to 1."""
    exact = {index: _exact(float(chance)) for index, chance in chances}
    if min(exact.values(), default=0) < 0 or sum(exact.values()) != 1:
        raise ValueError(
            f"the probabilities of {where} must be 0 or more and add to 1, got "
            f"{', '.join(str(chance) for _, chance in chances[:8])}"
        )
    return {index: chance for index, chance in exact.items() if chance}


def _exact(number: float) -> Fraction:
    return Fraction(number).limit_denominator(_LARGEST_DENOMINATOR)
