"""A finite MDP from the table that an environment keeps of its own dynamics.

Gymnasium's toy-text environments hold one, called `P`: for every state and action a list of
(probability, next state, reward, terminal).
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import isfinite, prod
from operator import index
from typing import Any

from tabular.argument_checks import require_positive_integer
from tabular.rule import Outcome, merged

Table = Mapping[int, Mapping[int, Sequence[tuple[Any, ...]]]]
"""For each state and action (probability, next state, reward, terminal)."""

_LARGEST_DENOMINATOR = 10**6


class TableRule:
    """The rule that a table states; states are numbers from 0.

    Probabilities are the simplest fractions that the floats of the table can mean: 0.333... is 1/3.
    """

    def __init__(self, table: Table, initial: Iterable[float], *, name: str = "a table") -> None:
        """Read the table.

        Args:
            table: For each state and action (probability, next state, reward, terminal).
            initial: Probability of each state after a reset.
            name: What the rule is called.

        Raises:
            ValueError: States or actions are not numbered from 0 or differ in number; an outcome is
                none, or leads to no state of the table; or probabilities are negative or do not add
                to 1.
        """
        initial = list(initial)
        states, self._actions = len(table), len(table[0]) if 0 in table else 0
        if not states or len(initial) != states:
            raise ValueError(f"a table of {states} states has {len(initial)} initial probabilities")
        self._name = name
        self._initial = _law("the initial states", list(enumerate(initial)))
        self._outcomes: dict[tuple[int, int], tuple[Outcome, ...]] = {}
        for state in range(states):
            if state in table and len(table[state]) > self._actions:
                raise ValueError(
                    f"state {state} of the table has {len(table[state])} actions, state 0 has "
                    f"{self._actions}"
                )
            for action in range(self._actions):
                if state not in table or action not in table[state]:
                    raise ValueError(f"the table has no entry for state {state}, action {action}")
                where = f"state {state}, action {action}"
                listed = [_outcome(where, found, states) for found in table[state][action]]
                chances = _law(where, [(row, found[0]) for row, found in enumerate(listed)])
                self._outcomes[state, action] = merged(
                    Outcome(
                        chances[row],
                        None if terminal else following,
                        Fraction(repr(reward)),
                        terminal,
                    )
                    for row, (_, following, reward, terminal) in enumerate(listed)
                    if row in chances
                )

    def __str__(self) -> str:
        return self._name

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


class FactoredTable(TableRule):
    """A table whose states have numbers that are made of factors, the last of which changes fastest.

    With factors of sizes n_1, ..., n_d, the state of values x_1, ..., x_d has the number
    (...(x_1 n_2 + x_2) n_3 + ...) n_d + x_d.
    """

    def __init__(
        self,
        table: Table,
        initial: Iterable[float],
        sizes: Mapping[str, int],
        *,
        numbers: Sequence[int] | None = None,
        count: int | None = None,
        name: str = "a table",
    ) -> None:
        """Read the table.

        Args:
            table: For each state and action (probability, next state, reward, terminal).
            initial: Probability of each state after a reset.
            sizes: The number of values of each factor, the slowest to change first.
            numbers: The number of each state; None if it is the one that the table gives it.
            count: How many numbers there are; None for the number of states.
            name: What the rule is called.

        Raises:
            ValueError: The product of the sizes is not the count, or see `TableRule`.
        """
        super().__init__(table, initial, name=name)
        for factor, size in sizes.items():
            require_positive_integer(f"the size of factor {factor}", size)
        count = len(table) if count is None else count
        if prod(sizes.values()) != count:
            shown = " x ".join(str(size) for size in sizes.values()) or "no factors"
            raise ValueError(
                f"{name} has {count:,} numbers of states, and factors of {shown} number "
                f"{prod(sizes.values()):,}"
            )
        self._sizes, self._numbers = dict(sizes), numbers

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The name of each factor."""
        return tuple(self._sizes)

    def factors(self, state: int) -> tuple[int, ...]:
        """The value of each factor."""
        number = state if self._numbers is None else self._numbers[state]
        values = []
        for size in reversed(self._sizes.values()):
            number, value = divmod(number, size)
            values.append(value)
        return tuple(reversed(values))


def _outcome(where: str, found: Any, states: int) -> tuple[float, int, float, bool]:
    """An entry of a table, of which nothing is known yet; where it is terminal, no state follows."""
    try:
        chance, following, reward, terminal = found
        read = float(chance), index(following), float(reward), bool(terminal)
        if isfinite(read[0]) and isfinite(read[2]) and (read[3] or read[1] in range(states)):
            return read
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        f"an outcome of {where} must be (probability, next state from 0 to {states - 1}, reward, "
        f"terminal), got {found!r}"
    )


def _law(where: str, chances: list[tuple[int, float]]) -> dict[int, Fraction]:
    """Exact and without the impossible; adds to 1."""
    written = {row: Fraction(repr(float(chance))) for row, chance in chances}
    exact = (
        written if sum(written.values()) == 1 else {row: _simplest(x) for row, x in written.items()}
    )
    lost = any(written[row] and not share for row, share in exact.items())
    if min(exact.values(), default=0) < 0 or sum(exact.values()) != 1 or lost:
        raise ValueError(
            f"the probabilities of {where} must be 0 or more and add to 1, got "
            f"{', '.join(str(chance) for _, chance in chances[:8])}"
        )
    return {row: chance for row, chance in exact.items() if chance}


def _simplest(number: Fraction) -> Fraction:
    return number.limit_denominator(_LARGEST_DENOMINATOR)
