"""The structure of a class at one gamma: all that H_M and H_B depend on, whatever the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from theory.criteria.exchange import closed_under_equivalence, exchange_holds, included_by_criterion
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True)
class Structure:
    """What H_M(D) and H_B(D) depend on, and the answers; all compared, the arrays entry by entry."""

    q_of_model: Int64[np.ndarray, " model"]
    consistent: Bool[np.ndarray, "q pair option"]
    value_vectors: int
    part1: bool
    part3_functional: bool
    part3_realizable: bool

    def changes(self, before: Structure) -> tuple[str, ...]:
        """What differs between two structures."""
        answers = [(s.part1, s.part3_functional, s.part3_realizable) for s in (self, before)]
        different = {
            "value functions": not np.array_equal(self.q_of_model, before.q_of_model),
            "value vectors": self.value_vectors != before.value_vectors,
            "consistent transitions": not np.array_equal(self.consistent, before.consistent),
            "answers": answers[0] != answers[1],
        }
        return tuple(what for what, differs in different.items() if differs)


def structure_of(solved: SolvedClass) -> Structure:
    """The structure of a solved class.

    Raises:
        ExchangeTooLargeError: if the exchange criterion cannot be decided.
    """
    closed = closed_under_equivalence(solved)
    return Structure(
        q_of_model=solved.q_of_model,
        consistent=solved.consistent,
        value_vectors=solved.value_vectors,
        part1=included_by_criterion(solved),
        part3_functional=closed,
        part3_realizable=closed or exchange_holds(solved),
    )
