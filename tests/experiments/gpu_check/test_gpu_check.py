"""The checks for a machine with a GPU, tried on a CPU: everything but the GPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch

from deep.tensor_tree import tensors
from experiments.gpu_check import (
    LANES_ALIKE,
    MAX_DRIFT,
    MEDIAN_DRIFT,
    SMALL,
    STAGES,
    TARGETS_MS,
    agreement,
    best_seconds,
    copied,
    loop_of,
    main,
)

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")


def checked(out, *options):
    """The exit status, and the findings of this call."""
    path = out / "findings.jsonl"
    before = len(path.read_text().splitlines()) if path.exists() else 0
    status = main(["--device", "cpu", "--ways", "eager", "--out", str(out), *options])
    return status, [json.loads(line) for line in path.read_text().splitlines()[before:]]


def cases(findings):
    return [(finding["stage"], finding["case"]) for finding in findings]


def test_an_agent_passes_every_stage_on_a_cpu(tmp_path, capsys):
    stages = ["--stages", "parity", "sync", "speed", "--agents", "er", "--precisions", "highest"]
    status, findings = checked(tmp_path / "new", *stages)
    assert status == 0
    assert all(finding["ok"] for finding in findings)
    assert cases(findings) == [
        ("machine", ""),
        ("parity", "draws"),
        *[("parity", name) for name in ("PanFlute", "ButtonGrid", "ProcMaze", "OpenGrid")],
        ("parity", "er eager"),
        ("sync", "er eager"),
        ("speed", "er 2 eager highest 2"),
        ("speed", "er 1 eager highest 2"),
    ]
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == findings
    for finding in findings[-2:]:
        assert finding["gflop_per_update"] > 0
        assert finding["products_ms"] > 0
        assert 0 < finding["share_of_products"] < 1


def test_a_learned_model_is_measured_in_another_precision(tmp_path):
    options = ["--stages", "speed", "--agents", "simple", "--precisions", "bf16"]
    status, findings = checked(tmp_path, *options)
    assert status == 0
    assert cases(findings)[1:] == [
        ("speed", "simple 2 eager bf16 2"),
        ("speed", "simple 1 eager bf16 2"),
    ]


def test_what_was_found_to_be_well_is_not_done_again(tmp_path):
    options = ["--stages", "parity", "--agents", "er"]
    checked(tmp_path, *options)
    assert cases(checked(tmp_path, *options)[1]) == [("machine", "")]
    assert len(checked(tmp_path, *options, "--again")[1]) == 7


@pytest.mark.parametrize("line", ["garbage", "[]", '{"stage": "par'])
def test_findings_that_cannot_be_read_are_refused_and_kept(tmp_path, capsys, line):
    path = tmp_path / "findings.jsonl"
    path.write_text(line)
    assert gpu_check.main(["--device", "cpu", "--out", str(tmp_path)]) == 2
    assert "line 1 of findings.jsonl is no finding" in (complaint := capsys.readouterr().err)
    assert complaint.count("\n") == 1
    assert path.read_text() == line


def test_without_time_nothing_is_started_and_what_is_left_is_named(tmp_path):
    status, findings = checked(tmp_path, "--seconds", "0", "--agents", "er", "simple")
    assert status == 0
    assert cases(findings) == [("machine", ""), ("speed", "left")]
    assert len(findings[-1]["cases"]) == 12


def test_a_failure_is_a_finding_and_the_others_go_on(tmp_path, monkeypatch):
    def fail(check):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(gpu_check, "_same_draws", fail)
    options = ["--stages", "parity", "--agents", "er"]
    status, findings = checked(tmp_path, *options)
    assert status == 1
    failed = [finding for finding in findings if not finding["ok"]]
    assert cases(failed) == [("parity", "draws")]
    assert failed[0]["error"] == "RuntimeError: out of luck"
    assert findings[-1]["case"] == "er eager"
    assert findings[-1]["ok"]
    monkeypatch.undo()
    status, findings = checked(tmp_path, *options)
    assert status == 0
    assert cases(findings) == [("machine", ""), ("parity", "draws")]


def test_agreement_tells_lanes_that_acted_otherwise_from_parameters_that_drifted():
    loop = loop_of("simple", SMALL, 2, CPU)
    loop.advance(SMALL.filled)
    start = copied(loop)
    loop.advance(SMALL.steps)
    end = copied(loop)
    same = agreement(start, end, end)
    assert same == {"ok": True, "lanes_alike": 1, "median_drift": 0, "max_drift": 0}

    drifted = {name: tensor.clone() for name, tensor in end.items()}
    moved = end["learner.model.0"] - start["learner.model.0"]
    drifted["learner.model.0"][1] += 0.1 * moved[1]
    found = agreement(start, end, drifted)
    assert not found["ok"]
    assert found["max_drift"] == pytest.approx(0.1, rel=1e-3)

    otherwise = {name: tensor.clone() for name, tensor in drifted.items()}
    otherwise["buffer.reward"][1, 0] += 1
    found = agreement(start, end, otherwise)
    assert not found["ok"]
    assert found["lanes_alike"] == 0.5
    assert found["max_drift"] == 0  # the lane that drifted is not compared

    miscounted = end | {"learner.updates": end["learner.updates"] + 1}
    assert not agreement(start, end, miscounted)["ok"]


def test_a_copied_state_stays_as_it_was():
    loop = loop_of("er", SMALL, 2, CPU)
    before = copied(loop)
    loop.advance(1)
    assert not torch.equal(before["steps"], tensors(loop.state)["steps"])


def test_a_measurement_is_taken_over_enough_repetitions():
    calls = []
    seconds = best_seconds(lambda: calls.append(None), 1e-3, CPU)
    assert 0 < seconds < 1e-3
    assert len(calls) > 3


def test_what_was_found_on_another_device_is_checked_again(tmp_path, monkeypatch):
    monkeypatch.setitem(STAGES, "sync", lambda check: check.find("sync", "one", dict))
    found = {"stage": "sync", "case": "one", "ok": True, "on": "cuda"}
    (tmp_path / "findings.jsonl").write_text(json.dumps(found) + "\n")
    for expected in (["machine", "sync"], ["machine"]):
        _, findings = checked(tmp_path, "--stages", "sync")
        assert [finding["stage"] for finding in findings] == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_machine_without_a_gpu_is_told_what_to_do():
    with pytest.raises(SystemExit, match="--device cpu"):
        main([])


def test_it_runs_from_the_source_tree_without_what_a_bare_machine_lacks(tmp_path):
    options = ["--device", "cpu", "--stages", "sync", "--agents", "er", "--ways", "eager"]
    options += ["--out", str(tmp_path)]
    code = f"""
import sys
for name in ("tyro", "gymnasium", "polars", "beartype"):
    sys.modules[name] = None
from experiments.gpu_check import main
sys.exit(main({options}))
"""
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=ROOT, env=bare_environment())


def bare_environment():
    """The packages, without the installation of this one (which -S leaves out)."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    return {"PYTHONPATH": ":".join(packages), "OMP_NUM_THREADS": "1"}


def test_the_document_states_the_targets_and_tolerances_of_the_code():
    text = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("|")]
    stated = {name.strip(): value.strip() for name, value in rows}
    for name, target in TARGETS_MS.items():
        assert float(stated[name]) == target
    assert f"at most {MEDIAN_DRIFT:.0e} for".replace("e-0", "e-") in text
    assert f"at most {MAX_DRIFT:.0e} for".replace("e-0", "e-") in text
    assert f"at least {10 * LANES_ALIKE:.0f} of 10 lanes" in text
