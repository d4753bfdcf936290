"""What needs no statistics: verdicts by checks, and the checks that are stored."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.cli import main
from experiments.exact import checks as module
from experiments.exact.checks import certificate_checks, proof_checks, theorem_checks
from experiments.exact.claims import CLAIMS, FILE, ExactCheck, exact_entries, stored_form
from tests.experiments.called import complaint

PROOFS = "json.tool"  # a module that is there, in place of the checker
RESULTS = Path(__file__).parents[3] / "results"


def check(claim, holds, case="a class"):
    return ExactCheck(claim, case, "9 models", holds, "every dataset", 0.1)


def entries(folder, *checks, missing=None):
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored_form(checks, missing or {}, {"commit": "abc"})))
    return {entry.claim.id: entry for entry in exact_entries(folder)}


def test_without_a_stored_file_every_claim_is_open_and_says_how_to_decide_it(tmp_path):
    found = exact_entries(tmp_path)
    assert [entry.claim for entry in found] == list(CLAIMS)
    assert all(entry.verdict == "open" for entry in found)
    assert all("mbgen theorem decide" in entry.evidence for entry in found)


def test_a_claim_is_confirmed_if_all_its_checks_hold_and_contradicted_if_one_fails(tmp_path):
    found = entries(
        tmp_path,
        check("T1", True),
        check("T1", True),
        check("T3", True),
        check("T3", False, "that"),
    )
    assert found["T1"].verdict == "confirmed"
    assert found["T3"].verdict == "contradicted"
    assert found["T3"].evidence == "fails: that: 9 models"
    assert found["T1"].evidence == "a class: 9 models; and 1 more"
    assert found["T2"].verdict == "open"


def test_a_proof_that_could_not_be_checked_is_open_and_says_why(tmp_path):
    found = entries(tmp_path, check("T1", True), missing={"T-proof": "coqc is not installed"})
    assert (found["T-proof"].verdict, found["T-proof"].evidence) == (
        "open",
        "coqc is not installed",
    )


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"checks": [{"claim": "T1"}], "missing": {}, "provenance": {}}', "no json",
     '{"checks": 1, "missing": {}, "provenance": {}}'],
)  # fmt: skip
def test_a_file_that_holds_something_else_is_refused_on_one_line(tmp_path, capsys, text):
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(text)
    assert str(FILE) in complaint(capsys, "claims", "--results", str(tmp_path))


def test_a_check_of_an_unknown_claim_is_refused(tmp_path):
    with pytest.raises(ValueError, match="T9"):
        entries(tmp_path, check("T9", True))


@pytest.fixture
def small(monkeypatch):
    """The checks over the small classes of the gallery, with few random datasets, and without the proof."""
    import theory

    chosen = ("tabular-2x2-sparse", "push-tree", "smallest-witness")
    monkeypatch.setattr(theory, "GALLERY", {name: theory.GALLERY[name] for name in chosen})
    monkeypatch.setattr(module, "IDENTITY_CASES", 8)
    monkeypatch.setattr(module, "PROOF", "theory.nothing.there")


def test_what_is_stored_is_what_the_checks_of_small_classes_find_again(small):
    stored = {(each.claim, each.case): each for e in exact_entries(RESULTS) for each in e.checks}
    again = [*theorem_checks(), *certificate_checks()]
    assert {each.claim for each in again} == {"T1", "T2", "T3"}
    for each in again:
        kept = stored[each.claim, each.case]
        assert kept._replace(seconds=0) == each._replace(seconds=0)


def test_the_results_of_this_repository_decide_all_four_parts():
    found = {entry.claim.id: entry for entry in exact_entries(RESULTS)}
    assert all(found[name].verdict == "confirmed" for name in ("T1", "T2", "T3", "T4"))
    assert all(found[name].provenance["clean"] for name in ("T1", "T2", "T3", "T4"))


def test_the_command_decides_stores_and_tells(small, tmp_path, capsys):
    assert main(["theorem", "decide", "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "T4" in printed
    found = {entry.claim.id: entry for entry in exact_entries(tmp_path)}
    assert [found[f"T{part}"].verdict for part in (1, 2, 3, 4)] == ["confirmed"] * 4
    assert found["T4"].checks[0].gone_through == "8 random datasets"


def test_a_claim_that_fails_is_stored_as_contradicted_and_is_the_exit_status(
    small, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "_same_pass", lambda random: bool(random.integers(2)))
    assert main(["theorem", "decide", "--results", str(tmp_path)]) == 1
    found = {entry.claim.id: entry.verdict for entry in exact_entries(tmp_path)}
    assert found["T4"] == "contradicted"
    assert found["T1"] == "confirmed"


@pytest.mark.parametrize("broken", ["q_iteration_sweep", "planning_sweep", "td_fixed_point"])
def test_an_identity_that_does_not_hold_is_found(small, monkeypatch, broken):
    import tabular

    right = getattr(tabular, broken)
    monkeypatch.setattr(tabular, broken, lambda *given, **named: right(*given, **named) + 1)
    assert not all(each.holds for each in module.identity_checks())


def test_without_a_proof_or_a_checker_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setattr(module, "PROOF", "theory.nothing.there")
    assert proof_checks() == ([], "there is no theory.nothing.there")
    monkeypatch.setattr(module, "PROOF", "json.tool")
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert proof_checks() == ([], "coqc, which checks the proof, is not installed")


@pytest.mark.parametrize(
    ("status", "printed", "holds", "said"),
    [(0, "a table\n\n25 theorems proved, in 9 s\n", True, "25 theorems proved"), (1, "", False, "Gap.v: admitted")],
)  # fmt: skip
def test_a_proof_holds_if_its_checker_says_so(monkeypatch, status, printed, holds, said):
    def run(words, **_):
        version = "The Coq Proof Assistant, version 8.16.1\ncompiled\n"
        checked = (status, printed, "Bellman.v\nGap.v: admitted\n")
        code, out, err = checked if PROOFS in words else (0, version, "")
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    monkeypatch.setattr(module, "PROOF", PROOFS)
    monkeypatch.setattr(module.shutil, "which", lambda _: "coqc")
    monkeypatch.setattr(module.subprocess, "run", run)
    (made,), missing = proof_checks()
    assert missing == ""
    assert (made.holds, made.gone_through) == (holds, said)
    assert made.how == "The Coq Proof Assistant, version 8.16.1"


def test_random_datasets_differ_in_size_and_have_several_transitions_of_a_pair():
    random = np.random.default_rng(0)
    drawn = [module._tabular_case(random)[0] for _ in range(40)]
    assert len({len(dataset) for dataset in drawn}) > 5
    assert any(len({step.pair for step in dataset}) < len(dataset) for dataset in drawn)
