"""Classes with options against other people's mathematics: closed forms by sympy, and evidence searched for by z3."""

from fractions import Fraction
from itertools import product

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.solving.test_laws import built, classes
from theory import (
    check_class,
    closed_under_equivalence,
    exchange_holds,
    mdp_class,
    option,
    option_class,
    solve,
)

P, D, R, S, G = sympy.symbols("p d r s gamma")


def two_state_values():
    """V of the chain 0 -> 1 with probability p, else 0, earning r; 1 -> t with probability d, else 0, earning s."""
    V0, V1 = sympy.symbols("V0 V1")
    equations = [V0 - R - G * (P * V1 + (1 - P) * V0), V1 - S - G * (1 - D) * V0]
    solution = sympy.solve(equations, [V0, V1], dict=True)
    return [sympy.factor(solution[0][v]) for v in (V0, V1)]


VALUES = two_state_values()
probabilities = st.integers(1, 6).flatmap(lambda q: st.integers(0, q).map(lambda p: Fraction(p, q)))
rewards = st.integers(-3, 3).map(Fraction)
discounts = st.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(2, 7)])


def moves(p, r):
    return option(r, {1: p, 0: 1 - p}, 2)


def ends(d, s):
    return option(s, {2: d, 0: 1 - d}, 2)


def closed_form(p, d, r, s, gamma):
    numbers = {P: p, D: d, R: r, S: s, G: gamma}
    at = {symbol: sympy.Rational(x.numerator, x.denominator) for symbol, x in numbers.items()}
    found = [sympy.Rational(value.subs(at)) for value in VALUES]
    return [Fraction(int(v.p), int(v.q)) for v in found]


def test_the_closed_form_is_the_one_worked_out_by_hand():
    below = 1 - G * (1 - P) - G**2 * P * (1 - D)
    assert sympy.simplify(VALUES[0] - (R + G * P * S) / below) == 0


@given(probabilities, probabilities, rewards, rewards, discounts)
@settings(deadline=None, max_examples=25)
def test_a_two_state_chain_has_the_values_of_its_closed_form(p, d, r, s, gamma):
    options = [[moves(p, r)], [ends(d, s)]]
    solved = solve(mdp_class(option_class(2, 1, options), [[0], [0]], gamma))
    assert solved.q_table(0) == tuple((v,) for v in closed_form(p, d, r, s, gamma))


@given(
    st.tuples(probabilities, probabilities), probabilities, st.tuples(rewards, rewards), rewards,
    discounts,
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_of_two_actions_the_better_closed_form_is_optimal_and_equal_ones_are_consistent(
    ps, d, rs, s, gamma
):
    options = [[moves(p, r)] for p, r in zip(ps, rs, strict=True)]
    [one, other] = [closed_form(p, d, r, s, gamma) for p, r in zip(ps, rs, strict=True)]
    table = [*options, [ends(d, s)], [ends(d, s)]]
    solved = solve(mdp_class(option_class(2, 2, table), [[0, 0]] * 2, gamma))
    V = max(one, other)
    assert [max(row) for row in solved.q_table(0)] == V
    # As unknown options of one pair: the q of the first allows the second exactly if it has the same values.
    distinct = list(dict.fromkeys([options[0][0], options[1][0]]))
    problem = mdp_class(option_class(2, 1, [distinct, [ends(d, s)]]), [[0]] * 2, gamma)
    solved = solve(problem)
    same = len(distinct) == 1 or one == other
    assert (solved.value_functions == 1) == same
    assert bool(solved.consistent[0, 0, : len(distinct)].all()) == same


# z3


def searched(problem, *, functional, realizable, unknown_rewards=False):
    """Whether z3 finds evidence with H_M(E) != H_B(E); the q* of all models are unknowns of Bellman equations."""
    z3 = pytest.importorskip("z3")
    n, k, gamma = problem.states, problem.actions, z3.Q(*problem.gamma.as_integer_ratio())
    options, pairs = problem.transitions.options, range(problem.transitions.pairs)
    models = problem.transitions.models(0, problem.transitions.size).tolist()
    allows = [[z3.Bool(f"e_{p}_{o}") for o in range(len(options[p]))] for p in pairs]
    solver = z3.Solver()

    def number(x):
        return z3.Q(x.numerator, x.denominator)

    def reward(p, o):
        return z3.Real(f"r_{p}_{o}") if unknown_rewards else number(options[p][o].reward)

    def backup(q, p, o):
        V = [z3.Real(f"V_{q}_{s}") for s in range(n)]
        mean = sum((number(w) * V[x] for x, w in options[p][o].law if x < n), z3.RealVal(0))
        return reward(p, o) + gamma * mean

    def value(q, p):
        return z3.Real(f"q_{q}_{p}")

    for m, model in enumerate(models):
        for p, o in enumerate(model):
            solver.add(value(m, p) == backup(m, p, o))
        for s in range(n):
            V, row = z3.Real(f"V_{m}_{s}"), [value(m, s * k + a) for a in range(k)]
            solver.add(*(q <= V for q in row), z3.Or(*(q == V for q in row)))
    agrees = [z3.And(*(allows[p][o] for p, o in enumerate(model))) for model in models]
    for p in pairs:
        solver.add(z3.Or(*allows[p]))
        if functional:
            alone = [z3.And(a, *(z3.Not(b) for b in allows[p] if b is not a)) for a in allows[p]]
            solver.add(z3.Or(z3.And(*allows[p]), *alone))
    if realizable:
        solver.add(z3.Or(*agrees))
    gaps = []
    for m in range(len(models)):
        in_HB = [
            z3.Or(
                *(
                    z3.And(a, backup(m, p, o) == value(m, p))
                    for o, a in enumerate(allows[p])
                )
            )
            for p in pairs
        ]  # fmt: skip
        outside = [
            z3.Implies(agrees[i], z3.Or(*(value(i, p) != value(m, p) for p in pairs)))
            for i in range(len(models))
        ]
        gaps.append(z3.And(*in_HB, *outside))
    solver.add(z3.Or(*gaps))
    verdict = solver.check()
    assert verdict != z3.unknown
    return verdict == z3.sat


small = classes(most=2).filter(lambda drawn: len(drawn[2]) <= 3)


@given(small)
@settings(deadline=None, max_examples=15)
def test_z3_finds_evidence_with_a_gap_exactly_where_the_criteria_deny_equality(drawn):
    problem = built(*drawn)
    solved, report = solve(problem), check_class(problem)
    closed = closed_under_equivalence(solved)
    assert searched(problem, functional=False, realizable=False) != closed
    assert searched(problem, functional=True, realizable=True) != exchange_holds(solved)
    assert searched(problem, functional=False, realizable=True) != report.part3_evidence


def test_z3_proves_part_3_of_all_choices_of_some_laws_for_all_real_rewards_at_once():
    half = Fraction(1, 2)
    laws = [[{0: half, 2: half}, {1: 1}], [{0: 1}, {0: half, 1: half}]]
    options = [[option(0, law, 2) for law in pair] for pair in laws]
    every = mdp_class(option_class(2, 1, options), [[0]] * 2, "1/2")
    asked = {"functional": False, "realizable": False, "unknown_rewards": True}
    assert not searched(every, **asked)
    some = list(product(range(2), repeat=2))[:3]
    without_one = mdp_class(option_class(2, 1, options, some), [[0]] * 2, "1/2")
    assert searched(without_one, **asked)  # so that it is not vacuous
