"""The exact claims, and their verdicts by what has been gone through (`mbgen theorem decide` does it and stores it).

A claim is confirmed if every one of its checks holds, contradicted if one fails, and open as long as nothing is
stored. There is no interval: a check goes through every case, or through a certificate or a proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from experiments.analysis.claims import Verdict
from experiments.storage.json_files import read_json

STUDY = "theorem"
SCALE = "exact"
FILE = Path("theorem") / "exact.json"
"""Below the folder of results."""


class ExactClaim(NamedTuple):
    """A statement that is decided without a sample.

    Attributes:
        id: Short name, such as "T1".
        statement: What is claimed.
        source: Where.
    """

    id: str
    statement: str
    source: str


CLAIMS = (
    ExactClaim(
        "T1",
        "What the models that agree with the data leave open satisfies the Bellman equation on them: "
        "H_M(D) is a subset of H_B(D), always",
        "theorem 1, part 1",
    ),
    ExactClaim(
        "T2",
        "There are classes and realizable data where the model leaves less open than the Bellman equation: "
        "H_M(D) is a proper subset of H_B(D)",
        "theorem 1, part 2",
    ),
    ExactClaim(
        "T3",
        "For the tabular class, which holds every map, both leave the same: H_M(D) = H_B(D) for every "
        "functional D",
        "theorem 1, part 3",
    ),
    ExactClaim(
        "T4",
        "Replay in a table learns what the empirical model's optimum says, and TD with linear values and the "
        "least-squares linear model agree",
        "section 1",
    ),
    ExactClaim(
        "T-proof",
        "Theorem 1 is proved, and a machine has checked the proof",
        "theorem 1",
    ),
)  # fmt: skip


class ExactCheck(NamedTuple):
    """One check of a claim.

    Attributes:
        claim: Its id.
        case: What was checked: a class, a certificate, an identity.
        gone_through: How many cases, in words: "390,625 models, 1,679,616 datasets".
        holds: Whether it holds in all of them.
        how: By which method.
        seconds: Of wall-clock time.
    """

    claim: str
    case: str
    gone_through: str
    holds: bool
    how: str
    seconds: float


@dataclass(frozen=True)
class ExactEntry:
    """A claim with its evidence.

    Attributes:
        claim: What is claimed.
        checks: That decide it; none if nothing is stored.
        provenance: Of the code and the machine that made them.
        missing: Why there are none.
    """

    claim: ExactClaim
    checks: tuple[ExactCheck, ...]
    provenance: Mapping[str, Any]
    missing: str = ""

    @property
    def verdict(self) -> Verdict:
        """By the rule of this module."""
        if not self.checks:
            return "open"
        return "confirmed" if all(check.holds for check in self.checks) else "contradicted"

    @property
    def evidence(self) -> str:
        """In one line: how many checks there are, and the one that failed or the largest."""
        if not self.checks:
            return self.missing
        told = next((check for check in self.checks if not check.holds), self.checks[0])
        text = f"{told.case}: {told.gone_through}" if told.gone_through else told.case
        if not told.holds:
            return f"fails: {text}"
        more = len(self.checks) - 1
        return f"{text}; and {more} more" if more else text


def exact_entries(results: Path) -> list[ExactEntry]:
    """Every exact claim, with what is stored below the folder of results.

    Raises:
        ValueError: The stored file cannot be read, or holds something else.
    """
    path = results / FILE
    if not path.is_file():
        why = "nothing has been checked: mbgen theorem decide"
        return [ExactEntry(claim, (), {}, why) for claim in CLAIMS]
    stored = read_json(path)
    try:
        checks = [ExactCheck(**each) for each in stored["checks"]]
        missing, provenance = dict(stored["missing"]), dict(stored["provenance"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not hold exact checks ({error}); accepted: what mbgen theorem decide writes"
        ) from None
    if unknown := {check.claim for check in checks} - {claim.id for claim in CLAIMS}:
        raise ValueError(
            f"{path} has checks of {sorted(unknown)}; accepted: {[claim.id for claim in CLAIMS]}"
        )
    return [
        ExactEntry(
            claim,
            tuple(check for check in checks if check.claim == claim.id),
            provenance,
            missing.get(claim.id, "nothing has been checked: mbgen theorem decide"),
        )
        for claim in CLAIMS
    ]


def stored_form(
    checks: Sequence[ExactCheck], missing: Mapping[str, str], provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """What is written, and read again by `exact_entries`."""
    return {
        "checks": [check._asdict() for check in checks],
        "missing": dict(missing),
        "provenance": dict(provenance),
    }
