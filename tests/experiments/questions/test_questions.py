"""Questions on made-up runs: what they plan, when they stop, what they answer and why."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.questions.asking import Asking, group_seconds, sentence, what_can_be_decided
from experiments.questions.evidence import read_pilot, scores_of
from experiments.questions.ingredients import explaining_runs
from experiments.questions.question import Plan, Question, begin, groups_within, keep_plan
from experiments.runs.stored_run import read_run
from experiments.storage.whole_files import PART
from experiments.sweep.local import Ended
from experiments.sweep.plan import lay_out_all
from tests.experiments.questions.made_up_runs import carrying, finish

FLUTE = Question(
    agents=("er", "simple"), env="PanFlute", size=2, regime="high", steps=1_500, seeds=5, more={}
)
PLAN = Plan(4, 0.1, 10.0, 0.2)


def asked(tmp_path, levels, question=FLUTE, plan=PLAN, **how):
    looks = []
    asking = Asking(question, plan, tmp_path, looks.append)
    ended = asking.ask(carrying(tmp_path, levels, **how), None)
    return asking, ended, looks


@pytest.mark.parametrize(
    ("level", "answer"), [(0.6, "model"), (-0.6, "replay"), (0.0, "equivalent")]
)
def test_a_clear_question_is_answered_before_all_groups_have_run(tmp_path, level, answer):
    asking, ended, looks = asked(tmp_path, {"er": 0.0, "simple": level}, spread=0.03)
    content = asking.answer()
    assert content["answer"] == answer
    assert ended.reason == "interrupted"  # the groups that were not needed are left
    assert content["groups"] == len(looks) < PLAN.groups
    assert content["low"] <= content["difference"] <= content["high"]
    assert content["seeds"] == 5 * content["groups"]


def test_a_question_without_a_clear_answer_takes_all_groups_and_says_what_it_would_take(tmp_path):
    asking, ended, looks = asked(tmp_path, {"er": 0.0, "simple": 0.0}, spread=0.5)
    content = asking.answer()
    assert (content["answer"], ended.reason, len(looks)) == ("undecided", None, 4)
    assert content["over"]
    assert content["seeds_needed"] > 20
    assert f"about {content['seeds_needed']} seeds of each would tell" in sentence(content)


def test_a_question_that_was_killed_goes_on_to_the_same_looks(tmp_path):
    whole, _, _ = asked(tmp_path / "whole", {"er": 0.0, "simple": 0.15}, spread=0.2)
    for run in FLUTE.group(0):
        finish(run, tmp_path / "cut", {"er": 0.0, "simple": 0.15}[run.settings.agent], spread=0.2)
    cut, _, _ = asked(tmp_path / "cut", {"er": 0.0, "simple": 0.15}, spread=0.2)
    assert cut.answer() == whole.answer()
    again = Asking(FLUTE, PLAN, tmp_path / "cut", lambda _: None)
    assert again.answer() == whole.answer()


def test_a_group_that_is_complete_before_an_earlier_one_waits_for_it(tmp_path):
    for run in FLUTE.group(1):
        finish(run, tmp_path, 0.0)
    assert Asking(FLUTE, PLAN, tmp_path, lambda _: None).looks == []


def test_an_answer_that_is_there_is_not_asked_again(tmp_path):
    asking, _, _ = asked(tmp_path, {"er": 0.0, "simple": 0.6})
    assert asking.ask(lambda *_: pytest.fail("nothing is to be run"), None) is None


def test_no_agents_groups_pilots_and_questions_share_a_seed():
    questions = FLUTE, replace(FLUTE, seed=1)
    runs = [run for each in questions for group in range(4) for run in each.group(group)]
    runs += [run for each in questions for run in each.pilot()]
    runs += [run for each in questions for run in explaining_runs(each).values()]
    seeds = [seed for run in runs for seed in run.settings.seeds]
    assert len(set(seeds)) == len(seeds)


def test_the_perfect_model_beside_a_learned_one_says_why_and_is_not_the_answer(tmp_path):
    question = replace(FLUTE, agents=("er", "simple", "perfect"))
    asking, _, _ = asked(tmp_path, {"er": 0.0, "simple": -0.5, "perfect": 0.9}, question)
    content = asking.answer()
    assert (content["answer"], content["agent"]) == ("replay", "simple")
    perfect = next(r for r in content["reasons"] if r["what"] == "the perfect model helps")
    assert perfect["holds"] is True
    assert "perfect less er: 0.9" in perfect["finding"]
    assert {run.id for run in asking.beside()} == {
        "why/counterfactual", "why/more-updates", "why/settings",
    }  # fmt: skip


def test_a_seed_that_diverged_counts_with_the_worst_that_it_had(tmp_path):
    run = FLUTE.group(0)[0]
    finish(run, tmp_path, 0.5, diverged=(1,))
    scores = scores_of(read_run(tmp_path / run.id))
    assert scores[1] == -7.0
    np.testing.assert_allclose(np.delete(scores, 1), 0.5, atol=0.3)


def test_a_seed_that_was_never_evaluated_well_is_refused(tmp_path):
    run = FLUTE.group(0)[0]
    finish(run, tmp_path, np.nan)
    with pytest.raises(ValueError, match="seed 100000000 has no performance at any evaluation"):
        scores_of(read_run(tmp_path / run.id))


def test_the_pilot_measures_seconds_spread_and_a_margin(tmp_path):
    for run in FLUTE.pilot():
        finish(run, tmp_path, 0.0, spread=0.2)
    pilot = read_pilot(FLUTE, tmp_path)
    assert pilot.seconds == 8.0
    assert pilot.more_seconds == 0.0
    assert pilot.margin == pytest.approx(0.1)
    assert 0.05 < pilot.spread < 0.5
    longer = read_pilot(replace(FLUTE, steps=2_000), tmp_path)
    assert longer.more_seconds == 0.0  # the pilot itself has 2,000 steps
    assert group_seconds(pilot._replace(more_seconds=100.0), 6.0, 2) == 56.0


def test_an_environment_that_ends_at_once_is_refused(tmp_path):
    for run in FLUTE.pilot():
        finish(run, tmp_path, 0.0, episodes=run.settings.steps / 10)
    with pytest.raises(ValueError, match="in PanFlute every episode ends with its first step"):
        read_pilot(FLUTE, tmp_path)


def test_what_never_pays_is_noticed(tmp_path):
    for run in FLUTE.pilot():
        finish(run, tmp_path, 0.0, spread=0.0, reward=0.0)
    pilot = read_pilot(FLUTE, tmp_path)
    assert not pilot.paid
    assert what_can_be_decided(FLUTE, replace(PLAN, spread=pilot.spread)) is None


def test_a_budget_becomes_groups_or_is_too_short():
    assert groups_within(100.0, 30.0) == 3
    assert groups_within(1e6, 30.0) == 20
    with pytest.raises(ValueError, match="one group takes about 30 s"):
        groups_within(29.0, 30.0)


def test_a_folder_holds_one_question(tmp_path):
    assert begin(tmp_path, FLUTE) is None
    keep_plan(tmp_path, FLUTE, PLAN)
    assert begin(tmp_path, FLUTE) == PLAN
    other = replace(FLUTE, agents=("er", "gaussian"))
    with pytest.raises(ValueError, match="the question with agents er, simple, got er, gaussian"):
        begin(tmp_path, other)
    with pytest.raises(ValueError, match=r"with alpha 0\.05, got 0\.1"):
        begin(tmp_path, replace(FLUTE, alpha=0.1))


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match=r"holds thesis\.tex; accepted: a new folder"):
        begin(tmp_path, FLUTE)


def test_a_question_that_was_killed_at_its_first_file_can_be_asked_again(tmp_path):
    (tmp_path / f"{PART}0.json").touch()
    assert begin(tmp_path, FLUTE) is None


@pytest.mark.parametrize("text", ["[]", "{", '{"question": 3, "plan": null}'])
def test_a_question_file_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "question.json").write_text(text)
    with pytest.raises(ValueError, match=r"question\.json"):
        begin(tmp_path, FLUTE)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"agents": ("er",)}, "agents are er; accepted: er and one or more of simple"),
        ({"agents": ("simple", "er")}, "accepted: er and one or more"),
        ({"agents": ("er", "simple", "simple")}, "each of them once"),
        ({"agents": ("er", "dreamer")}, "agent must be one of"),
        ({"size": None}, "size is missing"),
        ({"size": 0}, "size must be"),
        ({"env": "Chess"}, "env must be one of"),
        ({"regime": "none"}, "regime must be one of"),
        ({"steps": 0}, "steps must be"),
        ({"seeds": 1}, "seeds must be"),
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"margin": -1.0}, "margin is -1.0"),
    ],
)
def test_a_question_that_is_none_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(FLUTE, **change)


SHORT = {"learning_starts": 40, "evaluation_interval": 10, "precision": "highest"}


def really(out, runs):
    """Carry out runs as they are, in this process."""
    from experiments.runs.execution import execute

    lay_out_all(runs, out, renew=False)
    for run in runs:
        execute(run.settings, out / run.id, device="cpu", acceleration="none", resume=True)


@pytest.mark.usefixtures("small_networks", "without_type_checks")
def test_a_question_is_asked_of_agents_that_really_learn(tmp_path):
    pytest.importorskip("torch")

    def carry(runs, stop, seconds):
        really(tmp_path, runs)
        return Ended((), (), (), None)

    question = replace(FLUTE, steps=70, seeds=2, more=SHORT)
    asking = Asking(question, replace(PLAN, groups=1), tmp_path, lambda _: None)
    asking.ask(carry, None)
    content = asking.answer()
    assert (content["answer"], content["seeds"], content["over"]) == ("undecided", 2, True)
    learns = next(r for r in content["reasons"] if r["what"] == "the model learns")
    assert "the loss of simple's model" in learns["finding"]
    assert learns["holds"]
    predicts = next(r for r in content["reasons"] if r["name"] == "predicts")
    assert "simple has the whole state right after 1 step: " in predicts["finding"]


@pytest.mark.usefixtures("small_networks", "without_type_checks", "own_environments")
def test_an_environment_of_ones_own_that_ends_at_once_is_seen_in_the_pilot(tmp_path):
    pytest.importorskip("torch")
    gymnasium = pytest.importorskip("gymnasium")

    class Own(gymnasium.Env):
        observation_space, action_space = gymnasium.spaces.Discrete(3), gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return 0, {}

        def step(self, action):
            return int(action), 1.0, True, False, {}

    gymnasium.register("Own-v0", Own)
    question = replace(FLUTE, env="gym:Own-v0", size=None, steps=70, seeds=2, more=SHORT)
    really(tmp_path, question.pilot())
    with pytest.raises(ValueError, match="in gym:Own-v0 every episode ends with its first"):
        read_pilot(question, tmp_path)
