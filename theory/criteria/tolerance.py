"""The Bellman equation met up to a tolerance: |H_B^eps(E)| as an exact step function of eps.

H_B^eps(E) holds the q in H_Q for which at every pair some allowed option's backup is within eps of q(s, a). Each q
comes in at its largest residual, a rational number; at 0 this is H_B(E), and from the largest of all on it is H_Q. A
learner that minimizes residuals is told by this how far it has to go. Of a dataset D every transition counts,
|q(s, a) - r(s, a) - gamma V_q(s')| <= eps, also where one pair has two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np
from jaxtyping import Bool

from theory.progress import Progress, silent
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True)
class ToleranceStep:
    """From this eps on, up to the next step.

    Attributes:
        eps: where it begins.
        HB: |H_B^eps|.
        outside_HM: how many of these are not in H_M.
    """

    eps: Fraction
    HB: int
    outside_HM: int


def tolerance_steps(
    solved: SolvedClass,
    HM: Bool[np.ndarray, " q"],
    required: Sequence[tuple[int, Sequence[int]]],
    progress: Progress = silent,
) -> tuple[ToleranceStep, ...]:
    """Where |H_B^eps| grows, from eps = 0 on.

    Args:
        solved: the class.
        HM: membership in H_M.
        required: (pair, options), of which one has to be within eps; a pair may come several times.
        progress: told the fraction done.
    """
    residuals = []
    for q in range(solved.value_functions):
        residuals.append(residual(solved, q, required))
        progress((q + 1) / solved.value_functions)
    every = Counter(residuals)
    outside = Counter(r for r, inside in zip(residuals, HM, strict=True) if not inside)
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


def residual(
    solved: SolvedClass, q: int, required: Sequence[tuple[int, Sequence[int]]]
) -> Fraction:
    """How far q is from what is required: the best option's |q(s, a) - backup|, where that is worst; 0 for no data."""
    table, gamma = solved.q_table(q), solved.problem.gamma
    values = [*map(max, table), Fraction(0)]
    return max(
        (
            min(
                abs(table[s][a] - solved.problem.option_at(s, a, o).backup(values, gamma))
                for o in options
            )
            for pair, options in required
            for s, a in [divmod(pair, solved.actions)]
        ),
        default=Fraction(0),
    )
