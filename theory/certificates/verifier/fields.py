"""The fields of a certificate, read: of the right form, in range, and not too long."""

import hashlib
import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

LISTED = "mbgen certificate 1"  # the class is a list of models
BLOCKS = "mbgen certificate 2"  # the class is all choices of an assignment from each block of pairs
OPTIONS = "mbgen certificate 3"  # a list of models that choose options
EVIDENCE = "mbgen certificate 4"  # the same, with evidence in place of a dataset
EQUALITY = "mbgen certificate 5"  # all choices from blocks, and there is no gap
COMMON = (
    *("format", "states", "actions", "gamma", "T0", "T1", "q0", "q1"),
    *("smallest", "statement", "sha256"),
)
KEYS = {
    LISTED: (*COMMON, "D", "rewards", "models", "decision"),
    BLOCKS: (*COMMON, "D", "rewards", "blocks"),
    OPTIONS: (*COMMON, "D", "options", "models", "decision"),
    EVIDENCE: (*COMMON, "E", "options", "models"),
    EQUALITY: (
        *("format", "states", "actions", "gamma", "rewards", "blocks", "claim", "parts"),
        *("statement", "sha256"),
    ),
}
NUMBER = re.compile("-?[0-9]+(/[1-9][0-9]*)?")

# What is accepted, so that any file is done with in seconds.
MAX_BYTES = 1 << 24  # of the file
MAX_SUCCESSORS = 200_000  # models * states * actions
MAX_LENGTH = 2_000  # digits that a value may take: of gamma once for each state, and of the rewards

SMALLER = {"D": "smaller realizable dataset", "E": "evidence about fewer pairs"}

Pair = tuple[int, int]
Observed = tuple[int, int, tuple[int, ...]]  # a state, an action, and what may be there
Model = tuple[tuple[int, ...], ...]
Q = tuple[tuple[Fraction, ...], ...]
Worth = Callable[[int], Fraction]


def refused(why: str) -> ValueError:
    """What is raised for a document that is no certificate."""
    return ValueError(f"not a certificate: {why}")


def read(path: Path) -> Any:
    """The JSON document in a file.

    Raises:
        ValueError: if the file cannot be read, is too long, is no JSON, or repeats a key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file has more than {MAX_BYTES} bytes")
    try:
        return json.loads(content.decode(), object_pairs_hook=without_repetition)
    except RecursionError:
        raise ValueError("the file is nested too deeply") from None


def without_repetition(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that gives a key twice says two things.

    Raises:
        ValueError: naming the key that is repeated.
    """
    found: dict[str, Any] = {}
    for key, value in entries:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} is given twice")
        found[key] = value
    return found


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of all fields but this one."""
    others = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Certificate:
    """The fields of a document that all kinds have, each of the right form and in range.

    Raises:
        ValueError: if the document is no certificate.
    """

    def __init__(self, document: Any, kind: str) -> None:
        if type(document) is not dict or sorted(document) != sorted(KEYS[kind]):
            raise refused(f"not an object with the keys {', '.join(KEYS[kind])}")
        self.document = document
        n = self.states = self.whole("states", document["states"], MAX_SUCCESSORS)
        k = self.actions = self.whole("actions", document["actions"], MAX_SUCCESSORS)
        if n * k == 0 or n * k > MAX_SUCCESSORS:
            raise refused(f"{n} states and {k} actions")
        self.gamma = self.number("gamma", document["gamma"])
        if not 0 < self.gamma < 1:
            raise refused("gamma is not between 0 and 1")
        self.read_rules()

    def read_witness(self) -> None:
        """The fields of a certificate of part 2."""
        document, n, k = self.document, self.states, self.actions
        self.T0, self.T1 = (self.model(key, document[key]) for key in ("T0", "T1"))
        self.q0, self.q1 = (self.q_table(key) for key in ("q0", "q1"))
        self.data: list[Observed] = []
        name = self.kind_of_data
        for row in self.items(name, document[name], at_most=n * k):
            s, a, seen = self.items(name, row, 3)
            s, a = self.whole(name, s, n - 1), self.whole(name, a, k - 1)
            self.data.append((s, a, self.observed(s, a, seen)))
        self.smallest = document["smallest"]
        if type(self.smallest) is not bool:
            raise refused("smallest is neither true nor false")

    kind_of_data = "D"

    def observed(self, s: int, a: int, value: Any) -> tuple[int, ...]:
        """What may be at a pair, by the data: here one entry."""
        return (self.whole("D", value, self.last_choice(s, a)),)

    def less_of(self, s: int, a: int, choice: int) -> list[tuple[int, ...]]:  # noqa: ARG002
        """Whatever may be said of a pair where a model has this choice, as far as it matters."""
        return [(choice,)]

    def read_rules(self) -> None:
        """What a model's entries mean: here successors, and all models have the same rewards."""
        self.rewards = self.q_table("rewards")

    def last_choice(self, s: int, a: int) -> int:  # noqa: ARG002 - with options it depends on the pair
        """The largest entry that a model may have at a pair."""
        return self.states

    def backup(self, worth: Worth, s: int, a: int, choice: int) -> Fraction:
        """What a choice at a pair is worth, given what each state and the end are."""
        return self.rewards[s][a] + self.gamma * worth(choice)

    def whole(self, name: str, value: Any, last: int) -> int:
        """An integer from 0 to `last`."""
        if type(value) is not int or not 0 <= value <= last:
            raise refused(f"{name} holds no integer from 0 to {last}")
        return value

    def number(self, name: str, value: Any) -> Fraction:
        """An exact number in lowest terms, as a string such as "9/10"."""
        if type(value) is str and len(value) <= 2 * MAX_LENGTH and NUMBER.fullmatch(value):
            number = Fraction(value)
            if str(number) == value:
                return number
        raise refused(f"{name} holds no fraction in lowest terms, or a too long one")

    def items(
        self, name: str, value: Any, count: int | None = None, *, at_most: int = MAX_SUCCESSORS
    ) -> list[Any]:
        """A list, of so many entries."""
        if type(value) is not list or count not in (None, len(value)):
            wanted = "list" if count is None else f"list of {count}"
            raise refused(f"{name} holds no {wanted}")
        if len(value) > at_most:
            raise refused(f"{name} holds a list of more than {at_most}")
        return value

    def rows(self, name: str, value: Any) -> list[list[Any]]:
        """An entry for each action in a row for each state."""
        return [self.items(name, row, self.actions) for row in self.items(name, value, self.states)]

    def q_table(self, name: str) -> Q:
        """A number for each pair."""
        rows = self.rows(name, self.document[name])
        return tuple(tuple(self.number(name, entry) for entry in row) for row in rows)

    def model(self, name: str, value: Any) -> Model:
        """A choice for each pair."""
        rows = self.rows(name, value)
        return tuple(
            tuple(self.whole(name, x, self.last_choice(s, a)) for a, x in enumerate(row))
            for s, row in enumerate(rows)
        )

    def solves(self, q: Q, s: int, a: int, choice: int) -> bool:
        """Whether q solves the Bellman optimality equation for one choice."""

        def worth(x: int) -> Fraction:
            return max(q[x]) if x < self.states else Fraction(0)

        return q[s][a] == self.backup(worth, s, a, choice)


def agrees(T: Model, D: list[Observed]) -> bool:
    """Whether a model agrees with the data."""
    return all(T[s][a] in seen for s, a, seen in D)


def proper(data: str) -> str:
    """The claim in words."""
    return f"H_M({data}) is a proper subset of H_B({data})"
