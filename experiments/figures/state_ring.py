"""Where the states of a class stand in a picture: on a ring, its end to the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations

import numpy as np
from jaxtyping import Float

MOST_PERMUTED = 5  # states, of which every order is tried


def places_on_ring(links: Iterable[tuple[int, int]], states: int) -> Float[np.ndarray, "node 2"]:
    """The place of each state, and of the end, on a circle of radius 1: in the order in which the fewest links cross.

    Args:
        links: Pairs of states between which a transition leads; the end is one more than the last state.
        states: How many, without the end.
    """
    spanned = sorted({(min(link), max(link)) for link in links if link[0] != link[1]})

    def crossings(order: Sequence[int]) -> int:
        places = (*order, states)
        spans = [sorted((places[u], places[v])) for u, v in spanned]
        return sum(a < c < b < d or c < a < d < b for (a, b), (c, d) in combinations(spans, 2))

    orders = permutations(range(states)) if states <= MOST_PERMUTED else [tuple(range(states))]
    # Clockwise, the end last.
    angles = -2 * np.pi * (np.array([*min(orders, key=crossings), states]) + 1) / (states + 1)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
