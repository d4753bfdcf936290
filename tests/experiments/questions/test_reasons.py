"""Why: what is run beside a question that is decided, and what the words make of it."""

import re
import shlex
from dataclasses import replace

import pytest

from experiments.analysis.sequential_answer import Decision, Pair
from experiments.questions.asking import Asking
from experiments.questions.ingredients import explaining_runs
from experiments.questions.reasons import Reason, factored, in_words, stands_out
from tests.experiments.questions.made_up_runs import carrying
from tests.experiments.questions.test_questions import FLUTE, PLAN

NAMES = (
    "room", "factored", "counterfactual", "more-updates", "perfect", "settings", "predicts", "learns",
)  # fmt: skip


def explained(tmp_path, levels, question=FLUTE, **how):
    asking = Asking(question, PLAN, tmp_path, lambda _: None)
    carry = carrying(tmp_path, levels, spread=0.03, **how)
    asking.ask(carry, None)
    asking.explain(carry, None)
    content = asking.answer()
    return content, {each["name"]: each for each in content["reasons"]}


def test_once_it_is_decided_agents_that_have_one_ingredient_are_run_beside_it(tmp_path):
    levels = {"er": 0.0, "simple": 0.6, "counterfactual": 0.4, "more-updates": 0.1, "perfect": -0.3}
    levels["settings"] = 0.2
    content, found = explained(tmp_path, levels)
    assert [found[name]["holds"] for name in NAMES] == [
        True,
        True,
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    for name in ("counterfactual", "more-updates", "perfect", "settings"):
        assert found[name]["lead"] == pytest.approx(levels[name], abs=0.06)
        assert found[name]["finding"].endswith("by 5 seeds")
    assert "er on transitions recombined factor by factor has 6" in content["why"]
    assert content["why"].count(". ") == 2


def test_what_is_run_beside_does_not_take_part_in_the_test(tmp_path):
    levels = {"er": 0.0, "simple": 0.6, "perfect": 0.0}
    alone = Asking(FLUTE, PLAN, tmp_path / "alone", lambda _: None)
    alone.ask(carrying(tmp_path / "alone", levels, spread=0.03), None)
    beside, _ = explained(tmp_path / "beside", levels)
    assert beside["looks"] == alone.answer()["looks"]


def test_a_question_that_is_undecided_runs_nothing_beside_it(tmp_path):
    asking = Asking(FLUTE, PLAN, tmp_path, lambda _: None)
    asking.ask(carrying(tmp_path, {"er": 0.0, "simple": 0.0}, spread=0.5), None)
    assert asking.over
    assert asking.beside() == []
    assert asking.explain(lambda *_: pytest.fail("nothing is to be run"), None) is None
    assert asking.answer()["why"].startswith("Nothing is decided")


def test_what_was_not_run_yet_or_cannot_be_had_is_said(tmp_path):
    question = replace(FLUTE, env="OpenGrid", size=3)
    asking = Asking(question, PLAN, tmp_path, lambda _: None)
    asking.ask(carrying(tmp_path, {"er": 0.97, "simple": 0.5}, spread=0.001), None)
    found = {each["name"]: each for each in asking.answer()["reasons"]}
    assert found["counterfactual"]["finding"].endswith("cannot be had here")
    assert found["perfect"]["finding"].endswith("not run")
    assert found["factored"]["holds"] is False
    assert found["room"]["holds"] is False
    assert "97% of the way" in found["room"]["finding"]


def test_what_is_run_beside_differs_from_replay_in_the_ingredient_alone():
    usual, runs = FLUTE.settings("er", 0).stored(), explaining_runs(FLUTE)
    changed = {
        name: {
            key: value for key, value in run.settings.stored().items() if usual.get(key) != value
        }
        for name, run in runs.items()
    }
    seeds = {tuple(each.pop("seeds")) for each in changed.values()}
    assert len(seeds) == 4
    assert changed["counterfactual"] == {"counterfactual": True}
    assert changed["more-updates"] == {"updates_per_step": 10}
    assert changed["perfect"]["agent"] == "perfect"
    assert changed["settings"] == {
        "temperatures": FLUTE.settings("simple", 0).stored()["temperatures"]
    }
    low = explaining_runs(replace(FLUTE, regime="low"))["more-updates"].settings
    assert low.updates_per_step == 100


def test_in_an_environment_of_gymnasium_there_is_more_replay_and_a_perfect_model_by_its_table():
    pytest.importorskip("torch")
    pytest.importorskip("gymnasium")
    lake = replace(FLUTE, env="gym:FrozenLake-v1", size=None)
    assert set(explaining_runs(lake)) == {"more-updates", "perfect"}
    assert set(explaining_runs(replace(lake, agents=("er", "perfect")))) == {"more-updates"}


def test_in_an_environment_of_gymnasium_the_command_that_finds_scopes_is_named():
    pytest.importorskip("gymnasium")
    lake = replace(
        FLUTE, env="gym:FrozenLake-v1", size=None, more={"env_args": '{"map_name": "8x8"}'}
    )
    reason = factored(lake)
    assert reason.holds is None
    asked = re.search("mbgen (env scopes .*) --factors NAME=SIZE", reason.finding)[1]
    parsed = shlex.split(asked)
    assert parsed == ["env", "scopes", "gym:FrozenLake-v1", "--env-arg", 'map_name="8x8"']


def test_replay_that_ends_below_the_random_policy_is_said_to(tmp_path):
    _, found = explained(tmp_path, {"er": -0.5, "simple": 0.5, "perfect": 0.0})
    assert found["room"]["finding"].endswith("below the random policy's")
    assert found["room"]["holds"] is True


def test_a_model_that_errs_on_recombined_states_is_missing_the_ingredient(tmp_path):
    levels = {"er": 0.0, "simple": -0.6, "perfect": 0.0}
    content, found = explained(tmp_path, levels, right=0.5)
    assert found["predicts"]["holds"] is False
    assert "50% of 1,280 seen, 50% of 1,280 recombined" in found["predicts"]["finding"]
    assert "the model does not predict recombined states" in content["why"]


def decided(answer, lead=1.0):
    return Decision(
        answer, "simple", (Pair("simple", "er", lead, lead / 2, 2 * lead, True, False),)
    )


def measured(**holds):
    """Reasons of which these are told apart, and lead by 0.6, or not."""
    return [Reason(name, name, "", holds.get(name.replace("-", "_")), 0.6) for name in NAMES]


@pytest.mark.parametrize(
    ("answer", "holds", "said"),
    [
        ("model", {"counterfactual": True}, "has 60% of the lead, without a model"),
        ("model", {"settings": True}, "step size and temperature of the first agent with a model has 60%"),
        ("model", {"counterfactual": None, "predicts": True}, "predicts recombined states"),
        ("model", {"perfect": True}, "even an exact model leads"),
        ("model", {"factored": True, "room": True}, None),
        ("replay", {"room": False, "perfect": False}, "leaves little to gain"),
        ("replay", {"perfect": False, "predicts": False}, "an exact model does not help"),
        ("equivalent", {"predicts": False, "factored": False}, "does not predict recombined"),
        ("equivalent", {"factored": False}, "nothing is factored"),
        ("replay", {"factored": True}, None),
    ],
)  # fmt: skip
def test_the_words_name_what_stands_out_or_that_nothing_does(answer, holds, said):
    found = measured(**holds)
    first = stands_out(found, decided(answer))
    words = in_words(found, decided(answer))
    assert (first is None) == (said is None)
    assert (said or "No ingredient stands out") in words
    there = "; ".join(name for name in NAMES if holds.get(name.replace("-", "_")) is True)
    assert (
        f"Measured and there: {there}." if there else "Nothing that was measured is there."
    ) in words
    missing = "; ".join(name for name in NAMES if holds.get(name.replace("-", "_")) is False)
    assert (f"Not there: {missing}; open: " if missing else "Open: ") in words
    assert words.count(". ") == 2


def test_a_small_part_of_the_lead_is_not_what_stands_out():
    found = measured(counterfactual=True, predicts=True)
    assert "predicts recombined" in stands_out(found, decided("model", lead=2.0))
