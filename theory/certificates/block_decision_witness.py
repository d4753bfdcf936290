"""Decision-relevant datasets of product classes beyond enumeration.

D settles an action a in a state s, and the Bellman equation alone does not, if

- a is optimal in s for every model that extends D. These models are a part of the class, the assignments that agree
  with D in each block, so that bounds on differences of values show it for all of them at once;
- each action that is optimal in s for some T0 that extends D is not for some T1, whose q is consistent with D.

T0 and the T1 are taken from a family: all models if they are few, else all choices from some random blocks, beside a
random choice from the others. D is taken from where T0 is consistent with the q of the T1, and made smaller as long as
it settles a. So a dataset that is found does as it says; whether a smaller one would is open unless it has one
transition, and so is whether there is any where none is found, unless no inclusion is proper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np

from theory.certificates.block_witness import (
    Choices,
    consistent_with,
    product_blocks,
    table_of,
)
from theory.certificates.equality_proof import EqualityProof, prove_equality
from theory.certificates.hitting_sets import (
    Deadline,
    OutOfTimeError,
    Puzzle,
    bitmasks,
    greedy,
    members,
    minimal_sets,
)
from theory.certificates.witness import Witness, WitnessSearchTooLargeError
from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import Block
from theory.progress import Progress, silent
from theory.solving.policy_iteration import optimal_q
from theory.solving.value_differences import (
    DifferencesTooLargeError,
    JointChoices,
    value_differences,
)

MAX_FAMILY = 300
MAX_FAMILIES = 10_000
MAX_LISTED = 64


def find_block_decision_witness(
    problem: MDPClass,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    tried: int = MAX_FAMILIES,
) -> Witness | None:
    """A small decision-relevant dataset of a product class; None if no realizable dataset has a proper inclusion.

    Args:
        problem: a product class, gamma < 1.
        progress: told the fraction of families tried.
        time_limit: in seconds.
        tried: how many families at most.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
        WitnessSearchTooLargeError: if nothing was found by then, or among what was tried.
    """
    blocks = product_blocks(problem)
    deadline = Deadline(time_limit)
    found = prove_equality(problem, "realizable", time_limit=time_limit, most_parts=1)
    if isinstance(found, EqualityProof):
        return None
    count = 0
    try:
        for family in _families(blocks):
            found_here = _Search(problem, blocks, family, deadline).witness()
            if found_here is not None:
                return found_here
            count += 1
            progress(min(1.0, count / tried))
            if problem.transitions.size <= MAX_FAMILY or count == tried:
                break
    except OutOfTimeError:
        pass
    raise WitnessSearchTooLargeError(
        f"no decision-relevant dataset was found within {time_limit:.3g} s, among {count} families of up to"
        f" {MAX_FAMILY} models, and it is open whether there is one; accepted: a longer time limit, or a smaller class"
    )


def _families(blocks: list[Block]) -> Iterator[list[Choices]]:
    """All models if they are few; else all choices from a few random blocks, beside a random choice from the others."""
    sizes = [len(assignments) for _, assignments in blocks]
    if math.prod(sizes) <= MAX_FAMILY:
        yield list(product(*map(range, sizes)))
        return
    rng = np.random.default_rng(0)
    while True:
        free = [[choice] for choice in rng.integers(sizes).tolist()]
        count = 1
        for block in rng.permutation(len(sizes)).tolist():
            if count * sizes[block] <= MAX_FAMILY:
                free[block] = list(range(sizes[block]))
                count *= sizes[block]
        yield list(product(*free))


class _Search:
    """Looks at one family."""

    def __init__(
        self,
        problem: MDPClass,
        blocks: list[Block],
        family: Iterable[Choices],
        deadline: Deadline,
    ) -> None:
        self.problem, self.blocks, self.deadline = problem, blocks, deadline
        self.family = list(family)
        self.tables = [table_of(problem, blocks, choices) for choices in self.family]
        self.q = []
        for table in self.tables:
            deadline.check()
            self.q.append(optimal_q(table, problem.rewards, problem.gamma))
        self.greedy = np.array([[[x == max(row) for x in row] for row in q] for q in self.q])

    def witness(self) -> Witness | None:
        """The first dataset that is found, if any."""
        rows = np.array(self.tables).reshape(len(self.family), -1)
        consistent = [consistent_with(self.problem, q) for q in self.q]
        pairs, k = np.arange(rows.shape[1]), self.problem.actions
        for T0, row in enumerate(rows):
            self.deadline.check()
            observable = np.array([table[pairs, row] for table in consistent])  # [T1, pair]
            for state, action in np.argwhere(self.greedy[T0]).tolist():
                for T1 in np.flatnonzero(~self.greedy[:, state, action]).tolist():
                    observed = observable[T1]
                    left = self.greedy[T0, state] & self.greedy[T1, state]
                    for other in np.flatnonzero(left):
                        refuting = observed & observable[~self.greedy[:, state, other]]
                        if len(refuting):
                            observed = refuting[refuting.sum(axis=1).argmax()]
                            left[other] = False
                    contrary = ~self.greedy[:, state, action] & (~observed | (rows == row)).all(
                        axis=1
                    )
                    if left.any() or contrary.any():
                        continue
                    seen = self.shrunk(
                        self.family[T0], set(pairs[observed].tolist()), state, action
                    )
                    if seen is not None:
                        dataset = tuple((p // k, p % k, int(row[p])) for p in seen)
                        return Witness(
                            *(dataset, self.tables[T0], self.tables[T1], self.q[T0], self.q[T1]),
                            (state, action),
                            1,
                        )
        return None

    def shrunk(self, T0: Choices, observed: set[int], state: int, action: int) -> list[int] | None:
        """Few pairs, of those that may be observed of T0, that settle an action; None if all of them do not."""
        by_block = [self.telling(block, T0, observed) for block in range(len(self.blocks))]
        if not self.settles(T0, {p for pairs in by_block for p in pairs}, state, action):
            return None
        kept = {p for pairs in by_block for p in pairs}
        for dropped in (*map(set, by_block), *({p} for pairs in by_block for p in pairs)):
            if dropped & kept and self.settles(T0, kept - dropped, state, action):
                kept -= dropped
        return sorted(kept)

    def telling(self, block: int, T0: Choices, observed: set[int]) -> list[int]:
        """A few observed pairs of a block that rule out what all of them do."""
        pairs, assignments = self.blocks[block]
        seen = np.array([pair in observed for pair in pairs])
        differs = seen & (assignments != assignments[T0[block]])
        chosen = greedy(Puzzle("", minimal_sets(bitmasks(differs[differs.any(axis=1)]))))
        return [pairs[column] for column in members(chosen or 0)]

    def settles(self, T0: Choices, seen: set[int], state: int, action: int) -> bool:
        """Whether the action is shown to be optimal in the state for all models that agree with T0 at some pairs."""
        part: list[Block] = []
        for (pairs, assignments), choice in zip(self.blocks, T0, strict=True):
            columns = [column for column, pair in enumerate(pairs) if pair in seen]
            agrees = (assignments[:, columns] == assignments[choice, columns]).all(axis=1)
            part.append((pairs, assignments[agrees]))
        sizes = [len(assignments) for _, assignments in part]
        if math.prod(sizes) <= MAX_LISTED:
            every = _Search(self.problem, part, product(*map(range, sizes)), self.deadline)
            return bool(every.greedy[:, state, action].all())
        joint = JointChoices(self.problem, part)
        rewards, gamma = self.problem.rewards[state], self.problem.gamma
        others = [other for other in range(self.problem.actions) if other != action]
        ways = {other: joint.ways((state, other), (state, action)) for other in others}
        wanted = {(x, y) for reached in ways.values() for x, y in reached if x != y}
        try:
            bound = value_differences(self.problem, part, sorted(wanted), self.deadline.check).bound
        except DifferencesTooLargeError:
            return False
        return all(
            rewards[other] - rewards[action] + gamma * (0 if x == y else bound[x, y]) <= 0
            for other, reached in ways.items()
            for x, y in reached
        )
