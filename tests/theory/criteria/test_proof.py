import dataclasses
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.criteria.proof import (
    ProofReport,
    ProofUnavailableError,
    pasting_fails,
    prove,
    two_solutions,
)
from theory.solving.policy_iteration import optimal_q


def pinned(rewards, T, D):
    """Assertions that fix the rewards, the map T and the dataset D of a negation."""
    lines = []
    for s, row in enumerate(rewards):
        for a, r in enumerate(row):
            value = f"(/ {abs(r.numerator)} {r.denominator})"
            lines.append(f"(assert (= r_{s}_{a} {f'(- {value})' if r < 0 else value}))")
            for x in range(len(rewards) + 1):
                lines += [
                    f"(assert {name}_{s}_{a}_{x})"
                    if holds
                    else f"(assert (not {name}_{s}_{a}_{x}))"
                    for name, holds in (("T", T[s][a] == x), ("D", (s, a, x) in D))
                ]
    return "\n".join(lines)


def solver_for(text):
    z3 = pytest.importorskip("z3")
    solver = z3.SolverFor("QF_LRA")
    solver.from_string(text)
    return solver


def test_both_statements_are_proved_for_three_states_and_two_actions():
    pytest.importorskip("z3")
    report = prove(3, 2, "9/10")
    assert (report.states, report.actions, report.gamma) == (3, 2, "9/10")
    assert report.uniqueness == "proved"
    assert report.part3 == "proved"
    assert report.not_vacuous
    assert report.proved


@pytest.mark.parametrize("gamma", ["1/100", "1/2", "99/100"])
@pytest.mark.parametrize(("states", "actions"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_both_statements_are_proved_whatever_the_discount(states, actions, gamma):
    pytest.importorskip("z3")
    assert prove(states, actions, gamma).proved


def test_the_time_limit_leaves_unknown_what_it_cuts_off_and_never_proves_it():
    pytest.importorskip("z3")
    report = prove(8, 3, time_limit=0.5)
    assert report.uniqueness == "unknown"
    assert report.part3 == "unknown"
    assert not report.proved


def test_a_vacuous_proof_does_not_count_as_proved():
    report = ProofReport(1, 1, "1/2", "proved", "proved", "refuted", "proved", 0.0, "")
    assert not report.proved
    assert dataclasses.replace(report, part3_without_premise="refuted").proved


def test_part_3_is_refuted_at_gamma_one_by_the_known_counterexample():
    text = pasting_fails(1, 2, Fraction(1), premise=True)
    known = pinned([[Fraction(-1), Fraction(0)]], [[1, 0]], {(0, 0, 0)})
    solver = solver_for(text + "\n" + known + "\n(assert (= q_0_0 (- 1)))\n(assert (= q_0_1 0))")
    assert str(solver.check()) == "sat"


def test_the_premise_excludes_a_dataset_that_is_inconsistent_with_q():
    rewards, T, D = [[Fraction(-1)]], [[1]], {(0, 0, 0)}
    answers = [
        str(
            solver_for(
                pasting_fails(1, 1, Fraction(1, 2), premise=p) + pinned(rewards, T, D)
            ).check()
        )
        for p in (True, False)
    ]
    assert answers == ["unsat", "sat"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_formula_has_the_optimal_values_of_both_the_model_and_the_pasted_model(data):
    n = data.draw(st.integers(1, 3), label="states")
    k = data.draw(st.integers(1, 2), label="actions")

    def table(entry):
        return st.lists(st.lists(entry, min_size=k, max_size=k), min_size=n, max_size=n)

    T = data.draw(table(st.integers(0, n)), label="T")
    observed = data.draw(table(st.integers(-1, n)), label="D, -1 where unobserved")
    numerators = data.draw(table(st.integers(-4, 4)), label="rewards times 2")
    rewards = tuple(tuple(Fraction(r, 2) for r in row) for row in numerators)
    gamma = Fraction(data.draw(st.integers(1, 9), label="gamma times 10"), 10)
    pasted = [
        [t if d < 0 else d for t, d in zip(*rows, strict=True)]
        for rows in zip(T, observed, strict=True)
    ]
    D = {(s, a, x) for s, row in enumerate(observed) for a, x in enumerate(row) if x >= 0}
    q, other = optimal_q(T, rewards, gamma), optimal_q(pasted, rewards, gamma)

    solver = solver_for(pasting_fails(n, k, gamma, premise=False) + pinned(rewards, T, D))
    if q == other:
        assert str(solver.check()) == "unsat"
        return
    assert str(solver.check()) == "sat"
    found = {str(name): solver.model()[name] for name in solver.model()}
    for name, expected in (("q", q), ("p", other)):
        values = [[found[f"{name}_{s}_{a}"].as_fraction() for a in range(k)] for s in range(n)]
        assert values == [list(row) for row in expected]


def test_a_missing_solver_is_named_with_the_extra_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(ProofUnavailableError, match=r"pip install '.\[proof\]'") as raised:
        prove(2, 2)
    assert "\n" not in str(raised.value)


def test_the_negations_are_written_without_a_solver(monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    text = two_solutions(1, 1, Fraction(1, 2))
    assert "(assert (=> T_0_0_0 (= q_0_0 (+ r_0_0 (* (/ 1 2) Vq_0)))))" in text.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "states is 0; accepted: an integer of at least 1"),
        ((1, 0), "actions is 0; accepted: an integer of at least 1"),
        ((1, 1, 1), r"gamma is 1; accepted: a rational number in \(0, 1\)"),
        ((1, 1, "0"), r"gamma is 0; accepted: a rational number in \(0, 1\)"),
        ((1, 1, 0.5), r"gamma is 0\.5; accepted: an integer"),
    ],
)
def test_sizes_and_discounts_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        prove(*arguments)


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_limit_that_is_no_positive_number_of_seconds_is_refused(limit):
    with pytest.raises(ValueError, match="time_limit is"):
        prove(1, 1, time_limit=limit)
