"""All maps counted by their optimal values: `mbgen theorem census`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, facts, progress
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def census(
    *,
    states: Annotated[int, tyro.conf.arg(metavar="N")],
    actions: Annotated[int, tyro.conf.arg(metavar="K")],
    rewards: Annotated[str, tyro.conf.arg(metavar="sparse|cost|generic|FILE")] = "sparse",
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "9/10",
    json: Json = None,
) -> int:
    """Count all maps of N states and K actions by their optimal values, without enumerating them.

    Exit status 1 if the counts do not add up to the number of maps.

    Args:
        states: The number of nonterminal states.
        actions: The number of actions.
        rewards: A reward table by name, or a JSON file [[r, one for each action], one for each state].
        gamma: The discount.
        json: Write the counts as JSON; "-" is standard output.
    """
    import theory

    if states < 1 or actions < 1:
        raise ValueError(f"{states} states and {actions} actions; accepted: 1 or more of each")
    require_writable(json)
    if Path(rewards).is_file() or rewards.endswith(".json"):
        reward_table = theory.load_rewards(Path(rewards), states, actions)
    else:
        reward_table = theory.named_rewards(rewards, states, actions)
    with progress(f"census of {states} x {actions}") as report_progress:
        counts = theory.census(reward_table, theory.exact(gamma, "gamma"), report_progress)
    rows = [
        ("models", counts.models),
        ("counted, fiber by fiber", counts.counted),
        ("complete", counts.complete),
        ("distinct optimal q", counts.value_functions),
        ("distinct optimal V", counts.value_vectors),
        ("most models with one V", counts.largest_fiber),
        ("seconds", counts.seconds),
    ]
    title = (
        f"Census of {states} states x {actions} actions, {rewards} rewards, gamma = {counts.gamma}"
    )
    console(json).print(facts(title, rows))
    write_json({"rewards": rewards, "complete": counts.complete} | vars(counts), json)
    return 0 if counts.complete else 1
