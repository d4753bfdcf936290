"""The value of every deterministic policy in every functional graph, exactly, as ranks.

Under a fixed policy a deterministic MDP is a functional graph: from each state the path is a *lasso*, a prefix
that ends in the terminal state or runs into a cycle of length c <= n. With gamma = p/q,

    V = sum over the prefix of gamma^i r_i + gamma^m * (sum over the cycle of gamma^j r_j) / (1 - gamma^c),

so that with rewards made integers by a common denominator d, and L = q^n * lcm over c <= n of (q^c - p^c), every
value times d * L is an integer. The table holds one row for each way of giving every state an *option*, a
(reward, successor) pair.

All values of the table are then sorted once; from there on only their ranks are needed. Maxima, equalities and so
Bellman consistency are decided by order alone, which is exact, fits in 32 bits whatever the size of the integers, and
serves an algebraic gamma, whose values have an order but no fraction, equally well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import lcm, prod

import numpy as np
from jaxtyping import Bool, Int32, Int64, Integer, Shaped

from theory.classes.mdp_class import Rewards

INT64_MAX = 2**63 - 1
MAX_ENTRIES = 12_000_000
MAX_BIG_ENTRIES = (
    3_000_000  # where values are Python integers, which take several times as much of everything
)
ENTRY_SECONDS, BIG_ENTRY_SECONDS = 5e-7, 3e-6
ENTRY_BYTES, BIG_ENTRY_BYTES = 100, 350

# Values are int64 where the bound allows it and Python integers past it. The vertices are the states and t.
ByVertex = Shaped[np.ndarray, "graph vertex"]
Successors = Integer[np.ndarray, "graph vertex"]


class TableTooLargeError(ValueError):
    """The lasso table of these rewards would have more entries than are accepted."""


@dataclass(frozen=True)
class Scale:
    """How values become integers: scaled = value * factor; backup(v) = reward * L + p * (v / q).

    Attributes:
        p: numerator of gamma.
        q: denominator of gamma.
        level: L.
        factor: d * L, where d is the rewards' common denominator.
        rewards: `rewards[s][a]` as Python integers, times factor.
        fits_int64: whether every value and every intermediate result is below 2^63.
    """

    p: int
    q: int
    level: int
    factor: int
    rewards: tuple[tuple[int, ...], ...]
    fits_int64: bool

    @property
    def undiscounted(self) -> bool:
        """Whether gamma = 1: a cycle's value is then infinite."""
        return self.p == self.q

    @cached_property
    def infinity(self) -> int:
        """At gamma = 1: the value of a cycle with positive rewards; others have minus this."""
        return 1 + 2 * sum(max(map(abs, row)) for row in self.rewards)


def scale(rewards: Rewards, gamma: Fraction) -> Scale:
    """The scale on which all optimal values of all models with these rewards are integers."""
    n, p, q = len(rewards), gamma.numerator, gamma.denominator
    denominator = lcm(*(r.denominator for row in rewards for r in row))
    level = 1 if p == q else q**n * lcm(*(q**c - p**c for c in range(1, n + 1)))
    factor = denominator * level
    scaled = tuple(tuple(int(r * factor) for r in row) for row in rewards)
    # At least `factor`, so that the bound covers the powers of p and q in a table of zeros too.
    largest = max(factor, *(abs(r) for row in scaled for r in row))
    # |V| <= max|r| / (1 - gamma); at gamma = 1, twice the sum of all rewards bounds the infinity too.
    bound = largest * q // (q - p) if p != q else 2 * n * largest
    return Scale(p, q, level, factor, scaled, fits_int64=bound + largest < INT64_MAX)


def scale_of(values: Sequence[Fraction], rewards: Rewards, gamma: Fraction) -> Scale:
    """A scale on which just these values are integers, and divisible by q, so that backups are exact."""
    numbers = (*values, *(r for row in rewards for r in row))
    factor = gamma.denominator * lcm(*(number.denominator for number in numbers))
    scaled = tuple(tuple(int(r * factor) for r in row) for row in rewards)
    return Scale(gamma.numerator, gamma.denominator, factor, factor, scaled, fits_int64=False)


@dataclass(frozen=True)
class LassoTable:
    """Values of all functional graphs over all options.

    Attributes:
        ranks: [graph, state]; the rank of the value among `levels`, with one column more for the terminal state.
        levels: the distinct values in increasing order, 0 (the terminal state's) among them; times `scale.factor`.
        scale: what the integers mean.
        choice: [state, action]; which of its state's distinct rewards an action has.
        stride: [state]; the graph of options o_s has index sum over s of stride[s] * o_s, and option o_s is
            choice * (n + 1) + successor.
    """

    ranks: Int32[np.ndarray, "graph vertex"]
    levels: Shaped[np.ndarray, " level"]
    scale: Scale
    choice: Int64[np.ndarray, "state action"]
    stride: Int64[np.ndarray, " state"]


def table_entries(rewards: Rewards) -> int:
    """The number of entries of the table: states times graphs of options."""
    n = len(rewards)
    return n * prod(len(set(row)) * (n + 1) for row in rewards)


def table_seconds(rewards: Rewards, gamma: Fraction) -> float:
    """About how long the table takes to make; infinity if it is not accepted."""
    entries = table_entries(rewards)
    if entries > MAX_ENTRIES:
        return math.inf
    if scale(rewards, gamma).fits_int64:
        return entries * ENTRY_SECONDS
    return entries * BIG_ENTRY_SECONDS if entries <= MAX_BIG_ENTRIES else math.inf


def require_table(rewards: Rewards, gamma: Fraction) -> None:
    """Refuse rewards whose table would be too large.

    Raises:
        TableTooLargeError: past MAX_ENTRIES entries, or MAX_BIG_ENTRIES where values pass 63 bits.
    """
    if table_seconds(rewards, gamma) < math.inf:
        return
    entries = Decimal(table_entries(rewards))
    accepted, size, seconds = f"{MAX_ENTRIES:.3g}, by", ENTRY_BYTES, ENTRY_SECONDS
    if entries <= MAX_ENTRIES:
        accepted = f"{MAX_BIG_ENTRIES:.3g} of integers past 63 bits, by a simpler gamma,"
        size, seconds = BIG_ENTRY_BYTES, BIG_ENTRY_SECONDS
    raise TableTooLargeError(
        f"the table of all policies' values would have {entries:.3g} entries, about"
        f" {entries * size / 10**9:.3g} GB and {entries * Decimal(seconds):.3g} s; accepted: at most"
        f" {accepted} fewer states or fewer distinct rewards in a state"
    )


def lasso_values(rewards: Rewards, gamma: Fraction) -> tuple[ByVertex, Scale]:
    """The scaled value [graph, state] of every graph of options; the terminal state has a last column of zeros.

    Raises:
        TableTooLargeError: past MAX_ENTRIES entries, or MAX_BIG_ENTRIES where values pass 63 bits.
        ArithmeticError: if a value does not solve its Bellman equation exactly (never seen; it is checked).
    """
    require_table(rewards, gamma)
    n, s = len(rewards), scale(rewards, gamma)
    dtype = np.int64 if s.fits_int64 else object
    distinct = [np.array(sorted(set(row)), dtype=dtype) for row in s.rewards]
    option = np.indices([len(options) * (n + 1) for options in distinct]).reshape(n, -1).T
    successor = np.full((len(option), n + 1), n)
    reward = np.zeros((len(option), n + 1), dtype=dtype)
    for state, options in enumerate(distinct):
        choice, successor[:, state] = np.divmod(option[:, state], n + 1)
        reward[:, state] = options[choice]
    value, cyclic = _cycle_values(successor, reward // s.level, s)
    for _ in range(n):
        value = np.where(cyclic, value, _backup(reward, _follow(value, successor), s))
    if not np.array_equal(value, _backup(reward, _follow(value, successor), s)):
        raise ArithmeticError("a lasso value does not solve its Bellman equation")
    return value, s


def _follow(value: ByVertex, successor: Successors) -> ByVertex:
    followed: ByVertex = np.take_along_axis(value, successor, axis=1)
    return followed


def _backup(reward: ByVertex, next_value: ByVertex, s: Scale) -> ByVertex:
    if s.undiscounted:
        infinite = np.abs(next_value) == s.infinity
        backup: ByVertex = np.where(infinite, next_value, reward + next_value)
    else:
        backup = reward + s.p * (next_value // s.q)
    return backup


def _cycle_values(
    successor: Successors, reward: ByVertex, s: Scale
) -> tuple[ByVertex, Bool[np.ndarray, "graph vertex"]]:
    """The values of the states that lie on cycles, 0 elsewhere; and which states do. `reward` is times d alone."""
    n = successor.shape[1] - 1
    home = np.broadcast_to(np.arange(n + 1), successor.shape)
    at, value, total = home, np.zeros_like(reward), np.zeros_like(reward)
    open_ = np.arange(n + 1) < n  # the terminal state's loop is worth 0
    unclosed = np.broadcast_to(open_, successor.shape).copy()
    for c in range(1, n + 1):
        total = s.q * total + s.p ** (c - 1) * _follow(reward, at)  # sum of p^j q^(c-1-j) r_j
        at = _follow(successor, at)
        closes = (at == home) & unclosed
        if s.undiscounted:
            infinity = np.full_like(total, s.infinity)
            cycle = np.where(total > 0, infinity, -infinity)
        else:
            cycle = total * (s.q * s.level // (s.q**c - s.p**c))
        value = np.where(closes, cycle, value)
        unclosed &= ~closes
    return value, open_ & ~unclosed


def lasso_table(rewards: Rewards, gamma: Fraction) -> LassoTable:
    """The table of all policies' values for these rewards.

    It has n * product over s of (d_s (n + 1)) entries, d_s being the number of distinct rewards in state s,
    however many models there are.

    Raises:
        TableTooLargeError: past MAX_ENTRIES entries, or MAX_BIG_ENTRIES where values pass 63 bits.
    """
    values, s = lasso_values(rewards, gamma)
    levels, inverse = np.unique(values, return_inverse=True)
    return LassoTable(
        ranks=inverse.reshape(values.shape).astype(np.int32),
        levels=levels,
        scale=s,
        choice=reward_choice(rewards),
        stride=graph_stride(rewards),
    )


def reward_choice(rewards: Rewards) -> Int64[np.ndarray, "state action"]:
    """Which of its state's distinct rewards, in increasing order, each action has."""
    return np.array([[sorted(set(row)).index(r) for r in row] for row in rewards], dtype=np.int64)


def graph_stride(rewards: Rewards) -> Int64[np.ndarray, " state"]:
    """The weight of each state's option in the index of a graph; the last state's options vary fastest."""
    n = len(rewards)
    sizes = [len(set(row)) * (n + 1) for row in rewards]
    return np.array([prod(sizes[state + 1 :]) for state in range(n)], dtype=np.int64)
