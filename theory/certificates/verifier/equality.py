"""That there is no gap, for all choices from blocks of pairs: by what is known of values in each part of the class."""

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from .blocks import Assignment, BlockClass
from .fields import EQUALITY, Pair, refused

# What is accepted, so that any file is done with in seconds.
MAX_STEPS = 10_000_000  # that it takes to go through the parts of a class
MAX_OPEN = 10  # questions on which values are equal, whose answers are all gone through

CLAIMS = {
    "realizable": "every realizable D",
    "functional": "every functional D",
    "arbitrary": "every D",
}


class EqualityCertificate(BlockClass):
    """A certificate that H_M(D) = H_B(D) in such a class, for every D of a kind.

    Raises:
        ValueError: if the document is none.
    """

    def __init__(self, document: Any) -> None:
        super().__init__(document, EQUALITY)
        # A class without assignments has no models; one that is listed twice is one.
        self.blocks = [(pairs, list(dict.fromkeys(rows))) for pairs, rows in self.blocks]
        if not all(pairs and rows for pairs, rows in self.blocks):
            raise refused("a block without pairs or without assignments")
        self.claim = document["claim"]
        if type(self.claim) is not str or self.claim not in CLAIMS:
            raise refused(f"claim is none of {', '.join(CLAIMS)}")
        self.parts = [self.part(entry) for entry in self.items("parts", document["parts"])]
        self.steps = 0

    def part(self, entry: Any) -> tuple[str, Any]:
        """What is said of one part: how it is split, or what is known of values there."""
        if type(entry) is not dict or len(entry) != 1:
            raise refused("parts holds no object with one key")
        ((key, value),) = entry.items()
        if key == "split":
            block, numbers = self.items(key, value, 2)
            block = self.whole(key, block, len(self.blocks) - 1)
            last = len(self.blocks[block][1]) - 1
            return key, (block, {self.whole(key, i, last) for i in self.items(key, numbers)})
        if key == "values":
            return key, [self.number(key, v) for v in self.items(key, value, self.states)]
        if key == "differences":
            bounds = {}
            for row in self.items(key, value):
                x, y, u = self.items(key, row, 3)
                compared = self.whole(key, x, self.states), self.whole(key, y, self.states)
                bounds[compared] = self.number(key, u)
            return key, bounds
        raise refused("parts holds no split, values or differences")

    def spend(self, steps: int) -> None:
        """Count what is done."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise refused(f"over {MAX_STEPS} steps to go through its parts")


def verify_equality(document: Any) -> tuple[str | None, str]:
    """What is wrong with the claim that there is no gap, if anything; and the claim in words.

    A part of the class is what is left of each block's assignments. The first part is the whole class. Each entry of
    `parts` is about the part whose turn it is, and splits it in two, whose turns come next, or settles it. So when
    every turn has been taken, whatever model T1 is, some part that holds it has been settled.
    """
    certificate = EqualityCertificate(document)
    blocks = certificate.blocks
    said = f"H_M(D) = H_B(D) for {CLAIMS[certificate.claim]} in the class of all choices from {len(blocks)} blocks"
    waiting = [[set(range(len(rows))) for _, rows in blocks]]
    for kind, content in certificate.parts:
        if not waiting:
            return "there are more entries than parts", said
        part = waiting.pop()
        certificate.spend(len(part))
        if kind == "split":
            block, first = content
            halves = part[block] & first, part[block] - first
            if not all(halves):
                return "a part is not split in two", said
            waiting += [[*part[:block], half, *part[block + 1 :]] for half in reversed(halves)]
            continue
        rows = [
            [row for i, row in enumerate(every) if i in left]
            for (_, every), left in zip(blocks, part, strict=True)
        ]
        if kind == "values":
            known: Known = KnownValues(certificate, rows, content)
        else:
            known = KnownDifferences(certificate, rows, content)
        if known.fault:
            return known.fault, said
        for (_, every), left_rows in zip(blocks, rows, strict=True):
            if not SETTLES[certificate.claim](certificate, known, every, left_rows):
                return "what is known of values does not settle a block", said
    return ("some part is not settled" if waiting else None), said


class Known:
    """Which states, or the end, are worth the same in each model of a part, and which in none."""

    fault: str | None = None

    def equal(self, x: int, y: int) -> bool:
        """Whether they are known to be worth the same."""
        raise NotImplementedError

    def different(self, x: int, y: int) -> bool:
        """Whether they are known not to be."""
        raise NotImplementedError


class KnownValues(Known):
    """What the states are worth, where the part is one model: it has to solve the Bellman optimality equation."""

    def __init__(
        self, certificate: EqualityCertificate, rows: list[list[Assignment]], values: list[Fraction]
    ) -> None:
        self.worth = [*values, Fraction(0)]
        certificate.spend(sum(map(len, rows)) + certificate.states * certificate.actions)
        if any(len(left) != 1 for left in rows):
            self.fault = "values are given for more than one model"
            return
        best: list[list[Fraction]] = [[] for _ in values]
        for (pairs, _), ((*row,),) in zip(certificate.blocks, rows, strict=True):
            for (s, a), x in zip(pairs, row, strict=True):
                best[s].append(certificate.backup(self.worth.__getitem__, s, a, x))
        if list(map(max, best)) != values:
            self.fault = "values do not solve the Bellman equation"

    def equal(self, x: int, y: int) -> bool:
        return self.worth[x] == self.worth[y]

    def different(self, x: int, y: int) -> bool:
        return self.worth[x] != self.worth[y]


class KnownDifferences(Known):
    """Bounds u on V(x) - V(y) in every model of a part.

    They hold if for each of them, and for each action a in x, some action b in y keeps u up wherever models of the part
    may lead: u >= r(x, a) - r(y, b) + gamma * u', where u' is the bound on the two states that follow, and 0 if they
    are one. For let some V(x) - V(y) - u be the largest of all, and above 0. With a the best action in x, V(x) - V(y)
    is at most r(x, a) - r(y, b) + gamma * (V(x') - V(y')), so V(x) - V(y) - u is at most gamma * (V(x') - V(y') - u'),
    which is smaller. The end leads to itself, for nothing.
    """

    def __init__(
        self,
        certificate: EqualityCertificate,
        rows: list[list[Assignment]],
        bounds: dict[Pair, Fraction],
    ) -> None:
        self.certificate, self.bounds = certificate, bounds
        n, k = certificate.states, certificate.actions
        self.choices: dict[Pair, tuple[int, list[int]]] = {(n, a): (-1, [n]) for a in range(k)}
        for i, ((pairs, _), left) in enumerate(zip(certificate.blocks, rows, strict=True)):
            certificate.spend(len(pairs) * len(left))
            for column, pair in enumerate(pairs):
                self.choices[pair] = i, [row[column] for row in left]
        actions = range(k)
        for (x, y), u in bounds.items():
            for a in actions:
                answers = (a, *(b for b in actions if b != a))
                if not any(self.keeps((x, a), (y, b), u) for b in answers):
                    self.fault = "a bound on a difference of values does not hold"
                    return

    def keeps(self, first: Pair, second: Pair, u: Fraction) -> bool:
        """Whether an answer keeps a bound up."""
        n, rewards = self.certificate.states, self.certificate.rewards
        (block, xs), (other, ys) = self.choices[first], self.choices[second]
        if block == other:
            self.certificate.spend(len(xs))
            ways = set(zip(xs, ys, strict=True))
        else:
            self.certificate.spend(len(xs) + len(ys))
            firsts, seconds = set(xs), set(ys)
            self.certificate.spend(len(firsts) * len(seconds))
            ways = set(product(firsts, seconds))
        earned = [rewards[s][a] if s < n else Fraction(0) for s, a in (first, second)]
        left = (u - earned[0] + earned[1]) / self.certificate.gamma
        return all(self.bound(x, y) <= left for x, y in ways)

    def bound(self, x: int, y: int) -> Fraction | float:
        """The bound on V(x) - V(y), which is infinite where none is given."""
        return Fraction(0) if x == y else self.bounds.get((x, y), math.inf)

    def equal(self, x: int, y: int) -> bool:
        return self.bound(x, y) <= 0 and self.bound(y, x) <= 0

    def different(self, x: int, y: int) -> bool:
        return self.bound(x, y) < 0 or self.bound(y, x) < 0


def settles_realizable(
    certificate: EqualityCertificate, known: Known, rows: list[Assignment], left: list[Assignment]
) -> bool:
    """Whether for each assignment a0 of a block, and each a1 that T1 may have there, there is a stand-in.

    It has to be worth as much as a1 at every pair, and to be a0 where a0 is worth as much as a1: so what is seen of a0
    there rules out no q that it is consistent with. For a block of one pair a0 or a1 is one, whatever they are worth.
    """
    return len(rows[0]) == 1 or all(
        stands_in(certificate, known, rows, a0, a1) for a1 in left for a0 in rows
    )


def stands_in(
    certificate: EqualityCertificate,
    known: Known,
    rows: list[Assignment],
    a0: Assignment,
    a1: Assignment,
) -> bool:
    """Whether some assignment stands in for a0 beside a1, whichever values that are open are equal."""
    certificate.spend(len(a0))
    if a0 == a1:
        return True
    unknown = {
        frozenset(xy)
        for xy in zip(a0, a1, strict=True)
        if not known.equal(*xy) and not known.different(*xy)
    }
    if len(unknown) > MAX_OPEN:
        return False
    for count in range(len(unknown) + 1):
        for yes in combinations(sorted(unknown, key=sorted), count):
            certificate.spend(len(rows) * len(a0))
            seen = [
                known.equal(x, y) or frozenset((x, y)) in yes for x, y in zip(a0, a1, strict=True)
            ]
            if not any(
                all(
                    z == x if observed else known.equal(z, y)
                    for z, x, y, observed in zip(row, a0, a1, seen, strict=True)
                )
                for row in rows
            ):
                return False
    return True


def settles_functional(
    certificate: EqualityCertificate, known: Known, rows: list[Assignment], left: list[Assignment]
) -> bool:
    """Whether all that may be worth as much as T1's assignment at every pair is in the block."""
    vertices = range(certificate.states + 1)
    if len(rows) == len(vertices) ** len(rows[0]):
        return True
    for a1 in left:
        certificate.spend(len(a1) * (len(vertices) + len(rows)))
        possible = [{x for x in vertices if not known.different(x, y)} for y in a1]
        inside = sum(all(x in some for x, some in zip(row, possible, strict=True)) for row in rows)
        if inside != math.prod(map(len, possible)):
            return False
    return True


def settles_arbitrary(
    certificate: EqualityCertificate,
    known: Known,
    rows: list[Assignment],  # noqa: ARG001 - it has the form of the others
    left: list[Assignment],
) -> bool:
    """Whether nothing else is worth as much as T1's assignment, at any pair: no q is consistent with more."""
    vertices = range(certificate.states + 1)
    certificate.spend(sum(map(len, left)) * len(vertices))
    return all(known.different(x, y) for a1 in left for y in a1 for x in vertices if x != y)


SETTLES = {
    "realizable": settles_realizable,
    "functional": settles_functional,
    "arbitrary": settles_arbitrary,
}
