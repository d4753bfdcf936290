"""Verify a certificate of Theorem 1: `python verifier CERTIFICATE.json`.

It prints one line. Exit status 0: verified. 1: it does not verify, and why. 2: it is no certificate, and why.

This folder is to be read by who wants to trust it, and copied to where it is wanted: it imports nothing but itself and
the standard library, and computes everything anew, in fractions. docs/certificate.md gives the format, and what is
claimed. The terms are those of the theorem: a model T gives each pair (s, a) a successor T[s][a]; the number of states
stands for the end, which is worth 0. Its optimal q solves

    q[s][a] = rewards[s][a] + gamma * max(q[T[s][a]]),

and is this equation's only solution, as gamma < 1. Where a class has options, T[s][a] is the number of one, a reward r
and a law that gives successors x probabilities p, and q[s][a] = r + gamma * (the sum of p * max(q[x])). A dataset D
holds transitions (s, a, T[s][a]). H_M(D) holds the optimal q of the models that agree with all of D; H_B(D) those
optimal q, of any model, that solve the equation at all of D. Evidence E allows several options at a pair: a model
agrees with it if its own is among them, and q solves the equation there if it does so for one of them.
"""

import sys
from pathlib import Path
from typing import Any

from .blocks import verify_blocks
from .equality import verify_equality
from .fields import BLOCKS, EQUALITY, EVIDENCE, LISTED, OPTIONS, digest, read
from .listed import EvidenceCertificate, ListedCertificate, OptionCertificate, verify_list

__all__ = ["main", "read", "verify"]


def verify(document: Any) -> str | None:
    """Why a certificate does not hold; None if it does.

    Raises:
        ValueError: if the document is no certificate.
    """
    kind = document.get("format") if type(document) is dict else None
    if kind == BLOCKS:
        fault, said = verify_blocks(document)
    elif kind == EQUALITY:
        fault, said = verify_equality(document)
    elif kind == OPTIONS:
        fault, said = verify_list(OptionCertificate(document))
    elif kind == EVIDENCE:
        fault, said = verify_list(EvidenceCertificate(document))
    else:
        kind = LISTED
        fault, said = verify_list(ListedCertificate(document))
    if fault:
        return fault
    if [document["format"], document["statement"]] != [kind, said]:
        return "wrong format or statement"
    if document["sha256"] != digest(document):
        return "wrong digest"
    return None


def main(arguments: list[str]) -> int:
    """Print one line; 0 if the certificate in the file verifies, 1 if not, 2 if there is none."""
    if len(arguments) != 1:
        print("usage: python verifier CERTIFICATE.json", file=sys.stderr)
        return 2
    try:
        reason = verify(read(Path(arguments[0])))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"does not verify: {reason}" if reason else "verified")
    return 1 if reason else 0
