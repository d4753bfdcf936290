"""Systems of linear equations and inequalities, as sparse matrices."""

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.linalg import splu

from tabular.finite_mdp import FiniteMDP, State


def solve_system(
    system: sparse.csr_array, right: Float[np.ndarray, " row"]
) -> Float[np.ndarray, " row"]:
    """The solution of a sparse linear system; NaN everywhere if it is singular."""
    try:
        solution: np.ndarray = splu(sparse.csc_array(system)).solve(right)
    except RuntimeError:  # what scipy says of an exactly singular matrix
        return np.full(right.shape, np.nan)
    return solution


def solve_linear_program(
    mdp: FiniteMDP[State], discount: float = 1.0
) -> tuple[Float[np.ndarray, " state"], int]:
    """The least v that is nowhere below its backup, and how many iterations that took.

    Raises:
        ArithmeticError: The solver gave up.
    """
    own = sparse.kron(sparse.eye_array(mdp.num_states), np.ones((mdp.num_actions, 1)))
    program = linprog(
        np.ones(mdp.num_states),
        A_ub=sparse.csr_array(discount * mdp.transitions - own),
        b_ub=-mdp.rewards.ravel(),
        bounds=(None, None),
    )
    if program.status != 0:
        raise ArithmeticError(
            f"the linear program was not solved: {' '.join(program.message.split())}; policy "
            "iteration does without one"
        )
    return program.x, int(program.nit)
