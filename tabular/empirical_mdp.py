"""The MDP that a dataset induces, and its solution: certainty equivalence.

Let n(s, a) be the number of stored transitions that start with (s, a), and n(s, a, s') of those that
go on to s'. The empirical MDP has, for every visited pair,

    P(s' | s, a) = n(s, a, s') / n(s, a),     r(s, a) = the mean of their rewards,

and terminates with what is missing to 1. It is the maximum-likelihood model of a table.
*Certainty equivalence* acts as if it were the truth: its action values satisfy, for visited pairs,

    Q(s, a) = r(s, a) + γ (sum over s' of P(s' | s, a) v(s')).

An unvisited pair has no row in P. It is as in :class:`tabular.dataset.Bootstrap`: if it takes part
in the maximum, then with the value that it has in the table that a method starts from.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from tabular.dataset import Bootstrap, Dataset, Values, require_table
from tabular.finite_mdp import FiniteMDP
from tabular.solvers import discounted


@dataclass(frozen=True, eq=False)
class EmpiricalMDP:
    """What a table learns from data: counts, and sums of rewards.

    Attributes:
        successors: n(s, a, s').
        terminations: How many transitions from (s, a) were terminal.
        reward_sums: The sum of the rewards of (s, a), exact if the rewards are.
    """

    successors: Int[np.ndarray, "state action state"]
    terminations: Int[np.ndarray, "state action"]
    reward_sums: Shaped[np.ndarray, "state action"]

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> "EmpiricalMDP":
        """Count."""
        shape = (dataset.num_states, dataset.num_actions)
        successors = np.zeros((*shape, dataset.num_states), dtype=np.int64)
        terminations = np.zeros(shape, dtype=np.int64)
        reward_sums = np.full(shape, Fraction(0), dtype=object)
        for transition in dataset:
            reward_sums[transition.pair] += transition.reward
            if transition.next_state is None:
                terminations[transition.pair] += 1
            else:
                successors[(*transition.pair, transition.next_state)] += 1
        return cls(successors, terminations, reward_sums)

    @property
    def num_states(self) -> int:
        """The number of states."""
        return int(self.terminations.shape[0])

    @property
    def num_actions(self) -> int:
        """The number of actions."""
        return int(self.terminations.shape[1])

    @cached_property
    def counts(self) -> Int[np.ndarray, "state action"]:
        """n(s, a)."""
        counts: np.ndarray = self.successors.sum(axis=2) + self.terminations
        return counts

    @cached_property
    def visited(self) -> Bool[np.ndarray, "state action"]:
        """Whether n(s, a) > 0."""
        return self.counts > 0

    @cached_property
    def transitions(self) -> Shaped[np.ndarray, "state action state"]:
        """P(s' | s, a) in Fractions; 0 for unvisited pairs."""
        shares: np.ndarray = self._reciprocal_counts[:, :, None] * self.successors
        return shares

    @cached_property
    def rewards(self) -> Shaped[np.ndarray, "state action"]:
        """r(s, a), exact if the data's rewards are; 0 for unvisited pairs."""
        means: np.ndarray = self._reciprocal_counts * self.reward_sums
        return means

    @property
    def _reciprocal_counts(self) -> Shaped[np.ndarray, "state action"]:
        # Fractions, since a quotient of ints would be a float
        shares = [Fraction(1, max(count, 1)) for count in self.counts.ravel().tolist()]
        return np.array(shares, dtype=object).reshape(self.counts.shape)

    def state_values(self, values: Values, bootstrap: Bootstrap) -> Shaped[np.ndarray, " state"]:
        """v(s) for every state."""
        rows = zip(values, self.visited, strict=True)
        return np.array([bootstrap.state_value(*row) for row in rows], dtype=values.dtype)


def certainty_equivalence(
    model: EmpiricalMDP, values: Values, bootstrap: Bootstrap
) -> Float[np.ndarray, "state action"]:
    """The optimal action values of the empirical MDP, in floating point; unvisited pairs keep theirs.

    Raises:
        ValueError: The discount is 1, or `values` is no table for this model.
        ArithmeticError: Rounding leaves the values unknown (`tabular.solvers.solution`).
    """
    require_table(values, model.num_states, model.num_actions)
    discount = float(bootstrap.discount)
    if discount == 1:
        raise ValueError("certainty equivalence needs a discount less than 1, got 1")
    mdp = _finite_mdp(model, values, bootstrap)
    solution = discounted.policy_iteration(mdp, discount)
    backup = mdp.backup(solution.values, discount)
    return np.where(model.visited, backup, values.astype(float))


def _finite_mdp(model: EmpiricalMDP, values: Values, bootstrap: Bootstrap) -> FiniteMDP[int]:
    """The model with unvisited pairs that end the episode, and pay what makes v what it should be.

    That is their value in the table where they are included; if not, less than any policy can earn,
    or 0 where their state has no visited pair either.
    """
    rewards = model.rewards.astype(float)
    if bootstrap.include_unvisited:
        unvisited = values.astype(float)
    else:
        never = -1 - np.abs(rewards).max() / (1 - float(bootstrap.discount))
        unvisited = np.where(model.visited.any(axis=1, keepdims=True), never, 0.0)
    return FiniteMDP.from_arrays(
        model.transitions.astype(float), np.where(model.visited, rewards, unvisited)
    )
