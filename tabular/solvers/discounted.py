"""Discounted reward: v = max over a of (r + discount P v).

The bound: the backup contracts distances by the discount, so a v whose backup differs from it by at
most d is within d / (1 - discount) of the fixed point (Puterman, *Markov Decision Processes*,
chapter 6). A policy greedy for a v within e of optimal loses at most 2 e discount / (1 -
discount).
"""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.linalg import spsolve

from tabular.finite_mdp import FiniteMDP, State
from tabular.solvers.solution import Solution, improved, rounding


def value_iteration(mdp: FiniteMDP[State], discount: float, *, tolerance: float = 1e-9) -> Solution:
    """Repeat the backup until the bound is below `tolerance`, or rounding forbids to come nearer."""
    _require_discount(discount)
    values, iterations = np.zeros(mdp.num_states), 0
    while True:
        solution = _solution(mdp, discount, values, iterations)
        floor = 2 * rounding(mdp, values) / (1 - discount)
        if solution.error_bound <= max(tolerance, floor):
            return solution
        values, iterations = mdp.backup(values, discount).max(axis=1), iterations + 1


def policy_iteration(mdp: FiniteMDP[State], discount: float) -> Solution:
    """Evaluate and improve, until no action is better by more than rounding."""
    _require_discount(discount)
    policy, values, seen = mdp.rewards.argmax(axis=1), np.zeros(mdp.num_states), set[bytes]()
    while policy.tobytes() not in seen:  # rounding could lead round in a circle of equals
        seen.add(policy.tobytes())
        values = policy_values(mdp, discount, policy)
        slack = 4 * rounding(mdp, values) / (1 - discount)
        policy = improved(policy, mdp.backup(values, discount), slack)
    return _solution(mdp, discount, values, len(seen))


def linear_program(mdp: FiniteMDP[State], discount: float) -> Solution:
    """The least v that is nowhere below its backup."""
    _require_discount(discount)
    own = sparse.kron(sparse.eye_array(mdp.num_states), np.ones((mdp.num_actions, 1)))
    program = linprog(
        np.ones(mdp.num_states),
        A_ub=sparse.csr_array(discount * mdp.transitions - own),
        b_ub=-mdp.rewards.ravel(),
        bounds=(None, None),
    )
    return _solution(mdp, discount, program.x, int(program.nit))


def policy_values(
    mdp: FiniteMDP[State],
    discount: float,
    policy: Int[np.ndarray, " state"] | Float[np.ndarray, "state action"],
) -> Float[np.ndarray, " state"]:
    """The expected discounted reward from each state under a policy."""
    _require_discount(discount)
    transitions, rewards = mdp.chain(policy)
    return np.atleast_1d(
        spsolve(
            sparse.csc_array(sparse.eye_array(mdp.num_states) - discount * transitions), rewards
        )
    )


def _solution(
    mdp: FiniteMDP[State], discount: float, values: Float[np.ndarray, " state"], iterations: int
) -> Solution:
    backup = mdp.backup(values, discount)
    residual = float(np.abs(backup.max(axis=1) - values).max())
    bound = (residual + rounding(mdp, values)) / (1 - discount)
    return Solution(values, backup.argmax(axis=1), bound, iterations)


def _require_discount(discount: float) -> None:
    if not 0 <= discount < 1:
        raise ValueError(f"discount must be at least 0 and less than 1, got {discount!r}")
