"""Where in gamma the answer changes: `mbgen theorem discount`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, progress, require_picture, table
from experiments.commands.theorem.arguments import Class, load
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from theory.discount.discount_strata import Stratum


def discount(name: Class, /, *, json: Json = None, out: Picture = None) -> int:
    """The values of gamma in (0, 1) at which the structure of a class changes, exactly.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID; its own discount plays no part.
        json: Write the strata as JSON; "-" is standard output.
        out: Draw |H_Q| along gamma.
    """
    from theory import find_strata

    problem = load(name, "1/2")  # any will do
    require_picture(out)
    require_writable(json)
    with progress(f"following {problem.name} through gamma") as report_progress:
        strata = find_strata(problem, report_progress)
    rows = [
        (
            _stratum_name(stratum),
            stratum.sample or "-",
            stratum.value_functions,
            stratum.strict,
            stratum.part3_functional,
            ", ".join(stratum.changes) or "-",
        )
        for stratum in strata.strata
    ]
    columns = ("gamma", "sample", "|H_Q|", "2: proper", "3: equal", "changes")
    values = "policy values" if problem.transitions.options is None else "policies followed"
    title = f"{strata.name}: {strata.policy_values} {values}, meeting at {strata.candidates} gammas"
    if out is not None:
        from experiments.figures.discount_strata import draw_strata

        draw_strata(strata, out)
    write_json(strata, json)
    console(json).print(table(title, columns, rows))
    return 0


def _stratum_name(stratum: Stratum) -> str:
    lower, upper = stratum.lower, stratum.upper
    if stratum.kind == "interval":
        return f"{lower.approximation:.6g} to {upper.approximation:.6g}"
    return f"= {lower.closed_form or lower.minimal_polynomial}"
