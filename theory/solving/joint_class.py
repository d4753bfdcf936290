"""Several reward functions at once: tuples of optimal q, as one solved class.

The models are the transition functions; with K rewards the "q" of a model T is the tuple (q*_T^1, ..., q*_T^K). An
option is consistent with a tuple if its backup is right for every reward. Everything above `solving` then holds for
tuples as it does for single q.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool

from theory.classes.mdp_class import QTable
from theory.solving.deterministic import row_numbers
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True, kw_only=True)
class JointClass(SolvedClass):
    """A class solved for several rewards; where a table has a row for each state, it has these for each reward in turn.

    Attributes:
        parts: the class solved for each reward.
    """

    parts: tuple[SolvedClass, ...]

    @cached_property
    def consistent(self) -> Bool[np.ndarray, "q pair option"]:
        first = self.first_model
        consistent = np.ones((len(first), *self.parts[0].consistent.shape[1:]), dtype=bool)
        for part in self.parts:
            consistent &= part.consistent[part.q_of_model[first]]
        return consistent

    @cached_property
    def greedy(self) -> Bool[np.ndarray, "q state action"]:
        first = self.first_model
        return np.concatenate([p.greedy[p.q_of_model[first]] for p in self.parts], axis=1)

    @cached_property
    def value_vectors(self) -> int:
        """The number of distinct tuples of optimal V."""
        vectors = [
            tuple(tuple(map(max, part.q_table(int(part.q_of_model[T])))) for part in self.parts)
            for T in self.first_model
        ]
        return len(set(vectors))

    def q_table(self, q: int) -> QTable:
        """The tables of one tuple, one below the other."""
        T = self.first_model[q]
        return tuple(row for part in self.parts for row in part.q_table(int(part.q_of_model[T])))


def jointly(parts: Sequence[SolvedClass]) -> JointClass:
    """The solved class of tuples, from the same transition functions solved for each reward.

    Raises:
        ValueError: if there is none, or they are not the same models.
    """
    if not parts or any(not np.array_equal(part.models, parts[0].models) for part in parts[1:]):
        raise ValueError("a joint class needs one or more solved classes of the same models")
    numbers, first = row_numbers(np.stack([part.q_of_model for part in parts], axis=1))
    return JointClass(
        problem=parts[0].problem,
        models=parts[0].models,
        q_of_model=numbers,
        first_model=first,
        parts=tuple(parts),
    )
