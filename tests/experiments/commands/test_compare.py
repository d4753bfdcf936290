"""Stored runs side by side: what is read, what is refused, and the figures by hand."""

import json

import numpy as np
import pytest

from experiments.cli import main
from experiments.runs.run_folder import write_config
from experiments.runs.settings import run_settings
from experiments.runs.stored_run import Measured, read_run, write_metrics
from experiments.storage.parquet_table import write_table
from tabular import OpenGrid, reference_performance
from tests.experiments.called import complaint


def stored(folder, agent, performance, **changed):
    """A folder as a run leaves it, with the performance [lane, evaluation]."""
    lanes, evaluations = np.shape(performance)
    options = {"env": "OpenGrid", "size": 2, "regime": "high", "lanes": lanes}
    options["steps"] = 500 * evaluations
    settings = run_settings(agent=agent, **options | changed)
    curves = np.array(performance, float).T
    measured = Measured(500 * np.arange(1, evaluations + 1), *[curves] * 5)
    folder.mkdir()
    write_config(folder, settings, None, [])
    write_metrics(folder, settings, measured, {"results_version": changed_version(folder)})
    return str(folder)


def changed_version(folder):
    """Folders that are called so are of another version."""
    return 1 if folder.name == "older" else 2


def test_a_comparison_gives_means_over_lanes_and_when_they_came_near_the_best(tmp_path, capsys):
    best = reference_performance(OpenGrid(2), "optimal", samples=200).value
    replay = stored(tmp_path / "er", "er", [[-9.0, -6.0, -5.0], [-9.0, -4.0, -3.0]])
    perfect = stored(tmp_path / "perfect", "perfect", [[-9.0, best, best], [-9.0, best, best]])
    picture = tmp_path / "both.png"
    assert main(["compare", replay, perfect, "--out", str(picture), "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    er, other = figures["runs"]
    assert (er["agent"], er["lanes"], er["updates"]) == ("er", 2, 500)
    assert er["final"] == pytest.approx(np.mean([-20 / 3, -16 / 3]))
    assert er["steps_to"] is None
    assert other["steps_to"] == 1000
    assert figures["reference"]["optimal"] == pytest.approx(best)
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_runs_of_one_agent_are_told_apart_by_their_folders(tmp_path, capsys):
    folders = [stored(tmp_path / name, "er", [[-9.0]]) for name in ("one", "other")]
    folders.append(stored(tmp_path / "third", "perfect", [[-9.0]]))
    assert main(["compare", *folders, "--json", "-"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["label"] for run in runs] == ["one", "other", "perfect"]


@pytest.mark.parametrize(
    ("names", "agents", "labels"),
    [
        (["a/er", "b/er"], ["er", "er"], ["a/er", "b/er"]),
        (["er", "second"], ["er", "er"], ["er", "second"]),
        (["a/simple", "b"], ["er", "er"], ["a/simple", "{}/b"]),
        (["a/er", "a/simple", "b"], ["perfect", "perfect", "er"], ["a/er", "a/simple", "er"]),
        (["x$^$y", "_hidden", "状態"], ["er", "er", "er"], ["x$^$y", "_hidden", "状態"]),
    ],
)
def test_no_run_is_called_by_a_name_that_another_may_have(names, agents, labels, tmp_path, capsys):
    folders = []
    for name, agent in zip(names, agents, strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        folders.append(stored(tmp_path / name, agent, [[-9.0]]))
    picture = tmp_path / "picture.svg"
    assert main(["compare", *folders, "--out", str(picture), "--json", "-"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    labels = [label.format(tmp_path.name) for label in labels]
    assert [run["label"] for run in runs] == labels
    drawn = picture.read_text(encoding="utf-8")
    assert all(f"{label} (1 lanes)" in drawn for label in labels)


def test_a_lane_that_diverged_is_left_out_of_the_mean_and_counted(tmp_path, capsys):
    nan = float("nan")
    folder = stored(tmp_path / "er", "er", [[-9.0, nan, nan], [-9.0, -4.0, -3.0]])
    run = read_run(tmp_path / "er")
    assert np.isnan(run.performance[0, 1:]).all()
    assert main(["compare", folder, "--json", "-"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    assert (told["lanes"], told["diverged"]) == (2, 1)


def test_runs_of_different_tasks_are_refused(tmp_path, capsys):
    one = stored(tmp_path / "one", "er", [[-9.0]])
    other = stored(tmp_path / "other", "er", [[-9.0]], size=3)
    assert main(["compare", one, other]) == 2
    assert "has size 3; accepted: 2" in capsys.readouterr().err


def test_runs_of_different_results_versions_are_refused(tmp_path, capsys):
    folders = [stored(tmp_path / name, "er", [[-9.0]]) for name in ("older", "newer")]
    assert main(["compare", *folders]) == 2
    assert "different results versions" in capsys.readouterr().err


def test_a_run_that_goes_on_is_refused(tmp_path, capsys):
    folder = stored(tmp_path / "er", "er", [[-9.0]], steps=1000)
    assert main(["compare", folder]) == 2
    assert "holds no finished run" in capsys.readouterr().err


def test_a_table_of_another_run_than_the_config_is_refused(tmp_path, capsys):
    folder, other = (stored(tmp_path / name, name, [[-9.0]]) for name in ("er", "simple"))
    config = (tmp_path / "er" / "config.json").read_bytes()
    (tmp_path / "simple" / "config.json").write_bytes(config)
    assert main(["compare", folder, other]) == 2
    assert "is of a run with agent er, got simple" in capsys.readouterr().err


def test_a_table_cut_short_is_refused_in_one_line(tmp_path, capsys):
    folder = stored(tmp_path / "er", "er", [[-9.0]])
    table = tmp_path / "er" / "metrics.parquet"
    table.write_bytes(table.read_bytes()[:-20])
    assert "is no table that can be read" in complaint(capsys, "compare", folder)


@pytest.mark.parametrize("name", ["missing", "empty", "foreign", "settings"])
def test_a_folder_without_a_run_is_refused_in_one_line(tmp_path, capsys, name):
    folder = tmp_path / name
    if name != "missing":
        folder.mkdir()
    if name == "foreign":
        write_table(folder / "metrics.parquet", {"step": np.arange(3)}, {"seeds": [1]})
    if name == "settings":
        columns = {name: np.arange(3) for name in ("lane", "step", "performance")}
        write_table(folder / "metrics.parquet", columns, {"agent": "er"})
    assert str(folder) in complaint(capsys, "compare", str(folder))
