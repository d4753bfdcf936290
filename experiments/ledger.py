"""The ledger: every claim of every study, against the runs that are there (`mbgen claims`).

Evidence of several scales stands side by side and is never pooled. A claim whose runs are incomplete is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, isnan, nan
from pathlib import Path

from experiments.analysis.claims import (
    Claim,
    Comparison,
    Verdict,
    holm,
    incomplete,
    p_values,
    seeds_to_decide,
    verdict,
)
from experiments.runs.scales import ScaleName
from experiments.studies.registry import STUDIES
from experiments.studies.results import Results, results_of
from experiments.studies.study import Study

DECIDING: tuple[ScaleName, ...] = ("desk", "paper")
"""Scales at which claims are decided; runs at the scale smoke show that all works."""


@dataclass(frozen=True)
class Entry:
    """A claim at one scale.

    Attributes:
        claim: What is claimed, and by which rule it is decided.
        study: That decides it.
        scale: Of the evidence; None if there is none at any scale.
        comparisons: What it comes down to.
        verdict: By its rule.
        verdict_holm: After Holm's correction over the claims of the study at this scale.
        results: The study's runs at this scale; None likewise.
    """

    claim: Claim
    study: Study
    scale: ScaleName | None
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    verdict_holm: Verdict
    results: Results | None

    @property
    def deciding(self) -> Comparison | None:
        """The comparison that the verdict hangs on, which least bears the claim out; None while one is missing."""
        if incomplete(self.comparisons):
            return None
        return max(
            self.comparisons,
            key=lambda each: (each.p_above, -each.p_below, -each.low),
            default=None,
        )

    @property
    def verdict_in_words(self) -> str:
        """With what Holm's correction makes of it, where that is another."""
        alike = self.verdict_holm == self.verdict
        return self.verdict if alike else f"{self.verdict}, open with Holm's correction"

    @property
    def seeds_to_decide(self) -> int | None:
        """About how many an open claim takes; None where none is known to be enough, or the verdict is there."""
        needed = seeds_to_decide(self.comparisons) if self.verdict == "open" else nan
        return int(needed) if isfinite(needed) else None

    @property
    def undecided(self) -> str:
        """In words, why there is no comparison that the verdict hangs on."""
        unknown = [each for each in self.comparisons if isnan(each.effect)]
        reasons = {
            "runs are missing": [each.label for each in unknown if isnan(each.low)],
            "all seeds diverged": [each.label for each in unknown if not isnan(each.low)],
        }
        told = [f"{why}: {', '.join(labels)}" for why, labels in reasons.items() if labels]
        return "; ".join(told) or "nothing has been run"

    @property
    def p_value(self) -> float:
        """The level from which on it would be decided, either way; 1 while runs are missing."""
        return min(p_values(self.comparisons))


def ledger(results: Path) -> list[Entry]:
    """Every claim, study by study, at every scale of which there is a folder; once without evidence if there is none.

    Args:
        results: Folder of the results, with a folder for each scale.

    Raises:
        ValueError: A folder holds another run than the study plans, or cannot be read.
    """
    scales = [scale for scale in DECIDING if (results / scale).is_dir()]
    return [entry for study in STUDIES.values() for entry in _entries(study, results, scales)]


def _entries(study: Study, results: Path, scales: list[ScaleName]) -> Iterator[Entry]:
    if not study.claims:
        return
    decided: list[list[Entry]] = []
    for scale in scales:
        there = results_of(study, scale, results)
        if there.stored:
            decided.append(_at(study, scale, there))
    for number, claim in enumerate(study.claims):
        if not decided:
            yield Entry(claim, study, None, (), "open", "open", None)
        for entries in decided:
            yield entries[number]


def _at(study: Study, scale: ScaleName, there: Results) -> list[Entry]:
    found = study.analyse([run.settings for run in there.planned], there.stored)
    judged = [tuple(claim.compare(found)) for claim in study.claims]
    return [
        Entry(claim, study, scale, comparisons, verdict(comparisons), together, there)
        for claim, comparisons, together in zip(study.claims, judged, holm(judged), strict=True)
    ]
