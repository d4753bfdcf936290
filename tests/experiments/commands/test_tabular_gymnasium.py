"""`mbgen tabular` in environments of Gymnasium."""

import json

import pytest

pytest.importorskip("gymnasium")

from experiments.cli import main
from experiments.storage.parquet_table import read_table

LAKE = ("--env", "gym:FrozenLake-v1", "--env-arg", "is_slippery=false")
FACTORS = ("--factors", "row=4", "column=4")


def smoke(out, *arguments):
    return main(
        ["tabular", "--scale", "smoke", "--evaluations", "3", "--out", str(out), *arguments]
    )


def test_every_agent_learns_in_a_table_whose_states_are_made_of_factors(tmp_path, capsys):
    out = tmp_path / "lake"
    assert smoke(out, *LAKE, *FACTORS, "--seeds", "2") == 0
    shown = capsys.readouterr().out
    assert "dynamics: its own table P" in shown
    assert 'gym:FrozenLake-v1 with {"is_slippery": false}: 11 states' in shown
    summary = json.loads((out / "summary.json").read_text())
    (lake,) = summary["environments"].values()
    assert (lake["states"], lake["optimal"], lake["unit"]) == (11, 1, "return")
    assert summary["settings"]["environments"] == {
        "gym:FrozenLake-v1": {
            "env_args": {"is_slippery": False},
            "factors": {"row": 4, "column": 4},
            "steps": 200,
            "evaluation_steps": 100,
            "dynamics": "its own table P",
        }
    }
    columns, _ = read_table(out / "metrics.parquet")
    assert set(columns["agent"]) == {"replay", "table", "factored"}
    assert columns["performance"].max() <= 1
    assert columns["performance"][columns["step"] == 0] == pytest.approx(lake["uniform"])
    assert (columns["updates"][columns["step"] == 200] > 0).all()


def test_without_factors_replay_and_the_table_learn(tmp_path):
    assert smoke(tmp_path / "lake", *LAKE, "--agents", "replay", "table", "--seeds", "1") == 0
    summary = json.loads((tmp_path / "lake" / "summary.json").read_text())
    (lake,) = summary["environments"].values()
    assert list(lake["agents"]) == ["replay", "table"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (LAKE, "agent factored needs --factors NAME=SIZE ... of gym:FrozenLake-v1; accepted wi"),
        ((*LAKE, *FACTORS, "--parents", "declared"), "declares none; accepted: exact, statistical"),
        ((*LAKE, "--size", "4"), "--size is of the paper's environments, got gym:FrozenLake-v1"),
        ((*LAKE[:2], *FACTORS), "the reward of action 1 in state 14 is 0 or 1 by chance; accepted"),
        ((*LAKE, "--factors", "row=3"), "numbers of states, and factors of 3 number 3"),
        (("--env", "OpenGrid", *FACTORS), "--factors goes with gym:ID, got OpenGrid"),
        (("--env", "gym:Pendulum-v1", *FACTORS), "cannot be explored: its action space is Box"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_in_one_line(tmp_path, capsys, arguments, said):
    assert smoke(tmp_path / "out", *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
