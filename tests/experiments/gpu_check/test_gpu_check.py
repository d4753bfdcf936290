"""The checks for a machine with a GPU, tried on a CPU: everything but the GPU."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch

from deep.environments import ENVIRONMENTS as BATCHED
from deep.layers import PRECISIONS as KNOWN_PRECISIONS
from deep.models import AGENTS as MODELS
from deep.tensor_tree import tensors
from experiments.gpu_check.__main__ import main
from experiments.gpu_check.findings import failure
from experiments.gpu_check.loop import ACCELERATIONS, CPU, FULL, SMALL, compared_loop, copied
from experiments.gpu_check.parity import LANES_ALIKE, MAX_DRIFT, MEDIAN_DRIFT, agreement
from experiments.gpu_check.processes import carry_out
from experiments.gpu_check.tasks import (
    AGENTS,
    ENVIRONMENTS,
    PRECISIONS,
    WAYS,
    Case,
    Task,
    waves,
)
from experiments.gpu_check.update_speed import TARGETS_MS, best_seconds

ROOT = Path(__file__).parents[3]


def checked(out, *options):
    """The exit status, and the findings of this call."""
    path = out / "findings.jsonl"
    before = len(path.read_text().splitlines()) if path.exists() else 0
    status = main(["--device", "cpu", "--ways", "eager", "--out", str(out), *options])
    return status, [json.loads(line) for line in path.read_text().splitlines()[before:]]


def cases(findings):
    return [(finding["stage"], finding["case"]) for finding in findings]


ER_IN_FULL = [
    ("parity", "er eager"),
    ("sync", "er eager"),
    ("speed", "er eager highest 2 lanes"),
    ("speed", "er eager highest 1 lanes"),
]


def test_an_agent_passes_every_stage_on_a_cpu(tmp_path, capsys):
    options = ["--agents", "er", "--precisions", "highest"]
    status, findings = checked(tmp_path / "new", *options)
    assert status == 0
    assert all(finding["ok"] for finding in findings)
    assert cases(findings)[0] == ("machine", "")
    draws = [("parity", name) for name in ("draws", *ENVIRONMENTS)]
    assert sorted(cases(findings)[1:]) == sorted(draws + ER_IN_FULL)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == findings
    for finding in findings[-2:]:
        assert finding["stage"] == "speed"
        assert finding["gflop_per_update"] > 0
        assert finding["products_ms"] > 0
        assert finding["share_of_products"] > 0
    assert cases(checked(tmp_path / "new", *options)[1]) == [("machine", "")]


def test_what_fails_costs_only_itself_and_tells_its_causes(tmp_path):
    options = ["--stages", "sync", "--agents", "er", "--ways", "capture", "eager"]
    status, findings = checked(tmp_path, *options)
    assert status == 1
    assert cases(findings) == [("machine", ""), ("sync", "er capture"), ("sync", "er eager")]
    assert [finding["ok"] for finding in findings] == [True, False, True]
    assert findings[1]["errors"][0]["at"]
    status, findings = checked(tmp_path, "--stages", "sync", "--agents", "er")
    assert status == 0
    assert cases(findings) == [("machine", "")]


def test_a_failure_tells_the_whole_chain():
    def capture():
        try:
            raise ArithmeticError("the cause")
        finally:
            raise RuntimeError("capture_end")  # noqa: RUF100  # as CUDA's graphs do

    with pytest.raises(RuntimeError) as raised:
        capture()
    told = failure(raised.value)
    assert not told["ok"]
    assert [each["error"] for each in told["errors"]] == [
        "RuntimeError: capture_end",
        "ArithmeticError: the cause",
    ]


def test_a_process_that_ends_early_is_a_finding_with_its_last_words():
    found = []
    task = Task((Case("sync", "er eager"), Case("speed", "er eager highest 2 lanes")), "er")
    left = carry_out([[task]], "no-device", time.monotonic() + 60, found.append, set())
    (finding,) = found
    assert (finding["case"], finding["ok"]) == ("er eager", False)
    assert finding["errors"][0]["error"] == "the process ended with exit status 1"
    assert "no-device" in " ".join(finding["errors"][0]["at"])
    assert left == [task.cases[1]]


def test_at_the_deadline_what_goes_on_is_stopped_and_named():
    found, start = [], time.monotonic()
    task = Task((Case("sync", "categorical eager"),), "categorical")
    left = carry_out([[task], [task]], "cpu", start + 0.5, found.append, set())
    assert found == []
    assert left == [*task.cases, *task.cases]


def test_without_time_nothing_is_started_and_what_is_left_is_named(tmp_path):
    status, findings = checked(tmp_path, "--seconds", "0", "--agents", "er", "--stages", "sync")
    assert status == 0
    assert cases(findings) == [("machine", ""), ("left", "")]
    assert findings[-1]["cases"] == ["sync er eager"]


def test_what_is_most_in_doubt_comes_first():
    order = list(waves(("er", "simple"), WAYS, ("highest", "bf16"), (30, 1)))
    assert [task.agent for task in order[0]] == [None, "er", "simple"]
    assert [task.way for wave in order for task in wave if task.agent == "er"] == [
        *("capture", "graph", "compile", "eager"),
        *("graph", "graph"),
    ]
    assert order[0][1].cases == (
        Case("parity", "er capture"),
        Case("sync", "er capture"),
        Case("speed", "er capture highest 30 lanes"),
    )
    assert [wave[0].cases[0].name for wave in order[-2:]] == [
        "er graph bf16 30 lanes",
        "er graph highest 1 lanes",
    ]
    every = [case for wave in order for task in wave for case in task.cases]
    assert len(set(every)) == len(every)


def test_a_task_arrives_as_it_was_sent():
    for wave in waves(AGENTS, WAYS, PRECISIONS, (30, 1)):
        for task in wave:
            assert Task.read(task.text()) == task


def test_the_names_are_those_of_the_wing():
    assert set(AGENTS) == set(MODELS) == set(TARGETS_MS)
    assert set(ENVIRONMENTS) == set(BATCHED)
    assert set(PRECISIONS) == set(KNOWN_PRECISIONS)
    assert set(WAYS) == set(ACCELERATIONS)
    assert FULL.period == 100


@pytest.mark.parametrize("line", ["garbage", "[]", '{"stage": "par'])
def test_findings_that_cannot_be_read_are_refused_and_kept(tmp_path, capsys, line):
    path = tmp_path / "findings.jsonl"
    path.write_text(line)
    assert main(["--device", "cpu", "--out", str(tmp_path)]) == 2
    assert "line 1 of findings.jsonl is no finding" in (complaint := capsys.readouterr().err)
    assert complaint.count("\n") == 1
    assert path.read_text() == line


def test_what_was_found_on_another_device_is_checked_again(tmp_path):
    found = {"stage": "sync", "case": "er eager", "ok": True}
    options = ["--stages", "sync", "--agents", "er", "--seconds", "0"]  # names what is to be done
    for device, again, expected in (
        ("cuda", [], ["machine", "left"]),
        ("cpu", [], ["machine"]),
        ("cpu", ["--again"], ["machine", "left"]),
    ):
        (tmp_path / "findings.jsonl").write_text(json.dumps(found | {"on": device}) + "\n")
        _, findings = checked(tmp_path, *options, *again)
        assert [finding["stage"] for finding in findings] == expected


def test_agreement_tells_lanes_that_acted_otherwise_from_parameters_that_drifted():
    loop = compared_loop("simple", SMALL, CPU)
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
    loop = compared_loop("er", SMALL, CPU)
    before = copied(loop)
    loop.advance(1)
    assert not torch.equal(before["steps"], tensors(loop.state)["steps"])


def test_a_measurement_is_taken_over_enough_repetitions():
    calls = []
    seconds = best_seconds(lambda: calls.append(None), 1e-3, CPU)
    assert 0 < seconds < 1e-3
    assert len(calls) > 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_machine_without_a_gpu_is_told_what_to_do():
    with pytest.raises(SystemExit, match="--device cpu"):
        main([])


def test_it_runs_from_the_source_tree_without_what_a_bare_machine_lacks(tmp_path):
    task = Task((Case("parity", "er eager"), Case("sync", "er eager")), "er")
    code = f"""
import sys
for name in ("tyro", "gymnasium", "polars", "beartype"):
    sys.modules[name] = None
import experiments.gpu_check.__main__
from experiments.gpu_check.worker import main
sys.exit(main("cpu", {str(tmp_path)!r}, {task.text()!r}))
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
    )
    assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [True, True]


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
