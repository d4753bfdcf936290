"""What decides, and for each file of it the tests that have to notice, fastest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.mutation.changes import Change, changes
from tests.mutation.environment_rules import BREAKS, broken

ROOT = Path(__file__).parents[2]


class Subject(NamedTuple):
    """What is changed, and who has to notice.

    Attributes:
        name: A file, or an environment.
        tests: Runs of pytest, each by its arguments; the next one is made if the one before noticed nothing.
        changes: The changes in a copy of the project, each with the file that it is in.
    """

    name: str
    tests: tuple[tuple[str, ...], ...]
    changes: Callable[[Path], list[tuple[str, Change]]]


def _files(folder: str, tests: str, table: Mapping[str, tuple[str, ...]]) -> list[Subject]:
    """The files of a folder, each with its tests; where these are in another folder than `tests`, it is named."""

    def subject(file: str, names: tuple[str, ...]) -> Subject:
        def found(copy: Path) -> list[tuple[str, Change]]:
            return [(file, change) for change in changes((copy / file).read_text("utf-8"))]

        placed = (name if name.startswith("tests/") else f"{tests}/{name}" for name in names)
        return Subject(file, tuple((name,) for name in placed), found)

    return [subject(f"{folder}/{name}.py", names) for name, names in table.items()]


def _environment(name: str) -> Subject:
    maze = " or mazes or open_cells" if name == "ProcMaze" else ""
    files = (f"tests/properties/{test}.py" for test in ("test_same_law", "test_every_environment"))
    return Subject(name, ((*files, "-k", f"{name}{maze}"),), lambda copy: broken(name, copy))


AGENTS = "test_agents_against_reference.py"
PIECES = "test_pieces_against_reference.py"
LOSSES = f"{PIECES}::test_the_loss_of_a_model_and_its_gradient_are_the_plain_ones"
RUNS = tuple(
    f"{AGENTS}::test_a_run_is_the_plain_run_of_each_lane[{case}]"
    for case in ("er-ProcMaze", "simple-PanFlute", "simple-ProcMaze-quirks", "gaussian-ProcMaze")
)

PARTS: dict[str, list[Subject]] = {
    "theory": _files("theory", "tests/theory", {
        "criteria/exchange": (
            "criteria/test_exchange.py", "criteria/test_evidence.py", "criteria/test_theorem.py",
        ),
        "criteria/version_spaces": (
            "criteria/test_version_spaces.py", "criteria/test_evidence.py", "criteria/test_theorem.py",
        ),
        "criteria/fiber_census": ("criteria/test_fiber_census.py",),
        "certificates/hitting_sets": ("certificates/test_hitting_sets.py",),
        "certificates/witness": ("certificates/test_witness.py",),
        "certificates/block_witness": ("certificates/test_block_witness.py",),
        "certificates/block_decision_witness": ("certificates/test_block_decision_witness.py",),
        "certificates/equality_proof": ("certificates/test_equality_proof.py",),
        "certificates/evidence_witness": ("certificates/test_evidence_witness.py",),
        "certificates/smallest_class": ("certificates/test_witness.py",),
        "certificates/verifier/fields": (
            "certificates/test_verifier.py", "certificates/test_certificate.py",
        ),
        "certificates/verifier/listed": (
            "certificates/test_verifier.py", "certificates/test_certificate.py",
            "certificates/test_evidence_witness.py",
        ),
        "certificates/verifier/blocks": ("certificates/test_block_witness.py",),
        "certificates/verifier/equality": ("certificates/test_equality_proof.py",),
        "solving/value_differences": ("solving/test_value_differences.py",),
    }),
    "analysis": _files("experiments/analysis", "tests/experiments/analysis", {
        "statistics": ("test_statistics.py",),
        "claims": ("test_claims.py",),
        "across_tasks": ("test_across_tasks.py",),
        "learning_curves": ("test_learning_curves.py",),
        "costs": ("test_costs.py",),
        "sequential": ("test_sequential.py",),
        "sequential_answer": ("test_sequential.py",),
        "sequential_power": ("test_sequential.py",),
        "sequential_validity": ("test_sequential.py",),
        "interval_coverage": ("test_interval_coverage.py",),
        "reference": ("test_reference.py",),
        "cells": ("test_cells.py",),
    }),
    "deep": _files("deep", "tests/deep", {
        "q_learning": ("test_q_learning.py",),
        "adam": (
            f"{PIECES}::test_the_optimizer_is_the_plain_one_with_a_step_size_for_each_lane",
            f"{PIECES}::test_a_thousand_steps_without_gradient_cost_a_thousandth_whatever_the_step_size",
        ),
        "priorities": ("test_priorities.py",),
        "replay_buffer": ("test_replay_buffer.py", *RUNS),
        "agent": (*RUNS, AGENTS, "test_priorities.py"),
        "models/likelihood": (LOSSES,),
        "models/simple": (LOSSES, "test_forecast.py", *RUNS),
        "models/latent": (LOSSES, "test_forecast.py", *RUNS, AGENTS),
        "models/rollout_model": (*RUNS, AGENTS),
        "models/learned_model": (LOSSES, *RUNS, "test_mixed_experience.py", AGENTS),
        "models/value_equivalent": ("test_value_equivalent.py",),
        "models/structured": ("test_structured.py",),
        "models/counterfactual": ("tests/properties/test_counterfactual.py",),
    }),
    "environments": [_environment(name) for name in dict.fromkeys(b.environment for b in BREAKS)],
}  # fmt: skip
