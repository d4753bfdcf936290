"""The smallest dataset with a proper inclusion: `mbgen theorem witness`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import PICTURES, console, progress
from experiments.commands.theorem.arguments import Class, Gamma, load
from experiments.commands.theorem.estimates import telling
from experiments.commands.theorem.tables import print_evidence_witness, print_witness
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable, write_text

if TYPE_CHECKING:
    from theory import MDPClass


def witness(
    name: Class,
    /,
    *,
    decision_relevant: bool = False,
    evidence: bool = False,
    gamma: Gamma = None,
    time_limit: float = 600.0,
    json: Json = None,
    out: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="CERT.json|FILE.png|svg|pdf")] = (),
) -> int:
    """The smallest realizable dataset of a class whose inclusion is proper.

    Exit status 1 if the class has none. The certificate then says so, for a class that is a product of blocks.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        decision_relevant: Ask that it settles an optimal action of a state under H_M, but not under H_B.
        evidence: In place of a dataset, the smallest evidence: it allows a set of options at each of its pairs.
        gamma: Another discount than the class's own.
        time_limit: For the search, in seconds; then the smallest dataset found is given, and how small any may be.
        json: Write the witness as JSON; "-" is standard output.
        out: Write its certificate, draw it, or both: the suffix tells.
    """
    from theory import (
        Witness,
        block_certificate_text,
        certificate_text,
        find_block_decision_witness,
        find_decision_witness,
        find_witness,
        solve,
        witness_or_proof,
    )
    from theory.certificates.certificate import require_certifiable
    from theory.criteria.theorem import require_unique_solution
    from theory.solving.deterministic import beyond_enumeration

    problem = load(name, gamma)
    require_unique_solution(problem)
    if not time_limit > 0:
        raise ValueError(f"time-limit is {time_limit}; accepted: a number of seconds above 0")
    require_writable(json)
    if evidence:
        return _evidence_witness(problem, decision_relevant, time_limit, json, out)
    by_blocks = beyond_enumeration(problem)
    for path in out:
        if path.suffix.lower() not in (".json", *PICTURES):
            raise ValueError(f"{path} is no output's name; accepted: .json, {', '.join(PICTURES)}")
        require_writable(path)
        if path.suffix.lower() == ".json" and by_blocks and decision_relevant:
            raise ValueError(
                f"--out {path}: a decision in a class too large to enumerate has no certificate; accepted: none,"
                " or without --decision-relevant"
            )
        if path.suffix.lower() == ".json" and not by_blocks:
            require_certifiable(problem)
        if path.suffix.lower() in PICTURES:
            from experiments.figures.witness import require_drawable

            require_drawable(problem)
    search = find_decision_witness if decision_relevant else find_witness
    with progress(f"searching {problem.name}") as report_progress:
        if by_blocks and decision_relevant:
            found = find_block_decision_witness(problem, report_progress, time_limit=time_limit)
        elif by_blocks:
            decided = witness_or_proof(problem, report_progress, time_limit=time_limit)
            found = decided if isinstance(decided, Witness) else None
        else:
            solved = solve(problem, lambda fraction: report_progress(fraction / 2))
            found = search(
                solved,
                lambda fraction: report_progress((1 + fraction) / 2),
                time_limit=time_limit,
                tell=telling(report_progress, f"searching {problem.name}"),
            )
    if found is None:
        write_json(None, json)
        what = "is decision-relevant" if decision_relevant else "has a proper inclusion"
        console(json).print(f"{problem.name}: no realizable dataset {what}")
        certificates = [path for path in out if path.suffix.lower() == ".json"]
        if certificates and not decision_relevant:
            console(json).print(_certified_none(problem, time_limit, certificates))
        return 1
    write_json(found, json)
    print_witness(console(json), problem, found)
    for path in out:
        if path.suffix.lower() == ".json":
            text = (
                block_certificate_text(problem, found)
                if by_blocks
                else certificate_text(solved, found)
            )
            write_text(path, text)
        else:
            from experiments.figures.witness import draw_witness

            draw_witness(problem, found, path)
    return 0


def _certified_none(problem: MDPClass, time_limit: float, out: Sequence[Path]) -> str:
    """Write the certificate that there is no gap; what it says, or why there is none."""
    from theory import certify_equality, strongest_proof
    from theory.certificates.certificate import certificate_file

    try:
        with progress(f"proving it of {problem.name}") as report_progress:
            proof = strongest_proof(problem, report_progress, time_limit=time_limit)
        if proof is None:
            return f"no certificate: no proof was found within the time limit of {time_limit:.3g} s"
        certificate = certify_equality(problem, proof)
    except ValueError as error:
        return f"no certificate: {error}"
    for path in out:
        write_text(path, certificate_file(certificate))
    return f"certified: {certificate['statement']}"


def _evidence_witness(
    problem: MDPClass,
    decision_relevant: bool,
    time_limit: float,
    json: str | None,
    out: Sequence[Path],
) -> int:
    """`witness --evidence`."""
    from theory import evidence_certificate_text, find_evidence_witness, solve
    from theory.certificates.certificate import require_certifiable

    if decision_relevant:
        raise ValueError(
            "--decision-relevant is about exact data, which rule out the same whatever they settle; accepted: without"
            " --evidence"
        )
    for path in out:
        if path.suffix.lower() != ".json":
            raise ValueError(f"{path} is no certificate's name; accepted with --evidence: .json")
        require_writable(path)
        require_certifiable(problem)
    with progress(f"searching {problem.name}") as report_progress:
        solved = solve(problem, lambda fraction: report_progress(fraction / 2))
        found = find_evidence_witness(
            solved, lambda fraction: report_progress((1 + fraction) / 2), time_limit=time_limit
        )
    write_json(found, json)
    if found is None:
        console(json).print(f"{problem.name}: no realizable evidence has a proper inclusion")
        return 1
    print_evidence_witness(console(json), problem, found)
    for path in out:
        text = evidence_certificate_text(solved, found)
        write_text(path, text)
    return 0
