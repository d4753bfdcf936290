"""Minimum hitting sets: the fewest elements that meet every set of a family, where not all may be chosen together.

Sets are bitmasks over the elements 0, 1, .... A *puzzle* is a family with a test of what may be chosen; the test is
antimonotone, so that what contains a refused choice is refused too. Of several puzzles the one with the smallest
solution is asked for.

Disjoint sets need an element each: as many of them as are found greedily bound any solution from below. A solution is
bounded from above by taking the element that meets most sets, again and again. Where the bounds leave room, all puzzles
are asked for solutions of one size after the other, so that the first one found is smallest whatever puzzle it solves,
and every size that was gone through is a bound for all.

How long a size takes is estimated before it is gone through, by random descents (Knuth, 1975): a descent that found so
many branches at each step stands for their product of them, which is right on average. The choices that are then
counted, and the time that they take, refine the estimate.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Bool

from theory.progress import Progress, silent

Label = TypeVar("Label")
Family = frozenset[int]
Allowed = Callable[[int], bool]

DESCENTS = 100
FEW_DESCENTS = 10
DESCENT_SHARE = 0.05


@dataclass(frozen=True)
class SearchEstimate:
    """What is left of a part of a search.

    Attributes:
        what: the part.
        choices: about how many choices are left to look at.
        seconds: about how long that takes.
    """

    what: str
    choices: float
    seconds: float


Tell = Callable[[SearchEstimate], None]


def untold(estimate: SearchEstimate) -> None:
    """Takes the estimates of who does not want them."""


class OutOfTimeError(Exception):
    """The time limit was reached; it never leaves the search.

    Attributes:
        left: what was left of the size that was being gone through; None before that.
    """

    left: SearchEstimate | None = None


class Deadline:
    """When a search has to stop.

    Args:
        seconds: from now; infinity for never.

    Attributes:
        checks: how often it was asked for.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds
        self.checks = 0

    def check(self) -> None:
        """Stop the search if its time is over.

        Raises:
            OutOfTimeError: if it is.
        """
        self.checks += 1
        if time.monotonic() > self._end:
            raise OutOfTimeError

    def watched(self, progress: Progress) -> Progress:
        """A progress report that stops the search too: for what makes puzzles, and may make none for long."""

        def report(fraction: float) -> None:
            self.check()
            progress(fraction)

        return report


def anything(_: int) -> bool:
    """The test of a puzzle whose elements may all be chosen together."""
    return True


@dataclass(frozen=True)
class Puzzle(Generic[Label]):
    """A family to be hit.

    Attributes:
        label: what it is about.
        family: the sets to meet.
        allowed: whether a set of elements may be chosen.
    """

    label: Label
    family: Family
    allowed: Allowed = anything


@dataclass(frozen=True)
class HittingSet(Generic[Label]):
    """The smallest solution that was found.

    Attributes:
        label: of the puzzle that it solves.
        elements: in increasing order.
        at_least: no solution of any puzzle has fewer elements; their number, if the solution is proved smallest.
        left: what was left of the size that was being gone through when the time was over, if it was.
    """

    label: Label
    elements: list[int]
    at_least: int
    left: SearchEstimate | None = None


def smallest_hitting_set(
    puzzles: Iterable[Puzzle[Label]],
    *,
    at_least: int = 0,
    deadline: Deadline | None = None,
    progress: Progress = silent,
    tell: Tell = untold,
) -> HittingSet[Label] | None:
    """The smallest solution of any of the puzzles; None if none has one.

    Args:
        puzzles: they may be made as they are asked for.
        at_least: known beforehand: no solution has fewer elements.
        deadline: when to stop; the best solution until then is returned, with what is known of smaller ones.
        progress: told, where sizes have to be gone through, which share of the smallest solution known is excluded.
        tell: told what is left of each size, before it is gone through and as it is.

    Raises:
        OutOfTimeError: if the time is over before any solution is found.
    """
    deadline = deadline or Deadline()
    best: tuple[Label, int] | None = None
    proved = at_least
    effort: _Effort | None = None
    left: SearchEstimate | None = None
    waiting: list[tuple[int, Puzzle[Label]]] = []  # each with a bound of its own
    seen = set()
    try:
        for puzzle in puzzles:
            deadline.check()
            key = (puzzle.family, None if puzzle.allowed is anything else puzzle.label)
            if key in seen or 0 in puzzle.family or not puzzle.allowed(0):
                continue
            seen.add(key)
            bound = max(packing(puzzle.family), at_least)
            if best is not None and bound >= best[1].bit_count():
                continue
            chosen = greedy(puzzle)
            if chosen is None or bound < chosen.bit_count():
                waiting.append((bound, puzzle))
            if chosen is not None and (best is None or chosen.bit_count() < best[1].bit_count()):
                best = puzzle.label, chosen
                if chosen.bit_count() <= at_least:
                    break
        while waiting and (best is None or proved < best[1].bit_count()):
            open_puzzles = [puzzle for bound, puzzle in waiting if bound <= proved]
            effort = _Effort(open_puzzles, proved, deadline)
            for puzzle in open_puzzles:
                tell(effort.left())
                found = hitting_set(puzzle.family, proved, puzzle.allowed, deadline)
                if found is not None:  # of at most `proved` elements: nothing is left to exclude
                    best = puzzle.label, found
                    break
            else:
                proved += 1
                if best is not None:
                    progress(proved / best[1].bit_count())
                waiting = [(b, x) for b, x in waiting if proved <= _union(x.family).bit_count()]
        if best is not None:
            proved = best[1].bit_count()
    except OutOfTimeError as error:
        left = None if effort is None else effort.left()
        if best is None:
            error.left = left
            raise
    return None if best is None else HittingSet(best[0], members(best[1]), proved, left)


class _Effort:
    """How long it takes to ask puzzles for solutions of one size: estimated beforehand, and refined as it is done.

    Args:
        puzzles: all that are asked.
        size: of the solutions.
        deadline: counts what is done from now on.
    """

    def __init__(self, puzzles: list[Puzzle[Label]], size: int, deadline: Deadline) -> None:
        rng = random.Random(0)
        self._what = f"size {size}"
        start, visited, found, drawn = time.perf_counter(), 0, 0.0, 0
        self._choices = self._each = spent = 0.0
        # After the first few, descents take a small share of the time that they foretell.
        while puzzles and drawn < DESCENTS:
            if drawn >= FEW_DESCENTS and spent > DESCENT_SHARE * self._choices * self._each:
                break
            steps, stands_for = _descent(rng.choice(puzzles), size, rng)
            visited, found, drawn = visited + steps, found + stands_for, drawn + 1
            spent = time.perf_counter() - start
            self._choices, self._each = found / drawn * len(puzzles), spent / visited
        self._start = time.perf_counter()
        self._deadline, self._before = deadline, deadline.checks

    def left(self) -> SearchEstimate:
        """What is left by now."""
        done = self._deadline.checks - self._before
        seconds = time.perf_counter() - self._start
        each = seconds / done if done >= DESCENTS else self._each
        left = max(0.0, self._choices - done)
        return SearchEstimate(self._what, left, left * each)


def _descent(puzzle: Puzzle[Label], size: int, rng: random.Random) -> tuple[int, float]:
    """One way down the tree of `hitting_set`, as if nothing were found: its length, and about how large the tree is."""
    family, chosen, alike = puzzle.family, 0, 1.0
    steps, total = 1, 1.0
    while family and packing(family) <= size:
        branches = list(_branches(family, chosen, puzzle.allowed))
        if not branches:
            break
        alike *= len(branches)
        chosen, family = rng.choice(branches)
        size -= 1
        steps, total = steps + 1, total + alike
    return steps, total


def hitting_set(
    family: Family,
    size: int,
    allowed: Allowed = anything,
    deadline: Deadline | None = None,
    chosen: int = 0,
) -> int | None:
    """At most `size` elements, besides those chosen, that meet every set; None if there are none.

    It branches on the elements of a smallest set that is not yet met, one of which any solution contains. What was
    tried in one branch is left out of the next ones.

    Raises:
        OutOfTimeError: at the deadline.
    """
    if deadline is not None:
        deadline.check()
    if not family:
        return chosen
    if packing(family) > size:
        return None
    for grown, unmet in _branches(family, chosen, allowed):
        found = hitting_set(unmet, size - 1, allowed, deadline, grown)
        if found is not None:
            return found
    return None


def _branches(family: Family, chosen: int, allowed: Allowed) -> Iterator[tuple[int, Family]]:
    """For each element that may come next, what is chosen with it and what it leaves unmet."""
    left_out = 0
    for element in members(min(family, key=lambda mask: (mask.bit_count(), mask))):
        grown = chosen | 1 << element
        if allowed(grown):
            unmet = frozenset(mask & ~left_out for mask in family if not mask >> element & 1)
            if 0 in unmet:
                return  # a set that only what was left out could meet: so it is in all later branches
            yield grown, unmet
        left_out |= 1 << element


def packing(family: Family) -> int:
    """How many disjoint sets are found, smallest first: no solution has fewer elements."""
    taken, count = 0, 0
    for mask in sorted(family, key=lambda mask: (mask.bit_count(), mask)):
        if not mask & taken:
            taken |= mask
            count += 1
    return count


def greedy(puzzle: Puzzle[Label]) -> int | None:
    """A solution made of elements that each meet most of what is left; None where that leads nowhere."""
    unmet, chosen = list(puzzle.family), 0
    while unmet:
        met = Counter(element for mask in unmet for element in members(mask))
        for element, _ in sorted(met.items(), key=lambda counted: (-counted[1], counted[0])):
            if puzzle.allowed(chosen | 1 << element):
                chosen |= 1 << element
                break
        else:
            return None
        unmet = [mask for mask in unmet if not mask & chosen]
    return chosen


def minimal_sets(family: Iterable[int]) -> Family:
    """The sets of a family that contain no other: what meets these meets all."""
    minimal: list[int] = []
    for mask in sorted(set(family), key=int.bit_count):
        if all(mask & smaller != smaller for smaller in minimal):
            minimal.append(mask)
    return frozenset(minimal)


def members(mask: int) -> list[int]:
    """The elements of a set given as a bitmask, in increasing order."""
    return [element for element in range(mask.bit_length()) if mask >> element & 1]


def bitmasks(rows: Bool[np.ndarray, "row element"]) -> list[int]:
    """Each row as a set of its elements."""
    packed = np.packbits(rows, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _union(family: Family) -> int:
    return reduce(or_, family, 0)
