"""The command: what it says to bad input, and what holds whatever it is asked."""

import json
import os
import sys
from importlib.util import find_spec

import pytest

from experiments.cli import main
from tests.experiments.called import CLASS, complaint, run_json
from tests.experiments.interrupted import interrupted


def test_without_z3_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    assert ".[proof]" in complaint(capsys, "theorem", "prove")


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
        (("theorem", "check", "push-tree", "--gamma", "0"), "gamma is 0;"),
        (("theorem", "check", "push-tree", "--gamma", "x"), "'x'"),
        (("theorem", "check", "push-tree", "--gamma", "nan"), "'nan'"),
        (("theorem", "check", "push-tree", "--gamma", "1/0"), "'1/0'"),
        (("theorem", "check", "push-tree", "--datasets", "some"), "'some'"),
        (("theorem", "check", "gamma-one"), "sum to zero"),
        (("theorem", "identify", "tabular-4x3-sparse"), "244140625"),
        (("theorem", "check", "tabular-0x3-sparse"), "states is 0;"),
        (("theorem", "check", "binary-factors-99"), "99"),
        (("theorem", "check", "push-tree", "--out", "picture.docx"), "picture.docx"),
        (("theorem", "check", "push-tree", "--out", "no/such/folder/x.png"), "no/such/folder"),
        (("theorem", "check", "push-tree", "--json", "no/such/folder/x.json"), "no/such/folder"),
        (("theorem", "identify", "push-tree", "--truth", "49"), "49"),
        (("theorem", "identify", "push-tree", "--truth", "-1"), "-1"),
        (("theorem", "identify", "push-tree", "--samples", "0"), "samples is 0;"),
        (("theorem", "census", "--states", "0", "--actions", "2"), "0 states"),
        (("theorem", "census", "--states", "x", "--actions", "2"), "x"),
        (("theorem", "census", "--states", "99", "--actions", "9"), "accepted"),
        (("theorem", "census", "--states", "2", "--actions", "2", "--rewards", "odd"), "'odd'"),
        (
            ("theorem", "census", "--states", "2", "--actions", "2", "--gamma", "1"),
            "gamma is 1; accepted by the census",
        ),
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
        (("theorem", "prove", "--states", "0"), "states is 0;"),
        (("theorem", "prove", "--gamma", "1"), "gamma is 1;"),
        (("bench", "theory", "--repeats", "0"), "repeats is 0;"),
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


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
@pytest.mark.parametrize("arguments", [("env", "list"), ("bench", "environments")])
def test_without_torch_the_extra_is_named(capsys, arguments):
    assert ".[deep]" in complaint(capsys, *arguments)
