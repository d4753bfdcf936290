"""What `mbgen ask` tells: its plan, each look and the answer in a terminal, and the page."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from experiments.commands.sweep_progress import in_words
from experiments.commands.terminal import cell, facts, table
from experiments.questions.asking import Asking, sentence, what_can_be_decided
from experiments.questions.question import PAGE, Plan, Question
from experiments.storage.whole_files import write_text

if TYPE_CHECKING:
    from rich.console import Console


def show_plan(screen: Console, question: Question, plan: Plan) -> None:
    """What is asked, and what was fixed beforehand."""
    smallest = what_can_be_decided(question, plan)
    seconds = plan.group_seconds
    screen.print(
        facts(
            f"mbgen ask: {question.title}",
            [
                ("agents", ", ".join(question.agents)),
                ("steps of a seed", question.steps),
                (
                    "seeds",
                    f"{question.seeds} of each agent in a group, {plan.groups} groups at most",
                ),
                ("a group takes, about", "-" if seconds is None else in_words(seconds)),
                ("all groups, about", "-" if seconds is None else in_words(seconds * plan.groups)),
                ("a difference that does not matter", plan.margin),
                ("spread of a seed, early in learning", plan.spread),
                ("then found with 80 % power: a difference of", smallest),
            ],
        )
    )


def show_answer(screen: Console, content: Mapping[str, Any]) -> None:
    """Each look, the reasons, and the answer."""
    if content["looks"]:
        columns = ("group", "difference", "low", "high", "test", "bound", "answer")
        screen.print(
            table(
                "After each group",
                columns,
                [
                    (
                        f"{look['groups']}, {look['agent']}", look["difference"], look["low"], look["high"],
                        look["statistic"], look["bound"], look["answer"],
                    )
                    for look in content["looks"]
                ],
            ),
            table(
                "Why",
                ("ingredient", "measured", "there"),
                [(r["what"], r["finding"], cell(r["holds"])) for r in content["reasons"]],
            ),
        )  # fmt: skip
        screen.print(content["why"])
        for agent, count in content["diverged"].items():
            if count:
                screen.print(
                    f"{count} seeds of {agent} diverged, and count with the worst they had."
                )
    screen.print("", sentence(content))


def write_page(asking: Asking, content: Mapping[str, Any]) -> None:
    """The page of the answer, once there is a look to show."""
    if not content["looks"]:
        return
    if find_spec("jinja2") is None:
        print(
            f"mbgen: {PAGE} needs jinja2: pip install '.[report]' in the source tree; the same command then writes it",
            file=sys.stderr,
        )
        return
    from experiments.report.pages import render
    from experiments.report.question import question_content

    page = render("question.html", **question_content(asking, content))
    write_text(asking.out / PAGE, page)
