"""The tables of docs/ask.md are what `mbgen bench ask` and `mbgen ask` have stored."""

import json
import re
from pathlib import Path

import pytest

from experiments.cli import main
from experiments.commands.terminal import cell
from experiments.questions.asking import Asking, sentence
from experiments.questions.question import Question, begin

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "ask.md").read_text(encoding="utf-8")
STORED = json.loads((ROOT / "results" / "ask" / "validity.json").read_text(encoding="utf-8"))


ANSWERED = sorted((ROOT / "results" / "ask").glob("*/answer.json"))


def percent(value, digits=1):
    return f"{100 * value:.{digits}f} %"


def levels():
    lines = {}
    for each in STORED["levels"]:
        lines.setdefault((each["scores"], each["truth"]), {})[each["rule"]] = each
    for (scores, truth), rules in lines.items():
        first = rules.get("first answer", rules["all groups"])
        ends = f"{100 * first['low']:.1f} to {percent(first['high'])}"
        shares = [percent(rules[r]["share"]) if r in rules else ""
                  for r in ("first answer", "all groups", "out of time")]  # fmt: skip
        yield f"| {scores} | {truth} | {shares[0]} | {ends} | {shares[1]} | {shares[2]} |"


def powers():
    for each in STORED["power"]:
        found, welch = percent(each["found"], 0), percent(each["welch"], 0)
        yield (
            f"| {each['scores']} | {each['difference']:g} | {found} | {each['seeds']:.1f} | {welch} |"
        )


def others():
    for each in STORED["others"]:
        ends = f"{100 * each['low']:.1f} to {percent(each['high'])}"
        yield f"| {each['test']} | {each['questions']:,} | {percent(each['share'])} | {ends} |"


@pytest.mark.parametrize("lines", [levels, others, powers])
def test_every_line_that_is_stored_is_in_the_document(lines):
    assert "\n".join(lines()) in TEXT


def test_the_document_says_how_it_was_simulated():
    asked = re.search(
        r"asks ([\d,]+) simulated questions for each line, with (\d) groups of (\d) seeds and alpha (\d) %",
        TEXT,
    )
    stored = [STORED["questions"], STORED["groups"], STORED["seeds"], round(100 * STORED["alpha"])]
    assert [int(number.replace(",", "")) for number in asked.groups()] == stored
    assert f"The margin is {STORED['margin']:g} standard deviations" in TEXT


def test_the_command_that_made_it_makes_the_same_lines(capsys):
    assert main(["bench", "ask", "--questions", "3", "--groups", "2", "--json", "-"]) == 0
    made = json.loads(capsys.readouterr().out)
    for name, keys in (
        ("levels", ("scores", "truth", "rule")),
        ("power", ("scores", "difference")),
    ):
        told = [[[each[key] for key in keys] for each in of[name]] for of in (made, STORED)]
        assert told[0] == told[1]


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.parent.name)
def test_every_question_that_is_stored_is_in_the_document_and_follows_from_its_runs(path):
    answer = json.loads(path.read_text("utf-8"))
    difference, low, high = (cell(answer[key]) for key in ("difference", "low", "high"))
    line = (
        f"| {answer['title']} | {answer['answer']} | {difference} | {low} to {high} "
        f"| {answer['seeds']} | {answer['why'].split('. ')[0]} |"
    )
    assert line in TEXT
    question = Question(**answer["question"] | {"agents": tuple(answer["question"]["agents"])})
    asking = Asking(question, begin(path.parent, question), path.parent, lambda _: None)
    decision, pair = asking.looks[-1].decision, asking.looks[-1].decision.pair
    assert (decision.answer, len(asking.looks)) == (answer["answer"], answer["groups"])
    assert [pair.difference, pair.low, pair.high] == pytest.approx(
        [answer[key] for key in ("difference", "low", "high")]
    )
    assert sentence(answer) in (path.parent / "answer.html").read_text("utf-8")


def test_the_pages_of_the_document_are_those_that_are_stored():
    linked = re.findall(r'<a href="questions/([\w-]+)\.html">', TEXT)
    assert linked == [path.parent.name for path in ANSWERED]
