"""The three parts of Theorem 1 over every dataset of a class, or over one: `mbgen theorem check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, progress, require_picture
from experiments.commands.theorem.arguments import Class, Gamma, allowance_of, load
from experiments.commands.theorem.reports import print_dataset, print_evidence, print_report
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable, write_text

if TYPE_CHECKING:
    from theory import Allowance, MDPClass

MOST_STEPS = 1_000
"""Of value equivalence."""


def check(
    name: Class,
    /,
    *,
    datasets: Annotated[str, tyro.conf.arg(metavar="functional|realizable|FILE")] = "functional",
    gamma: Gamma = None,
    allow_zero_sum: bool = False,
    value_equivalence: Annotated[int | None, tyro.conf.arg(metavar="K")] = None,
    value_functions: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    policies: bool = False,
    tolerance: bool = False,
    evidence: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    samples: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    allow: Annotated[
        Literal["support", "likelihood"] | None, tyro.conf.arg(metavar="support|likelihood")
    ] = None,
    threshold: Annotated[str | None, tyro.conf.arg(metavar="NUMBER")] = None,
    certificate: Annotated[Path | None, tyro.conf.arg(metavar="CERT.json")] = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """Check the three parts of the theorem over every dataset of a class, or over one dataset or evidence.

    Exit status 1 if the theorem does not hold: part 1 always, part 3 for a class of all maps.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        datasets: Which datasets are counted; or a JSON file [[s, a, s'], ...] with one dataset, in which a row may go
            on as a trajectory: [s, a, s', a', s'', ...].
        gamma: Another discount than the class's own.
        allow_zero_sum: Go on at gamma = 1 although the Bellman equation may have several solutions.
        value_equivalence: For one dataset: what is left by models that reproduce the rewards, and the values of the
            states, up to K steps ahead along its trajectories, for every number of steps up to K.
        value_functions: A JSON file [[V(s), one for each state], ...]: states have to be worth the same under these
            too, or under these alone.
        policies: For one dataset or evidence: how many policies are left, and the worst regret of following one.
        tolerance: For one dataset or evidence: how many q meet the Bellman equation up to eps, for every eps.
        evidence: In place of a dataset: a JSON file [[s, a, [allowed option, ...]], ...]; at pairs that are not named
            all options are allowed. In a deterministic class an option is a successor.
        samples: In place of a dataset: a JSON file [[s, a, reward, s'], ...] of what was observed, from which the
            evidence is derived.
        allow: Whether samples allow every option under which they are possible (support, unless given), or those under
            which they are likely enough.
        threshold: With likelihood: the least likelihood of a pair's samples, as a share of the likeliest option's.
        certificate: With evidence or samples whose inclusion is proper: write a certificate of that.
        json: Write the report as JSON; "-" is standard output.
        out: Draw |H_M| and |H_B| by the size of the dataset.
    """
    from theory import SeveralSolutionsError

    problem = load(name, gamma)
    require_picture(out)
    require_writable(json)
    screen = console(json)
    of_evidence = evidence is not None or samples is not None
    given = "--samples" if evidence is None else "--evidence"
    single = datasets not in ("functional", "realizable")
    not_one = not single and not of_evidence
    for asked, refusal in (
        (
            samples is None and (allow is not None or threshold is not None),
            "--allow and --threshold are about samples; accepted: with --samples FILE",
        ),
        (
            evidence is not None and samples is not None,
            "--evidence and --samples are both given; accepted: one of them",
        ),
        (
            certificate is not None and not of_evidence,
            "--certificate is about evidence; accepted: with --evidence FILE or --samples FILE",
        ),
        (
            of_evidence and datasets != "functional",
            f"--datasets says which data are meant too; accepted: without {given}",
        ),
        (
            of_evidence and value_equivalence is not None,
            f"--value-equivalence follows trajectories; accepted: without {given}",
        ),
        (
            of_evidence and value_functions is not None,
            f"--value-functions is about following trajectories; accepted: without {given}",
        ),
        (of_evidence and out is not None, f"--out draws many datasets; accepted: without {given}"),
        (
            single and out is not None,
            f"--out {out} draws many datasets; accepted: none for a single dataset",
        ),
        (
            not_one and value_equivalence is not None,
            "--value-equivalence is about one dataset; accepted: with --datasets FILE",
        ),
        (
            not_one and policies,
            "--policies is about one dataset; accepted: with --datasets FILE, --evidence or --samples",
        ),
        (
            not_one and tolerance,
            "--tolerance is about one dataset; accepted: with --datasets FILE, --evidence or --samples",
        ),
        (
            value_equivalence is not None and not 1 <= value_equivalence <= MOST_STEPS,
            f"--value-equivalence is {value_equivalence}; accepted: 1 to {MOST_STEPS:,} steps",
        ),
        (
            value_functions is not None and value_equivalence is None,
            "--value-functions is about value equivalence; accepted: with --value-equivalence K",
        ),
        (
            single and not (datasets and Path(datasets).exists()),
            f"datasets is {datasets!r}; accepted: functional, realizable, or a file",
        ),
    ):
        if asked:
            raise ValueError(refusal)
    try:
        if of_evidence:
            return _check_evidence(
                screen,
                problem,
                evidence=evidence,
                samples=samples,
                allowance=allowance_of(allow or "support", threshold),
                certificate=certificate,
                json=json,
                allow_zero_sum=allow_zero_sum,
                policies=policies,
                tolerance=tolerance,
            )
        if single:
            return _check_dataset(
                screen,
                problem,
                Path(datasets),
                steps=value_equivalence or 0,
                value_functions=value_functions,
                json=json,
                allow_zero_sum=allow_zero_sum,
                policies=policies,
                tolerance=tolerance,
            )
        return _check_class(
            screen,
            problem,
            "functional" if datasets == "functional" else "realizable",
            json=json,
            out=out,
            allow_zero_sum=allow_zero_sum,
        )
    except SeveralSolutionsError as error:
        raise ValueError(f"{error}, or --allow-zero-sum") from None


def _check_class(
    screen: Console,
    problem: MDPClass,
    datasets: Literal["functional", "realizable"],
    *,
    json: str | None,
    out: Path | None,
    allow_zero_sum: bool,
) -> int:
    """`check` for every dataset of a class."""
    from theory import check_class
    from theory.criteria.version_spaces import SweepTooLargeError

    try:
        with progress(f"checking {problem.name}") as report_progress:
            report = check_class(
                problem,
                datasets,
                allow_zero_sum=allow_zero_sum,
                every_dataset=out is not None,
                progress=report_progress,
            )
    except SweepTooLargeError as error:
        raise ValueError(f"--out {out} draws means over all datasets, but {error}") from None
    if out is not None:
        from experiments.figures.version_spaces import draw_sizes

        draw_sizes(report, out)
    write_json(report, json)
    print_report(screen, problem, report)
    holds = report.part1 and (report.part3_functional or not problem.transitions.is_tabular)
    return 0 if holds else 1


def _check_dataset(
    screen: Console,
    problem: MDPClass,
    path: Path,
    *,
    steps: int,
    value_functions: Path | None,
    json: str | None,
    **asked: bool,
) -> int:
    """`check` for one dataset."""
    from theory import check_dataset, load_dataset, load_value_functions

    problem.require_successors(
        "--datasets FILE (a transition says of a law that it is possible: there is --samples)"
    )
    functions = () if value_functions is None else load_value_functions(value_functions, problem)
    dataset = load_dataset(path, problem)
    with progress(f"checking {problem.name}") as report_progress:
        report = check_dataset(
            problem, dataset, steps=steps, functions=functions, **asked, progress=report_progress
        )
    write_json(report, json)
    print_dataset(screen, problem, report)
    return 0 if report.part1 else 1


def _check_evidence(
    screen: Console,
    problem: MDPClass,
    *,
    evidence: Path | None,
    samples: Path | None,
    allowance: Allowance,
    certificate: Path | None,
    json: str | None,
    **asked: bool,
) -> int:
    """`check` for one piece of evidence, given or derived from samples."""
    from theory import (
        check_evidence,
        checked_evidence,
        evidence_certificate_text,
        evidence_of_samples,
        load_evidence,
        load_samples,
        solve,
        witness_in,
    )
    from theory.certificates.certificate import require_certifiable

    path = samples if evidence is None else evidence
    assert path is not None
    try:
        if evidence is not None:
            allowed = checked_evidence(problem, load_evidence(path))
        else:
            allowed = evidence_of_samples(problem, load_samples(path), allowance)
    except ValueError as error:
        said = str(error)
        raise ValueError(said if said.startswith(str(path)) else f"{path}: {said}") from None
    if certificate is not None:
        require_writable(certificate)
        require_certifiable(problem)
    with progress(f"checking {problem.name}") as report_progress:
        report = check_evidence(problem, allowed, **asked, progress=report_progress)
    write_json(report, json)
    print_evidence(screen, problem, report)
    if certificate is not None:
        solved = solve(problem)
        found = witness_in(solved, allowed)
        if found is None:
            screen.print("no certificate: the inclusion is not proper")
            return 1
        text = evidence_certificate_text(solved, found)
        write_text(certificate, text)
        screen.print(f"certified: {certificate}")
    return 0 if report.part1 else 1
