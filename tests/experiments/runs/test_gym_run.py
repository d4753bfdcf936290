"""`mbgen run --env gym:ID`: any environment of Gymnasium whose observations are whole numbers."""

import json

import pytest

pytest.importorskip("torch")
gymnasium = pytest.importorskip("gymnasium")
import torch
from safetensors.torch import load_file

from experiments.cli import main
from experiments.runs.execution import execute
from experiments.runs.gym_settings import GymSettings, env_arguments, gym_settings
from experiments.runs.gym_task import GymTask
from experiments.runs.run_folder import CHECKPOINT, read_config
from experiments.runs.stored_settings import stored_settings

pytestmark = pytest.mark.usefixtures("small_networks", "without_type_checks")

LAKE = {
    "agent": "simple", "env": "gym:FrozenLake-v1", "env_args": '{"is_slippery": false}',
    "regime": "high", "steps": 60, "learning_starts": 40, "evaluation_interval": 20,
    "evaluation_episodes": 2, "evaluation_steps": 20, "precision": "highest",
}  # fmt: skip
SETTINGS = gym_settings(lanes=2, given=LAKE)


def command(out, *more, env="gym:FrozenLake-v1", agent="er"):
    given = ["--env", env, "--agent", agent, "--regime", "high", "--scale", "smoke"]
    given += ["--precision", "highest", *more]
    return ["run", *given, "--device", "cpu", "--acceleration", "none", "--out", str(out)]


def test_a_run_learns_measures_and_tells_the_best_and_the_random_return(tmp_path, capsys):
    out = tmp_path / "run"
    options = ("--env-arg", "is_slippery=false", "--evaluation-steps", "15", "--json=-")
    assert main(command(out, *options)) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["env"], summary["lanes"], summary["steps"]) == ("gym:FrozenLake-v1", 2, 1100)
    assert (
        summary["reference"]["optimal"] == 1
    )  # the lake that is not slippery is crossed in 6 steps
    assert 0 < summary["reference"]["uniform"] < 0.02
    assert int(load_file(out / CHECKPOINT)["state.learner.updates"]) == 100
    assert (out / "figure.png").exists()
    assert stored_settings(read_config(out)["settings"]) == gym_settings(
        lanes=2,
        given={"agent": "er", "env": "gym:FrozenLake-v1", "regime": "high", "steps": 1100,
               "env_args": '{"is_slippery": false}', "evaluation_steps": 15, "precision": "highest"},
    )  # fmt: skip


def test_the_references_end_with_the_time_limit_of_the_environment():
    task = GymTask(gym_settings(lanes=1, given=LAKE | {"env": "gym:Taxi-v4", "env_args": "{}"}))
    assert gymnasium.spec("Taxi-v4").max_episode_steps == 200
    assert task.reference(1_000) == task.reference(200)
    assert task.reference(200).uniform < task.reference(100).uniform


def test_an_interrupted_run_goes_on_exactly(tmp_path):
    through, halves = tmp_path / "through", tmp_path / "halves"
    execute(SETTINGS, through, device="cpu", acceleration="none")
    seen = []
    outcome = execute(
        SETTINGS, halves, device="cpu", acceleration="none",
        interrupted=lambda: bool(seen) and seen[-1] >= 40,
        report=lambda moment: seen.append(moment.steps),
    )  # fmt: skip
    assert not outcome.summary
    again = execute(SETTINGS, halves, device="cpu", acceleration="none", resume=True)
    assert again.summary
    assert again.restarted == ()
    ours, others = load_file(halves / CHECKPOINT), load_file(through / CHECKPOINT)
    assert ours.keys() == others.keys()
    assert all(ours[key].numpy().tobytes() == others[key].numpy().tobytes() for key in ours)


def test_the_perfect_model_takes_the_table_of_the_environment(tmp_path):
    settings = gym_settings(lanes=2, given=LAKE | {"agent": "perfect"})
    assert execute(settings, tmp_path / "run", device="cpu", acceleration="none").summary


def learned(folder, **given):
    """The last checkpoint of a run on the lake."""
    settings = gym_settings(lanes=2, given=LAKE | {"evaluation_interval": 60} | given)
    assert execute(settings, folder, device="cpu", acceleration="none").summary
    return load_file(folder / CHECKPOINT)


def test_with_real_transitions_alone_the_simple_agent_learns_what_er_does(tmp_path):
    replayed = learned(tmp_path / "er", agent="er")
    real = learned(tmp_path / "real", real_share=1.0)
    imagined = learned(tmp_path / "imagined")
    weights = [
        key
        for key in replayed
        if key.startswith("state.learner.") and key.split(".")[2] in ("q", "target", "q_moments")
    ]
    assert {key.split(".")[2] for key in weights} == {"q", "target", "q_moments"}
    assert all(torch.equal(real[key], replayed[key]) for key in weights)
    assert not all(torch.equal(imagined[key], replayed[key]) for key in weights)


def test_more_updates_are_made_after_each_step_where_asked(tmp_path):
    assert int(learned(tmp_path / "run", agent="er")["state.learner.updates"]) == 20
    more = learned(tmp_path / "more", agent="er", updates_per_step=2)
    assert int(more["state.learner.updates"]) == 40


def test_er_replays_by_priority_where_asked(tmp_path):
    held = learned(tmp_path / "run", agent="er", prioritized=True)
    assert len(held["state.buffer.priorities.units"].unique()) > 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"env": "gym:CartPole-v1"}, "Box(-inf, inf, (4,), float32); accepted: MultiBinary"),
        ({"env": "gym:Nowhere-v0"}, "env gym:Nowhere-v0 cannot be made: "),
        ({"env": "gym:nowhere.at_all:X-v0"}, "cannot be made: No module named 'nowhere'"),
        ({"env": "gym:Pendulum-v1"}, "(1,), float32); accepted: Discrete"),
        ({"env": "gym:"}, "env must be gym:ID or gym:module:ID, got 'gym:'"),
        ({"env": "gym:Blackjack-v1", "agent": "perfect"}, "agent perfect needs the exact dynamics"),
        ({"more": ("--size", "3")}, "--size is of the paper's environments, got --env gym:"),
        ({"more": ("--spontaneous", "False")}, "--spontaneous is of the paper's environments"),
        ({"more": ("--counterfactual", "True")}, "--counterfactual is of the paper's environments"),
        ({"more": ("--real-share", "0.5")}, "real_share needs an agent that learns a model"),
        ({"more": ("--real-share", "2")}, "real_share must be a number from 0 to 1, got 2.0"),
        ({"more": ("--updates-per-step", "3")}, "updates_per_step must be one of 1, 2, 4"),
        ({"agent": "simple", "more": ("--prioritized", "True")}, "an option of the agent er, got"),
        ({"more": ("--env-arg", "oops")}, "--env-arg must be KEY=VALUE, each key once, got 'oops'"),
        ({"more": ("--env-arg", "slippery=1")}, "unexpected keyword argument 'slippery'"),
        ({"more": ("--lanes", "2000000")}, "lanes must be a whole number, 1 to 1000000"),
        ({"more": ("--levels", "1")}, "levels must be a whole number, 2 to 256, got 1"),
        ({"more": ("--keys", "image")}, "keys are of a Dict, and observations are Discrete"),
        ({"more": ("--evaluation-steps", "0")}, "evaluation_steps must be a whole number"),
        ({"env": "ProcMaze", "more": ("--size", "2", "--levels", "4")}, "--levels goes with --env"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(tmp_path, capsys, options, said):
    options = dict(options)
    more = options.pop("more", ())
    assert main(command(tmp_path / "run", *more, **options)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_arguments_of_an_environment_are_json_or_else_strings():
    given = ("flag=true", "count=3", "name=8x8", "text='a'")
    assert json.loads(env_arguments(given)) == {
        "flag": True, "count": 3, "name": "8x8", "text": "'a'",
    }  # fmt: skip


def test_settings_are_stored_and_read_again():
    stored = json.loads(json.dumps(SETTINGS.stored()))
    assert stored["kind"] == "gym"
    assert stored_settings(stored) == SETTINGS
    assert isinstance(stored_settings(stored), GymSettings)
    assert (
        "real_share" not in stored
    )  # what was stored before there were ingredients keeps its digest
    mixed = gym_settings(lanes=2, given=LAKE | {"real_share": 0.5, "updates_per_step": 2})
    assert stored_settings(json.loads(json.dumps(mixed.stored()))) == mixed


@pytest.mark.parametrize(
    "env", ["minatar.gym:MinAtar/Freeway-v1", "minigrid:MiniGrid-Empty-5x5-v0"]
)
def test_environments_of_others_are_run_by_their_modules_name(tmp_path, env):
    pytest.importorskip(env.split(".")[0].split(":")[0])
    given = LAKE | {"env": env, "env_args": "{}", "agent": "er"}
    if "MiniGrid" in env:
        given |= {"keys": "image,direction", "levels": 11}
    settings = gym_settings(lanes=2, given=given)
    assert execute(settings, tmp_path / "run", device="cpu", acceleration="none").summary


def test_runs_in_one_environment_are_compared_and_others_refused(tmp_path, capsys):
    folders = []
    for agent, steps in (("er", 60), ("simple", 60), ("er", 45)):
        given = LAKE | {"agent": agent, "steps": steps}
        folders.append(str(tmp_path / f"{agent}-{steps}"))
        execute(
            gym_settings(lanes=2, given=given),
            tmp_path / f"{agent}-{steps}",
            device="cpu",
            acceleration="none",
        )
    capsys.readouterr()
    assert main(["compare", *folders[:2], "--json", "-"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["env"] == "gym:FrozenLake-v1"
    assert [run["agent"] for run in compared["runs"]] == ["er", "simple"]
    assert compared["reference"]["optimal"] == 1
    assert main(["compare", folders[0], folders[2]]) == 2
    assert "has steps 45; accepted: 60" in capsys.readouterr().err
