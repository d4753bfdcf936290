"""Which state-action pairs share a distribution: decision trees of equality tests.

A *context* of an output (a variable of the next state, the reward, termination) is a set of pairs
that have, or are taken to have, the same distribution of it. A tree sorts pairs into contexts by
tests "feature f has the value v", where the action is the last of the features. That says more than
a set of parents: which wall matters may depend on the cell (context-specific independence).

Among the tests that divide the rows of a node, the one with the largest

    G = 2 n I(test; label)        (n rows; mutual information in nats)

is taken, the first of equal ones. A tree is grown from one of two sources:

- all pairs, each labelled by its exact law: a node is divided until all labels in it are equal.
  Features outside the smallest scope are not tested, and if the action is within it, each action
  has a tree of its own, so that actions are never taken for the same because they happen to be;
- observed transitions, labelled by what happened: a node is divided while G is significant. If a
  test tells nothing about the label, G is about chi-squared with (labels - 1) degrees of freedom, and
  a node is divided wrongly with a probability of at most the false-alarm rate over all its tests
  (Bonferroni).
"""

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import special

from tabular.factored.smallest_scopes import smallest_scopes

Codes = Int[np.ndarray, "row feature"]
"""The number of each feature's value in each row."""

Weights = Float[np.ndarray, "row label"]
"""How often each label was seen in each row."""

_Stop = Callable[[float, int, int], bool]
"""Whether a node stays whole: by its best G, its labels, and its tests."""


def exact_contexts(
    codes: Codes, labels: Int[np.ndarray, " row"], everywhere: Int[np.ndarray, "pair feature"]
) -> Int[np.ndarray, " pair"]:
    """A context for each pair; rows in the same one have the same label.

    Args:
        codes: The rows, all different.
        labels: The number of the law of each row.
        everywhere: The pairs to sort, those of the rows and any others.
    """
    weights = np.eye(labels.max() + 1)[labels]
    scope, action = smallest_scopes(codes, labels)[0], codes.shape[1] - 1
    contexts = np.zeros(len(everywhere), dtype=np.int64)
    groups = [(slice(None), slice(None))]
    if action in scope:
        groups = [
            (codes[:, action] == value, everywhere[:, action] == value)
            for value in np.unique(codes[:, action])
        ]
    for rows, pairs in groups:
        grown = _grow(
            codes[rows],
            weights[rows],
            everywhere[pairs],
            sorted(scope - {action}),
            lambda _gain, present, _tests: present == 1,
        )
        contexts[pairs] = contexts.max() + 1 + grown
    return np.unique(contexts, return_inverse=True)[1].reshape(-1)


def learned_contexts(
    codes: Codes,
    weights: Weights,
    everywhere: Int[np.ndarray, "pair feature"],
    *,
    false_alarms: float,
) -> Int[np.ndarray, " pair"]:
    """A context for each pair, from observed transitions.

    Args:
        codes: The rows, all different.
        weights: How often each value of the output was seen in each row.
        everywhere: The pairs to sort, those of the rows and any others.
        false_alarms: The most that the probability of dividing a node wrongly may be, above 0 and
            below 1.

    Raises:
        ValueError: `false_alarms` is out of range.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms must be above 0 and below 1, got {false_alarms}")

    def insignificant(gain: float, present: int, tests: int) -> bool:
        return present == 1 or float(special.chdtrc(present - 1, gain)) * tests >= false_alarms

    return _grow(codes, weights, everywhere, range(codes.shape[1]), insignificant)


def _grow(
    codes: Codes,
    weights: Weights,
    everywhere: Int[np.ndarray, "pair feature"],
    features: Iterable[int],
    stop: _Stop,
) -> Int[np.ndarray, " pair"]:
    """A context for each pair, 0, 1, ..., by tests of these features."""
    contexts = np.zeros(len(everywhere), dtype=np.int64)
    tests = [(feature, value) for feature in features for value in np.unique(codes[:, feature])]
    if not tests:
        return contexts
    feature_of, value_of = np.array(tests).T
    holds = codes[:, feature_of] == value_of
    nodes = [(np.arange(len(codes)), np.arange(len(everywhere)))]
    leaves = 0
    while nodes:
        rows, pairs = nodes.pop()
        present = weights[rows].any(axis=0)
        gains, divides = _gains(holds[rows], weights[rows][:, present])
        best = int(np.argmax(np.where(divides, gains, -1.0)))
        if stop(float(gains[best]), int(present.sum()), int(divides.sum())) or not divides[best]:
            contexts[pairs] = leaves
            leaves += 1
            continue
        inside = holds[rows, best]
        chosen = everywhere[pairs, feature_of[best]] == value_of[best]
        nodes += [(rows[~inside], pairs[~chosen]), (rows[inside], pairs[chosen])]
    return contexts


def _gains(
    holds: Bool[np.ndarray, "row test"], weights: Weights
) -> tuple[Float[np.ndarray, " test"], Bool[np.ndarray, " test"]]:
    """G of each test, and whether it divides the rows."""
    inside = holds.T.astype(float) @ weights
    outside = weights.sum(axis=0) - inside
    both = (
        special.xlogy(weights.sum(), weights.sum())
        - special.xlogy(weights.sum(axis=0), weights.sum(axis=0)).sum()
    )
    parts = sum(
        special.xlogy(part.sum(axis=1), part.sum(axis=1)) - special.xlogy(part, part).sum(axis=1)
        for part in (inside, outside)
    )
    divides = (inside.sum(axis=1) > 0) & (outside.sum(axis=1) > 0)
    return np.maximum(2 * (both - parts), 0.0), divides
