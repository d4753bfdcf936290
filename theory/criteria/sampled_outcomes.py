"""The law of the evidence that sampled data make: gone through where that is short, and drawn elsewhere.

*Pairs*: every pair is observed equally often, independently. The law of the evidence is a product over pairs, each of
which is found by enumerating the counts of successors.

*Walks*: uniformly random actions from a start state; an episode that ends begins anew there. Some pairs are then seen
often and others never. The law is that of where the walk is and of the counts at all pairs, step by step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial, prod

import numpy as np

from theory.classes.options import Option
from theory.criteria.samples import Allowance
from theory.criteria.version_spaces import Evidence
from theory.progress import Progress, silent

MAX_COUNTS = 10_000  # ways in which the successors of a pair may be counted
MAX_EVIDENCES = 4_000  # joint outcomes that are gone through

Options = Sequence[Sequence[Option]]  # of each pair
Counts = tuple[tuple[int, ...], ...]  # for each pair, of each successor of the true option


@dataclass(frozen=True)
class Outcomes:
    """The law of the evidence of one amount of data.

    Attributes:
        law: the probability of each piece of evidence, or its share of the draws.
        draws: how many were drawn; 0 where the law is exact.
    """

    law: dict[Evidence, Fraction]
    draws: int


def outcomes_of_pairs(
    options: Options,
    truth: Sequence[int],
    allowance: Allowance,
    most: int,
    draws: int,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> list[Outcomes]:
    """For 0 to `most` observations of every pair.

    Args:
        options: of each pair.
        truth: the true option of each pair.
        allowance: when an option is allowed.
        most: the largest number of observations.
        draws: how many outcomes to draw where all are too many.
        rng: for these.
        progress: told the fraction done.
    """
    found, pairs = [], list(zip(options, truth, strict=True))
    for observations in range(most + 1):
        laws = None
        if all(_ways(choices[o], observations) <= MAX_COUNTS for choices, o in pairs):
            laws = [pair_evidence(choices, o, observations, allowance) for choices, o in pairs]
        if laws is not None and prod(map(len, laws)) <= MAX_EVIDENCES:
            law = {
                tuple(allowed for allowed, _ in chosen): prod(
                    (p for _, p in chosen), start=Fraction(1)
                )
                for chosen in product(*(each.items() for each in laws))
            }
            found.append(Outcomes(law, 0))
        else:
            drawn = (_drawn(options, truth, observations, allowance, rng) for _ in range(draws))
            found.append(_shares(drawn, draws))
        progress((observations + 1) / (most + 1))
    return found


def outcomes_of_walks(
    options: Options,
    truth: Sequence[int],
    allowance: Allowance,
    steps: int,
    draws: int,
    rng: np.random.Generator,
    *,
    states: int,
    start: int,
    progress: Progress = silent,
) -> list[Outcomes]:
    """After 0 to `steps` steps of uniformly random actions from a state.

    Args:
        options: of each pair.
        truth: the true option of each pair.
        allowance: when an option is allowed.
        steps: the largest number of steps.
        draws: how many walks to draw where all are too many; each is followed through all steps.
        rng: for these.
        states: n.
        start: where an episode begins.
        progress: told the fraction done.
    """
    chosen = [pair[o] for pair, o in zip(options, truth, strict=True)]

    @cache
    def allowed(pair: int, counts: tuple[int, ...]) -> tuple[int, ...]:
        return _allowed(options[pair], chosen[pair], counts, allowance)

    def evidence(counts: Counts) -> Evidence:
        return tuple(allowed(pair, seen) for pair, seen in enumerate(counts))

    found = []
    for walks in _walks(chosen, steps, states, start):
        law: dict[Evidence, Fraction] = {}
        for (_, counts), p in walks.items():
            made = evidence(counts)
            law[made] = law.get(made, Fraction(0)) + p
        found.append(Outcomes(law, 0))
        progress(len(found) / (steps + 1) / 2)
    if len(found) <= steps:
        drawn = []
        for done in range(draws):
            drawn.append(drawn_walk(chosen, steps, states, start, rng))
            progress((1 + (done + 1) / draws) / 2)
        found += [
            _shares((evidence(walk[step]) for walk in drawn), draws)
            for step in range(len(found), steps + 1)
        ]
    return found


def _walks(
    chosen: Sequence[Option], steps: int, states: int, start: int
) -> Iterator[dict[tuple[int, Counts], Fraction]]:
    """The law of where the walk is and of what it has counted, step by step, as long as it has few outcomes."""
    k = len(chosen) // states
    law = {(start, tuple((0,) * len(option.law) for option in chosen)): Fraction(1)}
    for step in range(steps + 1):
        yield law
        if step == steps:
            return
        following: dict[tuple[int, Counts], Fraction] = {}
        for (s, counts), p in law.items():
            for pair in range(s * k, s * k + k):
                for place, (x, q) in enumerate(chosen[pair].law):
                    key = (start if x == states else x, _counted(counts, pair, place))
                    following[key] = following.get(key, Fraction(0)) + p * q / k
        if len(following) > MAX_EVIDENCES:
            return
        law = following


def drawn_walk(
    chosen: Sequence[Option], steps: int, states: int, start: int, rng: np.random.Generator
) -> list[Counts]:
    """What one walk has counted after each step, of each successor of each pair's option."""
    k, s = len(chosen) // states, start
    counts: Counts = tuple((0,) * len(option.law) for option in chosen)
    walk = [counts]
    for _ in range(steps):
        pair = s * k + int(rng.integers(k))
        p = np.array([float(q) for _, q in chosen[pair].law])
        place = int(rng.choice(len(p), p=p / p.sum()))
        x = chosen[pair].law[place][0]
        s = start if x == states else x
        counts = _counted(counts, pair, place)
        walk.append(counts)
    return walk


def _counted(counts: Counts, pair: int, place: int) -> Counts:
    seen = counts[pair]
    more = (*seen[:place], seen[place] + 1, *seen[place + 1 :])
    return (*counts[:pair], more, *counts[pair + 1 :])


def _shares(drawn: Iterable[Evidence], draws: int) -> Outcomes:
    law = {made: Fraction(count, draws) for made, count in Counter(drawn).items()}
    return Outcomes(law, draws)


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
    options: Options,
    truth: Sequence[int],
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
