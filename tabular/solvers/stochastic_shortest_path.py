"""Total reward until termination, where every reward is negative: v = max over a of (r + P v).

Two assumptions make the equation have one solution, the optimum (Bertsekas and Tsitsiklis, 1991):
from every state some policy terminates, and no policy can put off the end without paying for it.
The second holds since every reward is at most -c for a c > 0.

The bound: let v <= 0 differ from its backup T v by at most d < c. Since v is a solution for rewards
that are off by d at most, (1 - d / (c + d)) v lies above its own backup, hence above the optimum,
and (1 + d / (c - d)) v below its own backup, hence below it. So v is within d |v| / (c - d).
"""

import math

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.linalg import spsolve

from tabular.finite_mdp import FiniteMDP, State
from tabular.solvers.solution import Solution, improved, rounding


def value_iteration(mdp: FiniteMDP[State], *, tolerance: float = 1e-9) -> Solution:
    """Repeat the backup from 0 until the bound is below `tolerance`, or near that of rounding."""
    _terminating_policy(mdp)
    values, iterations = np.zeros(mdp.num_states), 0
    while True:
        solution = _solution(mdp, values, iterations)
        floor = _bound(mdp, values, rounding(mdp, values))
        if solution.error_bound <= max(tolerance, 2 * floor):
            return solution
        values, iterations = mdp.backup(values).max(axis=1), iterations + 1


def policy_iteration(mdp: FiniteMDP[State]) -> Solution:
    """Evaluate and improve, until no action is better by more than rounding.

    It starts from a policy that terminates from every state, and so stays among such.
    """
    policy, values, seen = _terminating_policy(mdp), np.zeros(mdp.num_states), set[bytes]()
    while policy.tobytes() not in seen:  # rounding could lead round in a circle of equals
        seen.add(policy.tobytes())
        values = policy_values(mdp, policy)
        slack = _bound(mdp, values, 4 * rounding(mdp, values))
        policy = improved(policy, mdp.backup(values), slack)
    return _solution(mdp, values, len(seen))


def linear_program(mdp: FiniteMDP[State]) -> Solution:
    """The least v that is nowhere below its backup."""
    _terminating_policy(mdp)
    own = sparse.kron(sparse.eye_array(mdp.num_states), np.ones((mdp.num_actions, 1)))
    program = linprog(
        np.ones(mdp.num_states),
        A_ub=sparse.csr_array(mdp.transitions - own),
        b_ub=-mdp.rewards.ravel(),
        bounds=(None, None),
    )
    return _solution(mdp, program.x, int(program.nit))


def policy_values(
    mdp: FiniteMDP[State],
    policy: Int[np.ndarray, " state"] | Float[np.ndarray, "state action"],
) -> Float[np.ndarray, " state"]:
    """The expected total reward from each state under a policy that terminates from every state."""
    transitions, rewards = mdp.chain(policy)
    return np.atleast_1d(
        spsolve(sparse.csc_array(sparse.eye_array(mdp.num_states) - transitions), rewards)
    )


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
    mdp: FiniteMDP[State], values: Float[np.ndarray, " state"], iterations: int
) -> Solution:
    backup = mdp.backup(values)
    residual = float(np.abs(backup.max(axis=1) - values).max()) + rounding(mdp, values)
    return Solution(values, backup.argmax(axis=1), _bound(mdp, values, residual), iterations)


def _bound(mdp: FiniteMDP[State], values: Float[np.ndarray, " state"], residual: float) -> float:
    cost = -float(mdp.rewards.max())
    return (
        math.inf if residual >= cost else residual * float(np.abs(values).max()) / (cost - residual)
    )
