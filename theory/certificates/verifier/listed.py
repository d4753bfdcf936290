"""Part 2 for a list of models: each is solved, and what H_M and H_B leave is gone through."""

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from .fields import (
    EVIDENCE,
    LISTED,
    MAX_LENGTH,
    MAX_SUCCESSORS,
    OPTIONS,
    SMALLER,
    Certificate,
    Model,
    Observed,
    Pair,
    Q,
    Worth,
    agrees,
    proper,
    refused,
)

# What is accepted, so that any file is done with in seconds.
MAX_WORK = 1_000_000_000  # to solve the models: successors * states * digits of a value
MAX_LAW_WORK = 200_000_000  # with options: the same, times states
MAX_TRIALS = 10_000  # smaller datasets to try, counted once for each model that extends them
MAX_TRIAL_WORK = 100_000_000  # to try them: trials * successors * digits of a value

Option = tuple[Fraction, list[tuple[int, Fraction]]]


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
            raise refused(f"{successors} successors; accepted: 1 to {MAX_SUCCESSORS}")
        length = self.length()
        if length > MAX_LENGTH:
            raise refused(f"values of {length} digits; accepted: at most {MAX_LENGTH}")
        self.value_length = length
        work, most = successors * n * length, MAX_WORK
        if kind != LISTED:
            work, most = work * n, MAX_LAW_WORK
        if work > most:
            raise refused(f"{work} steps to solve its models; accepted: at most {most}")

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
            raise refused("a pair without options, or too many of them")

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
            raise refused("options holds a law that is none")
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
            raise refused("E names a pair twice")

    def observed(self, s: int, a: int, value: Any) -> tuple[int, ...]:
        last = self.last_choice(s, a)
        return tuple(self.whole("E", choice, last) for choice in self.items("E", value))

    def less_of(self, s: int, a: int, choice: int) -> list[tuple[int, ...]]:
        """The model's option with another: to allow more leaves more to models, and no q needs it."""
        return [(choice, other) for other in range(self.last_choice(s, a) + 1)]


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


def always_optimal(H: set[Q]) -> set[Pair]:
    """The (s, a) with a optimal in s under every q of a set that is not empty."""
    some = next(iter(H))
    pairs = {(s, a) for s, row in enumerate(some) for a in range(len(row))}
    return {(s, a) for s, a in pairs if all(q[s][a] == max(q[s]) for q in H)}


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
