"""What a solver returns, and when it refuses to: a table whose error is not known to be small."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tabular.finite_mdp import FiniteMDP, State
from tabular.solvers.error_bounds import certified_bound

KNOWN = 1e-3
"""The largest error bound, as a share of the largest value, with which a solution is handed on."""

_TIGHT = 1e-8
"""The share of the largest value above which a quick bound is worth improving on."""

_NOTHING = 1e-280
"""An error that is as good as none, near the least numbers that there are."""


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


def known_solution(
    mdp: FiniteMDP[State],
    values: Float[np.ndarray, " state"],
    policy: Int[np.ndarray, " state"],
    iterations: int,
    bound: float,
    *,
    discount: float = 1.0,
    tolerance: float = 0.0,
) -> Solution:
    """A solution with its error bound, computed at greater cost where the given one is large.

    Args:
        mdp: The MDP.
        values: The value of each state.
        policy: The action of each state.
        iterations: Sweeps, or policies looked at.
        bound: How far off the values can be, from what is quick to compute.
        discount: Of the criterion.
        tolerance: The error that the caller asked for.

    Raises:
        ArithmeticError: Both bounds are too large (see :func:`require_known`).
    """
    paid = mdp.rewards[np.arange(mdp.num_states), policy]
    if not bound <= _accepted(values, paid, _TIGHT, tolerance):
        bound = min(bound, certified_bound(mdp, values, policy, discount))
    require_known(values, paid, bound, tolerance=tolerance)
    return Solution(values, policy, bound, iterations)


def require_sweeps(tolerance: float, max_iterations: int) -> None:
    """Raise ValueError unless a method that sweeps can be asked for this."""
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance!r}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations!r}")


def require_known(
    values: Float[np.ndarray, " state"],
    paid: Float[np.ndarray, " state"],
    error_bound: float,
    *,
    tolerance: float = 0.0,
) -> None:
    """Refuse to hand on what is not known well enough to be used.

    Args:
        values: The value of each state.
        paid: The reward of each state under the policy, whose size counts where values cancel out.
        error_bound: How far off the values can be.
        tolerance: What the caller asked for, if less is good enough.

    Raises:
        ArithmeticError: The bound is larger than `tolerance` and than a share `KNOWN` of all sizes.
    """
    if not error_bound <= _accepted(values, paid, KNOWN, tolerance):
        size = float(np.abs(values).max())
        raise ArithmeticError(
            f"values of up to {size:.3g} are only known within {error_bound:.3g}, and rounding "
            f"forbids more; accepted: {KNOWN:g} of the largest, as a smaller discount, sooner ends "
            "or rewards of more equal size may allow"
        )


def _accepted(
    values: Float[np.ndarray, " state"],
    paid: Float[np.ndarray, " state"],
    share: float,
    tolerance: float,
) -> float:
    size = float(np.maximum(np.abs(values), np.abs(paid)).max())
    return max(tolerance, share * size, _NOTHING)
