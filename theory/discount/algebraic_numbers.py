"""Real algebraic numbers in (0, 1), exactly: irreducible integer polynomials in gamma, and their isolated roots.

A root is told apart from all others by a rational interval that holds it alone, which bisection makes as narrow as is
asked for. So numbers are ordered by comparing fractions, and equal ones have the same polynomial and place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count, pairwise
from math import gcd

import sympy

GAMMA = sympy.Symbol("gamma")

Coefficients = tuple[int, ...]  # of an integer polynomial in gamma, the leading one first


@dataclass(frozen=True)
class AlgebraicNumber:
    """A real algebraic number, exactly.

    Attributes:
        minimal_polynomial: in gamma, irreducible, with integer coefficients.
        coefficients: those of the minimal polynomial, the leading one first.
        lower: "p/q"; the number is the polynomial's only root between `lower` and `upper`.
        upper: "p/q"; equal to `lower` exactly if the number is rational.
        approximation: to double precision.
        closed_form: by radicals, where the degree is at most 2.
    """

    minimal_polynomial: str
    coefficients: Coefficients
    lower: str
    upper: str
    approximation: float
    closed_form: str | None


@dataclass(frozen=True)
class Root:
    """The only root of an irreducible polynomial in [lower, upper], which is one point exactly if it is rational."""

    polynomial: Coefficients
    lower: Fraction
    upper: Fraction

    @property
    def rational(self) -> bool:
        """Whether the root is a fraction."""
        return self.lower == self.upper

    def refined(self, factor: int) -> Root:
        """The same root in an interval 2^factor times as narrow, by bisection."""
        lower, upper = self.lower, self.upper
        rising = scaled_value(self.polynomial, upper) > 0
        for _ in range(0 if self.rational else factor):
            middle = (lower + upper) / 2
            if (scaled_value(self.polynomial, middle) > 0) == rising:
                upper = middle
            else:
                lower = middle
        return replace(self, lower=lower, upper=upper)


ZERO = Root((1, 0), Fraction(0), Fraction(0))
ONE = Root((1, -1), Fraction(1), Fraction(1))


def scaled_value(polynomial: Coefficients, x: Fraction) -> int:
    """The value at x times denominator^degree: integers that compare as the values do, among equal lengths."""
    total, power = 0, 1
    for coefficient in polynomial:
        total = total * x.numerator + coefficient * power
        power *= x.denominator
    return total


def roots_within(polynomial: Coefficients) -> list[Root]:
    """The roots in (0, 1) of an irreducible polynomial other than gamma and gamma - 1."""
    if len(polynomial) == 2:
        exact = Fraction(-polynomial[1], polynomial[0])
        return [Root(polynomial, exact, exact)] if 0 < exact < 1 else []
    intervals = sympy.Poly.from_list(polynomial, GAMMA).intervals(inf=0, sup=1)
    return [
        Root(polynomial, *(Fraction(int(end.p), int(end.q)) for end in ends))
        for ends, _ in intervals
    ]


def separated(roots: list[Root]) -> list[Root]:
    """Distinct roots in increasing order, refined until all their intervals, and 0 and 1, are disjoint.

    Distinct irreducible polynomials have no common root, so that this ends.
    """
    roots = [root.refined(30) for root in roots]
    while True:
        roots.sort(key=lambda root: root.lower)
        close = {
            i + side
            for i, (left, right) in enumerate(pairwise([ZERO, *roots, ONE]))
            if left.upper >= right.lower
            for side in (-1, 0)
        }
        if not close:
            return roots
        roots = [root.refined(10) if i in close else root for i, root in enumerate(roots)]


def rational_between(left: Root, right: Root) -> Fraction:
    """A rational number between two roots, with a small denominator."""
    middle = (left.upper + right.lower) / 2
    guesses = (middle.limit_denominator(2**bits) for bits in count())
    return next(guess for guess in guesses if left.upper < guess < right.lower)


def algebraic_number(root: Root) -> AlgebraicNumber:
    """The record of a root that is read and stored, with an approximation and, where it is short, a closed form."""
    polynomial = sympy.Poly.from_list(root.polynomial, GAMMA)
    narrow = root.refined(40)
    closed_form = None
    if polynomial.degree() <= 2:
        exact = sympy.real_roots(polynomial)
        closed_form = str(next(x for x in exact if root.lower <= x <= root.upper))
    return AlgebraicNumber(
        minimal_polynomial=str(polynomial.as_expr()),
        coefficients=root.polynomial,
        lower=str(root.lower),
        upper=str(root.upper),
        approximation=float((narrow.lower + narrow.upper) / 2),
        closed_form=closed_form,
    )


def coefficients_of(polynomial: sympy.Poly) -> Coefficients:
    """The integer coefficients of a sympy polynomial."""
    return tuple(map(int, polynomial.all_coeffs()))


def primitive(coefficients: Sequence[int]) -> Coefficients:
    """A nonzero polynomial without its content, its powers of gamma, and its sign."""
    support = [i for i, c in enumerate(coefficients) if c]
    core = coefficients[support[0] : support[-1] + 1]
    content = gcd(*core) if core[0] > 0 else -gcd(*core)
    return tuple(c // content for c in core)


def without_divisors(divisors: Sequence[Coefficients], polynomial: Coefficients) -> Coefficients:
    """What is left of a polynomial after it has been divided by monic ones as often as it goes.

    Factoring would find these factors as well, but it takes most of the time, and this makes it faster.
    """
    for divisor in divisors:
        while (quotient := _quotient(polynomial, divisor)) is not None:
            polynomial = quotient
    return polynomial


def _quotient(polynomial: Coefficients, divisor: Coefficients) -> Coefficients | None:
    """The quotient by a monic polynomial, if there is no remainder."""
    rest, quotient = list(polynomial), []
    while len(rest) >= len(divisor):
        quotient.append(rest[0])
        for i, c in enumerate(divisor):
            rest[i] -= quotient[-1] * c
        rest.pop(0)
    return None if any(rest) or not quotient else tuple(quotient)


def may_have_roots(polynomial: Coefficients) -> bool:
    """Descartes' rule for (0, 1): without a sign change in (1 + y)^d N(1 / (1 + y)) there is no root."""
    shifted = list(polynomial[::-1])  # leading first: N(1 / z) z^d, then z = 1 + y
    for end in range(len(shifted), 1, -1):
        for i in range(1, end):
            shifted[i] += shifted[i - 1]
    return min(shifted) < 0 < max(shifted)
