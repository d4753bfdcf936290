"""The ledger: every claim against what is there, each scale for itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import ledger as module
from experiments.analysis.claims import Claim, above
from experiments.cli import main
from experiments.evidence import evidence_page
from experiments.exact.claims import CLAIMS as EXACT
from experiments.ledger import Entry, ledger
from experiments.studies.registry import STUDIES
from experiments.studies.results import Results
from tests.experiments.called import complaint
from tests.experiments.studies.made_up import stored

CLAIMS = [(name, claim.id) for name, study in STUDIES.items() for claim in study.claims]


def made_up_results(level):
    """In place of reading folders: all runs of a study have finished at a level by scale and settings."""

    def results_of(study, scale, _):
        planned = tuple(study.runs(scale))
        runs = {run.id: level(scale, run.settings) for run in planned}
        there = {
            run.settings.digest: stored(run.settings, runs[run.id])
            for run in planned
            if runs[run.id] is not None
        }
        states = {name: "not begun" if at is None else "finished" for name, at in runs.items()}
        return Results(planned, states, there)

    return results_of


@pytest.fixture
def quirks_alone(monkeypatch, tmp_path):
    """The study `quirks` with made-up runs at the scales desk and paper."""
    for scale in ("desk", "paper"):
        (tmp_path / scale).mkdir()
    monkeypatch.setattr(module, "STUDIES", {"quirks": STUDIES["quirks"]})

    def entries(level):
        monkeypatch.setattr(module, "results_of", made_up_results(level))
        return ledger(tmp_path)

    return entries


def test_without_runs_every_claim_is_there_once_and_open(tmp_path):
    entries = ledger(tmp_path)
    assert [(entry.study.name, entry.claim.id) for entry in entries] == CLAIMS
    assert {(entry.verdict, entry.verdict_holm, entry.scale) for entry in entries} == {
        ("open", "open", None)
    }
    assert all(entry.deciding is None and entry.p_value == 1 for entry in entries)


def test_scales_stand_side_by_side_and_are_judged_apart(quirks_alone):
    def level(scale, settings):
        gain = 1.0 if scale == "desk" else -1.0
        return gain if settings.agent == "simple" else 0.0

    found = {(entry.claim.id, entry.scale): entry.verdict for entry in quirks_alone(level)}
    assert found["Q-holds", "desk"] == "confirmed"
    assert found["Q-holds", "paper"] == "contradicted"
    assert len(found) == 4


def test_a_claim_hangs_on_the_comparison_that_bears_it_out_least(quirks_alone):
    def level(_, settings):
        if settings.stale_reset_observation:
            return 0.0
        return 1.0 if settings.agent == "simple" else 0.004

    (entry,) = [e for e in quirks_alone(level) if e.claim.id == "Q-stale" and e.scale == "desk"]
    assert entry.verdict == "open"
    assert entry.deciding.label == "er"


def test_a_claim_with_missing_runs_hangs_on_nothing(quirks_alone):
    entries = quirks_alone(lambda _, s: None if s.agent == "er" else 1.0)
    assert all(entry.verdict == entry.verdict_holm == "open" for entry in entries)
    assert all(entry.deciding is None for entry in entries)


def test_the_command_prints_what_programs_rely_on(capsys):
    results = Path(__file__).parents[2] / "results"
    assert main(["claims", "--results", str(results), "--json", "-"]) == 0
    printed = json.loads(capsys.readouterr().out)["claims"]
    exact = [("theorem", claim.id) for claim in EXACT]
    assert [(each["study"], each["id"]) for each in printed] == exact + CLAIMS
    keys = {"id", "study", "statement", "verdict", "verdict_holm", "scale", "seeds", "effect", "low",
            "high", "commit"}  # fmt: skip
    assert all(keys <= each.keys() for each in printed)
    assert {each["verdict"] for each in printed} <= {"confirmed", "contradicted", "open"}
    for each in printed:
        decided = each["verdict"] != "open"
        assert not decided or each["commit"]
        if each["study"] == "theorem":
            assert each["scale"] in ("exact", None)
        elif decided:
            assert each["seeds"] >= 4
            assert each["scale"] == "desk"
        assert each["verdict_holm"] in (each["verdict"], "open")


def test_a_folder_that_is_not_there_is_refused_on_one_line(tmp_path, capsys):
    assert "there is no folder" in complaint(capsys, "claims", "--results", str(tmp_path / "none"))


def test_the_page_of_markdown_has_a_row_for_each_claim_and_scale(tmp_path, capsys):
    path = tmp_path / "evidence.md"
    assert main(["claims", "--results", str(tmp_path), "--out", str(path)]) == 0
    rows = [line for line in path.read_text("utf-8").splitlines() if "| **" in line]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [
        *(claim.id for claim in EXACT),
        *(claim for _, claim in CLAIMS),
    ]
    assert all("**open**" in row for row in rows)


def test_the_page_tells_effects_and_what_holms_correction_leaves(quirks_alone):
    def level(_, settings):
        if settings.stale_reset_observation:
            return 0.0
        return 1.0 if settings.agent == "simple" else 0.004

    page = evidence_page([], quirks_alone(level))
    (row,) = [line for line in page.splitlines() if line.startswith("| Q-stale") and "desk" in line]
    entry = next(e for e in quirks_alone(level) if e.claim.id == "Q-stale" and e.scale == "desk")
    assert f"{entry.deciding.effect:.4g} [{entry.deciding.low:.4g}, " in row
    assert f"**{entry.verdict}**" in row


def test_an_undecided_claim_says_whether_runs_are_missing_or_diverged():
    missing = above("PanFlute 9", None, np.ones(3))
    diverged = above("ProcMaze 4", np.full(3, np.nan), np.arange(3.0))
    claim = Claim("X", "a claim", "ours", lambda _: [missing, diverged])
    entry = Entry(claim, STUDIES["online"], "desk", (missing, diverged), "open", "open", None)
    assert entry.undecided == "runs are missing: PanFlute 9; all seeds diverged: ProcMaze 4"
