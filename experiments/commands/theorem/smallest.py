"""The smallest class with a proper inclusion: `mbgen theorem smallest`."""

from __future__ import annotations

from typing import Annotated

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, facts, progress
from experiments.commands.theorem.estimates import telling
from experiments.commands.theorem.tables import print_evidence_witness, print_witness
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def smallest(
    *,
    max_states: int = 2,
    max_actions: int = 2,
    rewards: tuple[str, ...] = ("-1", "0", "1"),
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "1/2",
    decision_relevant: bool = False,
    denominator: Annotated[int, tyro.conf.arg(metavar="D")] = 1,
    unknown_rewards: bool = False,
    evidence: bool = False,
    json: Json = None,
) -> int:
    """The smallest class and dataset with a proper inclusion, by (|S|, |A|, |M|, |D|), over all classes of a box.

    Exit status 1 if there is none in the box.

    Args:
        max_states: The most states of the box.
        max_actions: The most actions.
        rewards: The values that a reward may have.
        gamma: The discount.
        denominator: Let models have laws, whose probabilities are multiples of 1/D; 1 is for successors.
        unknown_rewards: Let models have rewards of their own, each among those values.
        evidence: Ask for evidence, which allows sets of options, in place of a dataset.
        decision_relevant: Ask that it settles an optimal action of a state under H_M, but not under H_B.
        json: Write what was found as JSON; "-" is standard output.
    """
    from theory import Witness, exact, search_classes

    require_writable(json)
    with progress("searching all classes") as report_progress:
        found = search_classes(
            max_states,
            max_actions,
            [exact(reward, "a reward") for reward in rewards],
            exact(gamma, "gamma"),
            decision_relevant=decision_relevant,
            denominator=denominator,
            unknown_rewards=unknown_rewards,
            evidence=evidence,
            progress=report_progress,
            tell=telling(report_progress, "searching all classes"),
        )
    what = "decision-relevant dataset" if decision_relevant else "proper inclusion"
    if found is None:
        write_json(None, json)
        console(json).print(f"no class of the box has a {what}")
        return 1
    problem, smallest_witness = found
    models = [problem.transitions.table(i) for i in range(problem.transitions.size)]
    sizes = {"states": problem.states, "actions": problem.actions, "models": len(models)}
    known: dict[str, object] = {"rewards": problem.rewards}
    rewards_found = "; ".join(" ".join(map(str, row)) for row in problem.rewards)
    rows = [*sizes.items(), ("rewards, state by state", rewards_found)]
    if problem.transitions.options is not None:
        known = {"options": problem.transitions.options}
        rows.pop()
    write_json(sizes | known | {"tables": models} | vars(smallest_witness), json)
    screen = console(json)
    screen.print(facts(f"The smallest class with a {what}", rows))
    if isinstance(smallest_witness, Witness):
        print_witness(screen, problem, smallest_witness)
    else:
        print_evidence_witness(screen, problem, smallest_witness)
    return 0
