"""Part 3 for all rewards at once, by z3: `mbgen theorem prove`."""

from __future__ import annotations

from typing import Annotated

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, facts, waiting
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def prove(
    *,
    states: Annotated[int, tyro.conf.arg(metavar="N")] = 3,
    actions: Annotated[int, tyro.conf.arg(metavar="K")] = 2,
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "9/10",
    time_limit: float = 60.0,
    json: Json = None,
) -> int:
    """Have z3 prove part 3 for all real rewards and all maps of N states and K actions at once.

    Needs the extra `proof`. Exit status 1 unless everything is proved, and not vacuously.

    Args:
        states: The number of nonterminal states.
        actions: The number of actions.
        gamma: The discount, below 1.
        time_limit: In seconds, for all queries together.
        json: Write the verdicts as JSON; "-" is standard output.
    """
    from theory import prove as prove_by_z3

    require_writable(json)
    with waiting("z3 is proving"):
        report = prove_by_z3(states, actions, gamma, time_limit=time_limit)
    rows = [
        ("the Bellman optimality equation has one solution", report.uniqueness),
        ("part 3, for every functional D", report.part3),
        ("not vacuous: at gamma = 1 the first is refuted", report.uniqueness_at_one),
        ("not vacuous: without its premise the second is", report.part3_without_premise),
        ("seconds", report.seconds),
        ("z3", report.z3_version),
    ]
    title = f"All rewards, all maps: {states} states x {actions} actions, gamma = {report.gamma}"
    console(json).print(facts(title, rows))
    write_json({"proved": report.proved} | vars(report), json)
    return 0 if report.proved else 1
