"""TD(0) with linear values, from data and from a least-squares linear model of the data.

A state with features φ has the value θ·φ. The data are transitions (φ_i, r_i, φ'_i), i = 1, ..., m,
with weights w_i, all 1 unless one says otherwise; φ'_i = 0 where the step was terminal. Φ and Φ' have
the features in their rows, and W = diag(w).

TD(0) moves θ by α w_i (r_i + γ θ·φ'_i - θ·φ_i) φ_i. Added up over the data at a fixed θ, this is
α (b - A θ), and the fixed point of TD(0) on the data (LSTD; Bradtke and Barto, 1996) solves A θ = b:

    A = Φᵀ W (Φ - γ Φ'),     b = Φᵀ W r.

The *least-squares linear model* predicts φ' as F φ and r as g·φ, where F minimizes the sum of
w_i |F φ_i - φ'_i|², and g that of w_i (g·φ_i - r_i)². These are the solutions of

    C Fᵀ = Φᵀ W Φ',          C g = Φᵀ W r,          C = Φᵀ W Φ,

and the fixed point of TD(0) in the model solves θ = g + γ Fᵀ θ. Two identities follow:

1. Linear Dyna imagines (φ_i, g·φ_i, F φ_i) in place of (φ_i, r_i, φ'_i). The sums A and b of what it
   imagines are those of the data, since ΦᵀWΦFᵀ = C Fᵀ = ΦᵀWΦ' and ΦᵀWΦg = C g = ΦᵀWr. So for
   every θ a sweep of planning is a sweep of replay (van Seijen and Sutton, 2015). This needs no
   condition on the features, and holds for each of many least-squares models. It needs that Dyna
   starts from the φ_i of the data, with their weights.
2. C (g + γ Fᵀ θ - θ) = b - A θ. If C is invertible, a θ is a fixed point in the model if and only
   if it is one on the data (Sutton, Szepesvári, Geramifard and Bowling, 2012; they write b for g).
   So it does not matter then what Dyna starts from, as long as its features span the space.

Arrays hold floats, or ints and (in dtype object) Fractions. If all of these are exact, and γ and α
too, then so is every result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from numbers import Rational
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from tabular.dataset import Dataset, Number

Vector = Shaped[np.ndarray, " feature"]
"""Weights θ, or the features of a state."""

Matrix = Shaped[np.ndarray, "feature feature"]
"""A matrix over features."""


@dataclass(frozen=True, eq=False)
class FeatureTransitions:
    """Transitions as seen through features, for the evaluation of the policy that made them.

    Integers become Python's, which do not overflow.

    Attributes:
        features: Φ.
        rewards: r.
        next_features: Φ'; a row of zeros where the step was terminal.
        weights: w, the weight of each transition.

    Raises:
        ValueError: There is no transition, lengths differ, a number is not finite, or a weight is
            negative.
    """

    features: Shaped[np.ndarray, "transition feature"]
    rewards: Shaped[np.ndarray, " transition"]
    next_features: Shaped[np.ndarray, "transition feature"]
    weights: Shaped[np.ndarray, " transition"]

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or not self.features.size:
            raise ValueError(
                f"there must be a transition and a feature, got features {self.features.shape}"
            )
        count = len(self.features)
        if self.next_features.shape != self.features.shape:
            raise ValueError(
                "features and next_features must have the same shape, "
                f"got {self.features.shape} and {self.next_features.shape}"
            )
        for name, array in [("rewards", self.rewards), ("weights", self.weights)]:
            if array.shape != (count,):
                raise ValueError(f"{name} must have the shape {(count,)}, got {array.shape}")
        for name in ("features", "rewards", "next_features", "weights"):
            array = getattr(self, name)
            if array.dtype.kind in "biu":
                object.__setattr__(self, name, array.astype(object) + 0)  # True becomes 1
            elif wrong := [entry for entry in array.flat if not -inf < entry < inf]:
                raise ValueError(f"{name} must be finite, got {wrong[0]}")
        if min(self.weights) < 0:
            raise ValueError(f"weights must not be negative, got {min(self.weights)}")

    @classmethod
    def from_dataset(
        cls, dataset: Dataset, features: Shaped[np.ndarray, "state feature"]
    ) -> "FeatureTransitions":
        """The transitions of a dataset, each of weight 1; `features` has a row for each state.

        Raises:
            ValueError: `features` has not as many rows as the dataset has states.
        """
        if len(features) != dataset.num_states:
            raise ValueError(
                f"features must have a row for each of {dataset.num_states} states, "
                f"got {len(features)}"
            )
        ended = np.zeros_like(features[0])
        number = float if features.dtype.kind == "f" else object  # ints would cut rewards off
        return cls(
            np.array([features[step.state] for step in dataset]),
            np.array([step.reward for step in dataset], dtype=number),
            np.array(
                [
                    ended if step.next_state is None else features[step.next_state]
                    for step in dataset
                ]
            ),
            np.ones(len(dataset), dtype=features.dtype),
        )

    def __iter__(self) -> Iterator[tuple[Vector, Number, Vector, Number]]:
        return zip(self.features, self.rewards, self.next_features, self.weights, strict=True)


class TDSums(NamedTuple):
    """A and b, which add up over transitions as these come in."""

    A: Matrix
    b: Vector


@dataclass(frozen=True, eq=False)
class LinearModel:
    """The expectation model φ' = F φ, r = g·φ.

    Attributes:
        F: Next features from features; termination is features that shrink.
        g: Reward from features.
    """

    F: Matrix
    g: Vector

    def imagined(
        self,
        features: Shaped[np.ndarray, "transition feature"],
        weights: Shaped[np.ndarray, " transition"],
    ) -> FeatureTransitions:
        """One step that the model predicts from each of these features."""
        return FeatureTransitions(features, features @ self.g, features @ self.F.T, weights)


def td_sums(data: FeatureTransitions, discount: Number) -> TDSums:
    """A = Φᵀ W (Φ - γ Φ') and b = Φᵀ W r.

    Raises:
        ValueError: `discount` is not 0 to 1.
    """
    _require_discount(discount)
    weighted = data.weights[:, None] * data.features
    return TDSums(
        weighted.T @ (data.features - discount * data.next_features), weighted.T @ data.rewards
    )


def td_fixed_point(data: FeatureTransitions, discount: Number) -> Vector:
    """The θ with A θ = b, by elimination, whether or not TD(0) gets there.

    Raises:
        ValueError: A is singular: there are many fixed points, or none.
    """
    A, b = td_sums(data, discount)
    return _solution(A, b, name="A")


def least_squares_model(data: FeatureTransitions, *, minimum_norm: bool = False) -> LinearModel:
    """The least-squares linear model of the data.

    Args:
        data: The transitions; `data.weights` weigh the squares.
        minimum_norm: Whether to take, if there are many such models, the smallest F and g (those of
            the pseudo-inverse), instead of refusing.

    Raises:
        ValueError: C is singular, and `minimum_norm` false.
    """
    weighted = data.weights[:, None] * data.features
    C = weighted.T @ data.features
    predicted = weighted.T @ np.column_stack([data.next_features, data.rewards])
    solved = _solution(C, predicted, minimum_norm=minimum_norm, name="C")
    return LinearModel(F=solved[:, :-1].T, g=solved[:, -1])


def model_fixed_point(model: LinearModel, discount: Number) -> Vector:
    """The θ with θ = g + γ Fᵀ θ, by elimination.

    Raises:
        ValueError: I - γ Fᵀ is singular: there are many fixed points, or none; or `discount` is not
            0 to 1.
    """
    _require_discount(discount)
    identity = np.eye(len(model.g), dtype=int)
    return _solution(identity - discount * model.F.T, model.g, name="I - γ Fᵀ")


def planning_sweep(sums: TDSums, theta: Vector, step_size: Number) -> Vector:
    """θ + α (b - A θ), without a look at the data.

    Raises:
        ValueError: `step_size` is not positive and finite, or `theta` not as long as b.
    """
    _require_step(step_size, theta, len(sums.b))
    moved: Vector = theta + step_size * (sums.b - sums.A @ theta)
    return moved


def replay_sweep(
    data: FeatureTransitions,
    theta: Vector,
    discount: Number,
    step_size: Number,
    *,
    fixed_weights: bool,
) -> Vector:
    """Replay each transition once, in the order of the data, by TD(0).

    Args:
        data: The transitions.
        theta: θ before the sweep.
        discount: γ.
        step_size: α, positive.
        fixed_weights: Whether every error is that of the θ before the sweep, and the moves are added
            up; if not, each update starts from where the last one led.

    Raises:
        ValueError: `step_size` is not positive and finite, `discount` not 0 to 1, or `theta` of
            another length than the features.
    """
    _require_discount(discount)
    _require_step(step_size, theta, data.features.shape[1])
    moved = theta
    for features, reward, next_features, weight in data:
        at = theta if fixed_weights else moved
        error = reward + discount * (at @ next_features) - at @ features
        moved = moved + step_size * weight * error * features
    return moved


def _solution(
    matrix: Matrix,
    right: Shaped[np.ndarray, "feature ..."],
    *,
    minimum_norm: bool = False,
    name: str,
) -> Shaped[np.ndarray, "feature ..."]:
    """Solve matrix x = right, exactly if the matrix is exact."""
    solved: np.ndarray
    if all(isinstance(entry, Rational) for entry in matrix.flat):
        import sympy  # which takes a second, and is asked for here alone

        exact = sympy.Matrix(matrix)
        rank = exact.rank()
        full = rank == len(matrix)  # by elimination; the pseudo-inverse takes far longer
        inverse = exact.to_DM(field=True).inv().to_Matrix() if full else exact.pinv()
        entries = np.array([Fraction(entry.p, entry.q) for entry in inverse], dtype=object)
        solved = entries.reshape(matrix.shape) @ right
    else:
        solved, _, rank, _ = np.linalg.lstsq(matrix.astype(float), right.astype(float))
    if rank < len(matrix) and not minimum_norm:
        raise ValueError(
            f"{name} must be invertible for a unique solution, "
            f"got rank {rank} with {len(matrix)} features"
        )
    return solved


def _require_discount(discount: Number) -> None:
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be 0 to 1, got {discount}")


def _require_step(step_size: Number, theta: Vector, length: int) -> None:
    if not 0 < step_size < inf:
        raise ValueError(f"step_size must be positive and finite, got {step_size}")
    if theta.shape != (length,):
        raise ValueError(f"theta must have the shape {(length,)}, got {theta.shape}")
