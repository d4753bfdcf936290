"""What a study found so far: its table, its claims, its figure. `mbgen sweep` runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.analysis.claims import Claim, Comparison, verdict
from experiments.commands.arguments import Json, require_results
from experiments.commands.terminal import console, facts, require_picture, table
from experiments.runs.lane_settings import require_one_of
from experiments.runs.scales import SCALES
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.studies.registry import STUDIES
from experiments.studies.results import Results, results_of
from experiments.studies.study import Study

if TYPE_CHECKING:
    from rich.console import Console


def study(
    name: str,
    /,
    *,
    scale: str = "desk",
    results: Path = Path("results"),
    out: tuple[Path, ...] = (),
    curves: tuple[Path, ...] = (),
    json: Json = None,
) -> int:
    """What a study found so far: a table of its cells, its claims with their verdicts, its figure.

    Runs that have not finished are missing in it; `mbgen sweep SCALE --study NAME` carries them out. Exit status 1,
    and no picture, if none has finished.

    Args:
        name: Of the study.
        scale: smoke, desk or paper.
        results: Folder of the results, with a folder for each scale.
        out: Where to draw the study's figure: FILE.png, .svg or .pdf, one or more.
        curves: Where to draw its learning curves, likewise.
        json: Write table, claims and provenance as JSON; "-" is standard output.
    """
    require_one_of("scale", scale, SCALES)
    for path in (*out, *curves):
        require_picture(path)
    require_writable(json)
    require_results(results)
    chosen = STUDIES[name]
    if curves and chosen.curves is None:
        raise ValueError(f"{name} draws no learning curves; accepted: --out for its figure")
    there = results_of(chosen, scale, results)  # type: ignore[arg-type]
    found = chosen.analyse([run.settings for run in there.planned], there.stored)
    decided = [(claim, claim.compare(found)) for claim in chosen.claims]
    screen = console(json)
    columns, rows = chosen.rows(found)
    known = [row for row in rows if any(isinstance(value, float) for value in row)]
    screen.print(table(f"{chosen.title} ({chosen.source}), scale {scale}", columns, known))
    across_columns, across_rows = chosen.across(found) if chosen.across else ((), ())
    if across_rows:
        title = (
            "Over the tasks whose agents have all finished, of agents that are planned on each; "
            "0 is random, 1 the best; bootstrap"
        )
        screen.print(table(title, across_columns, across_rows))
    _show_claims(screen, decided)
    screen.print(facts("Runs", _standing(there)))
    for path, draw in _pictures(chosen, out, curves) if there.stored else ():
        draw(found, path)
        screen.print(f"  {path}")
    content = {
        "study": chosen.name,
        "title": chosen.title,
        "source": chosen.source,
        "scale": scale,
        "why": chosen.scales[scale],  # type: ignore[index]
        "runs": there.states,
        "provenance": there.provenance,
        "cells": [dict(zip(columns, row, strict=True)) for row in rows],
        "across_tasks": [dict(zip(across_columns, row, strict=True)) for row in across_rows],
        "claims": [_claim_json(claim, comparisons) for claim, comparisons in decided],
    }
    write_json(content, json)
    return 0 if there.stored else 1


def _pictures(
    chosen: Study, out: Sequence[Path], curves: Sequence[Path]
) -> list[tuple[Path, Callable[[Any, Path], None]]]:
    found = [(path, chosen.draw) for path in out]
    if chosen.curves is not None:
        found += [(path, chosen.curves) for path in curves]
    return found


def _show_claims(screen: Console, decided: Sequence[tuple[Claim, Sequence[Comparison]]]) -> None:
    rows: list[tuple[object, ...]] = []
    for claim, comparisons in decided:
        for number, each in enumerate(
            comparisons or [Comparison("nothing is planned at this scale")]
        ):
            first = number == 0
            rows.append(
                (
                    claim.id if first else "", verdict(comparisons) if first else "", each.label,
                    each.seeds or None, each.effect, each.low, each.high,
                )
            )  # fmt: skip
    if rows:
        columns = ("claim", "verdict", "comparison", "seeds", "effect", "low", "high")
        screen.print(table("Claims: the effect is claimed to be above zero", columns, rows))


def _standing(there: Results) -> list[tuple[str, object]]:
    told: list[tuple[str, object]] = [
        ("finished", len(there.stored)),
        ("planned", len(there.planned)),
    ]
    for state in ("running", "cut short", "not begun", "older version"):
        if ids := there.ids(state):
            more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
            told.append((state, ", ".join(ids[:3]) + more))
    for name, values in there.provenance.items():
        told.append((name, ", ".join(str(value) for value in values)))
    return told


def _claim_json(claim: Claim, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "verdict": verdict(comparisons),
        "comparisons": [each._asdict() | {"verdict": each.verdict} for each in comparisons],
    }
