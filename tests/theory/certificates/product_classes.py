"""Small product classes, drawn plainly, and what is true of them by enumeration."""

from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import strategies as st

from theory import MDPClass, explicit, mdp_class
from theory.classes.transition_class import ProductClass

BLOCKS = {
    "pairs": [[0], [1], [2], [3]],
    "states": [[0, 1], [2, 3]],
    "actions": [[0, 2], [1, 3]],
}


@st.composite
def product_classes(draw):
    """Two states and two actions; each pair, state or action a block of up to three assignments."""
    blocks = []
    for pairs in BLOCKS[draw(st.sampled_from(sorted(BLOCKS)))]:
        row = st.tuples(*[st.integers(0, 2)] * len(pairs))
        blocks.append((pairs, draw(st.lists(row, min_size=1, max_size=3, unique=True))))
    rewards = draw(st.lists(st.integers(-1, 1), min_size=4, max_size=4))
    return blocks, rewards, draw(st.sampled_from(["1/2", "9/10"]))


def built(blocks, rewards, gamma):
    arrays = [(pairs, np.array(rows, dtype=np.uint8)) for pairs, rows in blocks]
    return mdp_class(ProductClass(2, 2, arrays), [rewards[:2], rewards[2:]], gamma)


def listed(document: dict) -> MDPClass:
    """The class of a certificate by blocks, all its models listed."""
    n, k = document["states"], document["actions"]
    models = []
    for choice in product(*[rows for _, rows in document["blocks"]]):
        row = [0] * (n * k)
        for (pairs, _), assignment in zip(document["blocks"], choice, strict=True):
            for pair, successor in zip(pairs, assignment, strict=True):
                row[pair] = successor
        models.append([row[s * k : (s + 1) * k] for s in range(n)])
    rewards = [[Fraction(r) for r in row] for row in document["rewards"]]
    return mdp_class(explicit(models), rewards, document["gamma"])
