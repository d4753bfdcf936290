"""What needs no statistics, decided and stored: `mbgen theorem decide`."""

from __future__ import annotations

from pathlib import Path

from experiments.commands.terminal import console, progress, table
from experiments.exact.claims import FILE, ExactCheck, exact_entries, stored_form
from experiments.storage.json_files import write_json
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import make_folder, require_writable


def decide(*, results: Path = Path("results")) -> int:
    """Decide what needs no statistics: Theorem 1, its proof, and the identities of replay and planning.

    It goes through every class of the gallery, certifies witnesses, compares replay and planning on random data in
    fractions, has the proof checked where Coq is installed, and stores it all below the results, for `mbgen claims`.
    Exit status 1 if a claim is contradicted.

    Args:
        results: Folder of the results; the file is theorem/exact.json in it.
    """
    from experiments.exact.checks import (
        certificate_checks,
        identity_checks,
        proof_checks,
        theorem_checks,
    )

    path = results / FILE
    make_folder(path.parent)
    require_writable(path)
    checks: list[ExactCheck] = []
    with progress("identities") as report_progress:
        for part, (text, made) in enumerate(
            (
                ("certificates", identity_checks),
                ("the gallery", certificate_checks),
                ("the proof", theorem_checks),
            )
        ):
            checks += made()
            report_progress((part + 1) / 4, text)
        proved, missing = proof_checks()
    checks += proved
    told = {"T-proof": missing} if missing else {}
    write_json(stored_form(checks, told, provenance()), str(path))
    entries = exact_entries(results)
    screen = console()
    rows = [(check.claim, check.case, check.gone_through, check.holds) for check in checks]
    screen.print(table("Checked", ("claim", "case", "gone through", "holds"), rows))
    verdicts = [(entry.claim.id, entry.verdict, entry.evidence) for entry in entries]
    screen.print(table(f"Stored in {path}", ("claim", "verdict", "evidence"), verdicts))
    return 1 if any(entry.verdict == "contradicted" for entry in entries) else 0
