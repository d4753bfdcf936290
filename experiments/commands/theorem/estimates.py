"""What is left of a search, beside its progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.commands.terminal import Report

if TYPE_CHECKING:
    from theory.certificates.hitting_sets import SearchEstimate, Tell


def telling(report: Report, description: str) -> Tell:
    """Say what is left behind the description of a bar."""

    def tell(estimate: SearchEstimate) -> None:
        report(None, f"{description}, {estimate.what}: about {estimate.seconds:.2g} s")

    return tell
