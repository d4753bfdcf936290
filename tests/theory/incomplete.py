"""Classes that are closed but for a few maps: what is missing says how large a smallest witness is."""

from fractions import Fraction

import numpy as np

from theory import MDPClass, gallery_class, tabular


def all_maps_of_3x2_but(*missing: int) -> MDPClass:
    """The tabular class of 3 states, 2 actions and sparse rewards without the maps of these indices."""
    everything = tabular(3, 2)
    absent = everything.select(np.array(missing)).reshape(-1, 3, 2)
    others = everything.filter(
        lambda models: (models[:, None] != absent).any(axis=(2, 3)).all(axis=1)
    )
    return MDPClass(others, gallery_class("tabular-3x2-sparse").rewards, Fraction(9, 10))
