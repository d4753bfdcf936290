"""Average reward: the gain g is the long-run reward a step, the bias h what a start is worth beside it.

A policy's gain and bias satisfy g = P g and g + h = r + P h. Where one gain g is optimal from every
state, g + h = max over a of (r + P h).

The bound: for *any* h, the optimal gain from every state lies between the least entry c and the
greatest entry C of max over a of (r + P h) - h. For under any policy r + P h <= h + C, so that N
steps earn at most N C, and h before less h after; and the greedy policy earns at least N c, and the
same. This asks nothing of the chains. It closes on the gain where that is the same from every
state, as in a weakly communicating MDP (Puterman, *Markov Decision Processes*, chapter 8). Where it
is not (a multichain optimum), `policy_iteration` still finds the gain from each state, but the
bound stays as wide as the gains differ.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from tabular.finite_mdp import FiniteMDP, State
from tabular.progress import Progress, silent
from tabular.solvers.error_bounds import improved, largest_rounding, rounding
from tabular.solvers.linear_systems import solve_system
from tabular.solvers.solution import require_known, require_sweeps

_SOLVED = 1e-11
"""By what share of the numbers that meet there the gain and bias of a policy may be wrong."""


@dataclass(frozen=True, eq=False)
class GainSolution:
    """Optimal gains, a policy that attains them, and how far off the gains can be.

    Attributes:
        gain: Long-run reward a step from each state.
        bias: Relative values h; those of value iteration only up to a constant and its tolerance.
        policy: The greedy action of each state.
        error_bound: No gain is further than this from the optimal one, rounding included.
        iterations: Sweeps, or policies looked at.
    """

    gain: Float[np.ndarray, " state"]
    bias: Float[np.ndarray, " state"]
    policy: Int[np.ndarray, " state"]
    error_bound: float
    iterations: int


def relative_value_iteration(
    mdp: FiniteMDP[State],
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 1_000_000,
    progress: Progress = silent,
) -> GainSolution:
    """Repeat h <- h + (max over a of (r + P h) - h) / 2, less its value in the first state.

    The half is a chance of standing still; it makes every chain aperiodic and leaves the gain.

    Args:
        mdp: The MDP.
        tolerance: The error that is small enough, at least 0.
        max_iterations: The most sweeps. How many are needed depends on how fast the chain mixes.
        progress: Told the share of `max_iterations` that is done.

    Raises:
        ValueError: Some step is terminal, or the MDP is not weakly communicating, so that the
            optimal gain may depend on the start; or an argument is out of range.
        ArithmeticError: The bound is not below `tolerance` after `max_iterations`, or rounding
            leaves the gain unknown (`tabular.solvers.solution`).
    """
    require_sweeps(tolerance, max_iterations)
    _require_continuing(mdp)
    if not is_weakly_communicating(mdp):
        raise ValueError(
            "relative value iteration needs a weakly communicating MDP, and in this one some "
            "states can be avoided for good; use policy_iteration"
        )
    bias, states = np.zeros(mdp.num_states), np.arange(mdp.num_states)
    for iterations in range(1, max_iterations + 1):
        backup = mdp.backup(bias)
        gains = backup.max(axis=1) - bias
        bound = float(gains.max() - gains.min()) / 2
        if bound <= max(tolerance, 2 * largest_rounding(mdp, bias)):
            noise, policy = rounding(mdp, bias), backup.argmax(axis=1)
            least, most = _bracket(backup, noise, bias)
            bound = (most - least) / 2
            if bound <= max(tolerance, 2 * float(noise[states, policy].max())):
                gain = np.full(mdp.num_states, (most + least) / 2)
                require_known(gain, mdp.rewards[states, policy], bound, tolerance=tolerance)
                progress(1.0)
                return GainSolution(gain, bias, policy, bound, iterations)
        bias = bias + (gains - gains[0]) / 2
        progress(iterations / max_iterations)
    raise ArithmeticError(f"the gain is only known within {bound} after {max_iterations} sweeps")


def policy_iteration(mdp: FiniteMDP[State]) -> GainSolution:
    """Howard's policy iteration for any chain structure.

    In each state, the actions that lead to the best gain are left, and of these one with the best
    backup of the bias is taken.

    Raises:
        ValueError: Some step is terminal.
    """
    _require_continuing(mdp)
    policy, seen = mdp.rewards.argmax(axis=1), set[bytes]()
    gain = bias = np.zeros(mdp.num_states)
    following = policy
    while following.tobytes() not in seen:  # rounding could lead round in a circle of equals
        policy = following
        seen.add(policy.tobytes())
        chain, rewards = mdp.chain(policy)
        gain, bias = gain_and_bias(chain, rewards)
        # a gain is made of what lies ahead, whatever the action costs that leads there
        size = np.abs(rewards) + np.abs(bias) + np.abs(gain)
        unsure = _SOLVED * mdp.expected(_largest_ahead(chain, size))
        successor_gain = mdp.expected(gain)
        surest = (successor_gain - unsure).max(axis=1, keepdims=True)
        best = successor_gain + unsure >= surest
        slack = _SOLVED * (np.abs(mdp.rewards) + mdp.expected(size) + size[:, None])
        following = improved(policy, np.where(best, mdp.backup(bias), -np.inf), slack)
    least, most = _bracket(mdp.backup(bias), rounding(mdp, bias), bias)
    bound = max(float(gain.max()) - least, most - float(gain.min()))
    return GainSolution(gain, bias, policy, bound, len(seen))


def gain_and_bias(
    transitions: sparse.csr_array, rewards: Float[np.ndarray, " state"]
) -> tuple[Float[np.ndarray, " state"], Float[np.ndarray, " state"]]:
    """Gain and bias of a Markov chain with rewards, which may have several recurrent classes.

    The bias is made unique by being 0 in the first state of each recurrent class. Within a class,
    whose gain is one number, that leaves room for the gain in the first state's place:
    one linear system for both.
    """
    num_states = rewards.size
    _, component = connected_components(transitions, connection="strong")
    entries = transitions.tocoo()
    crossing = component[entries.row] != component[entries.col]
    closed = ~np.isin(component, component[entries.row[crossing]])
    recurrent, transient = np.flatnonzero(closed), np.flatnonzero(~closed)
    _, first, member = np.unique(component[recurrent], return_index=True, return_inverse=True)

    system = sparse.eye_array(num_states, format="csr") - transitions
    is_first = np.zeros(recurrent.size)
    is_first[first] = 1
    members = sparse.csr_array(
        (np.ones(recurrent.size), (np.arange(recurrent.size), first[member]))
    )
    members.resize(recurrent.size, recurrent.size)
    within = system[recurrent][:, recurrent] @ sparse.diags_array(1 - is_first) + members
    solved = solve_system(within, rewards[recurrent])

    gain, bias = np.zeros(num_states), np.zeros(num_states)
    gain[recurrent] = solved[first][member]
    bias[recurrent] = solved * (1 - is_first)
    if transient.size:
        leaving = transitions[transient][:, recurrent]
        within = system[transient][:, transient]
        gain[transient] = solve_system(within, leaving @ gain[recurrent])
        bias[transient] = solve_system(
            within, rewards[transient] - gain[transient] + leaving @ bias[recurrent]
        )
    return gain, bias


def is_weakly_communicating(mdp: FiniteMDP[State]) -> bool:
    """Whether some states reach one another under some policy, and all others are left under any.

    Then the optimal gain is the same from every state (Puterman, chapter 8).
    """
    reach = sparse.csr_array(mdp.chain(mdp.uniform_policy())[0])
    count, component = connected_components(reach, connection="strong")
    entries = reach.tocoo()
    crossing = component[entries.row] != component[entries.col]
    closed = np.setdiff1d(np.arange(count), component[entries.row[crossing]])
    return closed.size == 1 and not can_stay_within(mdp, component != closed[0]).any()


def can_stay_within(
    mdp: FiniteMDP[State], inside: Bool[np.ndarray, " state"]
) -> Bool[np.ndarray, " state"]:
    """The states of a set from which some policy never leaves the set, nor terminates."""
    while True:
        outside = mdp.expected((~inside).astype(float))
        staying = inside & ((outside == 0) & (mdp.termination == 0)).any(axis=1)
        if (staying == inside).all():
            return inside
        inside = staying


def _bracket(
    backup: Float[np.ndarray, "state action"],
    noise: Float[np.ndarray, "state action"],
    bias: Float[np.ndarray, " state"],
) -> tuple[float, float]:
    """The least and the greatest entry of max over a of (r + P h) - h, rounding included."""
    least = (backup - noise).max(axis=1) - bias
    most = (backup + noise).max(axis=1) - bias
    return float(least.min()), float(most.max())


def _largest_ahead(
    chain: sparse.csr_array, sizes: Float[np.ndarray, " state"]
) -> Float[np.ndarray, " state"]:
    """The largest size in each state and those that a Markov chain may reach from it."""
    entries = chain.tocoo()
    while True:
        larger = sizes.copy()
        np.maximum.at(larger, entries.row, sizes[entries.col])
        if (larger == sizes).all():
            return sizes
        sizes = larger


def _require_continuing(mdp: FiniteMDP[State]) -> None:
    if mdp.termination.any():
        raise ValueError(
            "average reward needs a continuing task, but some step is terminal; "
            "build the MDP with restart=True"
        )
