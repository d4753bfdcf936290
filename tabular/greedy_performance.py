"""How well greedy policies play, exactly: the evaluation of what a learner has found.

The metric is that of `tabular.optimal_performance`.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from tabular.finite_mdp import FiniteMDP


def greedy_performance(
    mdp: FiniteMDP[Any], values: Float[np.ndarray, "run state action"], horizon: int
) -> Float[np.ndarray, " run"]:
    """The expected performance of greedy policies in an evaluation, exactly.

    It is that of `tabular.reference_performance`: the undiscounted return of at most `horizon` steps
    from a reset where some step is terminal, else the mean reward a step. Actions that are equally
    good are equally likely.

    Args:
        mdp: Where is played.
        values: Action values, whose greatest in a state are played.
        horizon: The most steps of an evaluation, at least 1.

    Raises:
        ValueError: `horizon` is less than 1, or `values` has another shape or is not all finite.
    """
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")
    if values.shape[1:] != mdp.rewards.shape or not np.isfinite(values).all():
        raise ValueError(
            f"values must be finite and of shape (run, *{mdp.rewards.shape}), got {values.shape} "
            f"with {int((~np.isfinite(values)).sum())} that are not finite"
        )
    best = values == values.max(axis=2, keepdims=True)
    policies = np.moveaxis(best / best.sum(axis=2, keepdims=True), 0, 2)
    rows, row = _distinct_rows(mdp.transitions)
    row = row.reshape(mdp.rewards.shape)
    reward = (policies * mdp.rewards[:, :, None]).sum(axis=1)
    totals = np.zeros((mdp.num_states, len(values)))
    for _ in range(horizon):
        following = rows @ totals
        totals = reward + (policies * following[row]).sum(axis=1)
    performance: np.ndarray = mdp.initial @ totals
    return performance if mdp.termination.any() else performance / horizon


def _distinct_rows(matrix: sparse.csr_array) -> tuple[sparse.csr_array, Int[np.ndarray, " row"]]:
    """Each different row once, and which of them every row is.

    The long ones, by which a success draws everything anew, are all the same.
    """
    seen: dict[bytes, int] = {}
    firsts, which = [], []
    for row, (begin, end) in enumerate(pairwise(matrix.indptr)):
        key = matrix.indices[begin:end].tobytes() + matrix.data[begin:end].tobytes()
        if key not in seen:
            seen[key] = len(seen)
            firsts.append(row)
        which.append(seen[key])
    return matrix[firsts], np.array(which)
