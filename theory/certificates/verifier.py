"""Verify a certificate of part 2 of Theorem 1: `python verifier.py CERTIFICATE.json`.

It prints one line. Exit status 0: verified. 1: it does not verify, and why. 2: it is no certificate, and why.

This file is to be read by who wants to trust it. It needs the standard library alone and computes everything anew, in
fractions. docs/certificate.md gives the format, and what is claimed. The terms are those of the theorem: a model T
gives each pair (s, a) a successor T[s][a]; the number of states stands for the end, which is worth 0. Its optimal q
solves

    q[s][a] = rewards[s][a] + gamma * max(q[T[s][a]]),

and is this equation's only solution, as gamma < 1. Where a class has options, T[s][a] is the number of one, a reward r
and a law that gives successors x probabilities p, and q[s][a] = r + gamma * (the sum of p * max(q[x])). A dataset D
holds transitions (s, a, T[s][a]). H_M(D) holds the optimal q of the models that agree with all of D; H_B(D) those
optimal q, of any model, that solve the equation at all of D. Evidence E allows several options at a pair: a model
agrees with it if its own is among them, and q solves the equation there if it does so for one of them.
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

LISTED = "mbgen certificate 1"  # the class is a list of models
BLOCKS = (
    "mbgen certificate 2"  # the class is all choices of one assignment from each block of pairs
)
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
MAX_WORK = 1_000_000_000  # to solve the models: successors * states * digits of a value
MAX_LAW_WORK = 200_000_000  # with options: the same, times states
MAX_TRIALS = 10_000  # smaller datasets to try, counted once for each model that extends them
MAX_TRIAL_WORK = 100_000_000  # to try them: trials * successors * digits of a value
MAX_STEPS = 10_000_000  # that it takes to go through the parts of a class
MAX_OPEN = 10  # questions on which values are equal, whose answers are all gone through

SMALLER = {"D": "smaller realizable dataset", "E": "evidence about fewer pairs"}
CLAIMS = {
    "realizable": "every realizable D",
    "functional": "every functional D",
    "arbitrary": "every D",
}

Pair = tuple[int, int]
Observed = tuple[int, int, tuple[int, ...]]  # a state, an action, and what may be there
Model = tuple[tuple[int, ...], ...]
Q = tuple[tuple[Fraction, ...], ...]
Assignment = tuple[int, ...]
Worth = Callable[[int], Fraction]
Option = tuple[Fraction, list[tuple[int, Fraction]]]


# Reading


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


class Certificate:
    """The fields of a document that all kinds have, each of the right form and in range.

    Raises:
        ValueError: if the document is no certificate.
    """

    def __init__(self, document: Any, kind: str) -> None:
        if type(document) is not dict or sorted(document) != sorted(KEYS[kind]):
            raise ValueError(
                f"not a certificate: not an object with the keys {', '.join(KEYS[kind])}"
            )
        self.document = document
        n = self.states = self.whole("states", document["states"], MAX_SUCCESSORS)
        k = self.actions = self.whole("actions", document["actions"], MAX_SUCCESSORS)
        if n * k == 0 or n * k > MAX_SUCCESSORS:
            raise ValueError(f"not a certificate: {n} states and {k} actions")
        self.gamma = self.number("gamma", document["gamma"])
        if not 0 < self.gamma < 1:
            raise ValueError("not a certificate: gamma is not between 0 and 1")
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
            raise ValueError("not a certificate: smallest is neither true nor false")

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
            raise ValueError(f"not a certificate: {name} holds no integer from 0 to {last}")
        return value

    def number(self, name: str, value: Any) -> Fraction:
        """An exact number in lowest terms, as a string such as "9/10"."""
        if type(value) is str and len(value) <= 2 * MAX_LENGTH and NUMBER.fullmatch(value):
            number = Fraction(value)
            if str(number) == value:
                return number
        raise ValueError(
            f"not a certificate: {name} holds no fraction in lowest terms, or a too long one"
        )

    def items(
        self, name: str, value: Any, count: int | None = None, *, at_most: int = MAX_SUCCESSORS
    ) -> list[Any]:
        """A list, of so many entries."""
        if type(value) is not list or count not in (None, len(value)):
            wanted = "list" if count is None else f"list of {count}"
            raise ValueError(f"not a certificate: {name} holds no {wanted}")
        if len(value) > at_most:
            raise ValueError(f"not a certificate: {name} holds a list of more than {at_most}")
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


class ListedCertificate(Certificate):
    """A certificate about a list of models.

    Raises:
        ValueError: if the document is none, or it would take too long to verify.
    """

    def __init__(self, document: Any, kind: str = LISTED) -> None:
        super().__init__(document, kind)
        self.read_witness()
        n, k = self.states, self.actions
        self.models = [self.model("models", T) for T in self.items("models", document["models"])]
        self.decision: list[Pair] = [
            (self.whole("decision", s, n - 1), self.whole("decision", a, k - 1))
            for row in self.items("decision", document.get("decision", []), at_most=n * k)
            for s, a in [self.items("decision", row, 2)]
        ]
        successors = len(self.models) * n * k
        if not 0 < successors <= MAX_SUCCESSORS:
            raise ValueError(
                f"not a certificate: {successors} successors; accepted: 1 to {MAX_SUCCESSORS}"
            )
        length = self.length()
        if length > MAX_LENGTH:
            raise ValueError(
                f"not a certificate: values of {length} digits; accepted: at most {MAX_LENGTH}"
            )
        self.value_length = length
        work, most = successors * n * length, MAX_WORK
        if kind != LISTED:
            work, most = work * n, MAX_LAW_WORK
        if work > most:
            raise ValueError(
                f"not a certificate: {work} steps to solve its models; accepted: at most {most}"
            )

    def length(self) -> int:
        """About how many digits a value may take."""
        rewards = [reward for row in self.rewards for reward in row]
        return self.states * len(str(self.gamma.denominator)) + digits(rewards)

    def optimal_q(self, T: Model) -> Q:
        """The optimal q of a model, by policy iteration: it stops at a policy that is greedy for its own q."""
        policy = [0] * len(T)
        while True:
            worth = self.policy_values(T, policy).__getitem__
            q = tuple(
                tuple(self.backup(worth, s, a, x) for a, x in enumerate(row))
                for s, row in enumerate(T)
            )
            greedy = [
                a if q[s][a] == max(q[s]) else q[s].index(max(q[s])) for s, a in enumerate(policy)
            ]
            if greedy == policy:
                return q
            policy = greedy

    def policy_values(self, T: Model, policy: list[int]) -> list[Fraction]:
        """What each state is worth under a policy; the end's 0 comes last."""
        return lasso_values(
            [T[s][a] for s, a in enumerate(policy)],
            [self.rewards[s][a] for s, a in enumerate(policy)],
            self.gamma,
        )


class OptionCertificate(ListedCertificate):
    """A certificate about a list of models that choose options: at each pair a reward, and a law over successors.

    Raises:
        ValueError: if the document is none, or it would take too long to verify.
    """

    def __init__(self, document: Any, kind: str = OPTIONS) -> None:
        self.evaluated: dict[tuple[tuple[int, int], ...], list[Fraction]] = {}
        super().__init__(document, kind)

    def read_rules(self) -> None:
        self.options = [
            [[self.option(o) for o in self.items("options", options)] for options in row]
            for row in self.rows("options", self.document["options"])
        ]
        steps = [len(law) for row in self.options for options in row for _, law in options]
        if sum(steps) > MAX_SUCCESSORS or not all(all(row) for row in self.options):
            raise ValueError("not a certificate: a pair without options, or too many of them")

    def option(self, value: Any) -> Option:
        """A reward, and a law: successors, each once, with probabilities that add to 1."""
        reward, steps = self.items("options", value, 2)
        law = [
            (self.whole("options", x, self.states), self.number("options", p))
            for step in self.items("options", steps)
            for x, p in [self.items("options", step, 2)]
        ]
        probabilities = [p for _, p in law]
        if len({x for x, _ in law}) < len(law) or sum(probabilities) != 1 or min(probabilities) < 0:
            raise ValueError("not a certificate: options holds a law that is none")
        return self.number("options", reward), law

    def last_choice(self, s: int, a: int) -> int:
        return len(self.options[s][a]) - 1

    def backup(self, worth: Worth, s: int, a: int, choice: int) -> Fraction:
        reward, law = self.options[s][a][choice]
        return reward + self.gamma * sum((p * worth(x) for x, p in law), Fraction(0))

    def length(self) -> int:
        every = [option for row in self.options for options in row for option in options]
        common = math.lcm(*(p.denominator for _, law in every for _, p in law))
        return self.states * len(str(self.gamma.denominator * common)) + digits(
            [reward for reward, _ in every]
        )

    def policy_values(self, T: Model, policy: list[int]) -> list[Fraction]:
        """V = reward + gamma * law V, a linear system; models that agree where a policy goes share it."""
        used = tuple((a, T[s][a]) for s, a in enumerate(policy))
        if used not in self.evaluated:
            rows = []
            for s, (a, choice) in enumerate(used):
                reward, law = self.options[s][a][choice]
                row = [Fraction(s == x) for x in range(self.states)] + [reward]
                for x, p in law:
                    if x < self.states:
                        row[x] -= self.gamma * p
                rows.append(row)
            self.evaluated[used] = [*solution(rows), Fraction(0)]
        return self.evaluated[used]


class EvidenceCertificate(OptionCertificate):
    """A certificate about evidence, which allows some of the options at each of its pairs.

    Raises:
        ValueError: if the document is none, or it would take too long to verify.
    """

    kind_of_data = "E"

    def __init__(self, document: Any) -> None:
        super().__init__(document, EVIDENCE)
        if len({(s, a) for s, a, _ in self.data}) < len(self.data):
            raise ValueError("not a certificate: E names a pair twice")

    def observed(self, s: int, a: int, value: Any) -> tuple[int, ...]:
        last = self.last_choice(s, a)
        return tuple(self.whole("E", choice, last) for choice in self.items("E", value))

    def less_of(self, s: int, a: int, choice: int) -> list[tuple[int, ...]]:
        """The model's option with another: to allow more leaves more to models, and no q needs it."""
        return [(choice, other) for other in range(self.last_choice(s, a) + 1)]


class BlockClass(Certificate):
    """A certificate about all models that choose one assignment from each block of pairs.

    Raises:
        ValueError: if the document is none.
    """

    def __init__(self, document: Any, kind: str) -> None:
        super().__init__(document, kind)
        n, k = self.states, self.actions
        self.blocks: list[tuple[list[Pair], list[Assignment]]] = []
        successors = 0
        for block in self.items("blocks", document["blocks"], at_most=n * k):
            pairs, assignments = self.items("blocks", block, 2)
            numbers = [
                self.whole("blocks", pair, n * k - 1) for pair in self.items("blocks", pairs)
            ]
            rows = [
                tuple(self.whole("blocks", x, n) for x in self.items("blocks", row, len(numbers)))
                for row in self.items("blocks", assignments)
            ]
            self.blocks.append(([divmod(pair, k) for pair in numbers], rows))
            successors += len(rows) * len(numbers)
        covered = sorted(pair for pairs, _ in self.blocks for pair in pairs)
        if covered != [(s, a) for s in range(n) for a in range(k)] or successors > MAX_SUCCESSORS:
            raise ValueError(
                f"not a certificate: blocks do not cover each pair once, or have more than {MAX_SUCCESSORS} successors"
            )


class BlockCertificate(BlockClass):
    """A certificate of part 2 about such a class.

    Raises:
        ValueError: if the document is none.
    """

    def __init__(self, document: Any) -> None:
        super().__init__(document, BLOCKS)
        self.read_witness()

    def holds(self, T: Model) -> bool:
        """Whether a model is in the class: what it does in each block is one of the assignments."""
        return all(tuple(T[s][a] for s, a in pairs) in rows for pairs, rows in self.blocks)


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
            raise ValueError("not a certificate: a block without pairs or without assignments")
        self.claim = document["claim"]
        if type(self.claim) is not str or self.claim not in CLAIMS:
            raise ValueError(f"not a certificate: claim is none of {', '.join(CLAIMS)}")
        self.parts = [self.part(entry) for entry in self.items("parts", document["parts"])]
        self.steps = 0

    def part(self, entry: Any) -> tuple[str, Any]:
        """What is said of one part: how it is split, or what is known of values there."""
        if type(entry) is not dict or len(entry) != 1:
            raise ValueError("not a certificate: parts holds no object with one key")
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
        raise ValueError("not a certificate: parts holds no split, values or differences")

    def spend(self, steps: int) -> None:
        """Count what is done."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise ValueError(f"not a certificate: over {MAX_STEPS} steps to go through its parts")


# Computing


def digits(rewards: list[Fraction]) -> int:
    """How many digits rewards add to a value."""
    denominators = {reward.denominator for reward in rewards} - {1}
    longest = max(len(str(reward.numerator)) for reward in rewards)
    return sum(len(str(denominator)) for denominator in denominators) + longest


def solution(rows: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a linear system, the right side last in each row, by elimination.

    On the diagonal there is more than elsewhere in a row taken together, and stays so: no other pivot is needed.
    """
    for i in range(len(rows)):
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j, row in enumerate(rows):
            if j != i and row[i]:
                rows[j] = [x - row[i] * y for x, y in zip(row, rows[i], strict=True)]
    return [row[-1] for row in rows]


def lasso_values(successor: list[int], reward: list[Fraction], gamma: Fraction) -> list[Fraction]:
    """What each state is worth under a policy: V[s] = reward[s] + gamma * V[successor[s]]; the end's 0 comes last."""
    n = len(successor)
    value: list[Any] = [None] * n + [Fraction(0)]
    for start in range(n):
        path = []  # of states whose value is not known yet
        s = start
        while value[s] is None and s not in path:
            path.append(s)
            s = successor[s]
        if value[s] is None:
            # The path has come back to s: V[s] is what is earned around the loop, and gamma^length * V[s] after it.
            loop = path[path.index(s) :]
            around = Fraction(0)
            for x in reversed(loop):
                around = reward[x] + gamma * around
            value[s] = around / (1 - gamma ** len(loop))
        for x in reversed(path):
            if value[x] is None:
                value[x] = reward[x] + gamma * value[successor[x]]
    return value


class Class:
    """The models of a certificate, each with its optimal q."""

    def __init__(self, certificate: ListedCertificate) -> None:
        self.certificate = certificate
        self.pairs = certificate.states * certificate.actions
        self.q_of = {T: certificate.optimal_q(T) for T in certificate.models}

    def left_by_model(self, D: list[Observed]) -> set[Q]:
        """H_M(D): the optimal q of the models that agree with D."""
        return {q for T, q in self.q_of.items() if agrees(T, D)}

    def left_by_equation(self, D: list[Observed]) -> set[Q]:
        """H_B(D): the optimal q that solve the Bellman equation at every pair of D, for something that may be there."""
        solves = self.certificate.solves
        return {
            q
            for q in self.q_of.values()
            if all(any(solves(q, s, a, x) for x in seen) for s, a, seen in D)
        }

    def decisions(self, D: list[Observed]) -> set[Pair]:
        """The (s, a) with a optimal in s under all of H_M(D), where no action of s is optimal under all of H_B(D)."""
        by_model, by_equation = (
            always_optimal(H) for H in (self.left_by_model(D), self.left_by_equation(D))
        )
        open_to_equation = {s for s, _ in by_model} - {s for s, _ in by_equation}
        return {(s, a) for s, a in by_model if s in open_to_equation}

    def smaller(self, size: int) -> list[list[Observed]] | None:
        """All realizable data of 1 to size - 1 pairs, as far as they matter; None if they are too many to try."""
        found: set[tuple[Observed, ...]] = set()
        tried = 0
        work = len(self.q_of) * self.pairs * self.certificate.value_length
        most = min(MAX_TRIALS, MAX_TRIAL_WORK // work)
        for T in self.q_of:
            steps = [
                [(s, a, seen) for seen in self.certificate.less_of(s, a, x)]
                for s, row in enumerate(T)
                for a, x in enumerate(row)
            ]
            for fewer in range(1, size):
                for chosen in combinations(steps, fewer):
                    for D in product(*chosen):
                        tried += 1
                        if tried > most:
                            return None
                        found.add(D)
        return [list(D) for D in found]


def agrees(T: Model, D: list[Observed]) -> bool:
    """Whether a model agrees with the data."""
    return all(T[s][a] in seen for s, a, seen in D)


def proper(data: str) -> str:
    """The claim in words."""
    return f"H_M({data}) is a proper subset of H_B({data})"


def always_optimal(H: set[Q]) -> set[Pair]:
    """The (s, a) with a optimal in s under every q of a set that is not empty."""
    some = next(iter(H))
    pairs = {(s, a) for s, row in enumerate(some) for a in range(len(row))}
    return {(s, a) for s, a in pairs if all(q[s][a] == max(q[s]) for q in H)}


# Verifying


def verify(document: Any) -> str | None:
    """Why a certificate does not hold; None if it does.

    Raises:
        ValueError: if the document is no certificate.
    """
    kind = document.get("format") if type(document) is dict else None
    if kind == BLOCKS:
        fault, said = verify_blocks(document)
    elif kind == EQUALITY:
        fault, said = verify_equality(document)
    elif kind == OPTIONS:
        fault, said = verify_list(OptionCertificate(document))
    elif kind == EVIDENCE:
        fault, said = verify_list(EvidenceCertificate(document))
    else:
        kind = LISTED
        fault, said = verify_list(ListedCertificate(document))
    if fault:
        return fault
    if [document["format"], document["statement"]] != [kind, said]:
        return "wrong format or statement"
    if document["sha256"] != digest(document):
        return "wrong digest"
    return None


def verify_list(certificate: ListedCertificate) -> tuple[str | None, str]:
    """What is wrong with the claim about a list of models, if anything; and the claim in words."""
    models = Class(certificate)
    D, q0, q1 = certificate.data, certificate.q0, certificate.q1
    name = certificate.kind_of_data
    said = f"{name} is realizable in a class of {len(models.q_of)} models, and {proper(name)}"
    for state, action in certificate.decision:
        said += f"; in state {state} it alone settles on action {action}"
    if certificate.smallest:
        said += f"; no {SMALLER[name]} does as much"
    fault = None
    if models.q_of.get(certificate.T0) != q0 or models.q_of.get(certificate.T1) != q1:
        fault = "T0 or T1 is no model with q0 or q1"
    elif not agrees(certificate.T0, D):
        fault = f"T0 does not agree with {name}"
    elif q1 not in models.left_by_equation(D) or q1 in models.left_by_model(D):
        fault = f"q1 is not in H_B({name}), or it is in H_M({name})"
    elif not set(certificate.decision) <= models.decisions(D):
        fault = "H_M(D) does not settle the decision, or H_B(D) does"
    elif certificate.smallest:
        smaller = models.smaller(len(D))
        if smaller is None:
            fault = f"there are too many smaller {name} to try"
        elif any(
            models.decisions(E)
            if certificate.decision
            else models.left_by_equation(E) - models.left_by_model(E)
            for E in smaller
        ):
            fault = f"a smaller {name} will do"
    return fault, said


def verify_blocks(document: Any) -> tuple[str | None, str]:
    """What is wrong with the claim about all choices from blocks, if anything; and the claim in words.

    A model with the optimal q q1 has q1 solve the equation at all that it does. So if in some block no assignment does
    this and agrees with D there, no model of the class has q1 and extends D: q1 is not in H_M(D).
    """
    certificate = BlockCertificate(document)
    D, q0, q1 = certificate.data, certificate.q0, certificate.q1
    seen = {(s, a): x for s, a, (x,) in D}

    def is_optimal(q: Q, T: Model) -> bool:
        return all(
            certificate.solves(q, s, a, x) for s, row in enumerate(T) for a, x in enumerate(row)
        )

    def fits(pairs: list[Pair], assignment: tuple[int, ...]) -> bool:
        return all(
            seen.get((s, a), x) == x and certificate.solves(q1, s, a, x)
            for (s, a), x in zip(pairs, assignment, strict=True)
        )

    said = f"D is realizable in the class of all choices from {len(certificate.blocks)} blocks, and {proper('D')}"
    if certificate.smallest:
        said += f"; no {SMALLER['D']} does as much"
    fault = None
    if not (certificate.holds(certificate.T0) and certificate.holds(certificate.T1)):
        fault = "T0 or T1 is not in the class"
    elif not (is_optimal(q0, certificate.T0) and is_optimal(q1, certificate.T1)):
        fault = "T0 or T1 is no model with q0 or q1"
    elif not agrees(certificate.T0, D):
        fault = "T0 does not agree with D"
    elif not all(certificate.solves(q1, s, a, x) for s, a, (x,) in D):
        fault = "q1 is not in H_B(D)"
    elif all(any(fits(pairs, row) for row in rows) for pairs, rows in certificate.blocks):
        fault = "q1 is in H_M(D)"
    elif certificate.smallest and len(D) > 1:
        fault = "that D is smallest is claimed for more than one transition"
    return fault, said


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
        ways = set(zip(xs, ys, strict=True)) if block == other else {(x, y) for x in xs for y in ys}
        self.certificate.spend(len(ways))
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


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of all fields but this one."""
    others = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def main(arguments: list[str]) -> int:
    """Print one line; 0 if the certificate in the file verifies, 1 if not, 2 if there is none."""
    if len(arguments) != 1:
        print("usage: python verifier.py CERTIFICATE.json", file=sys.stderr)
        return 2
    try:
        reason = verify(read(Path(arguments[0])))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"does not verify: {reason}" if reason else "verified")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
