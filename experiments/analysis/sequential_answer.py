"""What a question comes to, look by look: replay against agents with a model, by the tests of `sequential`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.analysis.sequential import Design, interval, shift_test, told_apart

AnswerName = Literal["model", "replay", "equivalent", "undecided"]


class Pair(NamedTuple):
    """What is known of two agents after the last look.

    Attributes:
        first: An agent.
        second: Another.
        difference: Mean of the first less that of the second.
        low: Lower end of the interval, -inf as long as nothing can be said.
        high: Upper end.
        different: Whether the two are told apart.
        equivalent: Whether they differ by less than the margin.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    different: bool
    equivalent: bool


class Decision(NamedTuple):
    """What a question comes to.

    Attributes:
        answer: "model" is better, "replay" is, they are "equivalent", or it is "undecided".
        agent: The model-based agent that the answer is about: the best of those that have it, by its mean.
        pairs: Each other agent against replay.
    """

    answer: AnswerName
    agent: str
    pairs: tuple[Pair, ...]

    @property
    def pair(self) -> Pair:
        """Of the agent that the answer is about."""
        return next(pair for pair in self.pairs if pair.first == self.agent)


class Findings(NamedTuple):
    """Replay, the first agent, against each other one, at each look so far.

    Attributes:
        difference: Mean of the other less that of replay.
        different: Whether they are told apart.
        equivalent: Whether differences of the margin and more are rejected, both up and down.
    """

    difference: Float[np.ndarray, "look model"]
    different: Bool[np.ndarray, "look model"]
    equivalent: Bool[np.ndarray, "look model"]

    def of(self, models: Sequence[int]) -> Findings:
        """Of these models alone, by their index."""
        return Findings(*(each[:, list(models)] for each in self))

    def answer(self, look: int = -1) -> tuple[AnswerName, int]:
        """The answer at a look, and the index of the model that it is about."""
        difference, equivalent = self.difference[look], self.equivalent[look]
        above = self.different[look] & (difference > 0) & ~equivalent
        below = self.different[look] & (difference < 0)
        if above.any():
            return "model", int(np.where(above, difference, -np.inf).argmax())
        best = int(difference.argmax())
        if not (below | equivalent).all():
            return "undecided", best
        if equivalent.any():
            return "equivalent", int(np.where(equivalent, difference, -np.inf).argmax())
        return "replay", best

    def answers(self) -> list[AnswerName]:
        """The answer at each look."""
        return [self.answer(look)[0] for look in range(len(self.difference))]


def findings(scores: Float[np.ndarray, "group agent seed"], design: Design) -> Findings:
    """What is found of replay, the first agent, against all others, which share alpha for their intervals."""
    groups, agents, seeds = scores.shape
    seen = seeds * np.arange(1, groups + 1)[:, None]
    means = scores.sum(axis=2).cumsum(axis=0) / seen
    difference = means[:, 1:] - means[:, :1]
    equivalent = np.zeros_like(difference, dtype=bool)
    if design.margin is not None:
        ends = np.array([-design.margin, design.margin])
        for model in range(1, agents):
            rejected = shift_test(
                scores[:, model], scores[:, 0], ends, _shared(design, agents)
            ).rejected.all(axis=0)
            equivalent[:, model - 1] = rejected & (np.abs(difference[:, model - 1]) < design.margin)
    return Findings(difference, told_apart(scores, design)[:, 0, 1:], equivalent)


def decide(
    scores: Mapping[str, Float[np.ndarray, "group seed"]],
    design: Design,
    candidates: Sequence[str] | None = None,
) -> Decision:
    """What the groups so far say: replay, the first agent, against all others.

    The model is better if one of its agents is told apart from replay and above it; replay is, if all are told
    apart and below; they are equivalent if each is below or within the margin, and at least one within. What is told
    apart and within the margin counts as within.

    Args:
        scores: By agent, replay first; two agents or more.
        design: What was fixed before.
        candidates: The agents that the answer is about; all but replay if None. The others are tested beside them.

    Raises:
        ValueError: There are fewer agents; or a score is not finite.
    """
    names = list(scores)
    if len(names) < 2:
        raise ValueError(f"agents are {', '.join(names)}; accepted: er and one more or several")
    table = np.stack(list(scores.values()), axis=1)
    if not np.isfinite(table).all():
        raise ValueError("scores must be finite, got NaN or infinite ones")
    found = findings(table, design)
    pairs = tuple(
        Pair(
            name,
            names[0],
            float(found.difference[-1, i]),
            *interval(table[:, i + 1], table[:, 0], _shared(design, len(names))),
            bool(found.different[-1, i]),
            bool(found.equivalent[-1, i]),
        )
        for i, name in enumerate(names[1:])
    )
    judged = [i for i, name in enumerate(names[1:]) if candidates is None or name in candidates]
    answer, best = found.of(judged).answer()
    return Decision(answer, names[judged[best] + 1], pairs)


def _shared(design: Design, agents: int) -> Design:
    """For the interval of one of the pairs with replay, which together hold alpha."""
    return replace(design, alpha=design.alpha / (agents - 1))
