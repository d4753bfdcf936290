"""The command: what it prints and writes, and what it says to bad input."""

import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.cli import main
from tests.experiments.interrupted import interrupted

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
CLASS = {
    "states": 2,
    "actions": 1,
    "gamma": "1/2",
    "rewards": [[-1], [-1]],
    "transitions": {"models": [[[0], [2]], [[1], [0]]]},
}


def run_json(capsys, *arguments: str):
    """The JSON that a command prints when nothing else may go to standard output."""
    assert main([*arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def class_file(tmp_path):
    path = tmp_path / "two-models.json"
    path.write_text(json.dumps(CLASS))
    return path


def complaint(capsys, *arguments: str) -> str:
    """The one line that a command says to bad input."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mbgen: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) > len("mbgen: x\n")
    return captured.err


def is_a_picture(path: Path) -> bool:
    with Image.open(path) as image:
        colours = image.convert("RGB").getcolors(maxcolors=1 << 24)
        return min(image.size) > 100 and colours is not None and len(colours) > 10


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


def test_without_z3_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    assert "mbgen[proof]" in complaint(capsys, "theorem", "prove")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "theorem"),
        (("theorem",), "check"),
        (("theorem", "chek", "push-tree"), "chek"),
        (("theorem", "check"), "CLASS"),
        (("theorem", "check", "push-tree", "--bogus", "3"), "--bogus"),
        (("theorem", "check", "no-such-class"), "no-such-class"),
        (("theorem", "check", "missing.json"), "missing.json"),
        (("theorem", "check", "push-tree", "--gamma", "2"), "2"),
        (("theorem", "check", "push-tree", "--gamma", "0"), "0"),
        (("theorem", "check", "push-tree", "--gamma", "x"), "'x'"),
        (("theorem", "check", "push-tree", "--gamma", "nan"), "'nan'"),
        (("theorem", "check", "push-tree", "--gamma", "1/0"), "'1/0'"),
        (("theorem", "check", "push-tree", "--datasets", "some"), "'some'"),
        (("theorem", "check", "gamma-one"), "sum to zero"),
        (("theorem", "identify", "tabular-4x3-sparse"), "244140625"),
        (("theorem", "check", "tabular-0x3-sparse"), "0"),
        (("theorem", "check", "binary-factors-99"), "99"),
        (("theorem", "check", "push-tree", "--out", "picture.docx"), "picture.docx"),
        (("theorem", "check", "push-tree", "--out", "no/such/folder/x.png"), "no/such/folder"),
        (("theorem", "check", "push-tree", "--json", "no/such/folder/x.json"), "no/such/folder"),
        (("theorem", "identify", "push-tree", "--truth", "49"), "49"),
        (("theorem", "identify", "push-tree", "--truth", "-1"), "-1"),
        (("theorem", "identify", "push-tree", "--samples", "0"), "0"),
        (("theorem", "census", "--states", "0", "--actions", "2"), "0"),
        (("theorem", "census", "--states", "x", "--actions", "2"), "x"),
        (("theorem", "census", "--states", "99", "--actions", "9"), "accepted"),
        (("theorem", "census", "--states", "2", "--actions", "2", "--rewards", "odd"), "'odd'"),
        (("theorem", "census", "--states", "2", "--actions", "2", "--gamma", "1"), "1"),
        (("theorem", "discount", "binary-factors-5"), "accepted"),
        (("theorem", "witness", "push-tree", "--out", "certificate.txt"), "certificate.txt"),
        (("theorem", "verify", "missing.json"), "missing.json"),
        (
            ("theorem", "check", "binary-factors-3", "--out", "x.png"),
            "--out x.png draws means over",
        ),
        (("theorem", "witness", "push-tree", "--time-limit", "0"), "time-limit is 0"),
        (("theorem", "check", "push-tree", "--value-equivalence", "2"), "--datasets FILE"),
        (("theorem", "check", "push-tree", "--policies"), "--policies is about one dataset"),
        (("theorem", "export", "push-tree", "--format", "drn"), "--out"),
        (("theorem", "export", "push-tree", "--format", "pdf", "--out", "x"), "pdf"),
        (
            ("theorem", "export", "push-tree", "--format", "dot", "--out", "x", "--model", "49"),
            "model 49",
        ),
        (
            ("theorem", "export", "push-tree", "--format", "drn", "--out", "x", "--start", "4"),
            "start is 4",
        ),
        (("theorem", "export", "push-tree", "--format", "npz", "--out", "no/x.npz"), "no/x.npz"),
        (("theorem", "check", "missing.drn"), "missing.drn"),
        (("theorem", "truths", "push-tree", "--start", "4"), "start is 4"),
        (("theorem", "truths", "push-tree", "--steps", "-1"), "-1 steps"),
        (("theorem", "truths", "gamma-one"), "sum to zero"),
        (("theorem", "check", "push-tree", "--tolerance"), "--tolerance is about one dataset"),
        (
            ("theorem", "rewards", "push-tree", "--family", "many"),
            "'many'; accepted: goals, random, or a file",
        ),
        (
            ("theorem", "rewards", "push-tree", "--family", "random", "--count", "0"),
            "0 random rewards",
        ),
        (("theorem", "rewards", "push-tree", "--most", "-1"), "--most is -1"),
        (("theorem", "rewards", "push-tree", "--gamma", "1"), "gamma"),
        (
            ("theorem", "check", "push-tree", "--datasets", "d.json", "--value-equivalence", "0"),
            "is 0",
        ),
        (
            ("theorem", "check", "push-tree", "--value-functions", "f.json"),
            "with --value-equivalence K",
        ),
        (("theorem", "witness", "push-tree", "--time-limit", "nan"), "time-limit is nan"),
        (
            ("theorem", "witness", "push-tree", "--decision-relevant", "--time-limit", "0.001"),
            "time limit of 0.001 s",
        ),
        (("theorem", "witness", "gamma-one"), "sum to zero"),
        (
            ("theorem", "witness", "binary-factors-8", "--decision-relevant", "--out", "c.json"),
            "too large to enumerate has no certificate",
        ),
        (("theorem", "witness", "push-tree", "--gamma", "1", "--out", "c.json"), "gamma is 1"),
        (("theorem", "witness", "binary-factors-4", "--out", "c.json", "c.png"), "16 states"),
        (("theorem", "identify", "gamma-one"), "sum to zero"),
        (("theorem", "smallest", "--max-states", "0"), "0 states"),
        (("theorem", "smallest", "--rewards", "x"), "'x'"),
        (("theorem", "smallest", "--denominator", "0"), "denominator is 0"),
        (("theorem", "smallest", "--denominator", "9999", "--unknown-rewards"), "at most"),
        (("theorem", "smallest", "--rewards", "0", "--max-states", "9"), "accepted"),
        (("theorem", "prove", "--states", "100000"), "accepted"),
        (("theorem", "prove", "--states", "0"), "0"),
        (("theorem", "prove", "--gamma", "1"), "1"),
        (("bench", "theory", "--repeats", "0"), "0"),
    ],
)
def test_bad_input_gets_one_line_that_names_it(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    if "prove" in arguments:
        pytest.importorskip("z3")
    assert named in complaint(capsys, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "'colour'"),
        ({"rewards": [[-1]]}, "rewards"),
        ({"rewards": [[-1], [-1, 2]]}, "rewards"),
        ({"rewards": [[-1], [True]]}, "True"),
        ({"gamma": "3/2"}, "3/2"),
        ({"states": 0}, "states"),
        ({"transitions": {"models": []}}, "empty"),
        ({"transitions": {"models": [[[0], [3]]]}}, "3"),
        ({"transitions": "all"}, "all"),
        ({"transitions": {"tabular": {"successors": []}}}, "empty"),
        ({"state_names": ["a", "a"]}, "state_names"),
    ],
)
def test_a_bad_class_file_gets_one_line_that_names_the_entry(capsys, class_file, change, named):
    class_file.write_text(json.dumps(CLASS | change))
    assert named in complaint(capsys, "theorem", "check", str(class_file))


@pytest.mark.parametrize(
    "content", ["", "{", json.dumps(CLASS)[:-5], "[1, 2", "\x00", "[" * 100_000]
)
def test_a_file_that_is_no_json_gets_one_line(capsys, class_file, content):
    class_file.write_text(content)
    assert class_file.name in complaint(capsys, "theorem", "check", str(class_file))


@pytest.mark.parametrize(
    "content", ["[[0, 0]]", "[[7, 0, 0]]", '[["0", 0, 0]]', "{}", "[[0, 0, 9]]"]
)
def test_a_bad_dataset_gets_one_line(capsys, class_file, tmp_path, content):
    path = tmp_path / "dataset.json"
    path.write_text(content)
    complaint(capsys, "theorem", "check", str(class_file), "--datasets", str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused_before_the_work(capsys, tmp_path):
    tmp_path.chmod(0o500)
    complaint(capsys, "theorem", "check", "push-tree", "--json", str(tmp_path / "x.json"))


def test_a_folder_is_no_file_to_write(capsys, tmp_path):
    complaint(capsys, "theorem", "check", "push-tree", "--json", str(tmp_path))


def test_names_are_no_markup_and_no_format(capsys, class_file, tmp_path):
    names = {"state_names": ["[/x]", "{y}"], "action_names": ["$z_{$"]}
    path = class_file.rename(tmp_path / "[b] {c}.json")
    path.write_text(json.dumps(CLASS | names))
    dataset = tmp_path / "dataset.json"
    dataset.write_text("[[0, 0, 0]]")
    assert main(["theorem", "check", str(path), "--datasets", str(dataset)]) == 0
    assert main(["theorem", "witness", str(path), "--out", str(tmp_path / "w.png")]) == 0
    out = capsys.readouterr().out
    assert "[/x]" in out
    assert "[b] {c}" in out


def test_the_gallery_comes_before_a_file_of_the_same_name(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "push-tree").write_text(json.dumps(CLASS))
    assert run_json(capsys, "theorem", "check", "push-tree")["models"] == 49


def test_ctrl_c_stops_with_status_130_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "strata.json"
    done = interrupted("theorem", "discount", "tabular-3x2-generic", "--json", target)
    assert done == (130, "", "mbgen: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_bench_measures_every_figure(capsys):
    status = main(["bench", "theory", "--repeats", "1", "--json", "-"])
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert status == (1 if any(f["met"] is False for f in figures) else 0)
    measured = [f for f in figures if "QuantEcon" not in f["what"]]
    assert len(measured) >= 8
    assert all(f["value"] > 0 for f in measured)


def test_the_demo_checks_certifies_and_draws(capsys, tmp_path):
    assert main(["demo", "--steps", "0", "--out", str(tmp_path / "new" / "folder")]) == 0
    out = capsys.readouterr().out
    assert "push-tree" in out
    pictures = list((tmp_path / "new" / "folder").glob("*.png"))
    assert len(pictures) >= 7
    assert all(is_a_picture(picture) for picture in pictures)


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
@pytest.mark.parametrize("arguments", [("env", "list"), ("bench", "environments")])
def test_without_torch_the_extra_is_named(capsys, arguments):
    assert "mbgen[deep]" in complaint(capsys, *arguments)


OPTIONS = {
    "states": 2,
    "actions": 1,
    "gamma": "1/2",
    "rewards": [[-1], [-1]],
    "transitions": {
        "options": [
            [[{"next": {"0": "1/2", "t": "1/2"}}, {"next": {"1": 0.5, "t": 0.5}}]],
            [[{"next": {"t": 1}}, {"next": {"0": "1/2", "t": "1/2"}}]],
        ],
        "models": [[0, 0], [1, 1]],
    },
}


def test_a_class_with_options_is_checked_by_evidence_and_by_samples(capsys, tmp_path):
    path, evidence, samples = (tmp_path / name for name in ("class.json", "E.json", "S.json"))
    path.write_text(json.dumps(OPTIONS))
    whole = run_json(capsys, "theorem", "check", str(path))
    assert (whole["models"], whole["datasets"], whole["strict"]) == (2, 9, 1)
    evidence.write_text("[[0, 0, [0]]]")
    samples.write_text("[[0, 0, -1, 0], [0, 0, -1, 2]]")
    given = ("theorem", "check", str(path))
    by_evidence = run_json(capsys, *given, "--evidence", str(evidence))
    assert by_evidence["strict"]
    assert (len(by_evidence["HM"]), len(by_evidence["HB"])) == (1, 2)
    assert by_evidence == run_json(capsys, *given, "--samples", str(samples))
    asked = run_json(capsys, *given, "--evidence", str(evidence), "--policies", "--tolerance")
    assert asked["policies"]["HB"]["policies"] == 1
    assert asked["tolerance"][0] == {"eps": "0", "HB": 2, "outside_HM": 1}
    likely = ("--allow", "likelihood", "--threshold", "0.5")
    assert by_evidence == run_json(capsys, *given, "--samples", str(samples), *likely)
    assert main([*given, "--evidence", str(evidence), "--policies", "--tolerance"]) == 0
    printed = capsys.readouterr().out
    assert "0 by 1/2, t by 1/2, earning -1" in printed
    assert "least regret that one policy guarantees" in printed
    assert "|H_B^eps(E)|" in printed
    certificate = str(tmp_path / "E-certificate.json")
    assert main([*given, "--evidence", str(evidence), "--certificate", certificate]) == 0
    assert "certified: " in capsys.readouterr().out
    assert main(["theorem", "verify", certificate]) == 0
    nothing = tmp_path / "nothing.json"
    nothing.write_text("[]")
    assert main([*given, "--evidence", str(nothing), "--certificate", certificate]) == 1
    assert "the inclusion is not proper" in capsys.readouterr().out
    searched = ("theorem", "witness", str(path), "--evidence")
    assert run_json(capsys, *searched, "--out", certificate)["evidence"] == [[0, 0, [0]]]
    assert main(["theorem", "verify", certificate]) == 0
    assert main([*searched]) == 0
    assert "E rules out every model that has it" in capsys.readouterr().out
    assert main(["theorem", "witness", "noisy-factors-product", "--evidence"]) == 1
    assert "no realizable evidence" in capsys.readouterr().out
    picture = tmp_path / "samples.png"
    curves = run_json(capsys, "theorem", "samples", str(path), "--most", "2", "--out", str(picture))
    assert [row["exact"] for row in curves["rows"]] == [True] * 3
    assert picture.stat().st_size > 1000
    walks = ("theorem", "samples", str(path), "--most", "2", "--start", "1")
    assert run_json(capsys, *walks, "--out", str(picture))["start"] == 1
    assert main([*walks]) == 0
    assert "steps" in capsys.readouterr().out
    assert main(["theorem", "samples", str(path), "--most", "1"]) == 0
    assert "truth ruled out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "CLASS", "--evidence", "FILE"), "FILE: evidence [0, 0, []] allows nothing"),
        (
            ("check", "CLASS", "--evidence", "FILE", "--value-equivalence", "2"),
            "--value-equivalence follows trajectories",
        ),
        (("check", "CLASS", "--evidence", "FILE", "--samples", "FILE"), "both given"),
        (("check", "CLASS", "--samples", "FILE"), "FILE: a reward is []"),
        (("smallest", "--evidence", "--decision-relevant"), "accepted: a proper inclusion"),
        (("witness", "HUGE"), "accepted: at most 1.5 GB"),
        (("check", "CLASS", "--certificate", "x.json"), "--certificate is about evidence"),
        (("check", "CLASS", "--allow", "support"), "--allow and --threshold are about samples"),
        (("check", "CLASS", "--datasets", "FILE"), "CLASS has options"),
        (("witness", "CLASS", "--evidence", "--decision-relevant"), "--decision-relevant is about"),
        (("witness", "CLASS", "--evidence", "--out", "x.png"), "accepted with --evidence: .json"),
        (("check", "CLASS", "--gamma", "1"), "accepted for a class with options: gamma < 1"),
        (("samples", "CLASS", "--allow", "likelihood"), "threshold is missing"),
        (("samples", "CLASS", "--most", "-1"), "most is -1"),
        (("samples", "CLASS", "--most", "999999999999", "--start", "0"), "accepted: 0 to 10000"),
        (("smallest", "--denominator", "999999999999", "--max-states", "999999999999"), "at most"),
    ],
)
def test_what_a_class_with_options_does_not_take_is_refused_in_a_line(
    capsys, tmp_path, words, said
):
    path, file = tmp_path / "class.json", tmp_path / "file.json"
    path.write_text(json.dumps(OPTIONS))
    file.write_text("[[0, 0, []]]")
    huge = tmp_path / "huge.json"
    listed = [{"reward": i, "next": {"t": 1}} for i in range(99)]
    huge.write_text(
        json.dumps(
            OPTIONS
            | {
                "transitions": {"options": [[[*listed]] * 5] * 2},
                "actions": 5,
                "rewards": [[0] * 5] * 2,
            }
        )
    )
    names = {"CLASS": str(path), "FILE": str(file), "HUGE": str(huge)}
    assert main(["theorem", *(names.get(word, word) for word in words)]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert len(captured.err.splitlines()) == 1
    assert said.replace("FILE", str(file)).replace("CLASS", "class") in captured.err
