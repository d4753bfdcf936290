"""Every claim with its evidence and verdict: `mbgen claims`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.analysis.claims import Verdict
from experiments.commands.arguments import Json, require_results
from experiments.commands.terminal import console, facts, interval_cell, table
from experiments.evidence import evidence_page
from experiments.exact.claims import SCALE, STUDY, ExactEntry, exact_entries
from experiments.ledger import Entry, ledger
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable, write_text

VERDICTS: tuple[Verdict, ...] = ("confirmed", "contradicted", "open")


def claims(
    *,
    results: Path = Path("results"),
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.md")] = None,
    pictures: Path | None = None,
    json: Json = None,
) -> int:
    """Every claim with its evidence, its verdict by a rule fixed beforehand, and that after Holm's correction.

    The correction is over the claims of a study. Each scale stands for itself. What is decided exactly needs neither.

    Args:
        results: Folder of the results, with a folder for each scale.
        out: Write the claims as a page of Markdown.
        pictures: With --out: show the studies' pictures in this folder, each called STUDY-desk.png.
        json: Write the claims with all their comparisons as JSON; "-" is standard output.
    """
    require_results(results)
    if pictures is not None and out is None:
        raise ValueError(f"pictures is {pictures}; accepted with --out alone")
    if pictures is not None and not pictures.is_dir():
        raise ValueError(f"there is no folder {pictures}; accepted: a folder of pictures")
    require_writable(out, json)
    exact, entries = exact_entries(results), ledger(results)
    screen = console(json)
    screen.print(
        table(
            "Theorem 1, replay and planning: decided exactly",
            ("claim", "verdict", "gone through"),
            [(entry.claim.id, entry.verdict, entry.evidence) for entry in exact],
        )
    )
    columns = (
        "claim",
        "scale",
        "verdict",
        "hangs on",
        "seeds",
        "effect [interval]",
        "needed",
    )
    screen.print(
        table("Claims: each says that an effect is above zero", columns, list(map(_row, entries)))
    )
    counts = Counter([*(entry.verdict for entry in exact), *(entry.verdict for entry in entries)])
    screen.print(facts("In all", [(name, counts[name]) for name in VERDICTS]))
    if out is not None:
        page = evidence_page(exact, entries, out, pictures)
        write_text(out, page)
        screen.print(f"  {out}")
    told = [*map(exact_content, exact), *map(content, entries)]
    write_json({"claims": told}, json)
    return 0


def _row(entry: Entry) -> tuple[object, ...]:
    head = (entry.claim.id, entry.scale or "-", entry.verdict_in_words)
    on = entry.deciding
    if on is not None:
        interval = interval_cell(on.effect, on.low, on.high)
        return (*head, on.label, on.seeds, interval, entry.seeds_to_decide)
    return (*head, entry.undecided, None, None, None)


def content(entry: Entry) -> dict[str, Any]:
    """What a program is told; numbers are those of the comparison that the verdict hangs on."""
    on, there = entry.deciding, entry.results
    return {
        "id": entry.claim.id,
        "study": entry.study.name,
        "statement": entry.claim.statement,
        "source": entry.claim.source,
        "scale": entry.scale,
        "verdict": entry.verdict,
        "verdict_holm": entry.verdict_holm,
        "p_value": entry.p_value,
        "seeds": None if on is None else on.seeds,
        "effect": None if on is None else on.effect,
        "low": None if on is None else on.low,
        "high": None if on is None else on.high,
        "seeds_to_decide": entry.seeds_to_decide,
        "comparisons": [each._asdict() | {"verdict": each.verdict} for each in entry.comparisons],
        "runs": None
        if there is None
        else {"finished": len(there.stored), "planned": len(there.planned)},
        "commit": [] if there is None else there.provenance.get("commit", []),
        "provenance": {} if there is None else there.provenance,
    }


def exact_content(entry: ExactEntry) -> dict[str, Any]:
    """Likewise of what is decided exactly, which has no interval."""
    commit = entry.provenance.get("commit")
    return {
        "id": entry.claim.id,
        "study": STUDY,
        "statement": entry.claim.statement,
        "source": entry.claim.source,
        "scale": SCALE if entry.checks else None,
        "verdict": entry.verdict,
        "verdict_holm": entry.verdict,
        **dict.fromkeys(("p_value", "seeds", "effect", "low", "high", "seeds_to_decide")),
        "checks": [check._asdict() for check in entry.checks],
        "missing": entry.missing if not entry.checks else "",
        "commit": [commit] if entry.checks and commit else [],
        "provenance": dict(entry.provenance) if entry.checks else {},
    }
