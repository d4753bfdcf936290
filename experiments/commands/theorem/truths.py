"""What data settle over every true model: `mbgen theorem truths`."""

from __future__ import annotations

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import cell, console, progress, require_picture, table
from experiments.commands.theorem.arguments import Class, Gamma, load
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def truths(
    name: Class,
    /,
    *,
    start: int = 0,
    steps: int | None = None,
    samples: int = 1000,
    seed: int = 0,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How much data settle an optimal policy, over every true model of a class: the mean and the worst of them.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        start: The state where trajectories begin.
        steps: How long they are; twice the number of state-action pairs unless given.
        samples: How many truths and sets of pairs to draw, where all are too many.
        seed: Of that sampling.
        gamma: Another discount than the class's own.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw them.
    """
    from theory import over_all_truths

    problem = load(name, gamma)
    require_picture(out)
    require_writable(json)
    with progress(f"observing all of {problem.name}") as report_progress:
        report = over_all_truths(
            problem, start=start, steps=steps, samples=samples, seed=seed, progress=report_progress
        )
    if out is not None:
        from experiments.figures.all_truths import draw_truths

        draw_truths(report, out)
    write_json(report, json)
    screen = console(json)
    walked, every = report.trajectories_exact, f"over all {report.models:,} truths"
    walks = every if walked >= 0 else "over sampled truths"
    if 0 <= walked < len(report.trajectories) - 1:
        walks += f", over sampled walks after {walked} steps"
    sets = every if report.subsets_exact else "over sampled truths"
    start_name = problem.state_name(start)
    for title, amount, rows in (
        (f"Uniform sets of pairs, {sets}", "observed pairs", report.subsets),
        (f"Random actions from {start_name}, {walks}", "steps", report.trajectories),
    ):
        columns = (
            *(amount, "mean |H_M|", "worst", "mean |H_B|", "worst"),
            *("policy settled by H_M", "least", "by H_B", "least"),
        )
        lines = [
            (
                row.amount,
                *(row.model.mean, row.model.worst, row.bellman.mean, row.bellman.worst),
                *(row.model.settled, row.model.least_settled),
                *(row.bellman.settled, row.bellman.least_settled),
            )
            for row in rows
        ]
        screen.print(table(title, columns, [tuple(map(cell, row)) for row in lines]))
    trees = report.queries
    if trees is None:
        screen.print("the class has too many datasets for its query trees")
    else:
        screen.print(
            table(
                "Queries chosen in view of the answers, until a policy is settled",
                ("", "H_M", "H_B"),
                [
                    ("best tree for the worst truth", trees.worst_model, trees.worst_bellman),
                    ("best tree in the mean", trees.mean_model, trees.mean_bellman),
                ],
            )
        )
    return 0
