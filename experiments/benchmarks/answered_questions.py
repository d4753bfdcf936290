"""How far the answers of `mbgen ask` can be trusted: simulated questions whose truth is known."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from experiments.analysis.sequential import Design
from experiments.analysis.sequential_validity import (
    DISTRIBUTIONS,
    Rate,
    family_wise_level,
    level,
    level_at_margin,
    package_level,
    peeking_level,
    power,
    standardized,
)
from experiments.benchmarks.measurement import require_positive
from experiments.commands.arguments import Json
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

DIFFERENCES = (0.25, 0.5, 0.75, 1.0, 1.5)
"""Of the power curves, in standard deviations of a seed's score."""

MARGIN = 0.75
"""In the same unit, of the questions whose agents differ by the margin."""

SPREADS = (1.0, 3.0)
"""Of two agents with one mean: there the test is not exact, but nearly right."""

LEAD = 2.0
"""In the same unit, of the third agent that is better than two equal ones."""


PACKAGE = "adastop"
PACKAGE_QUESTIONS = 500
"""At most: it takes a third of a second for each."""


def bench_ask(
    *,
    questions: int = 2_000,
    groups: int = 6,
    seeds: int = 5,
    alpha: float = 0.05,
    json: Json = None,
) -> int:
    """How often `mbgen ask` answers falsely, by what ends the question, and how often it finds a difference.

    Beside it: Welch's test made after each group, and the package adastop where that is installed.
    Exit status 1 if false answers are surely more frequent than alpha where the test is exact.

    Args:
        questions: Simulated for each line.
        groups: Of seeds, at most.
        seeds: Of each agent in a group.
        alpha: Probability of a false answer, at most.
        json: Write the figures as JSON; "-" is standard output.
    """
    require_positive(questions=questions, groups=groups, seeds=seeds)
    require_writable(json)
    design = Design(groups, alpha)
    near = Design(groups, alpha, MARGIN)
    screen = console(json)
    levels: list[tuple[str, str, dict[str, Rate]]] = []
    powers = {}
    works = 2 * len(DISTRIBUTIONS) + 2 * len(DIFFERENCES) + 2
    with progress("simulating questions") as report:
        for name, draw in DISTRIBUTIONS.items():
            levels.append((name, "no difference", level(draw, questions, design, seeds=seeds)))
            report(len(levels) / works)
            found = level_at_margin(standardized(draw), questions, near, seeds=seeds)
            levels.append((name, "a difference of the margin", found))
            report(len(levels) / works)
        uneven = level(DISTRIBUTIONS["normal"], questions, design, seeds=seeds, spreads=SPREADS)
        third = family_wise_level(
            standardized(DISTRIBUTIONS["normal"]), questions, design, lead=LEAD, seeds=seeds
        )
        levels.append(("normal", "two equal agents and a better one", {"all groups": third}))
        exact = [found for *_, rates in levels for found in rates.values()]
        levels.append(("normal", "one mean, one spread thrice the other (not exact)", uneven))
        others = _others(questions, design, seeds)
        for name in ("normal", "bimodal"):
            powers[name] = power(DISTRIBUTIONS[name], DIFFERENCES, questions, design, seeds=seeds)
            report((len(levels) + len(powers) * len(DIFFERENCES)) / works)
    screen.print(
        table(
            f"False answers, of {questions:,} questions with {groups} groups of {seeds} seeds: alpha is {alpha:g}",
            ("scores", "truth", "ended by", "share", "low", "high"),
            [
                (name, truth, rule, found.share, found.low, found.high)
                for name, truth, rates in levels
                for rule, found in rates.items()
            ],
        ),
        table(
            "Other tests, of equal agents whose scores are normal",
            ("test", "questions", "false answers", "low", "high"),
            [(name, r.questions, r.share, r.low, r.high) for name, r in others.items()],
        ),
        table(
            "Differences found, in standard deviations of a score, beside Welch's test of all seeds at once",
            ("scores", "difference", "found", "seeds", "by Welch", "of seeds"),
            [
                (name, p.difference, p.found.share, p.seeds, p.welch.share, p.welch_seeds)
                for name, curve in powers.items()
                for p in curve
            ],
        ),
        "low, high: ends of the exact 95 % interval of the share. seeds: of each agent, on average, until the answer.",
    )
    content: dict[str, Any] = {
        "questions": questions,
        "groups": groups,
        "seeds": seeds,
        "alpha": alpha,
        "margin": MARGIN,
        "levels": [
            {"scores": name, "truth": truth, "rule": rule, "share": found.share, **found._asdict()}
            for name, truth, rates in levels
            for rule, found in rates.items()
        ],
        "others": [
            {"test": name, "share": found.share, **found._asdict()}
            for name, found in others.items()
        ],
        "power": [
            {
                "scores": name,
                "difference": p.difference,
                "found": p.found.share,
                "seeds": p.seeds,
                "welch": p.welch.share,
                "welch_seeds": p.welch_seeds,
            }
            for name, curve in powers.items()
            for p in curve
        ],
    }
    write_json(content, json)
    return int(any(found.low > alpha for found in exact))


def _others(questions: int, design: Design, seeds: int) -> dict[str, Rate]:
    draw = DISTRIBUTIONS["normal"]
    found = {"Welch's test after each group": peeking_level(draw, questions, design, seeds=seeds)}
    if find_spec(PACKAGE) is not None:
        asked = min(questions, PACKAGE_QUESTIONS)
        name = f"{PACKAGE} {version(PACKAGE)}"
        found[name] = package_level(draw, asked, design, seeds=seeds)
    return found
