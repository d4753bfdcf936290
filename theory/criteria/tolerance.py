"""The Bellman equation met up to a tolerance: |H_B^eps(D)| as an exact step function of eps.

H_B^eps(D) holds the q in H_Q with |q(s, a) - r(s, a) - gamma V_q(s')| <= eps at every transition of D. Each q comes in
at its largest residual on D, a rational number; at 0 this is H_B(D), and from the largest of all on it is H_Q. A
learner that minimizes residuals is told by this how far it has to go.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from theory.criteria.version_spaces import VersionSpace
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True)
class ToleranceStep:
    """From this eps on, up to the next step.

    Attributes:
        eps: where it begins.
        HB: |H_B^eps(D)|.
        outside_HM: how many of these are not in H_M(D).
    """

    eps: Fraction
    HB: int
    outside_HM: int


def tolerance_steps(solved: SolvedClass, space: VersionSpace) -> tuple[ToleranceStep, ...]:
    """Where |H_B^eps(D)| grows, from eps = 0 on.

    Args:
        solved: a class whose options are successors.
        space: what a dataset leaves of it.
    """
    residuals = [residual(solved, q, space) for q in range(solved.value_functions)]
    every = Counter(residuals)
    outside = Counter(r for r, inside in zip(residuals, space.HM, strict=True) if not inside)
    steps = sorted({Fraction(0), *every})
    return tuple(
        ToleranceStep(eps, *sizes)
        for eps, *sizes in zip(
            steps,
            accumulate(every[eps] for eps in steps),
            accumulate(outside[eps] for eps in steps),
            strict=True,
        )
    )


def residual(solved: SolvedClass, q: int, space: VersionSpace) -> Fraction:
    """The largest |q(s, a) - r(s, a) - gamma V_q(s')| over a dataset, for one q; 0 for no data."""
    table, gamma = solved.q_table(q), solved.problem.gamma
    values = [*map(max, table), Fraction(0)]
    return max(
        (
            abs(table[s][a] - solved.problem.rewards[s][a] - gamma * values[successor])
            for s, a, successor in space.dataset
        ),
        default=Fraction(0),
    )
