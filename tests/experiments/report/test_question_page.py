"""The page that a question ends with: what was measured is on it, in numbers and in words."""

import re

import pytest

pytest.importorskip("jinja2", reason="needs the extra report")

from markupsafe import escape

from experiments.commands.terminal import cell
from experiments.questions.asking import sentence
from tests.experiments.report.html_reader import Reader


@pytest.fixture(scope="module")
def text(asked):
    return asked[1].read_text("utf-8")


def test_the_page_begins_with_the_sentence_that_can_be_quoted(asked, text):
    assert f'<p class="lead">{sentence(asked[0])}</p>' in text


def test_every_look_is_told_in_a_table_and_in_words_for_who_cannot_see_the_picture(asked, text):
    looks = asked[0]["looks"]
    assert [look["answer"] for look in looks] == ["undecided", "undecided", "model"]
    for look in looks:
        numbers = [cell(look[key]) for key in ("difference", "low", "high", "statistic", "bound")]
        difference, low, high, test, bound = numbers
        assert "".join(f'<td class="number">{number}</td>' for number in numbers) in text
        assert (
            f"After group {look['groups']} the difference of {look['agent']} and er is {difference} (between {low} and "
            f"{high}); the test stands at {test} and had to exceed {bound}: {look['answer']}."
        ) in text


def test_every_reason_is_there_with_what_was_measured(asked, text):
    for reason in asked[0]["reasons"]:
        row = f'<th scope="row">{escape(reason["what"])}</th><td>{cell(reason["holds"])}</td>'
        assert row in text


def test_it_is_said_from_which_step_on_performance_is_final(text):
    assert "here those from step 150 on" in text  # of ten evaluations, all


def test_the_cost_is_that_of_the_groups_that_were_looked_at_and_of_what_says_why(text):
    assert "10 runs took 5 hours of their processes" in text
    assert text.count("<td>an abacus</td>") == 10


def test_the_page_is_whole_and_asks_for_no_address(text):
    reader = Reader(text)
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert not re.findall(r"""(?:src|href)=["'](?!\#|data:)[^"']*""", text)
