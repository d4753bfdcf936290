"""What the report shows: the ledger, and each study's figure, table and provenance, from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from experiments.analysis.claims import Comparison, Verdict
from experiments.analysis.interval_coverage import Coverage
from experiments.exact.claims import SCALE, STUDY, ExactEntry, exact_entries
from experiments.ledger import DECIDING, Entry, ledger
from experiments.report.explorer import explorer_content
from experiments.report.pictures import Figure, figure
from experiments.report.tables import Table, run_table
from experiments.runs.scales import ScaleName
from experiments.runs.stored_run import StoredRun
from experiments.storage.json_files import read_json
from experiments.studies.registry import STUDIES
from experiments.studies.results import Results, results_of
from experiments.studies.study import Study

EXPLORED = (
    "push-tree", "push-tree-independent", "smallest-witness", "smallest-decision", "golden-discount",
    "binary-factors-2", "tabular-2x2-sparse", "tabular-3x2-sparse",
)  # fmt: skip
"""Classes of the gallery that the report's explorer has."""

Say = Callable[[float, str], object]
"""Told the fraction done, and with what it goes on."""

INTERVALS = "intervals.json"


class Glyph(NamedTuple):
    """An interval beside zero, in a box from 0 to 100 with zero in the middle."""

    low: float
    high: float
    effect: float


class ClaimRow(NamedTuple):
    """A claim as the list shows it.

    Attributes:
        anchor: Unique in the page.
        id: Of the claim.
        statement: What is claimed.
        source: Where.
        study: That decides it.
        scale: Of the evidence; "none" without.
        verdict: By its rule.
        verdict_holm: With Holm's correction; None where it is not needed.
        label: What the verdict hangs on, or what is missing.
        comparison: The same with its numbers; None if runs are missing.
        glyph: Its interval; None if it is unbounded or missing.
        needed: Seeds that would decide it, about; None where it is decided, or none are known to be enough.
    """

    anchor: str
    id: str
    statement: str
    source: str
    study: str
    scale: str
    verdict: Verdict
    verdict_holm: Verdict | None
    label: str
    comparison: Comparison | None
    glyph: Glyph | None
    needed: int | None


@dataclass(frozen=True)
class StudyPart:
    """A study at a scale, with at least one finished run.

    Attributes:
        study: The study.
        scale: Of its runs.
        why: What is run at that scale, and why.
        results: Its runs.
        figures: Its figure, and its learning curves.
        tables: The data behind the figure, its agents over all tasks, and the comparisons of its claims.
        runs: A row for each finished run: where it was made, and how long it took.
        provenance: The commits, machines and precisions that took part.
        commands: That make it again.
    """

    study: Study
    scale: ScaleName
    why: str
    results: Results
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    runs: Table
    provenance: Sequence[tuple[str, str]]
    commands: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Of its section."""
        return f"{self.study.name}-{self.scale}"


class Missing(NamedTuple):
    """Runs of a study that have not finished."""

    title: str
    scale: str
    finished: int
    planned: int
    names: Sequence[str]


def report_content(results: Path, say: Say) -> dict[str, Any]:
    """Everything that the template of the report needs.

    Args:
        results: Folder of the results.
        say: Told how far it is.
    """
    say(0.0, "the ledger")
    exact, entries = exact_entries(results), ledger(results)
    claims = [*map(_exact_row, exact), *map(_row, entries)]
    say(0.2, "Theorem 1")
    theorem = _theorem_figures()
    explored = _explored()
    say(0.4, "the studies")
    scales = [scale for scale in DECIDING if (results / scale).is_dir()]
    parts, missing = [], []
    for done, study in enumerate(STUDIES.values()):
        for scale in scales:
            there = results_of(study, scale, results)
            if there.stored:
                parts.append(_part(study, scale, there))
            if left := [name for name in there.states if there.states[name] != "finished"]:
                planned = len(there.planned)
                missing.append(Missing(study.title, scale, planned - len(left), planned, left))
        say(0.4 + 0.6 * (done + 1) / len(STUDIES), study.name)
    counts = Counter(claim.verdict for claim in claims)
    return {
        "claims": claims,
        "counts": {name: counts[name] for name in ("confirmed", "contradicted", "open")},
        "studies": list(dict.fromkeys(claim.study for claim in claims)),
        "scales": list(dict.fromkeys(claim.scale for claim in claims)),
        "checks": Table(
            "What was gone through",
            ("claim", "case", "gone through", "holds", "how", "seconds"),
            [check for entry in exact for check in entry.checks],
        ),
        "exact_provenance": exact[0].provenance,
        "theorem_figures": theorem,
        "explored": explored,
        "parts": parts,
        "missing": missing,
        "intervals": _intervals(results / INTERVALS),
        "results": results.resolve().name,
    }


def _exact_row(entry: ExactEntry) -> ClaimRow:
    claim = entry.claim
    return ClaimRow(
        f"claim-{claim.id}", claim.id, claim.statement, claim.source, STUDY,
        SCALE if entry.checks else "none", entry.verdict, None, entry.evidence, None, None, None,
    )  # fmt: skip


def _row(entry: Entry) -> ClaimRow:
    on, claim, scale = entry.deciding, entry.claim, entry.scale or "none"
    label = entry.undecided if on is None else on.label
    return ClaimRow(
        f"claim-{claim.id}-{scale}", claim.id, claim.statement, claim.source, entry.study.name,
        scale, entry.verdict, entry.verdict_holm, label, on, None if on is None else glyph_of(on),
        entry.seeds_to_decide,
    )  # fmt: skip


def glyph_of(comparison: Comparison) -> Glyph | None:
    """The interval, scaled so that its farther end is near the edge of the box; None if it is unbounded."""
    reach = max(abs(comparison.low), abs(comparison.high))
    if not 0 < reach < float("inf"):
        return None
    ends = (comparison.low, comparison.high, comparison.effect)
    return Glyph(*(round(50 + 46 * end / reach, 2) for end in ends))


def _theorem_figures() -> list[Figure]:
    """The pictures of the theorem, of classes that are solved in a moment."""
    from experiments.figures.version_spaces import draw_identifiability, draw_sizes
    from experiments.figures.witness import draw_witness
    from theory import GALLERY, check_class, find_decision_witness, gallery_class, identify, solve

    push, tabular = gallery_class("push-tree"), gallery_class("tabular-3x2-sparse")
    curves = identify(push, push.transitions.index(GALLERY["push-tree"].truth))
    witness = find_decision_witness(solve(push))
    assert witness is not None
    sizes = check_class(tabular)
    half = curves.rows[len(curves.rows) // 2]
    dataset = ", ".join(
        f"({push.state_name(s)}, {push.action_name(a)}) to {push.state_name(t)}"
        for s, a, t in witness.dataset
    )
    return [
        figure(
            "push-tree-identifiability",
            "What observed transitions settle in the push-tree example",
            "By the number of observed state-action pairs: left, the optimal q left open; right, the share of sets of "
            f"pairs that settle an optimal policy. With {half.observed} pairs observed the model class leaves "
            f"{half.model.hypotheses:.3g} q on average and settles a policy in {half.model.policy:.0%} of the sets, "
            f"the Bellman equation alone {half.bellman.hypotheses:.3g} and {half.bellman.policy:.0%}.",
            lambda path: draw_identifiability(curves, path),
        ),
        figure(
            "push-tree-witness",
            "A dataset after which the model knows what to do, and the Bellman equation does not",
            f"Two models of the push-tree class side by side. The data are {dataset}. The left model agrees with them; "
            "the right one contradicts them, and yet its optimal q satisfies the Bellman equation on them.",
            lambda path: draw_witness(push, witness, path),
        ),
        figure(
            "tabular-sizes",
            "With every map possible, model and Bellman equation leave the same",
            "The mean number of optimal q left open by datasets of each size, in the class of all maps of 3 states and "
            "2 actions. The two curves are one: "
            + "; ".join(f"{row.size} transitions, {row.mean_HM:.4g}" for row in sizes.by_size) + ".",
            lambda path: draw_sizes(sizes, path),
        ),
    ]  # fmt: skip


def _explored() -> list[dict[str, Any]]:
    from theory import GALLERY

    return [explorer_content(GALLERY[name].make(), GALLERY[name].dataset) for name in EXPLORED]


def _part(study: Study, scale: ScaleName, there: Results) -> StudyPart:
    found = study.analyse([run.settings for run in there.planned], there.stored)
    name, words = f"{study.name}-{scale}", study.words(found)
    figures = [figure(f"figure-{name}", study.title, words, lambda path: study.draw(found, path))]
    if study.curves is not None:
        curves = study.curves
        title = f"{study.title}: learning curves"
        text = "The same runs along training; how each ends is in the table."
        figures.append(
            figure(f"curves-{name}", title, text, lambda path: curves(found, path))
        )  # fmt: skip
    tables = [Table("The data behind the figure", *study.rows(found))]
    if study.across is not None and (across := study.across(found))[1]:
        tables.append(
            Table(
                "Over the tasks whose agents have all finished, of agents that are planned on each: "
                "0 is random, 1 the best; bootstrap",
                *across,
            )
        )
    if study.claims:
        tables.append(_comparisons(study, found))
    again = (f"mbgen sweep {scale} --study {study.name}",
             f"mbgen {study.name} --scale {scale} --out figure.svg")  # fmt: skip
    return StudyPart(
        study, scale, study.scales[scale], there, tuple(figures), tuple(tables), run_table(_named(there)),
        [(key.replace("_", " "), ", ".join(map(str, values)))
         for key, values in there.provenance.items()],
        again,
    )  # fmt: skip


def _comparisons(study: Study, found: Any) -> Table:
    columns = ("claim", "comparison", "verdict", "seeds", "effect", "low", "high")
    rows = [
        (claim.id, each.label, each.verdict, each.seeds or None, each.effect, each.low, each.high)
        for claim in study.claims
        for each in claim.compare(found)
    ]
    return Table("Every comparison of its claims; each is claimed to be above zero", columns, rows)


def _named(there: Results) -> list[tuple[str, StoredRun]]:
    stored = there.stored
    return [
        (each.id, stored[each.settings.digest])
        for each in there.planned
        if each.settings.digest in stored
    ]


def _intervals(path: Path) -> Table | None:
    """The coverage of the intervals as it is stored; None if it is not."""
    from experiments.analysis.interval_coverage import coverage_table

    if not path.is_file():
        return None
    try:
        table = coverage_table([Coverage(**each) for each in read_json(path)["coverage"]])
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} holds no coverage ({error}); accepted: what mbgen intervals --json writes"
        ) from None
    return Table("Share of samples whose 95 % interval covers the truth", *table)
