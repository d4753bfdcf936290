"""The exact dynamics of an environment of Gymnasium, as the commands that need them ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.commands.terminal import progress
from experiments.runs.gym_settings import GymSettings, shown_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.runs.gym_environment import ExactDynamics
    from tabular.transition_table import FactoredTable

MAX_STATES = 20_000
"""Of an environment that is explored."""


def dynamics_of(name: str, arguments: str, max_states: int = MAX_STATES) -> ExactDynamics:
    """The table that an environment keeps, or that is found by exploring it, behind a bar.

    Args:
        name: "gym:ID", or "gym:module:ID" where a module registers it.
        arguments: What it is made with, a JSON object.
        max_states: The most states to explore.

    Raises:
        ValueError: It cannot be made, or keeps no table and cannot be explored.
    """
    from experiments.runs.gym_environment import exact_dynamics

    with progress(f"exploring {name}") as report:
        return exact_dynamics(name, arguments, max_states=max_states, report=report)


def evaluation_horizon(known: ExactDynamics, horizon: int | None = None) -> int:
    """The steps of an evaluation, never more than the environment's own time limit."""
    steps = GymSettings.evaluation_steps if horizon is None else horizon
    return steps if known.limit is None else min(steps, known.limit)


def factor_sizes(given: tuple[str, ...]) -> dict[str, int]:
    """The sizes of factors given as NAME=SIZE.

    Raises:
        ValueError: One is not of this form, or given twice.
    """
    sizes: dict[str, int] = {}
    for each in given:
        name, equals, size = each.partition("=")
        if not (equals and name.isidentifier() and size.isdecimal()) or name in sizes:
            raise ValueError(f"--factors must be NAME=SIZE, each name once, got {each!r}")
        sizes[name] = int(size)
    return sizes


def factored_table(
    name: str, arguments: str, known: ExactDynamics, sizes: Mapping[str, int]
) -> FactoredTable:
    """The table, its states made of factors.

    Args:
        name: The environment.
        arguments: What it is made with, a JSON object.
        known: Its dynamics.
        sizes: The number of values of each factor, the last one changing fastest; without any, a
            state is a single factor.

    Raises:
        ValueError: The states are not numbered by such factors.
    """
    from tabular.transition_table import FactoredTable

    title = name + shown_arguments(arguments)
    if not sizes:
        return FactoredTable(known.table, known.initial, {"state": len(known.table)}, name=title)
    numbers, count = known.numbering()
    return FactoredTable(
        known.table, known.initial, sizes, numbers=numbers, count=count, name=title
    )
