"""Sampled data as evidence: which options observations of a pair still allow, and what that settles.

An observation (s, a, r, s') is a draw from the option that the true model has at (s, a). *By support* an option is
allowed if everything observed at its pair can happen under it: the truth is never ruled out. *By likelihood* it is
allowed if the observations of its pair are at least `threshold` times as likely under it as under the likeliest option.
Likelihoods are exact, and a truth may be ruled out: by how often it is, a threshold is to be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

from theory.classes.mdp_class import MDPClass
from theory.classes.options import Option
from theory.classes.transition_class import checked_index
from theory.criteria.version_spaces import Evidence

Rule = Literal["support", "likelihood"]
Sample = tuple[int, int, Fraction, int]


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
