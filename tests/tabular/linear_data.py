"""Transitions between features as plain values, in Fractions."""

from fractions import Fraction

import numpy as np

from tabular import FeatureTransitions


def exact(numbers):
    return np.vectorize(Fraction, otypes=[object])(np.array(numbers, dtype=object))


def transitions(*rows):
    """From rows (features, reward, next features or None, and perhaps a weight)."""
    ended = [0 for _ in rows[0][0]]
    return FeatureTransitions(
        exact([row[0] for row in rows]),
        exact([row[1] for row in rows]),
        exact([ended if row[2] is None else row[2] for row in rows]),
        exact([row[3] if len(row) == 4 else 1 for row in rows]),
    )
