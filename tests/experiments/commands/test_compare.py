"""Stored runs side by side: what is read, what is refused, and the figures by hand."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from experiments.cli import main
from experiments.commands.compare import read_run
from experiments.storage.parquet_table import write_table
from tabular import OpenGrid, reference_performance


def stored(folder, agent, performance, **changed):
    """A folder as a run leaves it, with the performance [lane, evaluation]."""
    from experiments.runs.settings import run_settings

    lanes, evaluations = np.shape(performance)
    options = {"env": "OpenGrid", "size": 2, "regime": "high", "lanes": lanes, "steps": 1500}
    settings = run_settings(
        agent=agent, device="cpu", acceleration="none", **options | changed
    ).stored()
    columns = {
        "lane": np.tile(np.arange(lanes), evaluations),
        "step": np.repeat(500 * np.arange(1, evaluations + 1), lanes),
        "performance": np.ma.masked_invalid(np.array(performance, float).T.ravel()),
    }
    folder.mkdir()
    write_table(folder / "metrics.parquet", columns, settings)
    return str(folder)


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


def test_a_lane_that_diverged_is_left_out_of_the_mean(tmp_path):
    nan = float("nan")
    folder = stored(tmp_path / "er", "er", [[-9.0, nan, nan], [-9.0, -4.0, -3.0]])
    run = read_run(tmp_path / "er")
    assert np.isnan(run.performance[0, 1:]).all()
    assert main(["compare", folder]) == 0


def test_runs_of_different_tasks_are_refused(tmp_path, capsys):
    one = stored(tmp_path / "one", "er", [[-9.0]])
    other = stored(tmp_path / "other", "er", [[-9.0]], size=3)
    assert main(["compare", one, other]) == 2
    assert "has size 3; accepted: 2" in capsys.readouterr().err


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
    assert main(["compare", str(folder)]) == 2
    assert str(folder) in (complaint := capsys.readouterr().err)
    assert complaint.count("\n") == 1


def test_the_benchmark_counts_what_it_measures(capsys):
    arguments = ["--agents", "er", "--lanes", "1", "--acceleration", "none", "--seconds", "0.1"]
    assert main(["bench", "deep", *arguments, "--json", "-"]) == 0
    (figure,) = json.loads(capsys.readouterr().out)["figures"]
    # 320 transitions; the target, and forward and backward twice but for the first layer's input.
    forward = 2 * 320 * (64 * 200 + 2 * 200 * 200 + 200 * 5)
    assert figure["flops"] == 4 * forward - 2 * 320 * 64 * 200
    assert figure["share"] == pytest.approx(
        figure["flops"] / figure["milliseconds"] * 1e3 / figure["product_rate"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agents", "dqn"], "agent is 'dqn'; accepted: er, simple"),
        (["--lanes", "0"], "lanes are (0,); accepted"),
        (["--seconds", "0"], "seconds is 0.0; accepted"),
        (["--precision", "fp8"], "precision is 'fp8'; accepted"),
        (["--acceleration", "magic"], "acceleration must be one of"),
    ],
)
def test_the_benchmark_refuses_what_it_does_not_know(capsys, arguments, message):
    assert main(["bench", "deep", *arguments]) == 2
    assert message in capsys.readouterr().err
