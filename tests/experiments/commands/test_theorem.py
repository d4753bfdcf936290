"""`mbgen theorem`: what its commands find of known classes, print, read and write."""

import json
import re

import numpy as np
import pytest

from experiments.cli import main
from tests.experiments.called import CLASS, complaint, is_a_picture, run_json

CHECK_KEYS = {
    "states",
    "actions",
    "gamma",
    "models",
    "value_functions",
    "value_vectors",
    "datasets",
    "sum_HM",
    "sum_HB",
    "strict",
    "part1",
    "part3_functional",
    "part3_realizable",
    "method",
    "seconds",
}


def test_check_prints_every_promised_key(capsys):
    report = run_json(capsys, "theorem", "check", "tabular-3x2-sparse")
    assert report.keys() >= CHECK_KEYS
    assert (report["models"], report["value_functions"], report["datasets"]) == (4096, 1439, 15625)
    assert all(report[part] for part in ("part1", "part3_functional", "part3_realizable"))
    assert report["sum_HM"] == report["sum_HB"]


def test_check_of_realizable_datasets_counts_only_those(capsys):
    every = run_json(capsys, "theorem", "check", "push-tree")
    some = run_json(capsys, "theorem", "check", "push-tree", "--datasets", "realizable")
    assert some["datasets"] < every["datasets"]
    assert some["sum_HM"] == every["sum_HM"]  # H_M of an unrealizable dataset is empty
    assert some["sum_HB"] < every["sum_HB"]
    assert some["strict"] == every["strict"] > 0


def test_check_reads_a_class_and_a_dataset_from_files(capsys, class_file, tmp_path):
    dataset = tmp_path / "dataset.json"
    dataset.write_text("[[0, 0, 0]]")
    report = run_json(capsys, "theorem", "check", str(class_file), "--datasets", str(dataset))
    assert report["HM"] == [[["-2"], ["-1"]]]
    assert sorted(report["HB"]) == [[["-2"], ["-1"]], [["-2"], ["-2"]]]
    assert report["models_consistent"] == 1
    assert all(report[key] for key in ("realizable", "functional", "strict"))


@pytest.mark.parametrize(
    ("transitions", "functional", "realizable"),
    [([[0, 0, 0], [0, 0, 1]], False, False), ([[0, 0, 2]], True, False), ([], True, True)],
)
def test_check_labels_what_kind_of_dataset_it_was_given(
    capsys, class_file, tmp_path, transitions, functional, realizable
):
    dataset = tmp_path / "dataset.json"
    dataset.write_text(json.dumps(transitions))
    report = run_json(capsys, "theorem", "check", str(class_file), "--datasets", str(dataset))
    assert (report["functional"], report["realizable"]) == (functional, realizable)
    assert bool(report["HM"]) == realizable


def test_check_takes_another_discount(capsys):
    half = run_json(capsys, "theorem", "check", "tabular-2x2-sparse", "--gamma", "0.5")
    assert half["gamma"] == "1/2"


def test_a_class_that_contradicts_part_3_has_exit_status_1(capsys):
    assert main(["theorem", "check", "gamma-one", "--allow-zero-sum"]) == 1


def test_repeated_models_are_merged_and_it_is_said(capsys, tmp_path):
    models = CLASS["transitions"]["models"]
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(CLASS | {"transitions": {"models": models * 2}}))
    assert run_json(capsys, "theorem", "check", str(path))["merged"] == 2
    assert main(["theorem", "check", str(path)]) == 0
    assert re.search(r"repeated models, merged +2\b", capsys.readouterr().out)


def test_census_counts_a_quarter_of_a_billion_models(capsys):
    counts = run_json(capsys, "theorem", "census", "--states", "4", "--actions", "3")
    assert counts["models"] == counts["counted"] == 5**12
    assert (counts["value_functions"], counts["value_vectors"]) == (40_206_839, 101)
    assert counts["complete"]


def test_census_reads_rewards_from_a_file(capsys, tmp_path):
    path = tmp_path / "rewards.json"
    path.write_text("[[3, -2], [1, -5], [-4, 7]]")
    arguments = ("theorem", "census", "--states", "3", "--actions", "2", "--rewards", str(path))
    assert run_json(capsys, *arguments)["value_functions"] == 4089


def test_identify_starts_with_everything_open_and_ends_with_one(capsys):
    curves = run_json(capsys, "theorem", "identify", "push-tree")
    first, last = curves["rows"][0], curves["rows"][-1]
    assert first["model"]["hypotheses"] == first["bellman"]["hypotheses"] == 28
    assert last["model"]["hypotheses"] == last["bellman"]["hypotheses"] == 1
    assert all(r["model"]["policy"] >= r["bellman"]["policy"] for r in curves["rows"])


def test_gallery_lists_classes_that_check_accepts(capsys):
    entries = run_json(capsys, "theorem", "gallery")
    names = {entry["name"] for entry in entries}
    assert {"tabular-3x2-sparse", "tabular-4x2-sparse", "push-tree", "smallest-witness"} <= names
    small = [e["name"] for e in entries if e["models"] < 300 and not e["counterexample"]]
    assert len(small) > 5
    for name in small:
        assert main(["theorem", "check", name]) == 0


def test_discount_finds_the_golden_section(capsys):
    strata = run_json(capsys, "theorem", "discount", "golden-discount")["strata"]
    assert [s["kind"] for s in strata] == ["interval", "point", "interval"]
    assert [s["strict"] for s in strata] == [True, True, False]
    assert strata[1]["lower"]["minimal_polynomial"].replace(" ", "") == "gamma**2+gamma-1"


@pytest.mark.parametrize(
    "command",
    [
        ("check", "smallest-witness"),
        ("identify", "push-tree"),
        ("discount", "golden-discount"),
        ("witness", "push-tree"),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_pictures_are_drawn_where_asked(capsys, tmp_path, command, suffix):
    path = tmp_path / f"picture.{suffix}"
    assert main(["theorem", *command, "--out", str(path)]) == 0
    assert path.stat().st_size > 1000
    assert suffix != "png" or is_a_picture(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_witness_is_certified_and_verified(capsys, tmp_path):
    path = tmp_path / "certificate.json"
    assert main(["theorem", "witness", "push-tree", "--out", str(path)]) == 0
    assert main(["theorem", "verify", str(path)]) == 0
    certificate = json.loads(path.read_text())
    certificate["gamma"] = "1/3"
    path.write_text(json.dumps(certificate))
    assert main(["theorem", "verify", str(path)]) == 1


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "\x00", '{"gamma": 1}'])
def test_a_file_that_is_no_certificate_has_exit_status_2(capsys, tmp_path, content):
    path = tmp_path / "certificate.json"
    if content is not None:
        path.write_text(content)
    assert path.name in complaint(capsys, "theorem", "verify", str(path))


def test_the_search_of_classes_says_which_kind_of_dataset_it_did_not_find(capsys):
    for option, what in (((), "proper inclusion"), (("--decision-relevant",), "decision-relevant")):
        assert main(["theorem", "smallest", "--max-states", "1", *option]) == 1
        assert what in capsys.readouterr().out


def test_trajectories_are_followed_and_value_functions_read_from_files(capsys, tmp_path):
    data, functions = tmp_path / "walk.json", tmp_path / "functions.json"
    data.write_text("[[0, 0, 2, 1, 2, 1, 2], [3, 1, 4]]")
    functions.write_text('[["1/10", 0.2, 3, 4]]')
    arguments = (
        "theorem",
        "check",
        "push-tree",
        "--datasets",
        str(data),
        "--value-equivalence",
        "2",
    )
    rows = run_json(capsys, *arguments)["value_equivalence"]
    assert [(row["steps"], row["own"]) for row in rows] == [(1, 13), (2, 11)]
    rows = run_json(capsys, *arguments, "--value-functions", str(functions))["value_equivalence"]
    assert [row["functions"] for row in rows] == [6, 6]
    functions.write_text("[[0, 1]]")
    assert main([*arguments, "--value-functions", str(functions)]) == 2
    assert "1 value functions of [2] entries; accepted: one or more" in capsys.readouterr().err


def test_rewards_are_added_from_a_file_until_the_gap_is_closed(capsys, tmp_path):
    path, picture = tmp_path / "family.json", tmp_path / "gap.png"
    path.write_text('[[[0, 0], [0, 0], [0, 0], [0, 1]], [["-1", 2], [0, -2], [1, 1.0], [2, -2]]]')
    report = run_json(capsys, "theorem", "rewards", "push-tree", "--family", str(path))
    assert report["smallest"] == ["reward 1"]
    assert main(["theorem", "rewards", "push-tree", "--most", "1", "--out", str(picture)]) == 1
    assert "no set without a gap was met" in capsys.readouterr().out
    assert is_a_picture(picture)
    path.write_text("[]")
    assert main(["theorem", "rewards", "push-tree", "--family", str(path)]) == 2
    assert "a family of rewards is empty" in capsys.readouterr().err
    assert main(["theorem", "rewards", "push-tree", "--count", "3"]) == 2
    assert "--count is of random rewards, got --family goals" in capsys.readouterr().err


def test_policies_and_tolerance_are_told_of_one_dataset(capsys, tmp_path):
    path = tmp_path / "seen.json"
    path.write_text("[[0, 0, 2], [3, 1, 4]]")
    arguments = (
        "theorem",
        "check",
        "push-tree",
        "--datasets",
        str(path),
        "--policies",
        "--tolerance",
    )
    report = run_json(capsys, *arguments)
    assert [report["policies"][side]["settled"] for side in ("HM", "HB")] == [2, 0]
    assert [step["eps"] for step in report["tolerance"]] == ["0", "81/100"]
    assert main(arguments) == 0
    assert "least regret that one policy guarantees" in capsys.readouterr().out


def test_all_truths_are_counted_and_drawn(capsys, tmp_path):
    path = tmp_path / "truths.png"
    report = run_json(capsys, "theorem", "truths", "push-tree", "--steps", "2", "--out", str(path))
    assert (report["queries"]["worst_model"], report["queries"]["worst_bellman"]) == (1, 2)
    assert len(report["trajectories"]) == 3
    assert is_a_picture(path)
    assert main(["theorem", "truths", "smallest-decision"]) == 0
    assert "best tree for the worst truth" in capsys.readouterr().out


def test_a_model_is_exported_in_every_format_and_checked_again(capsys, tmp_path):
    for kind in ("drn", "prism", "dot", "npz"):
        out = str(tmp_path / f"model.{kind}")
        assert main(["theorem", "export", "push-tree", "--format", kind, "--out", out]) == 0
    suffixes = {path.suffix for path in tmp_path.iterdir()}
    assert suffixes == {".drn", ".tra", ".trew", ".lab", ".sta", ".dot", ".npz"}
    with np.load(tmp_path / "model.npz") as arrays:
        assert arrays["R"].sum() == 1
        assert arrays["Q"].shape == (5, 2, 5)
    capsys.readouterr()
    for name in ("model.drn", "model.tra"):
        path = str(tmp_path / name)
        report = run_json(capsys, "theorem", "check", path, "--gamma", "9/10")
        assert (report["models"], report["states"], report["part2"]) == (1, 4, False)


def test_gymnasiums_tables_are_classes_where_an_action_earns_the_same_wherever_it_leads(capsys):
    pytest.importorskip("gymnasium")
    report = run_json(capsys, "theorem", "check", "gym:CliffWalking-v1", "--gamma", "0.9")
    assert (report["states"], report["actions"], report["gamma"]) == (48, 4, "9/10")
    assert "--gamma P/Q" in complaint(capsys, "theorem", "check", "gym:CliffWalking-v1")
    for environment, named in (
        ("FrozenLake-v1", "differ"),
        ("CartPole-v1", "no table P"),
        ("No", "No"),
    ):
        assert named in complaint(
            capsys, "theorem", "check", f"gym:{environment}", "--gamma", "0.9"
        )


def test_a_witness_that_has_no_certificate_is_printed_all_the_same(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("theory.certificates.certificate.MAX_SUCCESSORS", 100)
    path = tmp_path / "certificate.json"
    assert main(["theorem", "witness", "push-tree", "--decision-relevant", "--out", str(path)]) == 2
    printed = capsys.readouterr()
    assert "settled by H_M(D) alone" in printed.out
    assert printed.err.startswith("mbgen: the class has 49 models")
    assert not path.exists()


def test_a_class_without_a_witness_has_exit_status_1_and_a_certificate_that_says_so(
    capsys, tmp_path
):
    path = tmp_path / "certificate.json"
    for name, kind in (("tabular-4x3-sparse", "functional"), ("push-tree-tabular", "realizable")):
        assert main(["theorem", "witness", name, "--out", str(path)]) == 1
        assert f"certified: H_M(D) = H_B(D) for every {kind} D" in capsys.readouterr().out
        assert main(["theorem", "verify", str(path)]) == 0
        path.unlink()
    assert main(["theorem", "witness", "noisy-factors-product", "--out", str(path)]) == 1
    assert "no certificate: " in capsys.readouterr().out
    assert not path.exists()


def test_the_smallest_class_with_a_witness_is_found_by_search(capsys):
    found = run_json(capsys, "theorem", "smallest")
    assert (found["states"], found["actions"], found["models"]) == (2, 1, 2)
    assert len(found["dataset"]) == 1
    box = ("--max-states", "1", "--unknown-rewards")
    found = run_json(capsys, "theorem", "smallest", *box)
    assert (found["states"], found["actions"], found["models"]) == (1, 2, 2)
    assert len(found["options"]) == 2
    assert main(["theorem", "smallest", *box]) == 0
    assert "t, earning -1" in capsys.readouterr().out
    found = run_json(
        capsys, "theorem", "smallest", *box, "--rewards", "0", "1/2", "1", "--evidence"
    )
    assert (found["actions"], len(found["evidence"])) == (1, 1)


def test_z3_proves_part_3_where_it_is_installed(capsys):
    pytest.importorskip("z3")
    report = run_json(capsys, "theorem", "prove", "--states", "2", "--actions", "2")
    assert report["proved"]
