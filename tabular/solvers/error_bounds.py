"""How far off floating point can be, of one decision and of a whole table.

Rounding is judged for each state and action by itself, from the numbers that are added up there: a
large reward somewhere says nothing about a decision between small ones elsewhere.

`certified_bound` holds for any values v, discounted or not. Let the *gap* of a pair be
r + discount P v - v, known up to its rounding e.

- If y satisfies e - gap + discount P y <= y for the actions of *one* policy, v - y lies below its own
  backup under that policy, so below what the policy earns, and below the optimum.
- If z satisfies gap + e + discount P z <= z for *every* action, v + z lies above its own backup, and so
  above the optimum.

The least such y and z are themselves values, in MDPs whose rewards are the gaps. Policy iteration
proposes some that are a little larger, and the inequality is checked for what was proposed. Both
claims need that what is left of P dies out: by the discount, or with a policy that terminates,
which is checked in the graph.
"""

import math

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from tabular.finite_mdp import FiniteMDP, State
from tabular.solvers.linear_systems import solve_system

_PROPOSALS = 100
"""How many policies may be tried to find what the optimum is at most."""

_FLOAT = np.finfo(float)


def rounding(
    mdp: FiniteMDP[State], values: Float[np.ndarray, " state"], discount: float = 1.0
) -> Float[np.ndarray, "state action"]:
    """A bound on the floating-point error of each entry of `mdp.backup(values, discount)` less v(s).

    A sum of k products is off by at most about k eps times the sum of their sizes.
    """
    return _rounding(mdp, mdp.rewards, values, discount)


def largest_rounding(mdp: FiniteMDP[State], values: Float[np.ndarray, " state"]) -> float:
    """At least every entry of `rounding`, whatever the discount, for less work."""
    longest = int(np.diff(mdp.transitions.indptr).max(initial=0))
    size = float(np.abs(mdp.rewards).max()) + 2 * float(np.abs(values).max())
    return float(_FLOAT.eps * (longest + 4) * size + _FLOAT.tiny)


def modulus(mdp: FiniteMDP[State], discount: float) -> float:
    """By what the backup contracts distances: the discount, times what rows add to above 1 by rounding."""
    return discount * max(1.0, float(mdp.expected(np.ones(mdp.num_states)).max()))


def stands_still(
    values: Float[np.ndarray, " state"],
    backup: Float[np.ndarray, "state action"],
    noise: Float[np.ndarray, "state action"],
) -> bool:
    """Whether no value differs from its backup by more than rounding."""
    best = backup.argmax(axis=1)[:, None]
    after, error = (np.take_along_axis(table, best, axis=1)[:, 0] for table in (backup, noise))
    return bool((np.abs(after - values) <= error).all())


def improved(
    policy: Int[np.ndarray, " state"],
    backup: Float[np.ndarray, "state action"],
    slack: Float[np.ndarray, "state action"],
) -> Int[np.ndarray, " state"]:
    """A better action where there surely is one, else that of `policy`.

    Args:
        policy: The action of each state.
        backup: What each action is worth.
        slack: By how much each of these numbers may be wrong.
    """
    least, states = backup - slack, np.arange(len(policy))
    most = (backup + slack)[states, policy]
    return np.where(least.max(axis=1) > most, least.argmax(axis=1), policy)


def certified_bound(
    mdp: FiniteMDP[State],
    values: Float[np.ndarray, " state"],
    policy: Int[np.ndarray, " state"],
    discount: float = 1.0,
) -> float:
    """How far any value can be from the optimal one, and from that of `policy`; inf if not known.

    Args:
        mdp: The MDP.
        values: Any value of each state.
        policy: The action of each state, good ones if the bound is to be small.
        discount: Of the criterion.
    """
    if discount < 1 and modulus(mdp, discount) >= 1:
        return math.inf
    gap = mdp.backup(values, discount) - values[:, None]
    noise = rounding(mdp, values, discount)
    below = _largest_sum(mdp, noise - gap, noise, policy, discount, improve=False)
    above = _largest_sum(mdp, gap + noise, noise, policy, discount, improve=True)
    return max(0.0, below, above)


def terminates(mdp: FiniteMDP[State], policy: Int[np.ndarray, " state"]) -> bool:
    """Whether a policy can reach the end from every state, and so does with probability 1."""
    chain, _ = mdp.chain(policy)
    reached = mdp.termination[np.arange(mdp.num_states), policy] > 0
    while not reached.all():
        grown = reached | (chain @ reached.astype(float) > 0)
        if (grown == reached).all():
            return False
        reached = grown
    return True


def _largest_sum(
    mdp: FiniteMDP[State],
    amounts: Float[np.ndarray, "state action"],
    margin: Float[np.ndarray, "state action"],
    policy: Int[np.ndarray, " state"],
    discount: float,
    *,
    improve: bool,
) -> float:
    """What the discounted sum of `amounts` surely does not exceed, from any state.

    Args:
        mdp: Whose transitions are followed.
        amounts: What each pair adds to the sum.
        margin: What to propose beyond the amounts, so that the check has room for rounding.
        policy: Where to begin.
        discount: Of later amounts.
        improve: Whether all policies count, or `policy` alone.
    """
    states = np.arange(mdp.num_states)
    for _ in range(_PROPOSALS):
        if discount == 1 and not terminates(mdp, policy):
            return math.inf
        chain, _ = mdp.chain(policy)
        proposed = (amounts + margin + 1e-6 * np.abs(amounts))[states, policy]
        total = solve_system(sparse.eye_array(len(states)) - discount * chain, proposed)
        if not np.isfinite(total).all():
            return math.inf
        beyond = amounts + discount * mdp.expected(total)
        beyond += _rounding(mdp, amounts, total, discount)
        larger = beyond > total[:, None]
        if not improve:
            larger &= np.eye(mdp.num_actions, dtype=bool)[policy]
        if not larger.any():
            return float(total.max())
        worst = np.where(larger.any(axis=1), beyond.argmax(axis=1), policy)
        if not improve or (worst == policy).all():
            return math.inf
        policy = worst
    return math.inf


def _rounding(
    mdp: FiniteMDP[State],
    rewards: Float[np.ndarray, "state action"],
    values: Float[np.ndarray, " state"],
    discount: float,
) -> Float[np.ndarray, "state action"]:
    terms = np.diff(mdp.transitions.indptr).reshape(rewards.shape)
    sizes = np.abs(values)
    size = np.abs(rewards) + discount * mdp.expected(sizes) + sizes[:, None]
    bound: np.ndarray = _FLOAT.eps * (terms + 4) * size + _FLOAT.tiny
    return bound
