"""Part 3 of Theorem 1 proved by z3, for all real rewards and all transition functions of one size at once.

The enumerations of this package fix the rewards. Here r, T, D and q are unknowns of one formula in linear real
arithmetic (gamma is a given rational), and a statement is proved by showing that its negation cannot be satisfied:

- uniqueness: no r and T have two solutions of q(s, a) = r(s, a) + gamma * max over a' of q(T(s, a), a');
- part 3: no r, T and functional D have a solution q of T's equation that satisfies the equation at all of D, and
  another solution q' != q for T with D pasted in. So q is optimal for a tabular model that agrees with D.

A proof from contradictory premises would prove nothing. So two negations must be satisfiable: that of uniqueness at
gamma = 1, and that of part 3 without the premise that q satisfies the equation at D.

The negations are texts in SMT-LIB 2, which any solver of QF_LRA reads. Their names are r_s_a for rewards, q_s_a and V_s
for values (V_n = 0), and T_s_a_x, true if (s, a) leads to x.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Literal

from theory.classes.mdp_class import exact

Verdict = Literal["proved", "refuted", "unknown"]

MAX_SECONDS = 86_400
MAX_TERMS = 20_000


class ProofUnavailableError(ImportError):
    """z3 is not installed."""


@dataclass(frozen=True)
class ProofReport:
    """What z3 found for one size and one discount.

    Attributes:
        states: n.
        actions: k.
        gamma: "p/q".
        uniqueness: whether the Bellman optimality equation has at most one solution, whatever r and T.
        part3: whether q in H_B(D) implies q in H_M(D) for the tabular class, whatever r and functional D.
        uniqueness_at_one: `uniqueness` at gamma = 1, which must be refuted.
        part3_without_premise: `part3` for a q that need not satisfy the equation at D, which must be refuted.
        seconds: wall-clock time.
        z3_version: of the solver.
    """

    states: int
    actions: int
    gamma: str
    uniqueness: Verdict
    part3: Verdict
    uniqueness_at_one: Verdict
    part3_without_premise: Verdict
    seconds: float
    z3_version: str

    @property
    def not_vacuous(self) -> bool:
        """Whether both weakened statements are refuted, so that the premises can be met."""
        return (self.uniqueness_at_one, self.part3_without_premise) == ("refuted", "refuted")

    @property
    def proved(self) -> bool:
        """Whether both statements are proved, and not vacuously."""
        return (self.uniqueness, self.part3) == ("proved", "proved") and self.not_vacuous


def prove(
    states: int, actions: int, gamma: object = "9/10", *, time_limit: float = 60.0
) -> ProofReport:
    """Prove uniqueness and part 3 for one size and one discount.

    The formula has about n^3 k terms. `time_limit` bounds the solver; MAX_TERMS bounds the formula.

    Args:
        states: n, at least 1.
        actions: k, at least 1.
        gamma: an exact number in (0, 1), as `theory.classes.mdp_class.exact` reads it.
        time_limit: seconds for all queries together; what is not decided by then is "unknown".

    Raises:
        ProofUnavailableError: if z3 is not installed.
        ValueError: if an argument is out of range, or the formula too large.
    """
    for what, count in (("states", states), ("actions", actions)):
        if count < 1:
            raise ValueError(f"{what} is {count}; accepted: an integer of at least 1")
    if (terms := states**3 * actions) > MAX_TERMS:
        raise ValueError(
            f"{states} states and {actions} actions make a formula of about {Decimal(terms):.3g} terms, more than"
            f" z3 solves; accepted: at most {MAX_TERMS}"
        )
    discount = exact(gamma, "gamma")
    if not 0 < discount < 1:
        raise ValueError(f"gamma is {discount}; accepted: a rational number in (0, 1)")
    if not 0 < time_limit <= MAX_SECONDS:
        raise ValueError(
            f"time_limit is {time_limit}; accepted: above 0 and at most {MAX_SECONDS} seconds"
        )
    try:
        import z3
    except ImportError:
        raise ProofUnavailableError(
            "the proof needs z3, which is not installed: pip install '.[proof]' in the source tree",
            name="z3",
        ) from None
    start = time.perf_counter()

    def verdict(negation: str) -> Verdict:
        left = time_limit - (time.perf_counter() - start)
        if left <= 0:
            return "unknown"
        solver = z3.SolverFor("QF_LRA")
        solver.set("timeout", max(1, int(1000 * left)))
        solver.from_string(negation)
        answer = solver.check()
        if answer == z3.unsat:
            return "proved"
        if answer == z3.sat:
            return "refuted"
        if solver.reason_unknown() == "interrupted from keyboard":  # z3 keeps Ctrl-C to itself
            raise KeyboardInterrupt
        return "unknown"

    one = Fraction(1)
    return ProofReport(
        states=states,
        actions=actions,
        gamma=str(discount),
        uniqueness_at_one=verdict(two_solutions(states, actions, one)),
        part3_without_premise=verdict(pasting_fails(states, actions, discount, premise=False)),
        uniqueness=verdict(two_solutions(states, actions, discount)),
        part3=verdict(pasting_fails(states, actions, discount, premise=True)),
        seconds=time.perf_counter() - start,
        z3_version=z3.get_version_string(),
    )


def two_solutions(states: int, actions: int, gamma: Fraction) -> str:
    """The negation of uniqueness: q and p solve the equation of one T, and differ."""
    pairs = list(product(range(states), range(actions)))
    return _script(
        _unknown_reals(pairs),
        _unknown_map("T", pairs),
        _total("T", pairs),
        _solves("q", "T", pairs, gamma),
        _solves("p", "T", pairs, gamma),
        _differ(pairs),
        _largest_difference(_terminal(pairs)),
    )


def pasting_fails(states: int, actions: int, gamma: Fraction, *, premise: bool) -> str:
    """The negation of part 3: q solves T's equation, p that of T with D pasted in, and they differ.

    Args:
        states: n.
        actions: k.
        gamma: the discount.
        premise: whether q has to satisfy the equation at every transition of D.
    """
    pairs = list(product(range(states), range(actions)))
    return _script(
        _unknown_reals(pairs),
        _unknown_map("T", pairs),
        _unknown_map("D", pairs),
        _total("T", pairs),
        _functional("D", pairs),
        _consistent("q", "D", pairs, gamma) if premise else (),
        _pasted("T", "D", pairs),
        _solves("q", "T", pairs, gamma),
        _solves("p", "TD", pairs, gamma),
        _differ(pairs),
        _largest_difference(_terminal(pairs)),
    )


Pairs = list[tuple[int, int]]


def _script(*parts: Iterable[str]) -> str:
    return "\n".join(["(set-logic QF_LRA)", *(line for part in parts for line in part)])


def _unknown_reals(pairs: Pairs) -> Iterator[str]:
    for s, a in pairs:
        yield from (f"(declare-const {name}_{s}_{a} Real)" for name in "rqp")
    for name in "qp":
        yield from (f"(declare-const V{name}_{s} Real)" for s in range(_terminal(pairs)))
        yield f"(define-fun V{name}_{_terminal(pairs)} () Real 0)"


def _unknown_map(T: str, pairs: Pairs) -> Iterator[str]:
    for s, a, successor in _transitions(pairs):
        yield f"(declare-const {T}_{s}_{a}_{successor} Bool)"


def _total(T: str, pairs: Pairs) -> Iterator[str]:
    """Each pair has a successor. If it has several, their values are equal, and any one of them makes a T."""
    for s, a in pairs:
        yield f"(assert (or {_leads(T, s, a, pairs)}))"


def _functional(D: str, pairs: Pairs) -> Iterator[str]:
    """Each pair has at most one successor."""
    for s, a in pairs:
        for x, y in combinations(range(_terminal(pairs) + 1), 2):
            yield f"(assert (not (and {D}_{s}_{a}_{x} {D}_{s}_{a}_{y})))"


def _pasted(T: str, D: str, pairs: Pairs) -> Iterator[str]:
    """The map TD: D where it has a transition, and T elsewhere."""
    for s, a, x in _transitions(pairs):
        unseen = f"(not (or {_leads(D, s, a, pairs)}))"
        pasted = f"(or {D}_{s}_{a}_{x} (and {T}_{s}_{a}_{x} {unseen}))"
        yield f"(define-fun {T}{D}_{s}_{a}_{x} () Bool {pasted})"


def _consistent(q: str, D: str, pairs: Pairs, gamma: Fraction) -> Iterator[str]:
    """q(s, a) = r(s, a) + gamma * V(s') at each transition."""
    discount = f"(/ {gamma.numerator} {gamma.denominator})"
    for s, a, x in _transitions(pairs):
        backup = f"(+ r_{s}_{a} (* {discount} V{q}_{x}))"
        yield f"(assert (=> {D}_{s}_{a}_{x} (= {q}_{s}_{a} {backup})))"


def _solves(q: str, T: str, pairs: Pairs, gamma: Fraction) -> Iterator[str]:
    """The Bellman optimality equation of T, V(s) being the maximum of q(s, a) over the actions."""
    yield from _consistent(q, T, pairs, gamma)
    for s in range(_terminal(pairs)):
        values = [f"{q}_{x}_{a}" for x, a in pairs if x == s]
        yield from (f"(assert (>= V{q}_{s} {value}))" for value in values)
        yield f"(assert (or {' '.join(f'(= V{q}_{s} {value})' for value in values)}))"


def _differ(pairs: Pairs) -> Iterator[str]:
    """The two tables are not the same."""
    yield f"(assert (or {' '.join(f'(not (= q_{s}_{a} p_{s}_{a}))' for s, a in pairs)}))"


def _largest_difference(states: int) -> Iterator[str]:
    """d, the largest |V(s) - V'(s)|: a definition, which excludes nothing and shows the solver the contraction."""
    differences = [(f"(- Vq_{s} Vp_{s})", f"(- Vp_{s} Vq_{s})") for s in range(states)]
    yield "(declare-const d Real)"
    for there, back in differences:
        yield f"(assert (and (>= d {there}) (>= d {back})))"
    attained = " ".join(f"(= d {there}) (= d {back})" for there, back in differences)
    yield f"(assert (or {attained}))"


def _transitions(pairs: Pairs) -> Iterator[tuple[int, int, int]]:
    return ((s, a, x) for s, a in pairs for x in range(_terminal(pairs) + 1))


def _leads(T: str, s: int, a: int, pairs: Pairs) -> str:
    return " ".join(f"{T}_{s}_{a}_{x}" for x in range(_terminal(pairs) + 1))


def _terminal(pairs: Pairs) -> int:
    """n, the index of the terminal state."""
    return pairs[-1][0] + 1
