"""Runs on fixed data: what they measure, and that they go on exactly."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from deep.environments import walled_maze
from experiments.cli import main
from experiments.runs.execution import execute
from experiments.runs.machine import Place
from experiments.runs.offline_run import OfflineRun
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.run_folder import CHECKPOINT, state_of
from experiments.runs.stored_run import read_run
from experiments.storage.parquet_table import read_table
from experiments.studies.maze_coverage import mazes
from tabular.environments.walled_maze import WalledMaze, WalledMazeState, evaluation_layouts

PLACE = Place("cpu", "", "highest", "none", 1)
TINY = OfflineSettings(
    agent="simple", coverage="single-cell", steps=30, evaluation_interval=10, seeds=(5, 6),
    step_sizes=(1e-4, 1e-3), temperatures=(1.0, 0.5), precision="highest",
)  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("offline") / "undisturbed"
    execute(TINY, out, device="cpu", acceleration="none")
    return out


def same_files(one, other):
    weights, others = (load_file(out / CHECKPOINT) for out in (one, other))
    assert weights.keys() == others.keys()
    assert all(weights[k].numpy().tobytes() == others[k].numpy().tobytes() for k in weights)
    for name in ("metrics.parquet", "greedy_action.parquet"):
        (columns, settings), (more, same) = (read_table(out / name) for out in (one, other))
        assert settings == same
        assert columns.keys() == more.keys()
        assert all(columns[k].tobytes() == more[k].tobytes() for k in columns)


def test_a_run_makes_its_updates_and_stores_what_it_measured(undisturbed):
    assert int(load_file(undisturbed / CHECKPOINT)["state.learner.updates"]) == 30
    run = read_run(undisturbed)
    assert run.finished
    assert state_of(undisturbed, TINY) == "finished"
    assert run.measured.step.tolist() == [10, 20, 30]
    assert (run.measured.q_loss > 0).all()
    assert (run.measured.model_loss > 0).all()
    assert run.measured.greedy_action.shape == (3, 2, 2, 9)
    assert (~np.isnan(run.measured.greedy_action) == mazes().decided).all()
    summary = json.loads((undisturbed / "summary.json").read_text())
    assert (summary["coverage"], summary["steps"]) == ("single-cell", 30)
    assert summary["reference"]["optimal"] == -3.5  # the mean of 1 to 6 steps


def test_an_interrupted_run_goes_on_exactly(undisturbed, tmp_path):
    out, steps = tmp_path / "run", []
    for until in (10, 20, 30):
        seen = []
        outcome = execute(
            TINY, out, device="cpu", acceleration="none", resume=True, report=seen.append,
            interrupted=lambda seen=seen, until=until: bool(seen) and seen[-1].steps >= until,
        )  # fmt: skip
        steps.append(outcome.steps)
    assert steps == [10, 20, 30]
    assert outcome.summary
    same_files(undisturbed, out)


def test_the_command_takes_settings_on_fixed_data_from_a_file(undisturbed, tmp_path, capsys):
    words = ["--device=cpu", "--acceleration=none", "--threads=1", "--json=-"]
    out = tmp_path / "run"
    assert (
        main(["run", "--settings", str(undisturbed / "config.json"), "--out", str(out), *words])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["coverage"] == "single-cell"
    same_files(undisturbed, out)
    assert main(["status", str(out), "--json=-"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"


def test_runs_on_fixed_data_are_not_compared_by_learning_curves(undisturbed, capsys):
    assert main(["compare", str(undisturbed)]) == 2
    assert "holds a run of the kind offline; accepted: online runs" in capsys.readouterr().err


def test_a_table_of_another_checkpoint_is_refused(undisturbed, tmp_path, capsys):
    out = tmp_path / "run"
    execute(replace(TINY, steps=20), out, device="cpu", acceleration="none")
    (out / "greedy_action.parquet").write_bytes(
        (undisturbed / "greedy_action.parquet").read_bytes()
    )
    with pytest.raises(ValueError, match="are not of one checkpoint"):
        read_run(out)


def test_a_table_without_greedy_actions_is_refused(undisturbed, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    shutil.copy(out / "metrics.parquet", out / "greedy_action.parquet")
    with pytest.raises(
        ValueError, match=r"greedy_action\.parquet holds no greedy actions; accepted"
    ):
        read_run(out)


def perfect_logits(run, sure=20.0):
    """Make the model say what tabular's rule says, and count in how many transitions."""
    transitions = 0

    def forecast(parameters, observation, action, stream, draws):
        nonlocal transitions
        lanes, batch, features = observation.shape
        chance = torch.zeros(1, lanes, batch, features)
        for lane in range(lanes):
            for row in range(batch):
                agent = int(observation[lane, row, :9].argmax())
                walls = tuple(bool(wall) for wall in observation[lane, row, 18:27])
                maze = WalledMaze(terminal_step=run.settings.terminal_step)
                (outcome,) = maze.outcomes(WalledMazeState(agent, walls), int(action[lane, row]))
                chance[0, lane, row, outcome.next_state.agent] = 1.0
        transitions = batch
        return run_forecast(parameters, observation, action, stream, draws)._replace(
            features=chance
        )

    run_forecast = run.learner.agent.model.forecast
    object.__setattr__(run.learner.agent.model, "forecast", forecast)
    return lambda: transitions


@pytest.mark.parametrize(("terminal_step", "count"), [("into-goal", 58), ("from-goal", 60)])
def test_a_model_that_says_what_the_rule_says_predicts_every_next_cell(terminal_step, count):
    run = OfflineRun(replace(TINY, terminal_step=terminal_step), PLACE)
    before, _ = run._predictions()
    assert (before < 0.9).all()
    counted = perfect_logits(run)
    likeliest, probability = run._predictions()
    assert counted() == count  # 6 cells, 5 actions, 2 layouts; without the step into each goal
    assert (likeliest == 1).all()
    assert (probability == 1).all()


def test_both_wings_number_the_evaluation_layouts_alike():
    assert walled_maze.evaluation_layouts() == evaluation_layouts()


def test_greedy_actions_are_those_of_the_largest_value_in_each_cell():
    run = OfflineRun(TINY, PLACE)
    run.advance()
    found = run._greedy_actions()
    for layout, walls in enumerate(evaluation_layouts()):
        for cell in range(1, 9):
            if walls[cell]:
                continue
            seen = WalledMaze().observation(WalledMazeState(cell, walls))
            shown = torch.tensor(seen, dtype=torch.uint8).expand(2, 1, -1)
            q = run.learner.agent._q(run.learner.state.learner)(shown.float())
            assert found[:, layout, cell].tolist() == q.argmax(2).flatten().tolist()
