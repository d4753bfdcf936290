"""Everything that a learner can tell apart: all combinations of the values of a rule's variables.

A rule's state is made of factors. A factor that is itself a tuple, a pipe of cells, or a button with
its cell and its setting, is taken apart: its entries are the *variables*. A model that predicts one
variable at a time may imagine combinations which never occur, two pipes out of step with their
coin; so the space holds them all, and says which of them the rule reaches.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Int

from tabular.argument_checks import require_distinct
from tabular.finite_mdp import FiniteMDP
from tabular.rule import Factor, FactoredRule

ACTION = "action"
"""The name under which the action is a parent."""


@dataclass(frozen=True, eq=False)
class FactoredSpace:
    """The variables of a rule, and the combinations of their values, numbered.

    Attributes:
        names: The name of each variable.
        factors: The factor that each variable belongs to.
        values: The values of each variable, in order of first appearance.
        num_actions: The number of actions.
        reached: The number, among all combinations, of each state of the enumerated MDP.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    values: tuple[tuple[Factor, ...], ...]
    num_actions: int
    reached: Int[np.ndarray, " reached"]

    @classmethod
    def of(
        cls, rule: FactoredRule[Any], mdp: FiniteMDP[Any], *, max_states: int = 100_000
    ) -> "FactoredSpace":
        """The space of a rule that has been enumerated.

        Raises:
            ValueError: There are more than `max_states` combinations, two states have the same, or
                two variables have one name.
        """
        names, factors = [], []
        for name, value in zip(rule.factor_names, rule.factors(mdp.states[0]), strict=True):
            entries = _entry_names(value)
            names += [f"{name} {entry}".rstrip() for entry in entries]
            factors += [name] * len(entries)
        if ACTION in names:
            raise ValueError(f"no factor may be called {ACTION!r}")
        require_distinct("variable", names)
        rows = [_entries(rule.factors(state)) for state in mdp.states]
        values = tuple(tuple(dict.fromkeys(column)) for column in zip(*rows, strict=True))
        shape = [len(found) for found in values]
        if prod(shape) > max_states:
            raise ValueError(
                f"{rule} has {prod(shape):,} combinations of values; at most {max_states:,} are "
                "told apart"
            )
        numbers = [{value: k for k, value in enumerate(found)} for found in values]
        codes = np.array(
            [[number[value] for number, value in zip(numbers, row, strict=True)] for row in rows]
        )
        reached = np.ravel_multi_index(tuple(codes.T), shape)
        if len(np.unique(reached)) < len(reached):
            raise ValueError(f"{rule} has different states with equal factors")
        return cls(tuple(names), tuple(factors), values, rule.num_actions, reached)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each variable takes."""
        return tuple(len(found) for found in self.values)

    @property
    def num_states(self) -> int:
        """How many combinations there are."""
        return prod(self.shape)

    @cached_property
    def codes(self) -> Int[np.ndarray, "state variable"]:
        """The number of each variable's value in each combination."""
        return np.stack(np.unravel_index(np.arange(self.num_states), self.shape), axis=1)

    @cached_property
    def strides(self) -> Int[np.ndarray, " variable"]:
        """A combination's number is the sum of its variables' numbers times these."""
        return np.array([prod(self.shape[k + 1 :]) for k in range(len(self.shape))], dtype=np.int64)

    @cached_property
    def pair_codes(self) -> Int[np.ndarray, "pair feature"]:
        """The variables' numbers and the action, for the pair of state s and action a in row s A + a."""
        actions = np.tile(np.arange(self.num_actions), self.num_states)
        return np.column_stack([np.repeat(self.codes, self.num_actions, axis=0), actions])


def _entry_names(value: Factor) -> list[str]:
    if not isinstance(value, tuple):
        return [""]
    return [str(name) for name in getattr(value, "_fields", range(len(value)))]


def _entries(factors: tuple[Factor, ...]) -> list[Factor]:
    entries: list[Factor] = []
    for value in factors:
        entries += value if isinstance(value, tuple) else [value]
    return entries
