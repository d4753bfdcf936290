"""Many rewards against one model: `mbgen theorem rewards`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, progress, require_picture, table
from experiments.commands.theorem.arguments import Class, Gamma, load
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def rewards(
    name: Class,
    /,
    *,
    family: Annotated[str, tyro.conf.arg(metavar="goals|random|FILE")] = "goals",
    count: int | None = None,
    most: int = 4,
    samples: int = 200,
    seed: int = 0,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many reward functions it takes until value functions know what a model knows.

    Exit status 1 if no set of rewards was found that closes the gap.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID; its own rewards are always known.
        family: The rewards to add: a goal at every pair, random integers from -2 to 2, or a JSON file with a list of
            reward tables.
        count: How many random ones; 8 if not given.
        most: Add up to so many at once; the family's size, if that is less.
        samples: How many sets of one size to draw, where all are too many.
        seed: Of the random rewards and of that sampling.
        gamma: Another discount than the class's own.
        json: Write the curve as JSON; "-" is standard output.
        out: Draw it.
    """
    from theory import gap_by_rewards, goal_rewards, load_reward_family, random_rewards

    problem = load(name, gamma)
    require_picture(out)
    require_writable(json)
    if count is not None and family != "random":
        raise ValueError(f"--count is of random rewards, got --family {family}")
    if most < 0:
        raise ValueError(f"--most is {most}; accepted: 0 or more")
    if family == "goals":
        added = goal_rewards(problem)
    elif family == "random":
        added = random_rewards(problem, 8 if count is None else count, seed)
    elif Path(family).exists():
        added = load_reward_family(Path(family), problem)
    else:
        raise ValueError(f"family is {family!r}; accepted: goals, random, or a file")
    with progress(f"adding rewards to {problem.name}") as report_progress:
        report = gap_by_rewards(
            problem,
            added,
            most=min(most, len(added)),
            samples=samples,
            seed=seed,
            progress=report_progress,
        )
    rows = [
        (
            str(row.added) + ("" if row.exact else " (sampled)"),
            row.sets,
            row.closed,
            row.least,
            row.mean,
            row.most,
        )
        for row in report.rows
    ]
    columns = ("rewards added", "sets", "without a gap", "least gap", "mean gap", "largest gap")
    if out is not None:
        from experiments.figures.several_rewards import draw_gap

        draw_gap(report, out)
    write_json(report, json)
    screen = console(json)
    title = f"{report.name}, gamma = {report.gamma}: gap in pairs of models, out of {report.models**2:,}"
    screen.print(table(title, columns, rows))
    if report.smallest is not None:
        known = "a smallest set" if report.proved_smallest else "the smallest set met"
        screen.print(f"{known} without a gap: {', '.join(report.smallest) or 'none is needed'}")
        return 0
    screen.print("no set has no gap" if report.proved_smallest else "no set without a gap was met")
    return 1
