"""The checks behind the exact claims: the gallery, certificates, identities on random data, and the proof."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from experiments.exact.claims import ExactCheck

if TYPE_CHECKING:
    from tabular import Bootstrap, Dataset, FeatureTransitions
    from tabular.dataset import Values

IDENTITY_CASES = 200
SWEEPS = 4
PROOF = "theory.proofs.check"
"""Run as a program, it compiles the proofs and says how many theorems they prove; exit status 1 if there is a gap."""


def theorem_checks() -> Iterator[ExactCheck]:
    """Parts 1 to 3 over every class of the gallery that meets the side conditions, the largest first."""
    from theory import GALLERY, check_class

    classes = [entry.make() for entry in GALLERY.values() if not entry.counterexample]
    for problem in sorted(classes, key=lambda problem: -problem.transitions.size):
        report = check_class(problem)
        models = f"{report.models:,} models"
        through = models if report.datasets is None else f"{models}, {report.datasets:,} datasets"
        told = (through, report.method, report.seconds)
        yield _check("T1", problem.name, report.part1, *told)
        if problem.transitions.is_tabular:
            yield _check("T3", problem.name, report.part3_functional is True, *told)


def _check(
    claim: str, case: str, holds: bool, through: str, how: str, seconds: float
) -> ExactCheck:
    return ExactCheck(claim, case, through, holds, how, round(seconds, 3))


def certificate_checks() -> Iterator[ExactCheck]:
    """Part 2: a smallest witness of classes that have one, certified, by the verifier that shares no code."""
    from theory import certify, find_decision_witness, find_witness, gallery_class, solve
    from theory.certificates import verifier

    for name, search, what in (
        ("push-tree", find_decision_witness, "smallest decision-relevant witness"),
        ("smallest-witness", find_witness, "smallest witness"),
        ("smallest-decision", find_decision_witness, "smallest decision-relevant witness"),
    ):
        start = time.perf_counter()
        solved = solve(gallery_class(name))
        found = search(solved)
        reason = "no witness" if found is None else verifier.verify(certify(solved, found))
        size = 0 if found is None else len(found.dataset)
        yield _check(
            "T2", name, not reason, f"{what}, {size} transition{'s' if size > 1 else ''}",
            "certificate, checked by the independent verifier", time.perf_counter() - start,
        )  # fmt: skip


def identity_checks(seed: int = 0) -> Iterator[ExactCheck]:
    """T4 in fractions, on datasets drawn at random: every sweep, and every fixed point, is equal exactly."""
    for case, holds in (
        ("a sweep of Q-iteration on the data is one of value iteration in the model", _same_sweeps),
        ("replay once with targets from a frozen table is a sweep of Q-iteration", _same_pass),
        ("TD(0) has the same fixed point on the data and in the linear model", _same_fixed_point),
        ("a sweep of linear planning is a sweep of linear replay", _same_linear_sweep),
    ):
        start = time.perf_counter()
        random = np.random.default_rng(seed)
        held = sum(holds(random) for _ in range(IDENTITY_CASES))
        yield _check(
            "T4", case, held == IDENTITY_CASES, f"{IDENTITY_CASES} random datasets",
            "equality of fractions", time.perf_counter() - start,
        )  # fmt: skip


def proof_checks() -> tuple[list[ExactCheck], str]:
    """The machine-checked proof, if it is there and its checker can run; else why not."""
    try:
        there = importlib.util.find_spec(PROOF) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        return [], f"there is no {PROOF}"
    if shutil.which("coqc") is None:
        return [], "coqc, which checks the proof, is not installed"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", PROOF], capture_output=True, text=True, check=False
    )
    version = subprocess.run(["coqc", "--version"], capture_output=True, text=True, check=True)
    how = " ".join(version.stdout.split("\n")[0].split())
    if done.returncode not in (0, 1):
        return [], f"{PROOF} ended with status {done.returncode}"
    proved = re.search(r"\d+ theorems proved", done.stdout)
    faults = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    said = proved[0] if proved else faults[-1] if faults else ""
    seconds = time.perf_counter() - start
    return [_check("T-proof", "theory/proofs", done.returncode == 0, said, how, seconds)], ""


def _whole(random: np.random.Generator, low: int, high: int, *shape: int) -> np.ndarray:
    """Python integers, which do not overflow, in an array."""
    return random.integers(low, high + 1, shape).astype(object) + 0


def _tabular_case(random: np.random.Generator) -> tuple[Dataset, Values, Bootstrap]:
    from tabular import Bootstrap, Dataset, Transition, exact_table

    states, actions = int(random.integers(1, 5)), int(random.integers(1, 4))
    steps = [
        Transition(
            int(random.integers(states)), int(random.integers(actions)),
            Fraction(int(random.integers(-5, 6)), int(random.integers(1, 4))),
            None if random.random() < 0.2 else int(random.integers(states)),
        )
        for _ in range(int(random.integers(1, 13)))
    ]  # fmt: skip
    table = exact_table(states, actions) + _whole(random, -3, 3, states, actions)
    discount = Fraction(int(random.integers(0, 10)), 10)
    bootstrap = Bootstrap(discount, include_unvisited=bool(random.integers(2)))
    return Dataset(states, actions, tuple(steps)), table, bootstrap


def _same_sweeps(random: np.random.Generator) -> bool:
    from tabular import EmpiricalMDP, q_iteration_sweep, value_iteration_sweep

    dataset, replayed, bootstrap = _tabular_case(random)
    model, planned = EmpiricalMDP.from_dataset(dataset), replayed
    for _ in range(SWEEPS):
        replayed = q_iteration_sweep(dataset, replayed, bootstrap)
        planned = value_iteration_sweep(model, planned, bootstrap)
        if (replayed != planned).any():
            return False
    return True


def _same_pass(random: np.random.Generator) -> bool:
    from tabular import q_iteration_sweep, q_learning_replay

    dataset, table, bootstrap = _tabular_case(random)
    order = random.permutation(len(dataset)).tolist()
    passed = q_learning_replay(dataset, order, table, bootstrap, frozen=table)
    return bool((passed == q_iteration_sweep(dataset, table, bootstrap)).all())


def _linear_case(random: np.random.Generator) -> FeatureTransitions:
    """Two independent features at least: the first rows are the unit vectors."""
    from tabular import FeatureTransitions

    extra = int(random.integers(1, 5))
    features = np.concatenate([np.eye(2, dtype=object), _whole(random, -3, 3, extra, 2)])
    count = len(features)
    return FeatureTransitions(
        features, _whole(random, -3, 3, count), _whole(random, -3, 3, count, 2),
        _whole(random, 1, 3, count),
    )  # fmt: skip


def _same_fixed_point(random: np.random.Generator) -> bool:
    from tabular import least_squares_model, model_fixed_point, td_fixed_point

    data, discount = _linear_case(random), Fraction(9, 10)
    try:
        expected = td_fixed_point(data, discount)
    except ValueError:  # there is none, or many: then so it is in the model
        try:
            model_fixed_point(least_squares_model(data), discount)
        except ValueError:
            return True
        return False
    return bool((model_fixed_point(least_squares_model(data), discount) == expected).all())


def _same_linear_sweep(random: np.random.Generator) -> bool:
    from tabular import least_squares_model, planning_sweep, replay_sweep, td_sums

    data, discount, step = _linear_case(random), Fraction(9, 10), Fraction(1, 7)
    theta = _whole(random, -5, 5, 2)
    model = least_squares_model(data)
    imagined = model.imagined(data.features, data.weights)
    replayed = replay_sweep(data, theta, discount, step, fixed_weights=True)
    planned = planning_sweep(td_sums(imagined, discount), theta, step)
    return bool((replayed == planned).all())
