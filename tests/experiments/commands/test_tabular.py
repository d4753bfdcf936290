"""`mbgen tabular` and its benchmark: what they write, print and refuse."""

import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from experiments.cli import main
from experiments.storage.parquet_table import read_provenance, read_table
from experiments.studies.tabular import AGENTS, SCALES, evaluation_steps
from tabular import reference_performance
from tabular.environments import PushTree
from tests.experiments.interrupted import interrupted

FILES = ["figure.png", "metrics.parquet", "summary.json"]


def smoke(out, *arguments):
    return main(["tabular", "--scale", "smoke", "--out", str(out), *arguments])


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All environments at the scale of a smoke test."""
    out = tmp_path_factory.mktemp("tabular") / "run"
    assert smoke(out) == 0
    return out


def test_a_run_writes_its_three_files_and_nothing_else(everything):
    assert sorted(path.name for path in everything.iterdir()) == FILES
    with Image.open(everything / "figure.png") as image:
        assert min(image.size) > 500


def test_every_environment_agent_and_seed_has_a_curve_with_updates(everything):
    columns, settings = read_table(everything / "metrics.parquet")
    assert settings["seeds"] == [0, 1, 2]
    assert "numba" in read_provenance(everything / "metrics.parquet")["versions"]
    assert set(columns["env"]) == set(SCALES["smoke"])
    assert set(columns["agent"]) == set(AGENTS)
    for name, extent in SCALES["smoke"].items():
        for agent in AGENTS:
            for seed in settings["seeds"]:
                mine = (
                    (columns["env"] == name)
                    & (columns["agent"] == agent)
                    & (columns["seed"] == seed)
                )
                assert columns["step"][mine].tolist() == evaluation_steps(extent.steps, 30)
                assert np.isfinite(columns["performance"][mine]).all()
                updates, most = columns["updates"][mine], extent.steps * 50
                assert updates[0] == 0
                assert most * 0.9 < updates[-1] <= most


def test_nothing_is_better_than_the_optimum_and_all_begin_at_chance(everything):
    summary = json.loads((everything / "summary.json").read_text())
    for found in summary["environments"].values():
        for agent in found["agents"].values():
            curve = agent["curve"]["mean"]
            assert curve[0] == pytest.approx(found["uniform"])
            assert max(curve) <= found["optimal"] + 1e-9


def test_the_summary_is_also_json_on_standard_output(tmp_path, capsys):
    arguments = ["--env", "pushtree", "--size", "0", "--steps", "50", "--seeds", "2"]
    assert smoke(tmp_path / "out", *arguments, "--json", "-") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "summary.json").read_text())
    ((_, found),) = printed["environments"].items()
    assert found["optimal"] == pytest.approx(reference_performance(PushTree(), "optimal").value)
    assert found["differences"].keys() == {
        "factored - replay",
        "factored - table",
        "table - replay",
    }


def test_a_seed_is_the_same_alone_as_among_others(everything, tmp_path):
    alone = tmp_path / "alone"
    arguments = ["--env", "PanFlute", "--seed", "2", "--seeds", "1", "--threads", "1"]
    assert smoke(alone, *arguments, "--agents", "factored") == 0
    mine, _ = read_table(alone / "metrics.parquet")
    theirs, _ = read_table(everything / "metrics.parquet")
    same = (theirs["env"] == "PanFlute") & (theirs["agent"] == "factored") & (theirs["seed"] == 2)
    np.testing.assert_array_equal(mine["performance"], theirs["performance"][same])


@pytest.mark.parametrize("parents", ["declared", "exact", "statistical"])
def test_every_kind_of_parents_runs(tmp_path, capsys, parents):
    arguments = ["--env", "PanFlute", "--agents", "factored", "--parents", parents, "--seeds", "2"]
    assert smoke(tmp_path / "out", *arguments) == 0
    shown = capsys.readouterr().out
    assert "factored model" in shown
    assert "replay" not in shown


def test_the_same_command_gives_the_same_results(tmp_path):
    tables = []
    for name in ("first", "second"):
        assert smoke(tmp_path / name, "--env", "OpenGrid", "--seeds", "2") == 0
        tables.append((tmp_path / name / "metrics.parquet").read_bytes())
    assert tables[0] == tables[1]


def test_a_folder_in_use_is_kept_unless_it_may_be_overwritten(tmp_path, capsys):
    (tmp_path / "kept").write_text("mine")
    arguments = ["--env", "PushTree", "--steps", "20", "--seeds", "1"]
    assert smoke(tmp_path, *arguments) == 2
    assert "not empty; accepted: a new folder, or --overwrite" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert smoke(tmp_path, *arguments, "--overwrite") == 0
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "PanPipe"], "no environment 'PanPipe'; accepted: all, PushTree, PanFlute"),
        (["--agents", "dyna"], "agents are dyna; accepted: replay, table, factored"),
        (["--agents"], "agents"),
        (["--step-size", "0"], "step_size must be above 0"),
        (["--steps", "-5"], "steps is -5; accepted: 1 to 100000000"),
        (["--seeds", "0"], "seeds is 0; accepted: 1 to 100000"),
        (["--steps", "1000000000000"], "steps is 1000000000000; accepted: 1 to 100000000"),
        (["--seed", "-1"], "seed is -1"),
        (["--seed", str(10**35)], "seed is 1" + "0" * 35),
        (["--threads", "0"], "threads is 0"),
        (["--evaluations", "0"], "evaluations is 0"),
        (["--exploration", "2"], "exploration must be 0 to 1"),
        (["--discount", "1"], "discount must be at least 0 and less than 1"),
        (["--updates", "-1"], "updates is -1; accepted: 0 to"),
        (["--rollout", "0"], "rollout is 0; accepted: 1 to"),
        (["--parents", "statistical", "--false-alarms", "0"], "false_alarms is 0"),
        (["--false-alarms", "0.5"], "--false-alarms is given without --parents statistical"),
        (["--agents", "replay", "--rollout", "7"], "--rollout is given without an agent with a"),
        (
            ["--env", "gym:Taxi-v3", "--factors", "a=500", "--agents", "replay"],
            "--factors is given without the agent factored",
        ),
        (["--size", "3"], "size is 3; accepted with one environment alone"),
        (
            ["--env", "PanFlute", "--size", "0"],
            "num_pipes must be an integer from 1 to 1000, got 0",
        ),
        (["--env", "PanFlute", "--size", "9"], "states"),
        (["--env", "PushTree", "--size", "11"], "num_bystanders must be an integer of 0 to 10"),
        (["--env", "ButtonGrid", "--size", "10"], "num_buttons must be at most 9"),
        (["--env", "ProcMaze", "--size", "5"], "states"),
        (["--parents", "guessed"], "parents"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, arguments, message):
    out = tmp_path / "out"
    assert smoke(out, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not out.exists()


def test_places_that_cannot_be_written_are_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").touch()
    for out in ("file", "file/below", "none/below"):
        assert smoke(tmp_path / out) == 2
        assert str(tmp_path / out) in capsys.readouterr().err
    assert smoke(tmp_path / "out", "--json", str(tmp_path / "none" / "x.json")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    arguments = ["tabular", "--env", "PanFlute", "--steps", "200000", "--seeds", "1000"]
    done = interrupted(*arguments, "--out", tmp_path / "out")
    assert done == (130, "", "mbgen: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_evaluations_are_evenly_spaced_in_the_logarithm_and_end_at_the_last_step():
    assert evaluation_steps(1000, 3) == [0, 10, 100, 1000]
    assert evaluation_steps(1000, 1) == [0, 1000]
    assert evaluation_steps(3, 5) == [0, 3]
    for steps in (1, 7, 10, 11, 12345):
        stops = evaluation_steps(steps, 30)
        assert stops[-1] == steps
        assert all(a < b for a, b in pairwise(stops))


def test_the_benchmark_measures_replay_and_models(capsys):
    status = main(["bench", "tabular", "--seconds", "0.01", "--repeats", "1", "--json", "-"])
    report = json.loads(capsys.readouterr().out)
    speeds = {figure["what"]: figure for figure in report["figures"]}
    assert all(figure["value"] > 0 for figure in speeds.values())
    assert {"replay", "tabular model", "factored model"} < speeds.keys()
    assert status == (0 if speeds["replay"]["met"] else 1)


@pytest.mark.parametrize("option", ["--seeds", "--seconds", "--repeats", "--threads"])
def test_the_benchmark_refuses_nothing_to_measure(capsys, option):
    assert main(["bench", "tabular", option, "0"]) == 2
    assert option[2:] in capsys.readouterr().err
