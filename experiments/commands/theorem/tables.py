"""Witnesses, evidence and optimal q as tables, as several subcommands print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from experiments.commands.terminal import facts, table

if TYPE_CHECKING:
    from theory import EvidenceWitness, MDPClass
    from theory.certificates.witness import Witness
    from theory.classes.mdp_class import QTable

MAX_SHOWN = 6
MAX_ROWS = 64


def print_witness(screen: Console, problem: MDPClass, found: Witness) -> None:
    """A dataset with its two models and their q."""
    dataset = ", ".join(
        f"({problem.state_name(s)}, {problem.action_name(a)}) -> {problem.choice_name(s, a, choice)}"
        for s, a, choice in found.dataset
    )
    size: object = len(found.dataset)
    if not found.proved_smallest:
        size = f"{size}, not proved smallest within the time limit: at least {found.at_least}"
        if found.left is not None:
            size = f"{size}; {found.left.what} takes about {found.left.seconds:.2g} s more"
    facts_found: list[tuple[str, object]] = [
        ("D, the smallest" if found.proved_smallest else "D, the smallest found", dataset),
        ("|D|", size),
    ]
    if found.decision is not None:
        state, action = found.decision
        settled = f"{problem.action_name(action)} in {problem.state_name(state)}"
        facts_found.append(("settled by H_M(D) alone", settled))
    screen.print(facts(f"{problem.name}, gamma = {problem.gamma}", facts_found))
    _print_models(
        screen,
        problem,
        found,
        "q0 is in H_M(D), as T0 agrees with D; q1 is in H_B(D) alone, as T1 does not",
    )


def print_evidence_witness(screen: Console, problem: MDPClass, found: EvidenceWitness) -> None:
    """Evidence with its two models and their q."""
    size: object = len(found.evidence)
    if not found.proved_smallest:
        size = f"{size}, not proved smallest within the time limit: at least {found.at_least}"
    screen.print(facts(f"{problem.name}, gamma = {problem.gamma}", [("E is about pairs", size)]))
    screen.print(evidence_table(problem, found.evidence))
    _print_models(
        screen,
        problem,
        found,
        "q0 is in H_M(E), as E allows T0; q1 is in H_B(E) alone, as E rules out every model that has it",
    )


def _print_models(
    screen: Console, problem: MDPClass, found: Witness | EvidenceWitness, title: str
) -> None:
    rows = [
        (
            problem.state_name(s),
            problem.action_name(a),
            problem.choice_name(s, a, found.T0[s][a]),
            str(found.q0[s][a]),
            problem.choice_name(s, a, found.T1[s][a]),
            str(found.q1[s][a]),
        )
        for s in range(problem.states)
        for a in range(problem.actions)
    ]
    columns = ("state", "action", "T0", "q0", "T1", "q1")
    if len(rows) > MAX_ROWS:
        title += f" ({len(rows) - MAX_ROWS} more rows in --json)"
    screen.print(table(title, columns, rows[:MAX_ROWS]))


def evidence_table(problem: MDPClass, evidence: Sequence[tuple[int, int, Sequence[int]]]) -> object:
    """What evidence allows, a line for each pair that it is about."""
    allowed = [
        (
            problem.state_name(s),
            problem.action_name(a),
            " or ".join(problem.choice_name(s, a, o) for o in options),
        )
        for s, a, options in evidence
    ]
    return table("What is allowed", ("state", "action", "options"), allowed)


def q_tables(problem: MDPClass, title: str, tables: Sequence[QTable]) -> object:
    """Optimal q side by side, a line for each state and action."""
    shown = tables[:MAX_SHOWN]
    rows = [
        (problem.state_name(s), problem.action_name(a), *(str(q[s][a]) for q in shown))
        for s in range(problem.states)
        for a in range(problem.actions)
    ]
    more = len(tables) - len(shown)
    columns = ("state", "action", *(f"q{i}" for i in range(len(shown))))
    return table(f"{title}{f' ({more} more in --json)' if more else ''}", columns, rows)
