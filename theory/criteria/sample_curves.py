"""How much sampled data settle an optimal policy: in every state some action is optimal under all q that are left.

Data are draws from a true model: so many of every pair, or steps along trajectories (`sampled_outcomes`). They become
evidence by support or by likelihood (`samples`), and evidence leaves H_M and H_B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import sqrt

import numpy as np

from theory.classes.mdp_class import MDPClass
from theory.classes.options import OptionClass
from theory.classes.transition_class import checked_index
from theory.criteria.sampled_outcomes import Outcomes, outcomes_of_pairs, outcomes_of_walks
from theory.criteria.samples import Allowance, Rule
from theory.criteria.theorem import require_unique_solution
from theory.criteria.version_spaces import Evidence, evidence_space
from theory.progress import Progress, silent
from theory.solving.deterministic import MAX_BYTES, enumeration_bytes
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

MAX_AMOUNT = 10_000
MAX_DRAWS = 1_000_000
CONFIDENCE = 1.959963984540054  # of a standard normal variable: 95%, two-sided


@dataclass(frozen=True)
class Share:
    """How often something is so.

    Attributes:
        share: exact, or over the draws.
        low: the lower end of a Wilson interval at 95%; the share itself where it is exact.
        high: its upper end.
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class SampledLeft:
    """What one criterion leaves after so many observations.

    Attributes:
        hypotheses: the mean number of q left.
        standard_error: of that mean; 0 where it is exact.
        settled: how often an optimal policy is settled.
        right: how often it is, and optimal in the true model.
    """

    hypotheses: float
    standard_error: float
    settled: Share
    right: Share


@dataclass(frozen=True)
class SamplesRow:
    """One amount of data.

    Attributes:
        observations: of each pair; or steps, along trajectories.
        exact: whether all outcomes were gone through.
        draws: how many were drawn, where not.
        model: under H_M.
        bellman: under H_B.
        ruled_out: how often the true model is no longer allowed.
    """

    observations: int
    exact: bool
    draws: int
    model: SampledLeft
    bellman: SampledLeft
    ruled_out: Share


@dataclass(frozen=True)
class SampleCurves:
    """How observations settle an optimal policy.

    Attributes:
        name: the class.
        truth: the true model, an option number for each pair.
        allow: by support or by likelihood.
        threshold: "p/q"; None by support.
        rows: from no observation on.
        product: the same for the class of all choices of the same options, for which H_M = H_B; none where the class is
            that itself, or where it cannot be enumerated.
        start: where trajectories begin; None where every pair is observed equally often.
        seed: of the draws, where there are any.
    """

    name: str
    truth: tuple[int, ...]
    allow: Rule
    threshold: Fraction | None
    rows: tuple[SamplesRow, ...]
    product: tuple[SamplesRow, ...]
    start: int | None
    seed: int


def sample_curves(
    problem: MDPClass,
    truth: int = 0,
    allowance: Allowance | None = None,
    *,
    most: int = 20,
    draws: int = 1000,
    seed: int = 0,
    start: int | None = None,
    progress: Progress = silent,
) -> SampleCurves:
    """What m observations of every pair settle, or m steps of uniformly random actions, for m from 0 to `most`.

    Args:
        problem: the class.
        truth: the index of the true model.
        allowance: when an option is allowed; by support unless given.
        most: the largest number of observations of each pair, or of steps.
        draws: how many outcomes to draw, where all are too many.
        seed: of the draws.
        start: follow trajectories from this state in place of observing every pair equally often.
        progress: told the fraction done.

    Raises:
        ValueError: if the model does not exist, the class is too large, or an argument is out of range.
    """
    if not 0 <= most <= MAX_AMOUNT or not 1 <= draws <= MAX_DRAWS or seed < 0:
        raise ValueError(
            f"most is {most}, draws {draws}, seed {seed}; accepted: 0 to {MAX_AMOUNT}, 1 to {MAX_DRAWS}, 0 or more"
        )
    require_unique_solution(problem)
    if start is not None:
        checked_index(start, problem.states - 1, "start")
    allowance = allowance or Allowance()
    row = tuple(option for line in problem.transitions.table(truth) for option in line)
    options = problem.pair_options
    problems = [problem]
    if problem.gamma < 1 and not problem.transitions.is_tabular:
        every = OptionClass(problem.states, problem.actions, options)
        product = replace(problem, transitions=every)
        if enumeration_bytes(product) <= MAX_BYTES:
            problems.append(product)
    rng = np.random.default_rng(seed)

    def drawn(fraction: float) -> None:
        progress(fraction / 2)

    data = (
        outcomes_of_pairs(options, row, allowance, most, draws, rng, drawn)
        if start is None
        else outcomes_of_walks(
            options,
            row,
            allowance,
            most,
            draws,
            rng,
            states=problem.states,
            start=start,
            progress=drawn,
        )
    )
    curves = []
    for i, each in enumerate(problems):

        def told(fraction: float, i: int = i) -> None:
            progress((1 + (i + fraction) / len(problems)) / 2)

        # The same data for both: they depend on the truth and the options alone.
        curves.append(_curve(each, row, data, told))
    return SampleCurves(
        name=problem.name,
        truth=row,
        allow=allowance.rule,
        threshold=allowance.threshold,
        rows=curves[0],
        product=curves[1] if len(curves) > 1 else (),
        start=start,
        seed=seed,
    )


def _curve(
    problem: MDPClass,
    truth: tuple[int, ...],
    data: Sequence[Outcomes],
    progress: Progress,
) -> tuple[SamplesRow, ...]:
    solved = solve(problem, lambda fraction: progress(fraction / 2))
    matches = np.flatnonzero((solved.models == np.array(truth)).all(axis=1))
    if not len(matches):
        raise ValueError("the true model has an infinite q* at gamma = 1; accepted: a finite one")
    best = solved.greedy[solved.q_of_model[matches[0]]]

    @cache
    def outcome(evidence: Evidence) -> tuple[int, ...]:
        """|H_M|, settled, right, |H_B|, settled, right, whether the truth is ruled out."""
        space = evidence_space(solved, evidence)
        found = [x for left in (space.HM, space.HB) for x in _settled(solved, left, best)]
        return (*found, any(o not in allowed for o, allowed in zip(truth, evidence, strict=True)))

    rows = []
    for amount, outcomes in enumerate(data):
        counted = [(outcome(evidence), p) for evidence, p in outcomes.law.items()]
        means = [sum((p * x[i] for x, p in counted), Fraction(0)) for i in range(7)]
        squares = [sum((p * x[i] ** 2 for x, p in counted), Fraction(0)) for i in (0, 3)]
        draws = outcomes.draws
        errors = [
            _error(means[i], square, draws) for i, square in zip((0, 3), squares, strict=True)
        ]
        shares = {i: _share(means[i], draws) for i in (1, 2, 4, 5, 6)}
        rows.append(
            SamplesRow(
                amount,
                not draws,
                draws,
                SampledLeft(float(means[0]), errors[0], shares[1], shares[2]),
                SampledLeft(float(means[3]), errors[1], shares[4], shares[5]),
                shares[6],
            )
        )
        progress(0.5 + (amount + 1) / len(data) / 2)
    return tuple(rows)


def _settled(solved: SolvedClass, left: np.ndarray, best: np.ndarray) -> tuple[int, bool, bool]:
    """|H|, whether a policy is optimal under all of it, and whether such a policy is optimal in truth."""
    if not left.any():
        return 0, False, False
    common = solved.greedy[left].all(axis=0)
    settled = bool(common.any(axis=1).all())
    return int(left.sum()), settled, settled and bool((common & best).any(axis=1).all())


def _share(mean: Fraction, draws: int) -> Share:
    """A share with its Wilson interval; exact where nothing was drawn."""
    p = float(mean)
    if not draws:
        return Share(p, p, p)
    z = CONFIDENCE
    middle = (p + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z / (1 + z * z / draws) * sqrt(p * (1 - p) / draws + z * z / (4 * draws * draws))
    return Share(p, max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)))


def _error(mean: Fraction, square: Fraction, draws: int) -> float:
    """The standard error of a mean, from the mean and that of the squares."""
    return sqrt((square - mean * mean) / max(1, draws - 1)) if draws else 0.0
