"""Total reward of a given number of steps: v_k = max over a of (r + P v_(k-1)), with v_0 = 0."""

import numpy as np
from jaxtyping import Float

from tabular.finite_mdp import FiniteMDP, Policy, State


def total_reward(
    mdp: FiniteMDP[State], horizon: int, policy: Policy | None = None
) -> Float[np.ndarray, " state"]:
    """The expected reward of `horizon` steps from each state, no step following a terminal one.

    Args:
        mdp: The MDP.
        horizon: The number of steps, at least 0.
        policy: The action of each state, or the probability of each action in each state; None for
            the best action at every step, which may depend on the number of steps left.

    Raises:
        ValueError: `horizon` is negative, or `policy` is none.
    """
    if horizon < 0:
        raise ValueError(f"horizon must be at least 0, got {horizon}")
    chosen = None if policy is None else mdp.action_probabilities(policy)
    values = np.zeros(mdp.num_states)
    for _ in range(horizon):
        backup = mdp.backup(values)
        values = backup.max(axis=1) if chosen is None else (chosen * backup).sum(axis=1)
    return values
