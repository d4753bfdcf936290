"""What the page of a question shows: the answer, the test look by look, what was learned, why, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Int
from numpy import ndarray

from experiments.analysis.learning_curves import FINAL_EVALUATIONS
from experiments.analysis.statistics import Interval
from experiments.commands.terminal import cell
from experiments.figures.question import draw_learning, draw_looks
from experiments.questions.asking import Asking, sentence
from experiments.questions.question import command
from experiments.report.pictures import Figure, figure
from experiments.report.tables import Table, hours_of, run_table

Curve = tuple[str, Int[ndarray, " evaluation"], Interval]


def question_content(asking: Asking, content: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the template of a question needs.

    Args:
        asking: The question, with one look or more.
        content: Its answer, as JSON holds it.
    """
    question, plan, looks = asking.question, asking.plan, content["looks"]
    curves, runs = asking.curves(), asking.stored()
    known = content["reference"]
    return {
        "title": question.title,
        "quoted": sentence(content),
        "facts": [
            ("agents", ", ".join(question.agents)),
            ("steps of a seed", question.steps),
            ("seeds of each agent", content["seeds"]),
            ("groups", f"{content['groups']} of {plan.groups} at most"),
            ("alpha", question.alpha),
            ("margin", "none" if plan.margin is None else plan.margin),
        ],
        "looks": figure("looks", "The test after each group", looks_in_words(looks),
                        lambda path: draw_looks(path, looks, plan.margin)),
        "look_table": Table(
            "The test after each group, in numbers",
            ("groups", "agent", "difference", "low", "high", "test", "bound", "answer"),
            [[look[key] for key in ("groups", "agent", "difference", "low", "high", "statistic", "bound", "answer")]
             for look in looks],
        ),
        "learning": learning_figure(curves, known),
        "final_from": int(curves[0][1][-FINAL_EVALUATIONS:][0]),
        "final": Table(
            "Final performance: mean of the last ten evaluations",
            ("agent", "mean", "seeds", "diverged"),
            [(agent, mean, content["seeds"], content["diverged"][agent])
             for agent, mean in content["means"].items()],
        ),
        "reasons": content["reasons"],
        "why": content["why"],
        "runs": run_table(runs),
        "hours": sum(hours_of(run) for _, run in runs),
        "command": command(question, plan),
    }  # fmt: skip


def looks_in_words(looks: Sequence[Mapping[str, Any]]) -> str:
    """What the picture of the test shows, for who cannot see it."""
    told = [
        f"After group {look['groups']} the difference of {look['agent']} and er is {cell(look['difference'])} "
        f"({_ends(look)}){_test(look)}: {look['answer']}."
        for look in looks
    ]
    return (
        "The difference of an agent and er after each group of seeds, its interval, and, where the test is of two "
        f"agents, the bounds beyond which one of them is better. {' '.join(told)}"
    )


def _test(look: Mapping[str, Any]) -> str:
    """Where the test of two agents stands."""
    if look["bound"] is None:
        return ""
    return f"; the test stands at {cell(look['statistic'])} and had to exceed {cell(look['bound'])}"


def learning_figure(curves: Sequence[Curve], reference: Mapping[str, float]) -> Figure:
    """Learning curves, and in words where they begin and end."""
    told = [
        f"{agent} goes from {cell(float(mean.estimate[0]))} at step {int(step[0]):,} to "
        f"{cell(float(mean.estimate[-1]))} (95 % interval {cell(float(mean.low[-1]))} to {cell(float(mean.high[-1]))}) "
        f"at step {int(step[-1]):,}."
        for agent, step, mean in curves
    ]
    told += [
        f"The {name} policy has {cell(reference[key])}."
        for key, name in (("optimal", "best"), ("uniform", "uniformly random"))
        if key in reference
    ]
    return figure(
        "learning",
        "Performance as they learn",
        f"Mean performance of the greedy policy with its 95 % interval over seeds. {' '.join(told)}",
        lambda path: draw_learning(path, curves, reference),
    )


def _ends(look: Mapping[str, Any]) -> str:
    if look["low"] is None or look["high"] is None:
        return "no interval yet"
    return f"between {cell(look['low'])} and {cell(look['high'])}"
