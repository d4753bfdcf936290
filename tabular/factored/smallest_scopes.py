"""The smallest sets of columns of a table that determine a label.

Where rows are not all combinations of values, two different sets of columns may carry the same information; then all
smallest ones are found.

They are found as smallest sets that hit every *conflict*, that is, contain one of the columns in which two rows with
different labels differ. Few conflicts are ever written down: those of rows that differ in a single column, and then, as
long as a smallest hitting set does not determine the label, one that refutes it.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int


def smallest_scopes(
    codes: Int[np.ndarray, "row factor"], labels: Int[np.ndarray, " row"]
) -> tuple[frozenset[int], ...]:
    """All smallest sets of columns on which rows with different labels always differ.

    Different rows of `codes` may have equal labels, but equal rows must.

    Raises:
        ValueError: Equal rows have different labels.
    """
    conflicts = {
        frozenset([column])
        for column in range(codes.shape[1])
        if conflict_of(codes, labels, frozenset(range(codes.shape[1])) - {column}) is not None
    }
    while True:
        candidates = _smallest_hitting_sets(conflicts, codes.shape[1])
        refuted = {
            conflict
            for scope in candidates
            if (conflict := conflict_of(codes, labels, scope)) is not None
        }
        if not refuted:
            return tuple(sorted(candidates, key=sorted))
        conflicts |= refuted


def conflict_of(
    codes: Int[np.ndarray, "row factor"], labels: Int[np.ndarray, " row"], scope: frozenset[int]
) -> frozenset[int] | None:
    """The columns in which two rows differ that agree on `scope` and have different labels."""
    groups = groups_of(codes, scope)
    _, first = np.unique(groups, return_index=True)
    leader = first[groups]
    different = np.flatnonzero(labels != labels[leader])
    if not different.size:
        return None
    row = different[0]
    return frozenset(np.flatnonzero(codes[row] != codes[leader[row]]).tolist())


def groups_of(
    codes: Int[np.ndarray, "row factor"], scope: frozenset[int]
) -> Int[np.ndarray, " row"]:
    """A number for each row, equal for rows that agree on `scope`: 0, 1, ... without gaps."""
    groups = np.zeros(len(codes), dtype=np.int64)
    for column in sorted(scope):
        pair = groups * (codes[:, column].max() + 1) + codes[:, column]
        groups = np.unique(pair, return_inverse=True)[1].reshape(-1)
    return groups


def _smallest_hitting_sets(conflicts: set[frozenset[int]], num_columns: int) -> set[frozenset[int]]:
    """All sets of least size that share an element with every conflict."""

    def extended(chosen: frozenset[int], room: int) -> Iterator[frozenset[int]]:
        missed = next((conflict for conflict in conflicts if not conflict & chosen), None)
        if missed is None:
            yield chosen
        elif room:
            for column in missed:
                yield from extended(chosen | {column}, room - 1)

    for size in range(num_columns + 1):
        if found := set(extended(frozenset(), size)):
            return found
    raise ValueError("two equal rows have different labels")
