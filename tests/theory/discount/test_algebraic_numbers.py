"""Roots in (0, 1) and the integer polynomials that they belong to, against exact arithmetic and sympy."""

from fractions import Fraction
from itertools import pairwise

import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from theory.discount.algebraic_numbers import (
    GAMMA,
    ONE,
    ZERO,
    algebraic_number,
    coefficients_of,
    may_have_roots,
    primitive,
    rational_between,
    roots_within,
    scaled_value,
    separated,
    without_divisors,
)

POLYNOMIALS = st.lists(st.integers(-9, 9), min_size=2, max_size=6).filter(lambda c: c[0] != 0)
FRACTIONS = st.builds(lambda p, q: Fraction(p, p + q), st.integers(1, 20), st.integers(1, 20))


def value(coefficients, x):
    return sum(c * x**power for power, c in enumerate(reversed(coefficients)))


def irreducible_factors(coefficients):
    """Those that may have roots in (0, 1), as `roots_within` takes them."""
    _, factors = sympy.Poly.from_list(coefficients, GAMMA).factor_list()
    found = {coefficients_of(factor) for factor, _ in factors}
    return sorted(found - {(1, 0), (1, -1)})


@given(POLYNOMIALS, FRACTIONS)
def test_scaled_values_are_the_values_times_a_power_of_the_denominator(polynomial, x):
    degree = len(polynomial) - 1
    assert scaled_value(tuple(polynomial), x) == value(polynomial, x) * x.denominator**degree


@given(POLYNOMIALS, FRACTIONS)
def test_a_polynomial_with_a_root_is_never_said_to_have_none(polynomial, root):
    product = sympy.Poly.from_list(polynomial, GAMMA) * sympy.Poly.from_list(
        [root.denominator, -root.numerator], GAMMA
    )
    assert may_have_roots(coefficients_of(product))


def test_a_polynomial_without_a_change_of_sign_has_no_root():
    assert not may_have_roots((1, 2, 3))
    assert not may_have_roots((1, -3))  # its root is 3
    assert may_have_roots((2, -1))


@given(POLYNOMIALS, st.integers(-6, 6).filter(bool), st.integers(0, 3))
def test_a_primitive_polynomial_has_neither_content_nor_sign_nor_powers_of_gamma(
    core, factor, power
):
    assume(core[-1] != 0)
    scaled = primitive([factor * c for c in core] + [0] * power)
    assert scaled == primitive(core)
    assert scaled[0] > 0
    assert all(c * scaled[0] == s * core[0] for c, s in zip(core, scaled, strict=True))


@given(POLYNOMIALS, st.integers(0, 3))
def test_divisors_are_taken_out_as_often_as_they_go(polynomial, times):
    divisor = (1, 1)  # gamma + 1
    assume(value(polynomial, -1) != 0)
    product = (
        sympy.Poly.from_list(polynomial, GAMMA) * sympy.Poly.from_list(divisor, GAMMA) ** times
    )
    assert without_divisors([divisor], coefficients_of(product)) == tuple(polynomial)


@given(st.lists(POLYNOMIALS, min_size=1, max_size=3))
@settings(deadline=None, max_examples=50)
def test_roots_are_those_of_sympy_in_order_and_apart(polynomials):
    factors = {f for polynomial in polynomials for f in irreducible_factors(polynomial)}
    roots = separated([root for factor in factors for root in roots_within(factor)])
    for left, right in pairwise([ZERO, *roots, ONE]):
        assert left.upper < right.lower
        between = rational_between(left, right)
        assert left.upper < between < right.lower
    expected = sorted(
        float(x)
        for factor in factors
        for x in sympy.Poly.from_list(factor, GAMMA).real_roots()
        if 0 < x < 1
    )
    numbers = [algebraic_number(root) for root in roots]
    assert len(numbers) == len(expected)
    for number, x in zip(numbers, expected, strict=True):
        assert abs(number.approximation - x) < 1e-12
        assert Fraction(number.lower) <= Fraction(x) + Fraction(1, 10**12)
        assert (number.lower == number.upper) == (len(number.coefficients) == 2)


def test_a_root_of_a_square_is_written_by_radicals():
    (root,) = separated(roots_within((1, 1, -1)))
    number = algebraic_number(root)
    assert number.minimal_polynomial == "gamma**2 + gamma - 1"
    assert sympy.sympify(number.closed_form) == (sympy.sqrt(5) - 1) / 2
