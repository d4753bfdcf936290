"""H_M(E) and H_B(E) of one piece of evidence, reported as exact q tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import checked_index
from theory.criteria.theorem import require_unique_solution
from theory.criteria.version_spaces import Evidence, evidence_space
from theory.progress import Progress, silent
from theory.solving.solve import solve


@dataclass(frozen=True)
class EvidenceReport:
    """H_M(E) and H_B(E) of one piece of evidence.

    Attributes:
        name: the class.
        evidence: (s, a, the options that are allowed), for the pairs that do not allow all.
        functional: whether these pairs allow one option each: exact data about a pair.
        realizable: whether some model's options are all allowed.
        models_consistent: how many are.
        HM: H_M(E).
        HB: H_B(E).
        part1: whether H_M(E) is a subset of H_B(E).
        part2: whether E is realizable and H_M(E) a proper subset; `strict` says the same.
        strict: see `part2`.
        equal: whether the two are equal.
    """

    name: str
    evidence: tuple[tuple[int, int, tuple[int, ...]], ...]
    functional: bool
    realizable: bool
    models_consistent: int
    HM: tuple[QTable, ...]
    HB: tuple[QTable, ...]
    part1: bool
    part2: bool
    strict: bool
    equal: bool


def checked_evidence(problem: MDPClass, rows: Iterable[Sequence[object]]) -> Evidence:
    """For each pair the options that are allowed, in order; all of them where a pair is not named.

    Args:
        problem: the class.
        rows: (s, a, allowed option numbers); in a deterministic class an option is a successor.

    Raises:
        ValueError: if a row is none, names what does not exist, allows nothing, or names a pair or option again.
    """
    named: dict[int, tuple[int, ...]] = {}
    for row in rows:
        if len(row) != 3 or not isinstance(row[2], Sequence) or isinstance(row[2], str):
            raise ValueError(f"evidence {list(row)}; accepted: [s, a, [allowed option numbers]]")
        where = f"of evidence {list(row)}"
        s = checked_index(row[0], problem.states - 1, f"state {where}")
        a = checked_index(row[1], problem.actions - 1, f"action {where}")
        pair = s * problem.actions + a
        last = len(problem.options_at(pair)) - 1
        allowed = tuple(sorted(checked_index(o, last, f"option {where}") for o in row[2]))
        if not allowed:
            raise ValueError(f"evidence {list(row)} allows nothing; accepted: one option or more")
        if len(set(allowed)) < len(allowed) or pair in named:
            raise ValueError(f"evidence {list(row)} says something twice; accepted: once")
        named[pair] = allowed
    return tuple(
        named.get(pair, tuple(range(len(problem.options_at(pair)))))
        for pair in range(problem.transitions.pairs)
    )


def check_evidence(
    problem: MDPClass,
    evidence: Evidence,
    *,
    allow_zero_sum: bool = False,
    progress: Progress = silent,
) -> EvidenceReport:
    """H_M(E) and H_B(E) for evidence as `checked_evidence` or `evidence_of_samples` make it.

    Raises:
        ValueError: if the class is refused.
    """
    if not allow_zero_sum:
        require_unique_solution(problem)
    solved = solve(problem, progress)
    space = evidence_space(solved, evidence)
    named = tuple(
        (*divmod(pair, problem.actions), allowed)
        for pair, allowed in enumerate(evidence)
        if len(allowed) < len(problem.options_at(pair))
    )
    return EvidenceReport(
        name=problem.name,
        evidence=named,
        functional=all(len(allowed) == 1 for _, _, allowed in named),
        realizable=space.realizable,
        models_consistent=space.models_consistent,
        HM=tuple(solved.q_table(int(q)) for q in np.flatnonzero(space.HM)),
        HB=tuple(solved.q_table(int(q)) for q in np.flatnonzero(space.HB)),
        part1=space.included,
        part2=space.strict,
        strict=space.strict,
        equal=bool((space.HM == space.HB).all()),
    )
