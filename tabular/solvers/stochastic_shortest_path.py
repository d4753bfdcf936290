"""Total reward until termination, where every reward is negative: v = max over a of (r + P v).

Two assumptions make the equation have one solution, the optimum (Bertsekas and Tsitsiklis, 1991):
from every state some policy terminates, and no policy can put off the end without paying for it.
The second holds since every reward is negative, and there are finitely many.

The bound: let v lie above its backup T v but for at most shares h of the rewards, so that
r + P v <= v + h |r| for every pair. Then v / (1 + h) lies above its own backup, hence above the
optimum. And if v <= r + l |r| + P v for the pairs of some policy, with l < 1, then v / (1 - l) lies
below what that policy earns. So v is within max(h / (1 + h), l / (1 - l)) |v|. Rounding that is
large beside a small reward makes a large share; what each policy can add up is then bounded
instead (`tabular.solvers.error_bounds`).
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
    rounding,
    stands_still,
    terminates,
)
from tabular.solvers.linear_systems import solve_linear_program, solve_system
from tabular.solvers.solution import Solution, known_solution, require_sweeps


def value_iteration(
    mdp: FiniteMDP[State],
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 100_000,
    progress: Progress = silent,
) -> Solution:
    """Repeat the backup from 0 until the bound is below `tolerance`, or rounding forbids more.

    Args:
        mdp: The MDP.
        tolerance: The error that is small enough, at least 0.
        max_iterations: The most sweeps. How many are needed depends on how long an episode lasts.
        progress: Told the share of `max_iterations` that is done.

    Raises:
        ValueError: An assumption is broken, or an argument is out of range.
        ArithmeticError: The values are not near enough after the last sweep, or rounding leaves
            them unknown (`tabular.solvers.solution`).
    """
    require_sweeps(tolerance, max_iterations)
    _terminating_policy(mdp)
    values, largest = np.zeros(mdp.num_states), -float(mdp.rewards.min())
    for iterations in range(max_iterations):
        backup = mdp.backup(values)
        following = backup.max(axis=1)
        change = float(np.abs(following - values).max())
        share = change / largest  # the least that a reward lacks, and so does the bound
        near = share * float(np.abs(values).max()) <= tolerance
        if (near or change <= largest_rounding(mdp, values)) and (
            _bound(mdp, values) <= tolerance or stands_still(values, backup, rounding(mdp, values))
        ):
            break
        values = following
        progress(iterations / max_iterations)
    else:
        raise ArithmeticError(
            f"value iteration is not within {tolerance:g} after {max_iterations:,} sweeps; policy "
            "iteration needs few, however long episodes last"
        )
    progress(1.0)
    return _solution(mdp, values, mdp.backup(values).argmax(axis=1), iterations, tolerance)


def policy_iteration(mdp: FiniteMDP[State]) -> Solution:
    """Evaluate and improve, until no action is surely better.

    It starts from a policy that terminates from every state, and stays among such.

    Raises:
        ValueError: An assumption is broken.
        ArithmeticError: Rounding leaves the values unknown (`tabular.solvers.solution`).
    """
    policy, values, seen = _terminating_policy(mdp), np.zeros(mdp.num_states), set[bytes]()
    following = policy
    # errors of evaluation could lead round in a circle, or to a policy that never ends
    while following.tobytes() not in seen and terminates(mdp, following):
        policy = following
        seen.add(policy.tobytes())
        values = policy_values(mdp, policy)
        following = improved(policy, mdp.backup(values), rounding(mdp, values))
    return _solution(mdp, values, policy, len(seen))


def linear_program(mdp: FiniteMDP[State]) -> Solution:
    """The least v that is nowhere below its backup.

    Raises:
        ValueError: An assumption is broken.
        ArithmeticError: The program was not solved, or not well enough.
    """
    _terminating_policy(mdp)
    values, iterations = solve_linear_program(mdp)
    return _solution(mdp, values, mdp.backup(values).argmax(axis=1), iterations)


def policy_values(mdp: FiniteMDP[State], policy: Policy) -> Float[np.ndarray, " state"]:
    """The expected total reward from each state under a policy that terminates from every state."""
    transitions, rewards = mdp.chain(policy)
    return solve_system(sparse.eye_array(mdp.num_states) - transitions, rewards)


def _terminating_policy(mdp: FiniteMDP[State]) -> Int[np.ndarray, " state"]:
    """A policy of fewest steps to where the end is possible; refuses what breaks an assumption."""
    if mdp.rewards.max() >= 0:
        raise ValueError(f"every reward must be negative, got {mdp.rewards.max()}")
    policy = np.zeros(mdp.num_states, dtype=np.int64)
    reached = np.zeros(mdp.num_states, dtype=bool)
    nearer = mdp.termination > 0
    while (found := nearer.any(axis=1) & ~reached).any():
        policy[found] = nearer.argmax(axis=1)[found]
        reached |= found
        nearer = mdp.expected(reached.astype(float)) > 0
    if not reached.all():
        raise ValueError(
            f"every state must be able to reach termination, {int((~reached).sum())} of "
            f"{mdp.num_states} cannot"
        )
    return policy


def _solution(
    mdp: FiniteMDP[State],
    values: Float[np.ndarray, " state"],
    policy: Int[np.ndarray, " state"],
    iterations: int,
    tolerance: float = 0.0,
) -> Solution:
    return known_solution(mdp, values, policy, iterations, _bound(mdp, values), tolerance=tolerance)


def _bound(mdp: FiniteMDP[State], values: Float[np.ndarray, " state"]) -> float:
    """How far v can be from the optimum, from the largest share of a reward that it lacks."""
    gap, noise = mdp.backup(values) - values[:, None], rounding(mdp, values)
    over = max(0.0, float(((gap + noise) / -mdp.rewards).max()))
    under = max(0.0, float(((noise - gap) / -mdp.rewards).min(axis=1).max()))
    if under >= 1:
        return math.inf
    return max(over / (1 + over), under / (1 - under)) * float(np.abs(values).max())
