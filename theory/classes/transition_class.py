"""Classes of deterministic transition functions: the hypothesis class M of Theorem 1.

A transition function is a map T: S x A -> S + {t} with S = {0, ..., n-1} and the terminal state
t = n. It is stored as one row of `n * k` small integers, one for each *pair* (s, a), in the order
s * k + a. A class is sized and addressed by index, so that it can be enumerated in batches and never
has to be held in memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int64, Integer, UInt

if TYPE_CHECKING:
    from theory.classes.options import PairOptions

# An axis that a list's arrays do not share has a name with an underscore, which goes unchecked.
Model = tuple[tuple[int, ...], ...]  # what it chooses, [s][a]
Models = UInt[np.ndarray, "model pair"]
Predicate = Callable[[UInt[np.ndarray, "model state action"]], Bool[np.ndarray, " model"]]
Block = tuple[list[int], UInt[np.ndarray, "_choice _column"]]
Transition = tuple[int, int, int]
Trajectory = tuple[int, ...]  # s, a, s', a', s'', ...

BATCH = 1 << 16
MAX_PAIRS = 65_535
MAX_MAP_ENTRIES = 1 << 24
MAX_FILTERED = 1_000_000_000


def successor_dtype(states: int) -> type[np.unsignedinteger]:
    """The smallest unsigned integer that holds every successor 0..n."""
    return np.uint8 if states <= 255 else np.uint16


def first_rows(rows: Integer[np.ndarray, "row column"]) -> Int64[np.ndarray, " distinct"]:
    """Where each distinct row appears first, in order."""
    first: Int64[np.ndarray, " distinct"] = np.sort(np.unique(rows, axis=0, return_index=True)[1])
    return first


def distinct_rows(
    rows: Integer[np.ndarray, "row column"],
) -> Integer[np.ndarray, "distinct column"]:
    """The rows without repetition, in the order of their first appearance."""
    distinct: Integer[np.ndarray, "distinct column"] = rows[first_rows(rows)]
    return distinct


def check_sizes(states: int, actions: int) -> None:
    """Refuse sizes that no class has.

    Raises:
        ValueError: if there is no state or no action, or there are more than MAX_PAIRS pairs.
    """
    for what, count in (("states", states), ("actions", actions)):
        if count < 1:
            raise ValueError(f"{what} is {count}; accepted: 1 or more")
    if states * actions > MAX_PAIRS:
        raise ValueError(
            f"{states} states and {actions} actions; accepted: at most {MAX_PAIRS} pairs"
        )


def checked_index(value: object, last: int, what: str) -> int:
    """An index from 0 to `last` as a plain integer.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= value <= last:
        return int(value)
    raise ValueError(f"{what} is {value!r}; accepted: an integer from 0 to {last}")


def checked_transition(
    transition: Sequence[object], states: int, actions: int, options: int | None = None
) -> Transition:
    """The transition (s, a, s') as plain integers; s' is one of n + 1 successors unless another number is given.

    Raises:
        ValueError: if it is not three integers that name a state, an action and a successor.
    """
    if len(transition) != 3:
        raise ValueError(
            f"transition {list(transition)} has {len(transition)} entries; accepted: [s, a, s']"
        )
    where = f"of transition {list(transition)}"
    s, a, successor = transition
    return (
        checked_index(s, states - 1, f"state {where}"),
        checked_index(a, actions - 1, f"action {where}"),
        checked_index(successor, (options or states + 1) - 1, f"successor {where}"),
    )


def checked_trajectory(row: Sequence[object], states: int, actions: int) -> Trajectory:
    """A trajectory (s, a, s', a', s'', ...) as plain integers; a transition is the shortest.

    Raises:
        ValueError: if it is none, or names what does not exist.
    """
    if len(row) < 3 or len(row) % 2 == 0:
        raise ValueError(
            f"transition {list(row)} has {len(row)} entries; accepted: [s, a, s'], or on from there"
            " [s, a, s', a', s'', ...]"
        )
    steps = [checked_transition(row[i : i + 3], states, actions) for i in range(0, len(row) - 2, 2)]
    return (*(entry for s, a, _ in steps for entry in (s, a)), steps[-1][2])


def transitions_of(trajectory: Trajectory) -> list[Transition]:
    """The steps (s, a, s') of a trajectory."""
    return [
        (trajectory[i], trajectory[i + 1], trajectory[i + 2])
        for i in range(0, len(trajectory) - 2, 2)
    ]


def fixed_successors(fixed: Iterable[Sequence[int]], states: int, actions: int) -> dict[int, int]:
    """The successor that each fixed pair is given, by pair index.

    Raises:
        ValueError: if a transition is out of range, or one pair is fixed twice.
    """
    successors: dict[int, int] = {}
    for transition in fixed:
        s, a, successor = checked_transition(transition, states, actions)
        if s * actions + a in successors:
            raise ValueError(f"state {s}, action {a} is fixed twice; accepted: once")
        successors[s * actions + a] = successor
    return successors


class TransitionClass(ABC):
    """A finite set of distinct transition functions, in a fixed order.

    Attributes:
        states: n, the number of nonterminal states; the terminal state has index n.
        actions: k, the number of actions.
        merged: how many repeated models were dropped when the class was made.
    """

    states: int
    actions: int
    merged: int = 0

    def __init__(self, states: int, actions: int) -> None:
        check_sizes(states, actions)
        self.states = states
        self.actions = actions

    @property
    @abstractmethod
    def size(self) -> int:
        """|M|, as a Python integer of any size."""

    @abstractmethod
    def select(self, index: Int64[np.ndarray, " model"]) -> Models:
        """The transition functions of the given indices, one row each."""

    def models(self, start: int, stop: int) -> Models:
        """The transition functions of indices start to stop - 1, one row each."""
        return self.select(np.arange(start, stop, dtype=np.int64))

    @property
    def pairs(self) -> int:
        """The number of state-action pairs, n * k."""
        return self.states * self.actions

    @property
    def is_tabular(self) -> bool:
        """Whether the class is known to hold every map S x A -> S + {t}."""
        return False

    @property
    def options(self) -> PairOptions | None:
        """What the numbers in a model's row stand for, for each pair; None where they are successors."""
        return None

    def with_rewards(self, rewards: Sequence[Sequence[Fraction]]) -> TransitionClass:  # noqa: ARG002
        """The same models where these rewards take the place of any that options bring: successors bring none."""
        return self

    def batches(self, batch: int = BATCH) -> Iterator[Models]:
        """All models in order, at most `batch` of them at a time."""
        for start in range(0, self.size, batch):
            yield self.models(start, min(start + batch, self.size))

    def table(self, index: int) -> Model:
        """One model as nested tuples, `table[s][a]` being the successor.

        Raises:
            ValueError: if the class has no model of that index.
        """
        last = min(self.size, 2**63) - 1  # indices are int64
        if not 0 <= index <= last:
            raise ValueError(f"model {index} does not exist; accepted: 0 to {last}")
        row = self.models(index, index + 1)[0].reshape(self.states, self.actions)
        return tuple(map(tuple, row.tolist()))

    def index(self, table: Sequence[Sequence[int]]) -> int:
        """The index of a model given as a table.

        Raises:
            ValueError: if it is not in the class.
        """
        if [len(line) for line in table] == [self.actions] * self.states:
            row = np.array(table).reshape(-1)
            start = 0
            for batch in self.batches():
                found = np.flatnonzero((batch == row).all(axis=1))
                if len(found):
                    return start + int(found[0])
                start += len(batch)
        raise ValueError(f"the model {[list(line) for line in table]} is not in the class")

    def state_assignments(self) -> list[UInt[np.ndarray, "_choice action"]] | None:
        """What each state's actions may lead to, if the states are independent; None if that is not known.

        The models, in order, are then the product of these lists, the last state varying fastest.
        """
        return None

    def filter(self, predicate: Predicate) -> FilteredClass:
        """The members for which `predicate` holds; see `FilteredClass`."""
        return FilteredClass(self, predicate)


class ProductClass(TransitionClass):
    """Independent blocks of pairs, each with a list of joint assignments; a model chooses one from each block.

    This one form covers the tabular class (each pair is a block), the factored classes (the pairs that share an unknown
    are a block) and explicit lists (everything is one block). The last block varies fastest.

    Args:
        states: n.
        actions: k.
        blocks: (pairs, assignments) for each block: the pair indices, and an array [choice, column] of their
            successors, whose rows are distinct. The blocks partition the pairs.
        merged: how many repeated models were dropped when the class was made.
    """

    def __init__(
        self,
        states: int,
        actions: int,
        blocks: Sequence[tuple[Sequence[int], UInt[np.ndarray, "_choice _column"]]],
        merged: int = 0,
    ) -> None:
        super().__init__(states, actions)
        if sorted(pair for pairs, _ in blocks for pair in pairs) != list(range(self.pairs)):
            raise ValueError(
                "the blocks of a class must cover every state-action pair exactly once"
            )
        if any(len(assignments) == 0 for _, assignments in blocks):
            raise ValueError(
                "the class is empty: some state-action pair has no successor; accepted: one model or more"
            )
        self.blocks: list[Block] = [(list(pairs), assignments) for pairs, assignments in blocks]
        self.merged = merged

    @property
    def size(self) -> int:
        return prod(len(assignments) for _, assignments in self.blocks)

    @property
    def is_tabular(self) -> bool:
        return bool(self.size == (self.states + 1) ** self.pairs)

    def select(self, index: Int64[np.ndarray, " model"]) -> Models:
        dtype = np.result_type(*(assignments for _, assignments in self.blocks))
        rows = np.empty((len(index), self.pairs), dtype=dtype)
        for pairs, assignments in reversed(self.blocks):
            index, choice = np.divmod(index, len(assignments))
            rows[:, pairs] = assignments[choice]
        return rows

    def state_assignments(self) -> list[UInt[np.ndarray, "_choice action"]] | None:
        if [pairs for pairs, _ in self.blocks] != [[pair] for pair in range(self.pairs)]:
            return None
        options = [assignments[:, 0] for _, assignments in self.blocks]
        by_state = [options[s : s + self.actions] for s in range(0, self.pairs, self.actions)]
        return [np.array(list(product(*actions)), dtype=options[0].dtype) for actions in by_state]


class FilteredClass(TransitionClass):
    """The members of a class for which a predicate holds.

    Args:
        base: the class to filter. It is enumerated once, in batches; eight bytes are kept for each member that passes.
        predicate: takes a batch [model, state, action] of successors, returns a Boolean for each model.

    Raises:
        ValueError: if the base has more than MAX_FILTERED models, no model passes, or the predicate returns
            anything else.
    """

    def __init__(self, base: TransitionClass, predicate: Predicate) -> None:
        super().__init__(base.states, base.actions)
        if base.size > MAX_FILTERED:
            raise ValueError(
                f"the class to filter has {Decimal(base.size):.12g} models, about"
                f" {Decimal(base.size) / 10**7:.3g} s to go through; accepted: at most {MAX_FILTERED:.3g}"
            )
        self.base = base
        kept, start = [], 0
        for batch in base.batches():
            mask = np.asarray(predicate(batch.reshape(-1, base.states, base.actions)))
            if mask.shape != (len(batch),) or mask.dtype != np.bool_:
                raise ValueError(
                    f"the predicate returned {mask.dtype} {mask.shape}; accepted: bool ({len(batch)},)"
                )
            kept.append(start + np.flatnonzero(mask))
            start += len(batch)
        self.kept: Int64[np.ndarray, " model"] = np.concatenate(kept)
        if not len(self.kept):
            raise ValueError(
                "the class is empty: no model passes the predicate; accepted: one model or more"
            )

    @property
    def size(self) -> int:
        return len(self.kept)

    def select(self, index: Int64[np.ndarray, " model"]) -> Models:
        return self.base.select(self.kept[index])


def tabular(
    states: int,
    actions: int,
    *,
    successors: Iterable[int] | None = None,
    fixed: Iterable[Sequence[int]] = (),
) -> ProductClass:
    """Every map S x A -> successors, with some pairs fixed.

    Args:
        states: n.
        actions: k.
        successors: the allowed successors of a free pair; all of S + {t} unless given.
        fixed: transitions (s, a, s') that every model shares; s' need not be among the allowed successors.

    Raises:
        ValueError: if a successor or a fixed transition is out of range or given twice, or if nothing is allowed.
    """
    check_sizes(states, actions)
    given = range(states + 1) if successors is None else successors
    allowed = [checked_index(successor, states, "successor") for successor in given]
    if len(set(allowed)) != len(allowed):
        raise ValueError(f"successors {allowed} repeats a state; accepted: distinct states")
    known = fixed_successors(fixed, states, actions)
    dtype = successor_dtype(states)
    free = np.array(allowed, dtype=dtype)[:, None]
    blocks = [
        ([pair], np.array([[known[pair]]], dtype=dtype) if pair in known else free)
        for pair in range(states * actions)
    ]
    return ProductClass(states, actions, blocks)


def explicit(models: Sequence[Sequence[Sequence[int]]]) -> ProductClass:
    """The given transition functions, `models[i][s][a]` being a successor. Repeated ones are merged and counted.

    Raises:
        ValueError: if the list is empty, a table is ragged, or a successor is out of range.
    """
    if not models:
        raise ValueError(
            "the class is empty: the list of models has no entry; accepted: one model or more"
        )
    states = len(models[0])
    actions = len(models[0][0]) if states else 0
    for index, model in enumerate(models):
        if len(model) != states or any(len(row) != actions for row in model):
            raise ValueError(
                f"model {index} is not a table of {states} states by {actions} actions, as the first one is"
            )
        for s, row in enumerate(model):
            for a, successor in enumerate(row):
                checked_transition((s, a, successor), states, actions)
    rows = np.array(models, dtype=successor_dtype(states)).reshape(len(models), -1)
    distinct = distinct_rows(rows)
    return ProductClass(
        states, actions, [(range(states * actions), distinct)], len(rows) - len(distinct)
    )
