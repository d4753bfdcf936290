"""`mbgen ask` on made-up runs: what it tells and writes, and bad input."""

import json
import re
import shlex
import sys
from html import unescape

import pytest

from experiments.cli import main
from experiments.questions.question import ANSWER, PAGE, QUESTION
from experiments.runs.stored_settings import read_settings
from experiments.studies.study import PlannedRun
from experiments.sweep.local import Ended
from experiments.sweep.manifest import read_manifest
from tests.experiments.questions.made_up_runs import finish
from tests.experiments.sweep.fake_slurm import played


def ask(out, *options, env="PanFlute", size="2"):
    sized = ["--size", size] if size else []
    return main(["ask", "--env", env, *sized, "--scale", "smoke", "--out", str(out), *options])


@pytest.fixture
def made_up(monkeypatch):
    """Runs cost nothing and end at a level by agent, made up as `how` says; what was carried out is listed."""
    levels, carried, how = {"er": 0.0, "simple": 0.6, "perfect": 0.5}, [], {}

    def carry_out(tasks, logs, *, done, interrupted, **_):
        for index, task in enumerate(tasks):
            if interrupted():
                return Ended((), (), tuple(tasks[index:]), "interrupted")
            settings = read_settings(task.folder / "config.json")
            if not done(task):
                planned, out = PlannedRun(task.id, settings), task.folder.parents[1]
                finish(planned, out, levels[settings.agent], **how)
                carried.append(task.id)
        return Ended(tuple(tasks), (), (), None)

    monkeypatch.setattr("experiments.commands.ask.carry_out", carry_out)
    return levels, carried, how


def test_a_question_is_asked_answered_and_told(tmp_path, made_up, capsys):
    assert ask(tmp_path / "q", "--json", str(tmp_path / "a.json")) == 0
    content = json.loads((tmp_path / "a.json").read_text())
    assert content == json.loads((tmp_path / "q" / ANSWER).read_text())
    keys = {
        "answer",
        "agent",
        "difference",
        "low",
        "high",
        "seeds",
        "groups",
        "alpha",
        "margin",
        "reasons",
    }
    assert keys <= content.keys()
    assert (content["answer"], content["agent"], content["alpha"]) == ("model", "simple", 0.05)
    printed = capsys.readouterr().out
    assert (
        "Yes, in PanFlute 2, high data, 1,100 steps, the learned model helps: simple ends 0.5978 above er"
        in " ".join(printed.split())
    )
    assert printed.index("found with 80 % power") < printed.index("After each group")


def test_too_few_seeds_for_any_answer_are_told_and_an_exact_model_is_called_one(
    tmp_path, made_up, capsys
):
    few = ["--agents", "er", "perfect", "--groups", "1"]
    assert ask(tmp_path / "q", *few, "--seeds", "3") == 1
    assert "1 group of 3 seeds may never tell agents apart at alpha 0.05" in capsys.readouterr().err
    assert ask(tmp_path / "r", *few) == 0
    printed = capsys.readouterr()
    assert "may never" not in printed.err
    assert "an exact model helps: perfect ends" in " ".join(printed.out.split())


def test_the_same_command_again_runs_nothing_and_says_the_same(tmp_path, made_up, capsys):
    _, carried, _ = made_up
    assert ask(tmp_path / "q", "--json=-") == 0
    first, before = capsys.readouterr().out, list(carried)
    assert ask(tmp_path / "q", "--json=-") == 0
    assert capsys.readouterr().out == first
    assert carried == before


@pytest.mark.parametrize(
    ("env", "size", "options"),
    [
        ("PanFlute", "2", ("--margin", "0.02", "--temperature", "0.4", "--seed", "7")),
        ("gym:FrozenLake-v1", None, ("--env-arg", "is_slippery=false", "map_name=4x4")),
    ],
)
def test_the_command_on_the_page_asks_the_same_question(tmp_path, made_up, env, size, options):
    pytest.importorskip("jinja2")
    pytest.importorskip("gymnasium")
    assert ask(tmp_path / "q", *options, "--alpha", "0.1", env=env, size=size) == 0
    page = (tmp_path / "q" / PAGE).read_text("utf-8")
    (shown,) = re.findall(r"Again: <code>(.*?)</code>", page)
    words = shlex.split(unescape(re.sub("<.*?>", "", shown)))
    assert words[:2] + words[-2:] == ["mbgen", "ask", "--out", "again"]
    assert main([*words[1:-1], str(tmp_path / "again")]) == 0
    first, again = (json.loads((tmp_path / name / QUESTION).read_text()) for name in ("q", "again"))
    assert first["question"] | {"margin": 0} == again["question"] | {"margin": 0}
    assert [each["plan"][key] for each in (first, again) for key in ("groups", "margin")] == [
        first["plan"]["groups"], first["plan"]["margin"],
    ] * 2  # fmt: skip


def test_without_the_package_for_templates_it_is_said_how_to_get_the_page(
    tmp_path, made_up, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert ask(tmp_path / "q") == 0
    assert "answer.html needs jinja2: pip install '.[report]'" in capsys.readouterr().err
    assert not (tmp_path / "q" / PAGE).exists()


def test_a_question_that_stays_open_has_exit_status_1(tmp_path, made_up, capsys):
    made_up[0]["simple"] = 0.01
    assert ask(tmp_path / "q", "--groups", "2", "--margin", "0.001") == 1
    assert "Undecided" in capsys.readouterr().out


def test_another_question_in_the_folder_is_refused_and_nothing_is_lost(tmp_path, made_up, capsys):
    assert ask(tmp_path / "q") == 0
    before = (tmp_path / "q" / QUESTION).read_text()
    assert ask(tmp_path / "q", "--alpha", "0.1") == 2
    assert "the question with alpha 0.05, got 0.1" in capsys.readouterr().err
    assert (tmp_path / "q" / QUESTION).read_text() == before


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--agents", "er"), "agents are er; accepted: er and one or more of"),
        (("--agents", "er", "alphago"), "agent must be one of"),
        (("--budget", "soon"), "budget is 'soon'; accepted: seconds"),
        (("--alpha", "0"), "alpha is 0.0; accepted"),
        (("--margin", "-1"), "margin is -1.0; accepted"),
        (("--groups", "21"), "groups must be a whole number, 1 to 20"),
        (("--executor", "cloud"), "executor must be one of local, slurm"),
        (("--partition", "gpu"), "options for Slurm are given, but the executor is local"),
        (("--env-arg", "a=1"), "--env-arg goes with --env gym:ID"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_folder(tmp_path, capsys, options, complaint):
    assert ask(tmp_path / "q", *options) == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1
    assert not (tmp_path / "q").exists()


def test_a_budget_too_short_for_a_group_is_told_after_the_pilot(tmp_path, made_up, capsys):
    assert ask(tmp_path / "q", "--budget", "2s") == 2
    assert "one group takes about" in capsys.readouterr().err
    assert ask(tmp_path / "q", "--budget", "2h") == 0


@pytest.mark.parametrize(
    ("how", "level", "complaint"),
    [
        ({"episodes": 1e4}, 0.0, "in PanFlute every episode ends with its first step; accepted:"),
        ({}, float("nan"), "has no performance at any evaluation; accepted: numbers"),
    ],
)
def test_an_environment_where_nothing_can_be_compared_is_told_on_one_line_after_the_pilot(
    tmp_path, made_up, capsys, how, level, complaint
):
    levels, carried, made_up_how = made_up
    levels["simple"] = level
    made_up_how |= how
    assert ask(tmp_path / "q") == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1
    assert set(carried) == {"pilot/er", "pilot/simple"}
    assert not (tmp_path / "q" / ANSWER).exists()


def test_a_seed_without_any_number_in_a_group_is_told_and_named(tmp_path, made_up, capsys):
    assert ask(tmp_path / "q", "--groups", "1") == 0
    config = read_settings(tmp_path / "q" / "group-01" / "simple" / "config.json")
    finish(PlannedRun("group-01/simple", config), tmp_path / "q", float("nan"))
    assert ask(tmp_path / "q", "--groups", "1") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert f"group-01/simple: seed {config.seeds[0]} has no performance" in told


@pytest.mark.parametrize(("reason", "status"), [("interrupted", 130), ("the budget is spent", 0)])
def test_an_answer_stands_when_what_says_why_is_cut_short(
    tmp_path, made_up, monkeypatch, capsys, reason, status
):
    from experiments.commands import ask as command

    carry_out = command.carry_out

    def cut_short(tasks, *more, **how):
        if tasks[0].id.startswith("why/"):
            return Ended((), (), tuple(tasks), reason)
        return carry_out(tasks, *more, **how)

    monkeypatch.setattr(command, "carry_out", cut_short)
    assert ask(tmp_path / "q") == status
    printed = capsys.readouterr()
    assert f"mbgen: {reason}; the same command goes on" in printed.err
    assert "the learned model helps: simple ends" in " ".join(printed.out.split())
    assert "er with 10 times the updates: not run" in (tmp_path / "q" / PAGE).read_text("utf-8")


def test_where_nothing_is_ever_paid_it_is_told_and_nothing_is_found(tmp_path, made_up, capsys):
    levels, _, how = made_up
    levels |= {"simple": 0.0}
    how |= {"reward": 0.0, "spread": 0.0}
    assert ask(tmp_path / "q", "--groups", "2") == 0
    printed = capsys.readouterr()
    assert "no agent was paid anything in the pilot" in printed.err
    assert "they differ by less than 0.1: simple ends 0 above er" in " ".join(printed.out.split())


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (("--seeds", "4"), "with seeds 5, got 4"),
        (("--steps", "1200"), "with steps 1100, got 1200"),
        (("--seed", "1"), "with seed 0, got 1"),
        (("--margin", "0.5"), "with margin None, got 0.5"),
        (("--agents", "er", "perfect"), "with agents er, simple, got er, perfect"),
    ],
)
def test_a_question_is_not_gone_on_with_by_other_settings(
    tmp_path, made_up, capsys, option, complaint
):
    ask(tmp_path / "q", "--groups", "1")
    before = {path: path.read_bytes() for path in (tmp_path / "q").rglob("*.json")}
    capsys.readouterr()
    assert ask(tmp_path / "q", *option) == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1
    assert {path: path.read_bytes() for path in (tmp_path / "q").rglob("*.json")} == before


def test_an_environment_that_does_not_exist_is_told_before_anything_runs(tmp_path, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("gymnasium")
    assert ask(tmp_path / "q", env="gym:NoSuchPlace-v0", size=None) == 2
    assert "cannot be made" in capsys.readouterr().err
    assert not (tmp_path / "q").exists()


class Cluster:
    """Slurm as it is played; what it was given is finished when we say so, at a level by agent."""

    def __init__(self, fake, out):
        self.fake, self.out, self.seen = fake, out, set()

    def given(self):
        """What was submitted since we last asked."""
        plans = set((self.out / "logs").glob("*.json")) - self.seen
        self.seen |= plans
        jobs = [job for plan in plans for job in json.loads(plan.read_text())["jobs"]]
        return {run["id"] for job in jobs for run in job}

    def finish(self, runs, level, seconds=4.0):
        for name in runs:
            settings = read_settings(self.out / name / "config.json")
            at = 0.0 if settings.agent == "er" else level
            finish(PlannedRun(name, settings), self.out, at, seconds=seconds)
        self.fake.empty_queue()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    return Cluster(played(tmp_path / "slurm", monkeypatch), tmp_path / "q")


SLURM = ("--executor", "slurm")


def listed(folder):
    """Where each run lies that a question's list has: the pilot, a group, or what says why."""
    runs, complaints = read_manifest(folder / "manifest.jsonl")
    assert complaints == []
    return {run.id.partition("/")[0].rstrip("0123456789") for run in runs}


def test_the_list_of_runs_has_the_pilot_the_groups_and_what_says_why(tmp_path, made_up):
    assert ask(tmp_path / "q") == 0
    assert listed(tmp_path / "q") == {"pilot", "group-", "why"}


def test_with_slurm_the_pilot_comes_first_then_two_groups_then_what_says_why(cluster, capsys):
    assert ask(cluster.out, *SLURM, "--groups", "3") == 1
    pilot = cluster.given()
    assert pilot == {"pilot/er", "pilot/simple"}
    assert json.loads((cluster.out / QUESTION).read_text())["plan"] is None
    assert ask(cluster.out, *SLURM, "--groups", "3") == 1
    assert cluster.given() == set()  # the pilot is on its way
    cluster.finish(pilot, 0.2)
    assert ask(cluster.out, *SLURM, "--groups", "3") == 1
    groups = cluster.given()
    assert groups == {f"group-0{n}/{agent}" for n in (1, 2) for agent in ("er", "simple")}
    plan = json.loads((cluster.out / QUESTION).read_text())["plan"]
    assert (plan["groups"], plan["margin"]) == (3, 0.1)
    cluster.finish(groups, 0.3)
    assert ask(cluster.out, *SLURM, "--groups", "3") == 0
    assert cluster.given() == {
        f"why/{name}" for name in ("counterfactual", "more-updates", "perfect", "settings")
    }
    assert "the learned model helps: simple ends" in capsys.readouterr().out
    assert listed(cluster.out) == {"pilot", "group-", "why"}


@pytest.mark.parametrize(
    ("budget", "groups", "why"), [("42", 4, True), ("26", 2, True), ("24", 2, False)]
)
def test_with_slurm_the_budget_is_time_of_processes(cluster, budget, groups, why):
    ask(cluster.out, *SLURM, "--budget", budget)
    cluster.finish(cluster.given(), 0.3)  # the pilot: two runs of 4 seconds, as a group
    ask(cluster.out, *SLURM, "--budget", budget)
    assert json.loads((cluster.out / QUESTION).read_text())["plan"]["groups"] == groups
    cluster.finish(cluster.given(), 0.3)
    assert ask(cluster.out, *SLURM, "--budget", budget) == 0
    assert bool(cluster.given()) == why


def test_with_slurm_a_budget_too_short_for_a_group_is_told_once_the_pilot_is_done(cluster, capsys):
    assert ask(cluster.out, *SLURM, "--budget", "10") == 1
    cluster.finish(cluster.given(), 0.3)
    assert ask(cluster.out, *SLURM, "--budget", "10") == 2
    assert "one group takes about 8 s" in capsys.readouterr().err
    assert cluster.given() == set()


def test_other_groups_than_were_planned_are_told_or_refused(tmp_path, made_up, capsys):
    assert ask(tmp_path / "q", "--groups", "2") == 0
    assert ask(tmp_path / "q", "--groups", "2", env="panflute") == 0
    capsys.readouterr()
    assert ask(tmp_path / "q", "--groups", "3") == 0
    assert "was planned with 2 groups at most, and keeps to it" in capsys.readouterr().err
    assert ask(tmp_path / "q", "--groups", "1") == 2
    assert "groups is 1, and the question in" in capsys.readouterr().err


def test_several_agents_have_looks_of_their_own_and_no_bound(tmp_path, made_up):
    levels, *_ = made_up
    levels["categorical"] = 0.3
    agents = ("--agents", "er", "simple", "categorical", "--groups", "2")
    assert ask(tmp_path / "q", *agents) == 0
    (look,) = json.loads((tmp_path / "q" / ANSWER).read_text())["looks"]
    assert look["agent"] == "simple"
    assert look["statistic"] == pytest.approx(abs(look["difference"]))
    assert look["bound"] is None


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        (QUESTION, {"plan": {"groups": "2"}}, "is no question"),
        (QUESTION, {"plan": {"groups": 1.5}}, "is no question"),
        (QUESTION, {"plan": {"margin": "x"}}, "is no question"),
        ("group-01/er/summary.json", {"reference": None}, "is no summary of a run"),
        ("group-01/er/summary.json", {"seconds": "soon"}, "is no summary of a run"),
        ("group-01/er/config.json", {"sittings": [{}]}, "is no config of a run"),
        ("group-01/er/config.json", {"sittings": None}, "is no config of a run"),
    ],
)
def test_a_file_that_was_edited_is_named(tmp_path, made_up, capsys, file, content, named):
    assert ask(tmp_path / "q", "--groups", "1") in (0, 1)
    path = tmp_path / "q" / file
    held = json.loads(path.read_text())
    for key, value in content.items():
        held[key] = held[key] | value if isinstance(value, dict) else value
    path.write_text(json.dumps(held))
    capsys.readouterr()
    assert ask(tmp_path / "q", "--groups", "1") == 2
    (complaint,) = capsys.readouterr().err.splitlines()[-1:]
    assert complaint.startswith("mbgen: ")
    assert f"{path} {named}" in complaint


def test_a_pilot_that_was_killed_before_its_summary_has_the_pace_of_all_of_it(tmp_path, made_up):
    assert ask(tmp_path / "q", "--groups", "1") in (0, 1)
    for agent in ("er", "simple"):
        path = tmp_path / "q" / "pilot" / agent / "summary.json"
        held = json.loads(path.read_text()) | dict.fromkeys(
            ("steps_per_second", "last_steps_per_second")
        )
        path.write_text(json.dumps(held))
    question = json.loads((tmp_path / "q" / QUESTION).read_text())
    (tmp_path / "q" / QUESTION).write_text(json.dumps(question | {"plan": None}))
    assert ask(tmp_path / "q", "--groups", "1") in (0, 1)
