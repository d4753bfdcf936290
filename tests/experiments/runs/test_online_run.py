"""`mbgen run`: its folder, its checkpoints, and what it refuses."""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from experiments.cli import main
from experiments.runs.execution import execute, summary_of
from experiments.runs.gym_settings import gym_settings
from experiments.runs.machine import Place
from experiments.runs.online_run import OnlineRun
from experiments.runs.run_folder import (
    CHECKPOINT,
    finished_summary,
    read_config,
    require_fit,
    require_same,
    state_of,
    write_config,
)
from experiments.runs.settings import AGENTS, run_settings
from experiments.runs.stored_run import Measured, read_run, write_metrics
from experiments.runs.tuned import tuned
from experiments.storage.folder_lock import LOCK
from experiments.storage.parquet_table import read_table
from experiments.storage.provenance import RESULTS_VERSION
from experiments.storage.whole_files import PART
from tests.experiments.runs.killed_runs import TINY

ROOT = Path(__file__).parents[3]
SETTINGS = run_settings(**TINY)
PLACE = Place("cpu", "", "highest", "none", 1)
NAMES = {"config.json", "metrics.parquet", "summary.json", "figure.png", "checkpoint", ".lock"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    execute(SETTINGS, out, device="cpu")
    return out


def same_results(one, other):
    """Bit for bit, by what the files hold."""
    weights, others = (load_file(out / CHECKPOINT) for out in (one, other))
    columns, more = (read_table(out / "metrics.parquet")[0] for out in (one, other))
    return (
        weights.keys() == others.keys()
        and all(weights[k].numpy().tobytes() == others[k].numpy().tobytes() for k in weights)
        and columns.keys() == more.keys()
        and all(columns[k].tobytes() == more[k].tobytes() for k in columns)
    )


def stopped_after(out, steps, settings=SETTINGS):
    """The outcome of a run that is interrupted."""
    seen = []
    return execute(
        settings,
        out,
        interrupted=lambda: bool(seen) and seen[-1] >= steps,
        report=lambda moment: seen.append(moment.steps),
    )


def command(out, *more, **changed):
    options = {"agent": "er", "env": "panflute", "size": 3, "regime": "high", "scale": "smoke"}
    options |= {
        "acceleration": "none",
        "device": "cpu",
        "precision": "highest",
        "out": out,
    } | changed
    return ["run", *(f"--{name}={value}" for name, value in options.items()), *more]


@pytest.mark.usefixtures("without_type_checks", "small_networks")
@pytest.mark.parametrize("agent", ["er", "simple", "categorical", "gaussian", "perfect"])
def test_every_agent_learns_at_the_smoke_scale(tmp_path, capsys, agent):
    out = tmp_path / "run"
    assert main(command(out, "--json=-", agent=agent, env="ProcMaze", size=2)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "summary.json").read_text())
    assert {path.name for path in out.iterdir()} == NAMES
    held = load_file(out / CHECKPOINT)
    assert int(held["state.learner.updates"]) == 100
    columns, settings = read_table(out / "metrics.parquet")
    assert settings["agent"] == agent
    assert columns["step"].tolist() == [500, 500, 1000, 1000, 1100, 1100]
    assert columns["seed"].tolist() == [0, 1] * 3
    assert np.isnan(columns["q_loss"][:4]).all()
    assert (columns["q_loss"][4:] > 0).all()
    assert (columns["model_loss"][4:] > 0).all() == (agent not in ("er", "perfect"))
    assert (columns["reward"] == -1).all()
    assert printed["diverged"] == []
    assert printed["reference"]["uniform"] < printed["reference"]["optimal"]
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_config_tells_what_is_needed_to_repeat_a_run(undisturbed):
    config = json.loads((undisturbed / "config.json").read_text())
    assert config["settings"] == SETTINGS.stored()
    assert config["settings"]["seeds"] == [0, 1]
    place = config["place"]
    assert (place["device"], place["acceleration"], place["threads"]) == ("cpu", "none", 1)
    assert place["precision"] == "highest"
    (sitting,) = config["sittings"]
    assert sitting["results_version"] == RESULTS_VERSION
    assert sitting["versions"]["torch"] == torch.__version__
    assert sitting["first_step"] == 0
    assert sitting["seconds"] > 0
    assert sitting["commit"] is None or len(sitting["commit"]) == 40


def test_the_summary_takes_the_last_ten_evaluations_of_each_lane():
    curves = np.stack([np.arange(12.0), np.arange(12.0) ** 2], axis=1)
    measured = Measured(np.arange(1, 13), *[curves] * 5)
    run = OnlineRun(SETTINGS, PLACE)
    run.measured = measured
    summary = summary_of(run, {"sittings": [{"seconds": 1.5}, {"seconds": 2}]}, 3.0)
    first, second = sum(range(2, 12)) / 10, sum(n * n for n in range(2, 12)) / 10
    assert summary["final_performance"] == [first, second]
    assert summary["mean"] == pytest.approx((first + second) / 2)
    # Student's t with one degree of freedom, and the standard error of two.
    assert summary["half_width"] == pytest.approx(12.7062 * (second - first) / 2, rel=1e-4)
    assert summary["lane_steps_per_second"] == 6.0
    assert summary["seconds"] == 3.5


def test_the_same_run_twice_gives_the_same_bits(undisturbed, tmp_path):
    execute(SETTINGS, tmp_path / "again")
    assert same_results(undisturbed, tmp_path / "again")


def test_a_run_killed_again_and_again_gives_the_same_bits(undisturbed, tmp_path):
    out, kills = tmp_path / "killed", 10
    script = str(Path(__file__).with_name("killed_runs.py"))
    done = subprocess.run(
        [sys.executable, script, str(out), "7", str(kills)],
        capture_output=True,
        text=True,
        check=False,
        # Without a GPU: torch's autograd, which has run before the forks, has no threads then.
        env=os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    killed, writing, _ = map(int, done.stdout.split())
    assert killed >= kills / 2
    assert writing >= 1
    assert same_results(undisturbed, out)
    assert not list(out.rglob("*.part"))
    assert not list(out.glob(".mbgen-*"))


@pytest.mark.parametrize("steps", [1, 21])
def test_an_interrupted_run_goes_on_exactly(undisturbed, tmp_path, steps):
    outcome = stopped_after(tmp_path / "run", steps)
    assert not outcome.summary
    assert steps <= outcome.steps < 40
    assert not (tmp_path / "run" / "summary.json").exists()
    assert execute(SETTINGS, tmp_path / "run", resume=True).summary
    assert same_results(undisturbed, tmp_path / "run")


@pytest.mark.usefixtures("without_type_checks")
def test_the_command_stops_at_an_interrupt_with_130_and_resumes(tmp_path, capsys):
    out = tmp_path / "run"
    threading.Thread(target=_interrupt_when, args=(out / "config.json",), daemon=True).start()
    status = main(command(out, lanes=1))
    assert status == 130
    assert "--resume goes on" in capsys.readouterr().err
    assert main(command(out, "--resume", lanes=1)) == 0
    before = (out / "metrics.parquet").read_bytes()
    capsys.readouterr()
    assert main(command(out, "--resume", lanes=1)) == 0
    assert "is complete: 1,100 steps" in capsys.readouterr().out
    assert (out / "metrics.parquet").read_bytes() == before


def _interrupt_when(path):
    end = time.monotonic() + 60
    while not path.exists():
        time.sleep(0.002)
        if time.monotonic() > end:
            return
    os.kill(os.getpid(), signal.SIGINT)


def test_resuming_with_other_settings_is_refused_by_name(tmp_path):
    stopped_after(tmp_path / "run", 10)
    other = replace(SETTINGS, temperatures=(0.8, 0.1))
    message = r"with temperatures \[0\.8, 0\.8\], got \[0\.8, 0\.1\]"
    with pytest.raises(ValueError, match=message):
        execute(other, tmp_path / "run", resume=True)
    config = read_config(tmp_path / "run") | {"settings": other.stored()}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"state\.safetensors is of a run with temperatures"):
        execute(other, tmp_path / "run", resume=True)


OPTIONS = {
    "model_steps": 20,
    "forecasts": True,
    "model_quality": True,
    "real_share": 0.5,
    "updates_per_step": 10,
    "structured": True,
    "gate_price": 0.0,
    "gate_noise": False,
}
"""Options that are stored where they are not as usual alone."""


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("first", [False, True])
def test_a_run_with_an_option_and_one_without_are_not_each_other(name, first, tmp_path):
    env = {"env": "PanFlute", "size": 3} if name == "forecasts" else {}
    env |= {"structured": True} if name.startswith("gate_") else {}
    with_it, without = (run_settings(**TINY | env | more) for more in ({name: OPTIONS[name]}, {}))
    begun, other = (with_it, without) if first else (without, with_it)
    write_config(tmp_path, begun, None, [])
    with pytest.raises(ValueError, match=f"is of a run with {name} .*, got "):
        require_same(other, read_config(tmp_path)["settings"], tmp_path)
    require_same(begun, read_config(tmp_path)["settings"], tmp_path)


def test_a_run_of_another_kind_is_refused(tmp_path):
    given = {"agent": "er", "env": "gym:FrozenLake-v1", "regime": "high", "steps": 40}
    stored = gym_settings(lanes=2, given=given).stored()
    with pytest.raises(ValueError, match="is of a run of the kind gym, got online"):
        require_same(SETTINGS, stored, tmp_path)


def test_tables_that_a_run_could_not_write_at_its_end_are_written_when_it_is_gone_on_with(
    tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("experiments.runs.execution.write_metrics", full)
        with pytest.raises((OSError, ValueError), match="No space left"):
            execute(SETTINGS, tmp_path, device="cpu", acceleration="none")
    assert (tmp_path / CHECKPOINT).exists()
    assert execute(SETTINGS, tmp_path, resume=True).summary
    assert state_of(tmp_path, SETTINGS) == "finished"
    assert read_run(tmp_path).finished
    assert finished_summary(SETTINGS, tmp_path)["seconds"] > 0


def test_a_table_that_ends_before_its_finished_run_is_refused(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "run")
    run = read_run(tmp_path / "run")
    part = Measured(*(values[:-1] for values in run.measured))
    write_metrics(tmp_path / "run", SETTINGS, part, run.provenance)
    with pytest.raises(
        ValueError, match="said to be finished, and its tables end at step 30 of 40"
    ):
        read_run(tmp_path / "run")


def test_a_damaged_checkpoint_stops_the_command_with_one_line(tmp_path, capsys):
    out = tmp_path / "run"
    usual = {"learning_starts": 1000, "evaluation_interval": 500, "steps": 150}
    settings = run_settings(**TINY | usual)
    stopped_after(out, 10, settings)
    whole = bytearray((out / CHECKPOINT).read_bytes())
    whole[len(whole) // 2] ^= 1
    (out / CHECKPOINT).write_bytes(whole)
    arguments = command(out, "--resume", agent="simple", env="ProcMaze", size=2, steps=150)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is damaged" in said


@pytest.mark.usefixtures("without_type_checks")
def test_a_full_disc_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    out = tmp_path / "run"
    reached = stopped_after(out, 10).steps
    before = (out / CHECKPOINT).read_bytes()

    def full(*_):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("deep.checkpoint.save_file", full)
        with pytest.raises(ValueError, match="No space left") as no:
            execute(SETTINGS, out, resume=True)
    assert "\n" not in str(no.value)
    assert (out / CHECKPOINT).read_bytes() == before
    outcome = execute(SETTINGS, out, resume=True)
    assert outcome.summary
    assert reached < outcome.steps


def test_a_lane_that_diverges_is_reported_and_the_others_go_on(tmp_path):
    settings = replace(SETTINGS, step_sizes=(1e-4, 1e38))
    outcome = execute(settings, tmp_path / "run")
    measured = read_run(tmp_path / "run").measured
    performance = measured.performance
    assert np.isfinite(performance[:, 0]).all()
    first = int(np.isnan(performance[:, 1]).argmax())
    assert np.isfinite(performance[:first, 1]).all()
    assert np.isnan(performance[first:, 1]).all()
    step = int(measured.step[first])
    assert SETTINGS.learning_starts < step
    assert outcome.summary["diverged"] == [{"lane": 1, "seed": 1, "step": step}]
    assert outcome.summary["final_performance"][1] is None
    assert outcome.summary["lanes_in_mean"] == 1


def test_a_lane_alone_draws_what_it_draws_among_others():
    alone = replace(SETTINGS, seeds=(1,), step_sizes=(2e-4,), temperatures=(0.8,))
    among = replace(SETTINGS, seeds=(0, 1, 5), step_sizes=(2e-4,) * 3, temperatures=(0.8,) * 3)
    one, three = OnlineRun(alone, PLACE), OnlineRun(among, PLACE)
    for run in (one, three):
        run.loop.advance(SETTINGS.learning_starts)
    for ring, rings in zip(one.loop.state.buffer.rings, three.loop.state.buffer.rings, strict=True):
        assert torch.equal(ring[0], rings[1])
    one.loop.advance(10)
    three.loop.advance(10)
    learned, others = one.loop.state.learner, three.loop.state.learner
    assert int(learned.updates) == 10
    torch.testing.assert_close(learned.q[0], others.q[1], rtol=0, atol=1e-4)
    moved = (learned.q[0] - others.q[0]).abs().max()
    assert moved > 1e-2


def test_a_mean_loss_is_over_the_updates_that_were_made():
    run = OnlineRun(replace(SETTINGS, regime="low", learning_starts=7), PLACE)
    while run.steps < 10:
        run.advance()
    assert int(run.loop.state.learner.updates) == 30 == run.settings.updates_after(10)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"agent": "sarsa"}, "agent must be one of er, simple, .*, got 'sarsa'"),
        ({"env": "Tetris"}, "env must be one of PanFlute, .*, got 'Tetris'"),
        ({"regime": "medium"}, "regime must be one of high, low, got 'medium'"),
        ({"scale": "huge"}, "scale must be one of smoke, desk, paper, got 'huge'"),
        ({"device": "abacus"}, "device must be one of auto, cpu, cuda, got 'abacus'"),
        ({"acceleration": "warp"}, "acceleration must be one of .*, got 'warp'"),
        ({"precision": "low"}, "precision must be one of .*, got 'low'"),
        ({"lanes": 0}, "lanes must be .*, got 0"),
        ({"steps": -1}, "steps must be .*, got -1"),
        ({"seed": -1}, "seed must be .*, got -1"),
        ({"temperature": 0}, "temperature must be a positive number in float32, got 0"),
        ({"temperature": 1e-50}, "temperature must be a positive number in float32, got 1e-50"),
        ({"steps": 10**15}, "steps must be a whole number, 1 to 42949671, got 1"),
        ({"step-size": 0}, "step size must be a positive number in float32, got 0"),
        ({"step-size": -1}, "step size must be a positive number in float32, got -1"),
        ({"step-size": "nan"}, "step size must be a positive number in float32, got nan"),
        ({"buffer": 319}, "buffer must hold the 320 transitions that er replays .*, got 319"),
        ({"buffer": 31, "agent": "simple"}, "buffer must hold the 32 transitions .*, got 31"),
        ({"size": 9, "env": "ProcMaze"}, "grid_size must be .*, got 9"),
        ({"rollout-length": 10}, "rollout_length must be 1 with er"),
        (
            {"rollout-length": 3, "agent": "simple"},
            "rollout_length must be a divisor of 320, got 3",
        ),
        ({"checkpoint-minutes": -1}, "checkpoint_minutes is -1.0; accepted"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    tmp_path, capsys, changed, message
):
    assert main(command(tmp_path / "run", **changed)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(message, said)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(command(tmp_path / "run", device="cuda")) == 2
    assert "device cuda needs a GPU" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_was_killed_at_its_first_file_can_be_begun_again(tmp_path, resume):
    for name in (LOCK, f"{PART}0.json"):
        (tmp_path / name).touch()
    assert not require_fit(tmp_path, SETTINGS, resume=resume, overwrite=False)


def test_a_folder_that_holds_something_is_refused_and_kept(tmp_path, capsys):
    (tmp_path / "note").write_text("mine")
    assert main(command(tmp_path)) == 2
    assert main(command(tmp_path, "--resume")) == 2
    assert main(command(tmp_path, "--resume", "--overwrite")) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "is not empty" in said[0]
    assert "give one" in said[2]
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


@pytest.mark.usefixtures("without_type_checks")
def test_overwrite_begins_anew_and_keeps_what_is_no_part_of_a_run(undisturbed, tmp_path):
    stopped_after(tmp_path / "run", 20, replace(SETTINGS, seeds=(8, 9)))
    (tmp_path / "run" / "note").write_text("mine")
    execute(SETTINGS, tmp_path / "run", overwrite=True)
    assert same_results(undisturbed, tmp_path / "run")
    assert (tmp_path / "run" / "note").read_text() == "mine"


def test_more_memory_than_there_is_is_refused(tmp_path):
    lanes = {
        "seeds": tuple(range(10_000)),
        "step_sizes": (1e-4,) * 10_000,
        "temperatures": (1.0,) * 10_000,
    }
    vast = replace(SETTINGS, steps=10**7, buffer=10**7, **lanes)
    with pytest.raises(ValueError, match=r"needs about .* GiB and cpu has"):
        execute(vast, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_curves_are_written_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    out = tmp_path / "run"
    assert main(command(out, "--tensorboard", steps=600, lanes=1)) == 0
    (file,) = (out / "tensorboard").iterdir()
    events = [(v.tag, e.step) for e in EventFileLoader(str(file)).Load() for v in e.summary.value]
    assert ("performance/lane 0", 500) in events
    assert ("reward/lane 0", 600) in events


@pytest.mark.parametrize("env", ["ProcMaze", "ButtonGrid", "PanFlute"])
@pytest.mark.parametrize("agent", AGENTS)
def test_the_tuned_settings_are_powers_of_two_apart(agent, env):
    for best in (tuned(agent, env, regime) for regime in ("high", "low")):
        assert math.log2(best.step_size / 3.125e-6).is_integer()
        assert math.log2(best.temperature / 0.0125).is_integer()


def test_a_run_needs_no_command_line_library():
    blocked = "import sys; sys.modules.update(tyro=None, gymnasium=None, polars=None)"
    done = subprocess.run(
        [sys.executable, "-c", f"{blocked}; import experiments.runs.execution"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
