"""What observed transitions settle: `mbgen theorem identify`."""

from __future__ import annotations

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, progress, require_picture, table
from experiments.commands.theorem.arguments import Class, Gamma, load, true_model
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def identify(
    name: Class,
    /,
    *,
    truth: int | None = None,
    gamma: Gamma = None,
    samples: int = 1000,
    seed: int = 0,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many observed transitions of a true model settle its optimal actions, under H_M and under H_B.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        truth: The index of the true model; the gallery's own choice, else 0, unless given.
        gamma: Another discount than the class's own.
        samples: How many sets of observed pairs to draw of each size, where all are too many.
        seed: Of that sampling.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw the curves.
    """
    from theory import identify as identifiability_curves

    problem = load(name, gamma)
    require_picture(out)
    require_writable(json)
    if truth is None:
        truth = true_model(name, problem)
    with progress(f"observing {problem.name}") as report_progress:
        curves = identifiability_curves(
            problem, truth, samples=samples, seed=seed, progress=report_progress
        )
    rows = [
        (
            str(row.observed) + ("" if row.exact else f" (sampled, {row.subsets})"),
            row.model.hypotheses,
            row.bellman.hypotheses,
            row.model.policy,
            row.bellman.policy,
        )
        for row in curves.rows
    ]
    columns = ("observed pairs", "mean |H_M|", "mean |H_B|", "policy settled by H_M", "by H_B")
    if out is not None:
        from experiments.figures.version_spaces import draw_identifiability

        draw_identifiability(curves, out)
    write_json(curves, json)
    console(json).print(table(f"{problem.name}, true model {truth}", columns, rows))
    return 0
