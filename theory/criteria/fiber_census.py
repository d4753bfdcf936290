"""The tabular class counted without enumerating its models: by optimal value vector in place of transition function.

The candidates V are the values of all policies in all functional graphs. The number of maps T: S x A -> S + {t} whose
optimal values are V is, the states being independent once V is given,

    product over s of ( product over a of #{s' : backup <= V(s)}  -  product over a of #{s' : backup < V(s)} ),

with backup = r(s, a) + gamma * V(s'). Counting distinct values of V(s') in place of s' gives the number of distinct q.
Every T has exactly one V, so the counts must add up to (n+1)^(n k): the certificate that no V was missed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Shaped

from theory.classes.mdp_class import Rewards
from theory.progress import Progress, silent
from theory.solving.lasso_table import Scale, lasso_values

BATCH = 1 << 16


@dataclass(frozen=True)
class Census:
    """Counts over all (n+1)^(n k) transition functions.

    Attributes:
        states: n.
        actions: k.
        gamma: "p/q".
        models: the number of transition functions.
        counted: the sum of the fiber counts.
        value_vectors: the number of distinct optimal V.
        value_functions: the number of distinct optimal q.
        largest_fiber: the most models that share one V.
        seconds: wall-clock time.
    """

    states: int
    actions: int
    gamma: str
    models: int
    counted: int
    value_vectors: int
    value_functions: int
    largest_fiber: int
    seconds: float

    @property
    def complete(self) -> bool:
        """The certificate: every model was counted, once."""
        return self.counted == self.models


@dataclass(frozen=True)
class ValueFibers:
    """The value vectors of the tabular class and how many models and q have each.

    Attributes:
        vectors: [vector, state], scaled integers in lexicographic order.
        models: [vector], the number of T with V* = V.
        value_functions: [vector], the number of distinct q with that V.
        scale: what the integers mean.
    """

    vectors: Shaped[np.ndarray, "vector state"]
    models: Shaped[np.ndarray, " vector"]
    value_functions: Shaped[np.ndarray, " vector"]
    scale: Scale


def value_fibers(rewards: Rewards, gamma: Fraction, progress: Progress = silent) -> ValueFibers:
    """The distinct optimal value vectors of the tabular class, with their fiber sizes.

    Raises:
        ValueError: if gamma is outside (0, 1), or the values of all policies are too many to list.
    """
    if not 0 < gamma < 1:
        raise ValueError(f"gamma is {gamma}; accepted by the census: a rational number in (0, 1)")
    values, scale = lasso_values(rewards, gamma)
    candidates = _distinct(values)
    n, k = len(rewards), len(rewards[0])
    # Python integers where a product could pass 2^63.
    dtype = np.int64 if (n + 1) ** (n * k) < 2**63 else object
    models, functions = [], []
    for start in range(0, len(candidates), BATCH):
        batch = candidates[start : start + BATCH]
        models.append(_fiber_sizes(batch, scale, np.ones(batch.shape, dtype=bool), dtype))
        functions.append(_fiber_sizes(batch, scale, _first_of_equal(batch), dtype))
        progress(min(start + BATCH, len(candidates)) / len(candidates))
    count = np.concatenate(models)
    attained = count > 0
    return ValueFibers(
        candidates[attained][:, :-1], count[attained], np.concatenate(functions)[attained], scale
    )


def census(rewards: Rewards, gamma: Fraction, progress: Progress = silent) -> Census:
    """Count models, value vectors and value functions of the tabular class with these rewards.

    The cost grows with the number of distinct policy values, at most product over s of (d_s (n + 1)) rows for d_s
    distinct rewards in state s, and not with the number of models.

    Raises:
        ValueError: if gamma is outside (0, 1), or the values of all policies are too many to list.
    """
    start = time.perf_counter()
    fibers = value_fibers(rewards, gamma, progress)
    n, k = len(rewards), len(rewards[0])
    models = [int(size) for size in fibers.models]
    return Census(
        states=n,
        actions=k,
        gamma=str(gamma),
        models=(n + 1) ** (n * k),
        counted=sum(models),
        value_vectors=len(models),
        value_functions=sum(int(size) for size in fibers.value_functions),
        largest_fiber=max(models),
        seconds=time.perf_counter() - start,
    )


def _distinct(values: Shaped[np.ndarray, "row vertex"]) -> Shaped[np.ndarray, "distinct vertex"]:
    if values.dtype == object:
        return np.array(sorted(set(map(tuple, values))), dtype=object)
    distinct: Shaped[np.ndarray, "distinct vertex"] = np.unique(values, axis=0)
    return distinct


def _first_of_equal(vectors: Shaped[np.ndarray, "row vertex"]) -> Bool[np.ndarray, "row vertex"]:
    """Marks one of each group of successors that have the same value."""
    first = np.ones(vectors.shape, dtype=bool)
    for vertex in range(1, vectors.shape[1]):
        for earlier in range(vertex):
            first[:, vertex] &= vectors[:, vertex] != vectors[:, earlier]
    return first


def _fiber_sizes(
    vectors: Shaped[np.ndarray, "row vertex"],
    scale: Scale,
    counted: Bool[np.ndarray, "row vertex"],
    dtype: type,
) -> Shaped[np.ndarray, " row"]:
    """The product formula of the module's docstring, over the successors marked in `counted`."""
    discounted = vectors // scale.q * scale.p
    size: Shaped[np.ndarray, " row"] = np.ones(len(vectors), dtype=dtype)
    for s, rewards in enumerate(scale.rewards):
        at_most: Shaped[np.ndarray, " row"] = np.ones(len(vectors), dtype=dtype)
        below: Shaped[np.ndarray, " row"] = np.ones(len(vectors), dtype=dtype)
        for reward in rewards:
            backup = discounted + reward
            at_most = at_most * ((backup <= vectors[:, s, None]) & counted).sum(axis=1)
            below = below * ((backup < vectors[:, s, None]) & counted).sum(axis=1)
        size = size * (at_most - below)
    return size
