"""Evidence: at every pair some of the options are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import checked_index
from theory.criteria.version_spaces import Evidence


def checked_evidence(problem: MDPClass, rows: Iterable[Sequence[object]]) -> Evidence:
    """For each pair the options that are allowed, in order; all of them where a pair is not named.

    Args:
        problem: the class.
        rows: (s, a, allowed option numbers); in a deterministic class an option is a successor.

    Raises:
        ValueError: if a row is none, names what does not exist, allows nothing, or names a pair or option again.
    """
    named: dict[int, tuple[int, ...]] = {}
    counts = problem.option_counts
    for row in rows:
        if len(row) != 3 or not isinstance(row[2], Sequence) or isinstance(row[2], str):
            raise ValueError(f"evidence {list(row)}; accepted: [s, a, [allowed option numbers]]")
        where = f"of evidence {list(row)}"
        s = checked_index(row[0], problem.states - 1, f"state {where}")
        a = checked_index(row[1], problem.actions - 1, f"action {where}")
        pair = s * problem.actions + a
        last = counts[pair] - 1
        allowed = tuple(sorted(checked_index(o, last, f"option {where}") for o in row[2]))
        if not allowed:
            raise ValueError(f"evidence {list(row)} allows nothing; accepted: one option or more")
        if len(set(allowed)) < len(allowed) or pair in named:
            raise ValueError(f"evidence {list(row)} says something twice; accepted: once")
        named[pair] = allowed
    return tuple(named.get(pair, tuple(range(count))) for pair, count in enumerate(counts))


def named_pairs(
    problem: MDPClass, evidence: Evidence
) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """(s, a, allowed options) of the pairs at which not all are allowed."""
    return tuple(
        (*divmod(pair, problem.actions), allowed)
        for pair, (allowed, count) in enumerate(zip(evidence, problem.option_counts, strict=True))
        if len(allowed) < count
    )
