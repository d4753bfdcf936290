"""Whether questions are answered falsely as seldom as promised: many simulated ones, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.stats import ttest_ind

from experiments.analysis.sequential import Design, told_apart
from experiments.analysis.sequential_answer import findings
from experiments.analysis.statistics import proportion_interval

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

RULES = ("first answer", "all groups", "out of time")
"""When a question ends: at its first answer; after all groups, whatever came before; or at the first answer
unless its time is up before, after any number of groups."""


class Rate(NamedTuple):
    """How often something happened.

    Attributes:
        times: It happened.
        questions: Asked.
        low: Lower end of the exact 95 % interval of its probability.
        high: Upper end.
    """

    times: int
    questions: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of the questions."""
        return self.times / self.questions


class Power(NamedTuple):
    """How well a difference is found.

    Attributes:
        difference: In standard deviations of a seed's score.
        found: That the model is better, with the looks.
        welch: Likewise by Welch's test, once, with all seeds.
        seeds: Of each agent, on average, until the answer.
        welch_seeds: Of each agent, for Welch's test.
    """

    difference: float
    found: Rate
    welch: Rate
    seeds: float
    welch_seeds: int


def _normal(stream: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return stream.standard_normal(shape)


def _skewed(stream: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return stream.lognormal(0.0, 1.0, shape)


def _bimodal(stream: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Seeds of which two in five fail."""
    return np.where(stream.random(shape) < 0.4, 0.0, 1.0) + 0.05 * stream.standard_normal(shape)


def _ties(stream: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return stream.binomial(3, 0.3, shape).astype(float)


def standardized(draw: Draw) -> Draw:
    """The same scores in units of their standard deviation, estimated once from many of them."""
    spread = float(draw(np.random.default_rng(0), (400, 500)).std())
    return lambda stream, shape: draw(stream, shape) / spread


DISTRIBUTIONS: Mapping[str, Draw] = {
    "normal": _normal,
    "skewed": _skewed,
    "bimodal": _bimodal,
    "ties": _ties,
}


def level(
    draw: Draw,
    questions: int,
    design: Design,
    *,
    seeds: int = 5,
    spreads: Sequence[float] = (1.0, 1.0),
    seed: int = 0,
) -> dict[str, Rate]:
    """How often agents without a difference are said to differ, by the rule that ends the question.

    Args:
        draw: Scores of any agent.
        questions: Simulated.
        design: Of each question, but for its seed.
        seeds: Of each agent in a group.
        spreads: Of each agent, replay first: what its scores are multiplied with.
        seed: Of the first question.

    Raises:
        ValueError: There is nothing to simulate.
    """

    def scored(stream: np.random.Generator) -> np.ndarray:
        return np.stack([x * draw(stream, (design.looks, seeds)) for x in spreads], axis=1)

    return _answered(("model", "replay"), scored, questions, design, seed)


def level_at_margin(
    draw: Draw, questions: int, design: Design, *, seeds: int = 5, seed: int = 0
) -> dict[str, Rate]:
    """How often agents that differ by the margin are said to be equivalent, or the worse one to be better.

    Args:
        draw: Scores of replay; those of the model lie higher by the margin.
        questions: Simulated.
        design: Of each question, with a margin, but for its seed.
        seeds: Of each agent in a group.
        seed: Of the first question.

    Raises:
        ValueError: There is no margin, or nothing to simulate.
    """
    margin = design.margin
    if margin is None:
        raise ValueError("margin is None; accepted: more than 0")

    def scored(stream: np.random.Generator) -> np.ndarray:
        scores = np.stack([draw(stream, (design.looks, seeds)) for _ in range(2)], axis=1)
        scores[:, 1] += margin
        return scores

    return _answered(("equivalent", "replay"), scored, questions, design, seed)


def family_wise_level(
    draw: Draw, questions: int, design: Design, *, lead: float, seeds: int = 5, seed: int = 0
) -> Rate:
    """How often two equal agents are ever told apart, beside a third that is better by `lead`."""
    times = 0
    for stream, asked in _asked(design, questions, seed):
        scores = np.stack([draw(stream, (design.looks, seeds)) for _ in range(3)], axis=1)
        scores[:, 2] += lead
        times += bool(told_apart(scores, asked)[-1, 0, 1])
    return rate(times, questions)


def power(
    draw: Draw,
    differences: Sequence[float],
    questions: int,
    design: Design,
    *,
    seeds: int = 5,
    seed: int = 0,
) -> list[Power]:
    """How often a lead of the model is found, and after how many seeds, beside Welch's test of all seeds at once.

    Args:
        draw: Scores of replay.
        differences: By which those of the model lie higher, in standard deviations.
        questions: Simulated for each.
        design: Of each question, but for its seed.
        seeds: Of each agent in a group.
        seed: Of the first question.
    """
    scaled = standardized(draw)
    measured = []
    for difference in differences:
        found = welch = groups = 0
        for stream, asked in _asked(design, questions, seed):
            scores = np.stack([scaled(stream, (design.looks, seeds)) for _ in range(2)], axis=1)
            scores[:, 1] += difference
            answers = findings(scores, asked).answers()
            found += "model" in answers
            groups += next((k for k, a in enumerate(answers, 1) if a != "undecided"), design.looks)
            test = ttest_ind(scores[:, 1].ravel(), scores[:, 0].ravel(), equal_var=False)
            welch += bool(test.pvalue < design.alpha and test.statistic > 0)
        measured.append(
            Power(
                difference,
                rate(found, questions),
                rate(welch, questions),
                seeds * groups / questions,
                seeds * design.looks,
            )
        )
    return measured


def peeking_level(
    draw: Draw, questions: int, design: Design, *, seeds: int = 5, seed: int = 0
) -> Rate:
    """How often Welch's test, made after each group until it rejects, tells apart two equal agents."""
    times = 0
    for stream, _ in _asked(design, questions, seed):
        first, second = (draw(stream, (design.looks, seeds)) for _ in range(2))
        times += any(
            ttest_ind(first[:k].ravel(), second[:k].ravel(), equal_var=False).pvalue < design.alpha
            for k in range(1, design.looks + 1)
        )
    return rate(times, questions)


def package_level(
    draw: Draw, questions: int, design: Design, *, seeds: int = 5, seed: int = 0
) -> Rate:
    """How often the package adastop tells apart two equal agents.

    Raises:
        ImportError: It is not installed.
    """
    from adastop import MultipleAgentsComparator

    times = 0
    for stream, asked in _asked(design, questions, seed):
        scores = [draw(stream, (design.looks, seeds)).ravel() for _ in range(2)]
        test = MultipleAgentsComparator(
            n=seeds, K=asked.looks, B=asked.paths, alpha=asked.alpha, beta=0, seed=asked.seed
        )
        for k in range(1, asked.looks + 1):
            shown = dict(zip("xy", (each[: k * seeds] for each in scores), strict=True))
            test.partial_compare(shown, verbose=False)
            if test.is_finished:
                break
        times += any(answer in ("larger", "smaller") for answer in test.decisions.values())
    return rate(times, questions)


def rate(times: int, questions: int) -> Rate:
    """So many times out of so many, with the exact interval."""
    low, high = proportion_interval(np.array(times), questions)
    return Rate(times, questions, float(low), float(high))


def _asked(
    design: Design, questions: int, seed: int
) -> Iterator[tuple[np.random.Generator, Design]]:
    """A stream for the scores of each question, and its design.

    Raises:
        ValueError: There is no question.
    """
    if questions < 1:
        raise ValueError(f"questions is {questions}; accepted: 1 or more")
    for number in range(seed, seed + questions):
        yield np.random.default_rng([number, 1]), replace(design, seed=number)


def _answered(
    false: Collection[str],
    scored: Callable[[np.random.Generator], np.ndarray],
    questions: int,
    design: Design,
    seed: int,
) -> dict[str, Rate]:
    """How often each rule ends with an answer that is false, by scores [group, agent, seed] drawn from a stream."""
    times = dict.fromkeys(RULES, 0)
    for stream, asked in _asked(design, questions, seed):
        answers = findings(scored(stream), asked).answers()
        for rule, answer in _by_rule(answers, stream).items():
            times[rule] += answer in false
    return {rule: rate(count, questions) for rule, count in times.items()}


def _by_rule(answers: Sequence[str], stream: np.random.Generator) -> dict[str, str]:
    def first(some: Sequence[str]) -> str:
        return next((answer for answer in some if answer != "undecided"), "undecided")

    time = int(stream.integers(1, len(answers) + 1))
    return dict(zip(RULES, (first(answers), answers[-1], first(answers[:time])), strict=True))
