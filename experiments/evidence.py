"""What the evidence says so far, as a page of Markdown: from the ledger, never typed (`mbgen claims --out FILE.md`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan

from experiments.commands.terminal import cell
from experiments.exact.claims import ExactEntry
from experiments.ledger import Entry

HEAD = """# What the evidence says so far

*Made by `mbgen claims --out` from what is stored in the folder of results.*

A claim is *confirmed* if the whole 95 % interval of every effect that it comes down to lies on the claimed side of
zero, *contradicted* if that of one lies on the other side, and *open* otherwise or while runs are missing. Rules and
seeds were fixed before the runs. Each scale stands for itself. Figures are numbered as in the paper's first version on
arXiv; the version at ICML begins with one more, about the theorem.
"""


def evidence_page(exact: Sequence[ExactEntry], entries: Sequence[Entry]) -> str:
    """The whole ledger, study by study, with the comparison that each verdict hangs on."""
    return "\n".join([HEAD, *_page(exact, entries)]) + "\n"


def _page(exact: Sequence[ExactEntry], entries: Sequence[Entry]) -> Iterator[str]:
    counts = Counter([*(each.verdict for each in exact), *(each.verdict for each in entries)])
    yield f"{counts['confirmed']} confirmed, {counts['contradicted']} contradicted, {counts['open']} open.\n"
    yield "## Theorem 1, replay and planning: exactly\n"
    yield from _table(
        ("claim", "statement", "verdict", "gone through"),
        [
            (each.claim.id, each.claim.statement, f"**{each.verdict}**", each.evidence)
            for each in exact
        ],
    )
    for study in dict.fromkeys(entry.study.name for entry in entries):
        own = [entry for entry in entries if entry.study.name == study]
        yield f"\n## {own[0].study.title} ({own[0].study.source})\n"
        yield from _table(
            ("claim", "statement", "scale", "verdict", "hangs on", "effect", "seeds"),
            [_row(entry) for entry in own],
        )


def _row(entry: Entry) -> tuple[str, ...]:
    word = f"**{entry.verdict}**"
    if entry.verdict_holm != entry.verdict:
        word += ", open with Holm's correction"
    head = (entry.claim.id, entry.claim.statement, entry.scale or "none", word)
    on = entry.deciding
    if on is None:
        missing = [each.label for each in entry.comparisons if isnan(each.effect)]
        why = f"runs are missing: {', '.join(missing)}" if missing else "nothing has been run"
        return (*head, why, "", "")
    interval = f"{cell(on.effect)} [{cell(on.low)}, {cell(on.high)}]"
    return (*head, on.label, interval, str(on.seeds))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(value.replace('|', chr(92) + '|') for value in row)} |"
