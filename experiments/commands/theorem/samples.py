"""What samples settle: `mbgen theorem samples`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import cell, console, progress, require_picture, table
from experiments.commands.theorem.arguments import Class, Gamma, allowance_of, load, true_model
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from theory.criteria.sample_curves import SampledLeft, Share


def samples(
    name: Class,
    /,
    *,
    truth: int | None = None,
    allow: Annotated[
        Literal["support", "likelihood"], tyro.conf.arg(metavar="support|likelihood")
    ] = "support",
    threshold: Annotated[str | None, tyro.conf.arg(metavar="NUMBER")] = None,
    most: int = 20,
    draws: int = 1000,
    seed: int = 0,
    start: int | None = None,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many observations of every pair, or steps of episodes, settle an optimal policy: these are samples.

    Beside a class that is not all choices of its options stands the class of all choices, for which H_M = H_B.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        truth: The index of the true model; the gallery's own choice, else 0, unless given.
        allow: Whether samples allow every option under which they are possible, or those under which they are likely
            enough.
        threshold: With likelihood: the least likelihood of a pair's samples, as a share of the likeliest option's.
        most: The largest number of observations of each pair, or of steps.
        draws: How many outcomes to draw, where all are too many.
        seed: Of the draws.
        start: In place of observing every pair equally often, follow uniformly random actions from this state; an
            episode that ends begins anew there.
        gamma: Another discount than the class's own.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw them.
    """
    from theory import sample_curves

    problem = load(name, gamma)
    require_picture(out)
    require_writable(json)
    allowance = allowance_of(allow, threshold)
    if truth is None:
        truth = true_model(name, problem)
    with progress(f"observing {problem.name}") as report_progress:
        curves = sample_curves(
            problem,
            truth,
            allowance,
            most=most,
            draws=draws,
            seed=seed,
            start=start,
            progress=report_progress,
        )
    if out is not None:
        from experiments.figures.samples import draw_samples

        draw_samples(curves, out)
    write_json(curves, json)
    by_product = {row.observations: row for row in curves.product}
    rows = []
    for row in curves.rows:
        shares = [row.model.settled, row.bellman.settled, row.ruled_out]
        if row.observations in by_product:
            shares.insert(2, by_product[row.observations].bellman.settled)
        rows.append(
            (
                str(row.observations) + ("" if row.exact else f" ({row.draws} draws)"),
                *(_mean_text(left) for left in (row.model, row.bellman)),
                *(_share_text(share) for share in shares),
            )
        )
    columns = (
        *("observations of each pair" if start is None else "steps", "mean |H_M|", "mean |H_B|"),
        *("policy settled by H_M", "by H_B"),
        *(("all choices",) if by_product else ()),
        "truth ruled out",
    )
    console(json).print(table(f"{problem.name}, true model {truth}", columns, rows))
    return 0


def _mean_text(left: SampledLeft) -> str:
    """The mean number of q; with its standard error where it was sampled."""
    mean = cell(left.hypotheses)
    return mean if not left.standard_error else f"{mean} ± {left.standard_error:.2g}"


def _share_text(share: Share) -> str:
    """A share; with its interval where it was sampled."""
    if share.low == share.high:
        return cell(share.share)
    return f"{share.share:.3f} ({share.low:.3f} to {share.high:.3f})"
