"""What a solver returns."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tabular.finite_mdp import FiniteMDP, State


@dataclass(frozen=True, eq=False)
class Solution:
    """Optimal values of the states, a policy that is greedy for them, and how far off they can be.

    Attributes:
        values: The computed value of each state.
        policy: The greedy action of each state.
        error_bound: No value is further than this from the optimal one, rounding included.
        iterations: Sweeps, or policies looked at.
    """

    values: Float[np.ndarray, " state"]
    policy: Int[np.ndarray, " state"]
    error_bound: float
    iterations: int


def rounding(mdp: FiniteMDP[State], values: Float[np.ndarray, " state"]) -> float:
    """A bound on the floating-point error of `mdp.backup(values)` less the values.

    A sum of k products is off by at most about k eps times the sum of their sizes, and the
    probabilities of a row add to at most 1.
    """
    longest = int(np.diff(mdp.transitions.indptr).max(initial=0))
    size = np.abs(mdp.rewards).max() + 2 * np.abs(values).max()
    return float(np.finfo(float).eps * (longest + 4) * size)


def improved(
    policy: Int[np.ndarray, " state"], backup: Float[np.ndarray, "state action"], slack: float
) -> Int[np.ndarray, " state"]:
    """The greedy policy, but for states where the action of `policy` is within `slack` of it."""
    kept = np.take_along_axis(backup, policy[:, None], axis=1)[:, 0]
    return np.where(backup.max(axis=1) > kept + slack, backup.argmax(axis=1), policy)
