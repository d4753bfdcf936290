"""Stored transitions, and the target that each of them is worth.

Symbols, here and in `empirical_mdp`, `replay` and `planning`. The data are transitions
(s_i, a_i, r_i, s'_i), i = 1, ..., m; s'_i is None where the step was terminal. With a table Q of
action values and a discount γ,

    v(s)     = max over a of Q(s, a)
    target_i = r_i + γ v(s'_i), or r_i where the step was terminal.

A pair (s, a) without a transition is *unvisited*: nothing ever changes Q(s, a). Whether it takes
part in the maximum is a setting of :class:`Bootstrap`, the same object for every method.

Numbers may be exact. A table is an array of floats, or an array of dtype object that holds
`Fraction`; where the table, the rewards and γ are Fractions (or ints), so is every result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped

from tabular.rule import is_finite

Number = int | float | Fraction
"""An exact number or a float."""

Values = Shaped[np.ndarray, "state action"]
"""A table Q: floats, or Fractions in an array of dtype object."""

Pair = tuple[int, int]
"""A state and an action."""


class Transition(NamedTuple):
    """One step; `next_state` is None where the step was terminal."""

    state: int
    action: int
    reward: Number
    next_state: int | None

    @property
    def pair(self) -> Pair:
        """The state and the action."""
        return self.state, self.action


@dataclass(frozen=True)
class Dataset:
    """Transitions between states 0 to num_states - 1 by actions 0 to num_actions - 1.

    Raises:
        ValueError: There is no transition, or one has a state, action or reward that is none.
    """

    num_states: int
    num_actions: int
    transitions: tuple[Transition, ...]

    def __post_init__(self) -> None:
        if not self.transitions:
            raise ValueError("a dataset needs at least one transition, got none")
        for transition in self.transitions:
            state, action, reward, next_state = transition
            for name, value, size in [
                ("state", state, self.num_states),
                ("action", action, self.num_actions),
                ("next_state", 0 if next_state is None else next_state, self.num_states),
            ]:
                if value not in range(size):
                    raise ValueError(f"{name} must be 0 to {size - 1}, got {value} in {transition}")
            if not is_finite(reward):
                raise ValueError(f"reward must be a finite number, got {reward} in {transition}")

    def __len__(self) -> int:
        return len(self.transitions)

    def __iter__(self) -> Iterator[Transition]:
        return iter(self.transitions)

    @cached_property
    def visited(self) -> Bool[np.ndarray, "state action"]:
        """Whether a transition starts with this state and action."""
        visited = np.zeros((self.num_states, self.num_actions), dtype=bool)
        for transition in self.transitions:
            visited[transition.pair] = True
        return visited


@dataclass(frozen=True)
class Bootstrap:
    """How the value of the next state enters a target.

    Attributes:
        discount: γ, from 0 to 1.
        include_unvisited: Whether unvisited pairs take part in the maximum, with the value that they
            have in the table from the start. If not, a state with no visited pair is worth 0.

    Raises:
        ValueError: `discount` is out of range.
    """

    discount: Number
    include_unvisited: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 1:
            raise ValueError(f"discount must be 0 to 1, got {self.discount}")

    def state_value(
        self, row: Shaped[np.ndarray, " action"], visited: Bool[np.ndarray, " action"]
    ) -> Number:
        """v(s), from the row of s in the table and in the visited pairs."""
        known: list[Number] = list(row if self.include_unvisited else row[visited])
        return max(known, default=Fraction(0))

    def target(
        self, transition: Transition, values: Values, visited: Bool[np.ndarray, "state action"]
    ) -> Number:
        """The reward plus γ v(s'), or the reward alone where the step was terminal."""
        following = transition.next_state
        if following is None:
            return transition.reward
        value = self.state_value(values[following], visited[following])
        return transition.reward + self.discount * value


def exact_table(num_states: int, num_actions: int, value: Number = 0) -> Values:
    """The table with this Fraction everywhere."""
    return np.full((num_states, num_actions), Fraction(value), dtype=object)


def require_table(values: Values, num_states: int, num_actions: int) -> None:
    """Raise ValueError unless `values` is a table of floats or Fractions for these pairs."""
    if values.shape != (num_states, num_actions):
        raise ValueError(
            f"values must have the shape {(num_states, num_actions)}, got {values.shape}"
        )
    if values.dtype.kind not in "fO":  # an integer table would cut off what is assigned to it
        raise ValueError(f"values must be floats, or Fractions as objects, got {values.dtype}")
