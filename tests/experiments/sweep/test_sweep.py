"""`mbgen sweep`, `mbgen status` and a study's command, on runs that really learn, if little."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch

from experiments.cli import main
from experiments.runs import machine
from experiments.runs.run_folder import CHECKPOINT, read_config, state_of, write_config
from experiments.runs.settings import run_settings
from experiments.runs.stored_run import read_run
from experiments.storage.folder_lock import lock
from experiments.studies.registry import STUDIES
from experiments.studies.study import PlannedRun, manifest
from experiments.sweep.local import Ended
from experiments.sweep.manifest import write_manifest
from experiments.sweep.plan import lay_out_all
from tests.experiments.called import complaint

TINY = {"env": "PanFlute", "size": 2, "regime": "high", "precision": "highest", "lanes": 1}
SHORT = {"steps": 1_020, "evaluation_interval": 500}
ROOT = Path(__file__).parents[3]


def planned(name, agent="er", **changed):
    return PlannedRun(f"study/{name}", run_settings(agent=agent, **TINY | SHORT | changed))


def write(tmp_path, *runs):
    path = tmp_path / "small.jsonl"
    write_manifest(path, runs)
    return str(path)


def sweep(tmp_path, path, *options):
    return main(["sweep", path, "--results", str(tmp_path / "results"), "--workers", "1", *options])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep of two runs that is complete."""
    tmp_path = tmp_path_factory.mktemp("sweep")
    runs = planned("one", seed=7), planned("two", seed=8)
    path = write(tmp_path, *runs)
    assert sweep(tmp_path, path) == 0
    return tmp_path, path, runs


def test_a_sweep_makes_every_run_in_a_folder_of_its_own_with_its_origin(finished):
    tmp_path, _, runs = finished
    for run in runs:
        stored = read_run(tmp_path / "results" / "small" / run.id)
        assert stored.finished
        assert stored.settings == run.settings
        assert stored.provenance["place"]["threads"] == 1
        assert (stored.measured.q_loss[-1] > 0).all()


def test_a_second_sweep_finds_all_done_and_starts_nothing(finished, capsys):
    tmp_path, path, runs = finished
    folder = tmp_path / "results" / "small"
    before = [(folder / run.id / "summary.json").stat().st_mtime_ns for run in runs]
    assert sweep(tmp_path, path) == 0
    assert "begun" not in capsys.readouterr().err
    assert [(folder / run.id / "summary.json").stat().st_mtime_ns for run in runs] == before


def test_a_broken_line_is_told_and_the_other_runs_are_made(finished, capsys):
    tmp_path, path, _ = finished
    Path(path).write_text(Path(path).read_text() + "{\n")
    try:
        assert sweep(tmp_path, path) == 1
        assert "line 3: no JSON" in capsys.readouterr().err
    finally:
        Path(path).write_text("".join(Path(path).read_text().splitlines(keepends=True)[:2]))


def test_a_manifest_that_names_a_folder_for_other_settings_is_refused(finished, capsys):
    tmp_path, _, runs = finished
    other = replace(runs[0].settings, temperatures=(9.0,))
    (tmp_path / "other").mkdir()
    path = write(tmp_path / "other", PlannedRun(runs[0].id, other))
    assert sweep(tmp_path, path) == 2
    assert "is of a run with temperatures" in capsys.readouterr().err


def test_a_run_of_an_older_results_version_is_told_apart_and_begun_anew_if_asked(tmp_path, capsys):
    run = planned("one")
    path = write(tmp_path, run)
    assert sweep(tmp_path, path) == 0
    folder = tmp_path / "results" / "small" / run.id
    config = read_config(folder)
    older = [config["sittings"][0] | {"results_version": 1}]
    write_config(folder, run.settings, config["place"], older)
    assert state_of(folder, run.settings) == "older version"
    assert sweep(tmp_path, path) == 1
    assert "1 runs are of an older results version" in capsys.readouterr().err
    assert sweep(tmp_path, path, "--renew") == 0
    assert state_of(folder, run.settings) == "finished"


def test_a_sweep_on_gpus_gives_each_its_runs_and_leaves_those_begun_elsewhere_where_they_are(
    tmp_path, monkeypatch
):
    asked = {}

    def carry_out(tasks, logs, *, rooms, **_):
        asked.update(tasks=tasks, rooms=rooms)
        return Ended((), (), tuple(tasks), None)

    monkeypatch.setattr("experiments.commands.sweep.carry_out", carry_out)
    monkeypatch.setattr(machine, "gpu_memory", lambda: {"0": 10_000_000, "GPU-7": 20_000_000})
    begun, new = planned("begun"), planned("new", seed=1)
    path = write(tmp_path, begun, new)
    checkpoint = tmp_path / "results" / "small" / begun.id / CHECKPOINT
    lay_out_all([begun], tmp_path / "results" / "small", renew=False)
    checkpoint.touch()
    options = ["--results", str(tmp_path / "results"), "--device", "cuda", "--per-device", "3"]
    assert main(["sweep", path, *options]) == 1
    assert [(room.runs, dict(room.environment)) for room in asked["rooms"]] == [
        (3, {"CUDA_VISIBLE_DEVICES": "0"}),
        (3, {"CUDA_VISIBLE_DEVICES": "GPU-7"}),
    ]
    assert [room.memory for room in asked["rooms"]] == [8_000_000, 16_000_000]
    commands = {task.id: task.command[-2:] for task in asked["tasks"]}
    assert commands[new.id] == ("--device", "cuda")
    assert commands[begun.id][-1] == "--resume"


def test_two_sweeps_of_one_folder_are_kept_apart(finished, capsys):
    tmp_path, path, _ = finished
    with lock(tmp_path / "results" / "small"):
        assert sweep(tmp_path, path) == 2
    assert "is in use" in capsys.readouterr().err


def test_a_sweep_that_is_interrupted_leaves_a_checkpoint_and_the_same_command_goes_on(tmp_path):
    run = planned("long", agent="simple", steps=3_000, learning_starts=2_990)
    path = write(tmp_path, run)
    words = ["-m", "experiments", "sweep", path, "--results", str(tmp_path / "results")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *words, "--workers", "1"], env=environment)
    folder = tmp_path / "results" / "small" / run.id
    begun = time.monotonic()
    while not (folder / "config.json").exists() or read_config(folder)["place"] is None:
        assert time.monotonic() - begun < 120
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert state_of(folder, run.settings) in ("cut short", "not begun")
    assert sweep(tmp_path, path) == 0
    assert read_run(folder).finished


def test_status_tells_how_far_a_run_and_a_sweep_are(finished, capsys):
    tmp_path, _, runs = finished
    folder = tmp_path / "results" / "small"
    assert main(["status", str(folder / runs[0].id), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["steps"], told["of"]) == ("finished", 1_020, 1_020)
    assert [point["step"] for point in told["curve"]] == [500, 1_000, 1_020]
    assert main(["status", str(folder), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["states"] == {"finished": 2}
    assert told["core_seconds_left"] == 0
    assert main(["status", str(folder)]) == 0
    assert "finished" in capsys.readouterr().out


def test_status_tells_of_lines_that_are_no_run_and_of_no_progress_that_is_none(tmp_path, capsys):
    run = manifest([STUDIES["quirks"]], "smoke")[0]
    write_manifest(tmp_path / "manifest.jsonl", [run])
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write("{,}\n")
    lay_out_all([run], tmp_path, renew=False)
    for said in (
        {"steps": "1"},
        {"steps": 1, "total": 0, "speed": 1.0, "at": 0.0},
        {"steps": 9, "total": 5, "speed": 1.0, "at": 0.0},
    ):
        (tmp_path / run.id / "progress.json").write_text(json.dumps(said))
        assert main(["status", str(tmp_path), "--json", "-"]) == 0
        output = capsys.readouterr()
        assert "manifest.jsonl, line 2: no JSON" in output.err
        assert json.loads(output.out)["states"] == {"not begun": 1}


def test_status_of_a_folder_that_holds_neither_is_refused(tmp_path, capsys):
    assert main(["status", str(tmp_path)]) == 2
    assert "holds no run and no sweep" in capsys.readouterr().err


def test_a_study_of_which_nothing_is_there_says_so_and_draws_nothing(tmp_path, capsys):
    results = str(tmp_path / "results")
    picture = tmp_path / "quirks.svg"
    (tmp_path / "results").mkdir()
    study = ["quirks", "--scale", "smoke", "--results", results, "--json", "-"]
    assert main([*study, "--out", str(picture)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {claim["verdict"] for claim in told["claims"]} == {"open"}
    assert set(told["runs"].values()) == {"not begun"}
    assert not picture.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "huge"], "there is no scale and no manifest 'huge'"),
        (
            ["sweep", "smoke", "--study", "nonsense"],
            "there is no study 'nonsense'; accepted: maze-coverage",
        ),
        (["sweep", "smoke", "--workers", "0"], "workers must be a whole number"),
        (["sweep", "smoke", "--device", "tpu"], "device must be one of auto, cpu, cuda, got 'tpu'"),
        (
            ["sweep", "smoke", "--device", "cpu", "--per-device", "2"],
            "--per-device is for local runs on GPUs, got local runs, device cpu",
        ),
        (
            ["sweep", "smoke", "--per-device", "2"],
            "--per-device is for local runs on GPUs, got local runs, device auto",
        ),
        (
            ["sweep", "smoke", "--device", "cuda", "--per-device", "0"],
            "per_device must be a whole number, 1 to 1000, got 0",
        ),
        (
            ["sweep", "smoke", "--device", "cuda", "--workers", "2"],
            "--workers counts runs on the cores; on GPUs --per-device does",
        ),
        pytest.param(
            ["sweep", "smoke", "--device", "cuda", "--per-device", "2"],
            "device cuda needs a GPU that torch can use, and there is none",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
        (
            ["sweep", "smoke", "--budget", "soon"],
            "budget is 'soon'; accepted: seconds, or like 90m",
        ),
        (["sweep", "smoke", "--executor", "cloud"], "executor must be one of local, slurm"),
        (["sweep", "smoke", "--retries", "-1"], "retries must be a whole number"),
        (
            ["sweep", "smoke", "--partition", "gpu"],
            "options for Slurm are given, but the executor is",
        ),
        (
            ["sweep", "smoke", "--executor", "slurm", "--budget", "60"],
            "--budget is of a local sweep; accepted with Slurm: --parallel, --per-job, --time",
        ),
        (
            ["sweep", "smoke", "--executor", "slurm", "--workers", "3"],
            "--workers is of a local sweep",
        ),
        (["online", "--results", "nowhere"], "there is no folder nowhere"),
        (["online", "--scale", "huge"], "scale must be one of smoke, desk, paper"),
        (["online", "--out", "figure.txt"], "is no picture's name"),
        (["run", "--out", "x"], "what is to be run? --agent, --env, --size, --regime missing"),
        (["run", "--settings", "none.json", "--out", "x"], "none.json cannot be read"),
        (["run", "--settings", "a", "--agent", "er", "--out", "x"], "--agent is given too"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in complaint(capsys, *words)
    assert not list(tmp_path.iterdir())
