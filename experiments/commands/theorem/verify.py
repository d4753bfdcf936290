"""Certificates checked: `mbgen theorem verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.terminal import console


def verify(
    certificate: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CERT.json")], /
) -> int:
    """Check a certificate by the independent verifier.

    Exit status 1, with the reason, if it does not hold.

    Args:
        certificate: As written by `mbgen theorem witness CLASS --out CERT.json`.
    """
    from theory.certificates import verifier

    try:
        reason = verifier.verify(verifier.read(certificate))
    except ValueError as error:
        raise ValueError(f"{certificate}: {error}") from None
    console().print(f"does not verify: {reason}" if reason else "verified")
    return 1 if reason else 0
