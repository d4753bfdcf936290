"""What `mbgen theorem check` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from experiments.commands.terminal import cell, facts, table
from experiments.commands.theorem.tables import evidence_table, q_tables

if TYPE_CHECKING:
    from theory import DatasetReport, EvidenceReport, MDPClass, TheoremReport
    from theory.criteria.data_report import DataReport, Policies
    from theory.criteria.tolerance import ToleranceStep

MAX_STEPS_SHOWN = 12


def print_report(screen: Console, problem: MDPClass, report: TheoremReport) -> None:
    """What every dataset of a class says."""
    rows: list[tuple[str, object]] = [
        ("models", report.models),
        ("distinct optimal q, |H_Q|", report.value_functions),
        ("distinct optimal V", report.value_vectors),
        ("datasets gone through", report.datasets),
        ("sum of |H_M(D)| over them", report.sum_HM),
        ("sum of |H_B(D)| over them", report.sum_HB),
        ("realizable datasets with a proper inclusion", report.strict),
        ("part 1: H_M(D) is a subset of H_B(D)", report.part1),
        ("part 2: a proper one for some realizable D", report.part2),
        ("part 3: equal for every functional D", report.part3_functional),
        ("part 3: equal for every realizable D", report.part3_realizable),
        ("equal for every D, functional or not", report.part3_arbitrary),
        ("decided by", report.method),
        ("seconds", report.seconds),
    ]
    if problem.transitions.options is not None:
        rows.insert(-3, ("part 3: equal for all evidence", report.part3_functional))
        rows.insert(-3, ("part 3: equal for all realizable evidence", report.part3_evidence))
    if report.merged:
        rows.insert(1, ("repeated models, merged", report.merged))
    if report.dropped:
        rows.insert(1, ("models with an infinite q, left out", report.dropped))
    title = (
        f"{report.name}: {report.states} states, {report.actions} actions, gamma = {report.gamma}"
    )
    screen.print(facts(title, rows))


def print_dataset(screen: Console, problem: MDPClass, report: DatasetReport) -> None:
    """What one dataset leaves."""
    rows = [("transitions", len(report.dataset)), ("functional", report.functional)]
    screen.print(facts(f"{report.name}, one dataset", rows + _left(report, "D")))
    if report.value_equivalence:
        screen.print(_equivalence_table(report))
    _print_left(screen, problem, report, "D")


def print_evidence(screen: Console, problem: MDPClass, report: EvidenceReport) -> None:
    """What one piece of evidence leaves."""
    rows = [
        ("evidence is about pairs", len(report.evidence)),
        ("functional: one option at each of them", report.functional),
    ]
    screen.print(facts(f"{report.name}, evidence", rows + _left(report, "E")))
    screen.print(evidence_table(problem, report.evidence))
    _print_left(screen, problem, report, "E")


def _left(report: DataReport, data: str) -> list[tuple[str, int]]:
    return [
        ("realizable", report.realizable),
        ("models that agree with it", report.models_consistent),
        (f"|H_M({data})|", len(report.HM)),
        (f"|H_B({data})|", len(report.HB)),
        (f"part 1: H_M({data}) is a subset of H_B({data})", report.part1),
        (f"part 2: a proper one, and {data} realizable", report.part2),
        ("they are equal", report.equal),
    ]


def _print_left(screen: Console, problem: MDPClass, report: DataReport, data: str) -> None:
    if report.policies is not None:
        screen.print(_policies_table(problem, report.policies, data))
    if report.tolerance:
        screen.print(_tolerance_table(report.tolerance, data))
    for label, tables in ((f"H_M({data})", report.HM), (f"H_B({data})", report.HB)):
        screen.print(q_tables(problem, label, tables))


def _equivalence_table(report: DatasetReport) -> object:
    """|H_VE^K| by K, from H_B at one step towards H_M."""
    columns = ["steps ahead", "models", "|H_VE| by their own V*"]
    rows = [[row.steps, row.models, row.own] for row in report.value_equivalence]
    if report.value_equivalence[0].functions is not None:
        columns += ["and by all of F", "by F alone"]
        for line, row in zip(rows, report.value_equivalence, strict=True):
            line += [row.own_and_functions or 0, row.functions or 0]
    return table("Left by value-equivalent models", columns, rows)


def _policies_table(problem: MDPClass, left: Policies, data: str) -> object:
    """What H_M and H_B leave to choose, side by side."""
    both = (left.HM, left.HB)
    regrets = [side.regret for side in both]
    rows: list[tuple[object, ...]] = [
        ("policies that some q left is greedy for", *(cell(side.policies) for side in both)),
        ("policies that all are", *(cell(side.settled) for side in both)),
        (
            "least regret that one policy guarantees",
            *("-" if side.guarantee is None else str(side.guarantee) for side in both),
        ),
        ("worst regret of a policy left", *("-" if r is None else str(r.value) for r in regrets)),
        ("from state", *("-" if r is None else problem.state_name(r.state) for r in regrets)),
        (
            "by the policy",
            *("-" if r is None else " ".join(map(problem.action_name, r.policy)) for r in regrets),
        ),
    ]
    return table("Policies", ("", f"H_M({data})", f"H_B({data})"), rows)


def _tolerance_table(steps: Sequence[ToleranceStep], data: str) -> object:
    """|H_B^eps| by eps, from H_B to H_Q."""
    shown = steps[:MAX_STEPS_SHOWN]
    more = len(steps) - len(shown)
    rows = [(str(step.eps), step.HB, step.outside_HM) for step in shown]
    title = f"The Bellman equation up to eps{f' ({more} more steps in --json)' if more else ''}"
    return table(title, ("from eps", f"|H_B^eps({data})|", f"of these not in H_M({data})"), rows)
