"""What the evidence says so far, as a page of Markdown: from the ledger, never typed (`mbgen claims --out FILE.md`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from os.path import relpath
from pathlib import Path

from experiments.commands.terminal import interval_cell
from experiments.exact.claims import ExactEntry
from experiments.ledger import Entry

HEAD = """# What the evidence says so far

*Made by `mbgen claims --out` from what is stored in the folder of results.*

A claim is *confirmed* if the whole 95 % interval of every effect that it comes down to lies on the claimed side of
zero, *contradicted* if that of one lies on the other side, and *open* otherwise or while runs are missing. Rules and
seeds were fixed before the runs. An effect is how far something lies above zero, or above the level that the claim
names: where seeds are counted, 0.5 says that all of them are right, and not half. Comparisons that are made together,
as of all cells of a maze, have intervals that hold at once, which are wider. For an open claim the last column says
with how many seeds, about, it would be decided with a probability of 80 %, if effects and spreads are as they look;
where it is empty no number is known to be enough. Each scale stands for itself. Figures are numbered as in the
paper's first version on arXiv; the version at ICML begins with one more, about the theorem.
"""

IN_THE_PAPER = {
    "maze-coverage": (
        "Figure 1 of the paper: DQN and the simple model with rollouts of 1 and of 10 steps learn from four "
        "datasets of a 3x3 maze, 30 seeds each. DQN fails unless it has all evaluation data, one-step "
        "rollouts need the path to the goal, ten steps need one cell, and nobody succeeds without any."
    ),
    "online": (
        "Figure 3 of the paper: final performance of the five agents by size of the environment, in high data "
        "(1,000,000 steps, as many updates) and low data (100,000 steps with ten updates each), 30 seeds. On "
        "ProcMaze and ButtonGrid the simple and the categorical model end above ER once the environment is "
        "complex enough, the Gaussian one is poor. The simple model's lead is larger in low data, where the "
        "categorical one falls back. On large PanFlutes the simple and the Gaussian model end above the "
        "perfect one."
    ),
    "smoothing": (
        "Figure 4, left, of the paper: on 9-pipe PanFlute the simple and the Gaussian model expect a reward "
        "that rises smoothly with the number of active ends, where the true one is 0 up to the last; the "
        "Gaussian model also expects that all ends become active where only most will."
    ),
    "frozen-model": (
        "Figure 4, right, of the paper: a value function learns fastest on a simple model that was frozen at "
        "an intermediate moment; with early and late ones more of the 30 seeds never come near the optimum. "
        "The reward expected at six active ends falls all along the model's training."
    ),
}
"""What the paper's figures show, in our words, by the study that draws ours."""


def evidence_page(
    exact: Sequence[ExactEntry],
    entries: Sequence[Entry],
    page: Path | None = None,
    pictures: Path | None = None,
) -> str:
    """The whole ledger, study by study, with the comparison that each verdict hangs on.

    Args:
        exact: Claims that are decided exactly.
        entries: Claims with their evidence.
        page: Where the page will lie.
        pictures: A folder; of its pictures `STUDY-desk.png` the page shows those of its studies.
    """
    return "\n".join([HEAD, *_page(exact, entries, page, pictures)]) + "\n"


def _page(
    exact: Sequence[ExactEntry],
    entries: Sequence[Entry],
    page: Path | None,
    pictures: Path | None,
) -> Iterator[str]:
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
            (
                "claim",
                "statement",
                "scale",
                "verdict",
                "hangs on",
                "effect",
                "seeds",
                "needed",
            ),
            [_row(entry) for entry in own],
        )
        if study in IN_THE_PAPER:
            yield f"\n{IN_THE_PAPER[study]}"
        if page and pictures and (picture := pictures / f"{study}-desk.png").exists():
            title = own[0].study.title
            yield f"\n![{title}, at desk scale]({Path(relpath(picture, page.parent)).as_posix()})"


def _row(entry: Entry) -> tuple[str, ...]:
    words = entry.verdict_in_words.replace(entry.verdict, f"**{entry.verdict}**", 1)
    head = (entry.claim.id, entry.claim.statement, entry.scale or "none", words)
    on = entry.deciding
    if on is None:
        return (*head, entry.undecided, "", "", "")
    interval = interval_cell(on.effect, on.low, on.high)
    needed = "" if entry.seeds_to_decide is None else f"{entry.seeds_to_decide:,}"
    return (*head, on.label, interval, str(on.seeds), needed)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(value.replace('|', chr(92) + '|') for value in row)} |"
