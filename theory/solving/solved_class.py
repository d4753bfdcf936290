"""What everything above `solving` may ask of a solved class: its models, their q, and what each q is consistent with.

At every pair (s, a) a model chooses one of a few *options*; in a deterministic class with known rewards an option is a
successor. Three tables hold all that data can tell apart:

- `models[model, pair]`, the option that a model chooses;
- `q_of_model[model]`, which distinct q* it has;
- `consistent[q, pair, option]`, whether the option's backup of q is q(s, a).

H_M(D), H_B(D), the criteria, witnesses and certificates are made of these alone, whatever an option stands for, and so
serve any class that fills them in. `greedy`, `value_vectors` and `q_table` say what a q is worth, for who reports it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import Model, Models


@dataclass(frozen=True, kw_only=True)
class SolvedClass(ABC):
    """A class with the optimal values of all its models.

    Attributes:
        problem: the class.
        models: all models, [model, pair]; at gamma = 1 those with finite q*.
        q_of_model: [model], which distinct q* a model has; numbered in the order of their first model.
        first_model: [q], the first model of each fiber.
        dropped: how many models have an infinite q* (gamma = 1 alone).
    """

    problem: MDPClass
    models: Models
    q_of_model: Int64[np.ndarray, " model"]
    first_model: Int64[np.ndarray, " q"]
    dropped: int = 0

    @property
    @abstractmethod
    def consistent(self) -> Bool[np.ndarray, "q pair option"]:
        """Whether an option's backup of q is q(s, a): for a successor s', whether it is in B_q(s, a)."""

    @property
    @abstractmethod
    def greedy(self) -> Bool[np.ndarray, "q state action"]:
        """Whether an action is optimal in a state under each q."""

    @property
    @abstractmethod
    def value_vectors(self) -> int:
        """The number of distinct optimal V."""

    @abstractmethod
    def q_table(self, q: int) -> QTable:
        """One optimal q as exact fractions, `table[s][a]`."""

    @property
    def states(self) -> int:
        """The number of nonterminal states, n."""
        return self.problem.states

    @property
    def actions(self) -> int:
        """The number of actions, k."""
        return self.problem.actions

    @property
    def pairs(self) -> int:
        """The number of state-action pairs, n * k."""
        return self.states * self.actions

    @property
    def options(self) -> int:
        """The largest number of options of a pair; n + 1 where they are successors."""
        return int(self.consistent.shape[2])

    @property
    def option_counts(self) -> list[int]:
        """For each pair how many of these it has."""
        options = self.problem.transitions.options
        return [self.options] * self.pairs if options is None else list(map(len, options))

    @property
    def value_functions(self) -> int:
        """|H_Q|, the number of distinct optimal q."""
        return len(self.first_model)

    @cached_property
    def fiber_order(self) -> Int64[np.ndarray, " model"]:
        """The models sorted by their q."""
        return np.argsort(self.q_of_model, kind="stable")

    @cached_property
    def fiber_start(self) -> Int64[np.ndarray, " boundary"]:
        """Where each fiber begins in `fiber_order`, and the end."""
        counts = np.bincount(self.q_of_model, minlength=self.value_functions)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def q_of_models(self, chosen: Bool[np.ndarray, " model"]) -> Bool[np.ndarray, " q"]:
        """Which q some of the chosen models have: H_M of some data, where these are the models that agree with them."""
        found = np.zeros(self.value_functions, dtype=bool)
        found[self.q_of_model[chosen]] = True
        return found

    def table(self, model: int) -> Model:
        """One model as nested tuples, `table[s][a]` being its option."""
        rows = self.models[model].reshape(self.states, self.actions).tolist()
        return tuple(map(tuple, rows))

    def fiber(self, q: int) -> Models:
        """F(q): the models whose optimal q is number q."""
        members: Models = self.models[
            self.fiber_order[self.fiber_start[q] : self.fiber_start[q + 1]]
        ]
        return members
