"""Sampled data as evidence: which options observations of a pair still allow, and what that settles.

An observation (s, a, r, s') is a draw from the option that the true model has at (s, a). *By support* an option is
allowed if everything observed at its pair can happen under it: the truth is never ruled out. *By likelihood* it is
allowed if the observations of its pair are at least `threshold` times as likely under it as under the likeliest option.
Likelihoods are exact, and a truth may be ruled out: by how often it is, a threshold is to be judged.

`sample_curves` observes every pair equally often and asks how often an optimal policy is settled: in every state some
action is optimal under all q that are left. Pairs are observed independently, so that the law of the evidence is a
product over pairs. It is gone through where that is short, by enumerating the counts of successors; else counts are
drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial, prod, sqrt
from typing import Literal

import numpy as np

from theory.classes.mdp_class import MDPClass
from theory.classes.options import Option, OptionClass
from theory.classes.transition_class import checked_index
from theory.criteria.theorem import require_unique_solution
from theory.criteria.version_spaces import Evidence, evidence_space
from theory.progress import Progress, silent
from theory.solving.deterministic import MAX_BYTES, enumeration_bytes
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

Rule = Literal["support", "likelihood"]
Sample = tuple[int, int, Fraction, int]

MAX_COUNTS = 10_000  # ways in which the successors of a pair may be counted
MAX_EVIDENCES = 4_000  # joint outcomes that are gone through
CONFIDENCE = 1.959963984540054  # of a standard normal variable: 95%, two-sided


@dataclass(frozen=True)
class Allowance:
    """When an option is allowed.

    Attributes:
        rule: by support, or by likelihood.
        threshold: the least likelihood, as a share of the likeliest option's; None by support.

    Raises:
        ValueError: if the threshold is outside (0, 1], missing, or given by support.
    """

    rule: Rule = "support"
    threshold: Fraction | None = None

    def __post_init__(self) -> None:
        if self.rule == "support" and self.threshold is not None:
            raise ValueError(
                f"threshold is {self.threshold}; accepted: none by support, which has no degrees"
            )
        if self.rule == "likelihood" and not (self.threshold and 0 < self.threshold <= 1):
            given = "missing" if self.threshold is None else self.threshold
            raise ValueError(
                f"threshold is {given}; accepted by likelihood: a number above 0, at most 1"
            )

    def allowed(
        self, options: Sequence[Option], counts: Iterable[tuple[tuple[Fraction, int], int]]
    ) -> tuple[int, ...]:
        """The options of a pair that are allowed; none only where all observations are impossible together.

        Args:
            options: of the pair.
            counts: how often each (reward, successor) was observed there.
        """
        counted = list(counts)
        likelihood = [
            prod(
                (
                    (choice.probability(x) if choice.reward == reward else Fraction(0)) ** count
                    for (reward, x), count in counted
                ),
                start=Fraction(1),
            )
            for choice in options
        ]
        least = (self.threshold or Fraction(0)) * max(likelihood)
        return tuple(o for o, p in enumerate(likelihood) if p > 0 and p >= least)


def checked_sample(row: Sequence[object], problem: MDPClass) -> Sample:
    """An observation (s, a, r, s').

    Raises:
        ValueError: if it is none, or names what does not exist.
    """
    if len(row) != 4 or not isinstance(row[2], (int, Fraction)):
        raise ValueError(f"sample {list(row)}; accepted: [s, a, reward, s']")
    s, a, reward, x = row
    assert isinstance(reward, (int, Fraction))
    return (
        checked_index(s, problem.states - 1, f"state of sample {list(map(str, row))}"),
        checked_index(a, problem.actions - 1, f"action of sample {list(map(str, row))}"),
        Fraction(reward),
        checked_index(x, problem.states, f"successor of sample {list(map(str, row))}"),
    )


def evidence_of_samples(
    problem: MDPClass, samples: Iterable[Sequence[object]], allowance: Allowance
) -> Evidence:
    """The options that observations allow, for each pair.

    Args:
        problem: the class.
        samples: (s, a, r, s') each, repeated as observed.
        allowance: when an option is allowed.

    Raises:
        ValueError: if a sample names what does not exist, or no option explains those of a pair.
    """
    seen: dict[int, Counter[tuple[Fraction, int]]] = {}
    for s, a, reward, x in (checked_sample(row, problem) for row in samples):
        seen.setdefault(s * problem.actions + a, Counter())[reward, x] += 1
    evidence = []
    for pair in range(problem.transitions.pairs):
        options = problem.options_at(pair)
        allowed = allowance.allowed(options, seen.get(pair, Counter()).items())
        if not allowed:
            s, a = divmod(pair, problem.actions)
            what = ", ".join(
                f"reward {reward} and {problem.state_name(x)}" for reward, x in sorted(seen[pair])
            )
            raise ValueError(
                f"no option at ({problem.state_name(s)}, {problem.action_name(a)}) explains its samples: {what};"
                " accepted: samples that some option makes possible together"
            )
        evidence.append(allowed)
    return tuple(evidence)


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
        settled: how often an optimal policy is settled.
        right: how often it is, and optimal in the true model.
    """

    hypotheses: float
    settled: Share
    right: Share


@dataclass(frozen=True)
class SamplesRow:
    """One number of observations.

    Attributes:
        observations: of each pair.
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
        seed: of the draws, where there are any.
    """

    name: str
    truth: tuple[int, ...]
    allow: Rule
    threshold: Fraction | None
    rows: tuple[SamplesRow, ...]
    product: tuple[SamplesRow, ...]
    seed: int


def sample_curves(
    problem: MDPClass,
    truth: int = 0,
    allowance: Allowance | None = None,
    *,
    most: int = 20,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> SampleCurves:
    """What m observations of every pair settle, for m from 0 to `most`.

    Args:
        problem: the class.
        truth: the index of the true model.
        allowance: when an option is allowed; by support unless given.
        most: the largest number of observations of each pair.
        draws: how many outcomes to draw, where all are too many.
        seed: of the draws.
        progress: told the fraction done.

    Raises:
        ValueError: if the model does not exist, the class is too large, or an argument is out of range.
    """
    if most < 0 or draws < 1 or seed < 0:
        raise ValueError(
            f"most is {most}, draws {draws}, seed {seed}; accepted: 0 or more, 1 or more, 0 or more"
        )
    require_unique_solution(problem)
    allowance = allowance or Allowance()
    row = tuple(option for line in problem.transitions.table(truth) for option in line)
    problems = [problem]
    if not problem.transitions.is_tabular:
        every = (
            MDPClass(
                OptionClass(
                    problem.states,
                    problem.actions,
                    [problem.options_at(pair) for pair in range(problem.transitions.pairs)],
                ),
                problem.rewards,
                problem.gamma,
                problem.name,
            )
            if problem.gamma < 1
            else None
        )
        if every is not None and enumeration_bytes(every) <= MAX_BYTES:
            problems.append(every)
    curves = []
    for i, each in enumerate(problems):

        def told(fraction: float, i: int = i) -> None:
            progress((i + fraction) / len(problems))

        curves.append(_curve(each, row, allowance, most, draws, seed, told))
    return SampleCurves(
        name=problem.name,
        truth=row,
        allow=allowance.rule,
        threshold=allowance.threshold,
        rows=curves[0],
        product=curves[1] if len(curves) > 1 else (),
        seed=seed,
    )


def _curve(
    problem: MDPClass,
    truth: tuple[int, ...],
    allowance: Allowance,
    most: int,
    draws: int,
    seed: int,
    progress: Progress,
) -> tuple[SamplesRow, ...]:
    solved = solve(problem, lambda fraction: progress(fraction / 2))
    matches = np.flatnonzero((solved.models == np.array(truth)).all(axis=1))
    if not len(matches):
        raise ValueError("the true model has an infinite q* at gamma = 1; accepted: a finite one")
    best = solved.greedy[solved.q_of_model[matches[0]]]
    options = [problem.options_at(pair) for pair in range(solved.pairs)]
    rng = np.random.default_rng(seed)

    @cache
    def outcome(evidence: Evidence) -> tuple[int, ...]:
        """|H_M|, settled, right, |H_B|, settled, right, whether the truth is ruled out."""
        space = evidence_space(solved, evidence)
        found = [x for left in (space.HM, space.HB) for x in _settled(solved, left, best)]
        return (*found, any(o not in allowed for o, allowed in zip(truth, evidence, strict=True)))

    rows = []
    for observations in range(most + 1):
        laws = None
        if all(
            _ways(pair[o], observations) <= MAX_COUNTS
            for pair, o in zip(options, truth, strict=True)
        ):
            laws = [
                pair_evidence(pair, o, observations, allowance)
                for pair, o in zip(options, truth, strict=True)
            ]
        exact = laws is not None and prod(map(len, laws)) <= MAX_EVIDENCES
        weights: dict[Evidence, Fraction] = {}
        if exact and laws is not None:
            for chosen in product(*(law.items() for law in laws)):
                weights[tuple(allowed for allowed, _ in chosen)] = prod(
                    (p for _, p in chosen), start=Fraction(1)
                )
        else:
            drawn = Counter(
                _drawn(options, truth, observations, allowance, rng) for _ in range(draws)
            )
            weights = {evidence: Fraction(count, draws) for evidence, count in drawn.items()}
        means = [
            sum((p * outcome(evidence)[i] for evidence, p in weights.items()), Fraction(0))
            for i in range(7)
        ]
        shares = {i: _share(means[i], None if exact else draws) for i in (1, 2, 4, 5, 6)}
        rows.append(
            SamplesRow(
                observations,
                exact,
                0 if exact else draws,
                SampledLeft(float(means[0]), shares[1], shares[2]),
                SampledLeft(float(means[3]), shares[4], shares[5]),
                shares[6],
            )
        )
        progress(0.5 + (observations + 1) / (most + 1) / 2)
    return tuple(rows)


def _settled(solved: SolvedClass, left: np.ndarray, best: np.ndarray) -> tuple[int, bool, bool]:
    """|H|, whether a policy is optimal under all of it, and whether such a policy is optimal in truth."""
    if not left.any():
        return 0, False, False
    common = solved.greedy[left].all(axis=0)
    settled = bool(common.any(axis=1).all())
    return int(left.sum()), settled, settled and bool((common & best).any(axis=1).all())


def _ways(option: Option, observations: int) -> int:
    """In how many ways the successors of an option can be counted."""
    return comb(observations + len(option.law) - 1, len(option.law) - 1)


def pair_evidence(
    options: Sequence[Option], truth: int, observations: int, allowance: Allowance
) -> dict[tuple[int, ...], Fraction]:
    """The exact law of what is allowed at a pair after so many draws from its true option."""
    option = options[truth]
    law: dict[tuple[int, ...], Fraction] = {}
    for counts in _compositions(observations, len(option.law)):
        ways = factorial(observations) // prod(map(factorial, counts))
        p = prod(
            (q**count for (_, q), count in zip(option.law, counts, strict=True)),
            start=Fraction(ways),
        )
        allowed = _allowed(options, option, counts, allowance)
        law[allowed] = law.get(allowed, Fraction(0)) + p
    return law


def _allowed(
    options: Sequence[Option], option: Option, counts: Iterable[int], allowance: Allowance
) -> tuple[int, ...]:
    seen = [
        ((option.reward, x), int(count))
        for (x, _), count in zip(option.law, counts, strict=True)
        if count
    ]
    return allowance.allowed(options, seen)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for others in _compositions(total - first, parts - 1):
            yield (first, *others)


def _drawn(
    options: Sequence[Sequence[Option]],
    truth: tuple[int, ...],
    observations: int,
    allowance: Allowance,
    rng: np.random.Generator,
) -> Evidence:
    evidence = []
    for choices, o in zip(options, truth, strict=True):
        p = np.array([float(q) for _, q in choices[o].law])
        counts = rng.multinomial(observations, p / p.sum()).tolist()
        evidence.append(_allowed(choices, choices[o], counts, allowance))
    return tuple(evidence)


def _share(mean: Fraction, draws: int | None) -> Share:
    """A share with its Wilson interval; exact where nothing was drawn."""
    p = float(mean)
    if draws is None:
        return Share(p, p, p)
    z = CONFIDENCE
    middle = (p + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z / (1 + z * z / draws) * sqrt(p * (1 - p) / draws + z * z / (4 * draws * draws))
    return Share(p, max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)))
