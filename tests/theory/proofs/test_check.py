"""The checker of the proofs catches what would make them hollow, and the documentation names every theorem."""

import re
import shutil
from pathlib import Path

import pytest

from theory.proofs import check as checker

ROOT = Path(__file__).parents[3]
needs_coqc = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed")

SOUND = """
(* True holds. *)
Theorem sound : True.
Proof. exact I. Qed.
"""


def folder_of(place: Path, **files: str) -> Path:
    for name, text in files.items():
        (place / f"{name}.v").write_text(text)
    (place / "_CoqProject").write_text("\n".join(f"{name}.v" for name in files))
    return place


def faults_of(place: Path, text: str) -> list[str]:
    return checker.check(folder_of(place, Planted=SOUND + text)).faults


@needs_coqc
def test_sound_proofs_that_build_on_one_another_have_no_fault(tmp_path):
    second = "From Mbgen Require Import First.\n(* Again (* as before *). *)\nTheorem again : True.\nProof sound.\n"
    report = checker.check(folder_of(tmp_path, First=SOUND, Second=second))
    assert (report.axioms, report.faults) == ([], [])
    assert [(t.name, t.file, t.words) for t in report.theorems] == [
        ("sound", "First.v", "True holds."),
        ("again", "Second.v", "Again (* as before *)."),
    ]


def wished(assumption: str) -> str:
    return f"{assumption} wish : False.\n(* Absurd. *)\nTheorem wished : False.\nProof. exact wish. Qed."


@needs_coqc
@pytest.mark.parametrize(
    ("planted", "expected"),
    {
        "an admitted proof": (
            "(* Absurd. *)\nTheorem open : False.\nProof. Admitted.",
            ["Planted.v, line 7: Admitted", "Planted.v: open rests on Planted.open"],
        ),
        "an axiom": (
            wished("Axiom"),
            ["Planted.v, line 5: Axiom", "Planted.v: wished rests on Planted.wish"],
        ),
        "an axiom under another name": (
            wished("Variable"),
            [
                "Planted.v, line 5: Variable outside of all sections",
                "Planted.v: wished rests on Planted.wish",
            ],
        ),
        "an axiom of a library": (
            "Require Import Classical.\n(* All is so or not. *)\nTheorem third P : P \\/ ~ P.\nProof classic P.",
            ["Planted.v: third rests on Classical_Prop.classic"],
        ),
        "a proof of something else": (
            "(* Absurd. *)\nTheorem wrong : False.\nProof I.",
            [
                'Planted.v, line 7: Error: The term "I" has type "True" while it is expected to have type "False".'
            ],
        ),
        "a theorem out of sight": (
            "Module M.\n(* True. *)\nTheorem far : True.\nProof I.\nEnd M.",
            [
                "Asked.v, line 2: Error: The reference Mbgen.Planted.far was not found in the current environment."
            ],
        ),
    }.values(),
)
def test_a_planted_fault_is_caught_and_named(tmp_path, planted, expected):
    assert faults_of(tmp_path, planted) == expected


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Module M.\nEnd M.\nSection S.\nVariable x : nat.\nHypothesis h : x = x.\nEnd S.\n", []),
        (
            "Module M.\nVariable x : nat.\nEnd M.\n",
            ["F.v, line 2: Variable outside of all sections"],
        ),
        ('(* Axiom (* admit *) *) Definition words := "Admitted. Axiom a.".\n', []),
        (
            "Section S.\nEnd S.\nHypothesis h : False.\n",
            ["F.v, line 3: Hypothesis outside of all sections"],
        ),
        ("Section S.\nParameter h : False.\nEnd S.\n", ["F.v, line 2: Parameter"]),
        ("Unset Guard Checking.\n", ["F.v, line 1: Unset Guard Checking"]),
        ("Theorem silent : True.\n", ["F.v, line 1: no comment says what silent states"]),
        (
            "(* Far. *)\nDefinition x := 0.\nTheorem silent : True.\n",
            ["F.v, line 3: no comment says what silent states"],
        ),
    ],
)
def test_the_text_of_a_proof_is_searched_outside_of_comments_and_strings(tmp_path, text, faults):
    place = folder_of(tmp_path, F=text)
    assert list(checker.text_faults(place / "F.v")) == faults


def test_a_file_that_is_not_listed_is_refused(tmp_path):
    folder_of(tmp_path, Listed=SOUND)
    (tmp_path / "Forgotten.v").write_text(SOUND)
    with pytest.raises(ValueError, match=r"Forgotten\.v"):
        checker.files(tmp_path)


def test_without_coqc_it_is_said_that_nothing_was_checked(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert (checker.main([]), checker.main(["--optional"])) == (2, 0)
    refused, skipped = capsys.readouterr().err.splitlines()
    assert refused == "coqc is not installed; Debian has it: apt-get install coq"
    assert skipped == f"SKIPPED, no proof was checked: {refused}"


def test_the_proofs_leave_nothing_open_in_their_text():
    assert [fault for path in checker.files() for fault in checker.text_faults(path)] == []


def test_the_documentation_names_every_theorem_and_its_file_and_no_other():
    rows = re.findall(
        r"^\|.*\| `(\w+\.v)` \| (.*) \|$", (ROOT / "docs/proofs.md").read_text(), re.MULTILINE
    )
    named = [(file, name) for file, names in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(named) == sorted((theorem.file, theorem.name) for theorem in checker.theorems())


def test_the_documentation_quotes_the_files():
    (quoted,) = re.findall("```coq\n(.*?)```", (ROOT / "docs/proofs.md").read_text(), re.DOTALL)
    lines = {line for path in checker.files() for line in path.read_text().splitlines()}
    assert set(quoted.splitlines()) <= lines
