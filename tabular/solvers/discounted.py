"""Discounted reward: v = max over a of (r + discount P v).

The bound: the backup contracts distances by the discount, so a v whose backup differs from it by at
most d is within d / (1 - discount) of the fixed point (Puterman, *Markov Decision Processes*,
chapter 6). A policy greedy for a v within e of optimal loses at most 2 e discount / (1 -
discount). Where that says too little, as with episodes that end long before discounting matters,
what each policy can add up is bounded instead (`tabular.solvers.error_bounds`).
"""

import math

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from tabular.finite_mdp import FiniteMDP, Policy, State
from tabular.progress import Progress, silent
from tabular.solvers.error_bounds import (
    improved,
    largest_rounding,
    modulus,
    rounding,
    stands_still,
)
from tabular.solvers.linear_systems import solve_linear_program, solve_system
from tabular.solvers.solution import Solution, known_solution, require_sweeps

_TRIAL = 1_000
"""Sweeps of value iteration before it is judged how many more there may be."""


def value_iteration(
    mdp: FiniteMDP[State],
    discount: float,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 1_000_000,
    progress: Progress = silent,
) -> Solution:
    """Repeat the backup until the bound is below `tolerance`, or rounding forbids to come nearer.

    Args:
        mdp: The MDP.
        discount: At least 0 and less than 1.
        tolerance: The error that is small enough, at least 0.
        max_iterations: The most sweeps. A sweep takes some 50 microseconds, and 10 nanoseconds for
            each transition.
        progress: Told the share of the sweeps that the contraction makes necessary at most.

    Raises:
        ValueError: After the first sweeps, in which short episodes would have ended, the contraction
            may need more of them than there may be; or an argument is out of range.
        ArithmeticError: Rounding leaves the values unknown (`tabular.solvers.solution`).
    """
    _require_discount(discount)
    require_sweeps(tolerance, max_iterations)
    values, needed, trial = np.zeros(mdp.num_states), math.inf, min(_TRIAL, max_iterations) - 1
    for iterations in range(max_iterations):
        backup = mdp.backup(values, discount)
        following = backup.max(axis=1)
        change = float(np.abs(following - values).max())
        if change <= max(tolerance * (1 - discount), largest_rounding(mdp, values)):
            noise = rounding(mdp, values, discount)
            bound = _contraction_bound(mdp, discount, values, backup, noise)
            if bound <= tolerance or stands_still(values, backup, noise):
                break
        if iterations in (0, trial):
            needed = iterations + _sweeps(change, discount, tolerance)
        if iterations == trial and needed > max_iterations:
            raise ValueError(
                f"value iteration with discount {discount!r} may need {needed:,} sweeps to come within "
                f"{tolerance:g}; accepted: at most max_iterations, which is {max_iterations:,}; policy "
                "iteration needs few, whatever the discount"
            )
        values = following
        progress(min(1.0, iterations / needed))
    progress(1.0)
    policy = mdp.backup(values, discount).argmax(axis=1)
    return _solution(mdp, discount, values, policy, iterations, tolerance)


def policy_iteration(mdp: FiniteMDP[State], discount: float) -> Solution:
    """Evaluate and improve, until no action is surely better.

    Raises:
        ValueError: The discount is out of range.
        ArithmeticError: Rounding leaves the values unknown (`tabular.solvers.solution`).
    """
    _require_discount(discount)
    policy, values, seen = mdp.rewards.argmax(axis=1), np.zeros(mdp.num_states), set[bytes]()
    following = policy
    while following.tobytes() not in seen:  # errors of evaluation could lead round in a circle
        policy = following
        seen.add(policy.tobytes())
        values = policy_values(mdp, discount, policy)
        slack = rounding(mdp, values, discount)
        following = improved(policy, mdp.backup(values, discount), slack)
    return _solution(mdp, discount, values, policy, len(seen))


def linear_program(mdp: FiniteMDP[State], discount: float) -> Solution:
    """The least v that is nowhere below its backup.

    Raises:
        ValueError: The discount is out of range.
        ArithmeticError: The program was not solved, or not well enough (`tabular.solvers.solution`).
    """
    _require_discount(discount)
    values, iterations = solve_linear_program(mdp, discount)
    policy = mdp.backup(values, discount).argmax(axis=1)
    return _solution(mdp, discount, values, policy, iterations)


def policy_values(
    mdp: FiniteMDP[State], discount: float, policy: Policy
) -> Float[np.ndarray, " state"]:
    """The expected discounted reward from each state under a policy."""
    _require_discount(discount)
    transitions, rewards = mdp.chain(policy)
    return solve_system(sparse.eye_array(mdp.num_states) - discount * transitions, rewards)


def _solution(
    mdp: FiniteMDP[State],
    discount: float,
    values: Float[np.ndarray, " state"],
    policy: Int[np.ndarray, " state"],
    iterations: int,
    tolerance: float = 0.0,
) -> Solution:
    backup, noise = mdp.backup(values, discount), rounding(mdp, values, discount)
    bound = _contraction_bound(mdp, discount, values, backup, noise)
    return known_solution(
        mdp, values, policy, iterations, bound, discount=discount, tolerance=tolerance
    )


def _contraction_bound(
    mdp: FiniteMDP[State],
    discount: float,
    values: Float[np.ndarray, " state"],
    backup: Float[np.ndarray, "state action"],
    noise: Float[np.ndarray, "state action"],
) -> float:
    """How far v can be from the fixed point, from how far its backup may be from v."""
    most, least = (backup + noise).max(axis=1) - values, (backup - noise).max(axis=1) - values
    left = 1 - modulus(mdp, discount)
    return max(float(most.max()), -float(least.min()), 0.0) / left if left > 0 else math.inf


def _sweeps(change: float, discount: float, tolerance: float) -> int:
    """After how many more sweeps the contraction has made a change small enough, at most."""
    enough = max(tolerance * (1 - discount), float(np.finfo(float).eps) * change)
    if change <= enough or discount == 0:
        return 1
    return math.ceil(math.log(enough / change) / math.log(discount)) + 1


def _require_discount(discount: float) -> None:
    if not 0 <= discount < 1:
        raise ValueError(f"discount must be at least 0 and less than 1, got {discount!r}")
