"""An environment of Gymnasium by its name, and the table of its exact dynamics; needs no torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium

from experiments.runs.gym_settings import PREFIX

if TYPE_CHECKING:
    from tabular.transition_table import Table

Make = Callable[[], gymnasium.Env[Any, Any]]


class ExactDynamics(NamedTuple):
    """What an environment says of itself, or what was found by exploring it.

    Attributes:
        table: Gymnasium's `P`, or one like it; see `tabular.transition_table`.
        initial: Probability of each state after a reset.
        limit: The most steps of an episode; None if there is no limit.
        numbering: The number of each state by what it consists of, and how many numbers there are.
        source: Where all this is from, in a few words.
    """

    table: Table
    initial: Any
    limit: int | None
    numbering: Callable[[], tuple[Sequence[int], int]]
    source: str


def made(env: str, env_args: str) -> tuple[Make, gymnasium.Env[Any, Any]]:
    """How copies of an environment are made, and the first of them.

    Args:
        env: "gym:ID", or "gym:module:ID" where a module registers it.
        env_args: What it is made with, a JSON object.

    Raises:
        ValueError: It cannot be made.
    """
    name, arguments = env.removeprefix(PREFIX), json.loads(env_args)

    def make() -> gymnasium.Env[Any, Any]:
        return gymnasium.make(name, disable_env_checker=True, **arguments)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # the copies that are used will say so
            _register(name)
            return make, make()
    except Exception as error:  # noqa: BLE001 whatever the environment's own code raises
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"env {env} cannot be made: {said}") from None


def exact_dynamics(
    env: str, env_args: str, *, max_states: int, report: Callable[[float], None]
) -> ExactDynamics:
    """The table that an environment keeps of its dynamics, or else one that is found by exploring it.

    Args:
        env: "gym:ID", or "gym:module:ID" where a module registers it.
        env_args: What it is made with, a JSON object.
        max_states: The most states to explore.
        report: Is told what share of the states known so far has been explored.

    Raises:
        ValueError: It cannot be made, or keeps no table and cannot be explored.
    """
    _, copy = made(env, env_args)
    table = getattr(copy.unwrapped, "P", None)
    initial = getattr(copy.unwrapped, "initial_state_distrib", None)
    limit = copy.spec.max_episode_steps if copy.spec else None
    if isinstance(table, dict) and initial is not None:
        count = len(table)
        return ExactDynamics(
            table, initial, limit, lambda: (range(count), count), "its own table P"
        )
    try:
        return _explored(copy, limit, max_states, report)
    except ValueError as error:
        raise ValueError(
            f"env {env} has no table P of its dynamics beside initial_state_distrib, and cannot be "
            f"explored: {error}"
        ) from None


def _explored(
    game: gymnasium.Env[Any, Any],
    limit: int | None,
    max_states: int,
    report: Callable[[float], None],
) -> ExactDynamics:
    from experiments.runs.gym_exploration import ExplorableGame, numbers_of
    from tabular.exploration import RESETS, explored

    space, explorable = game.observation_space, ExplorableGame(game)
    found = explored(explorable, explorable.num_actions, max_states=max_states, report=report)
    source = (
        f"exploring {len(found.states):,} states, each action twice; "
        f"where episodes begin was counted over {RESETS:,} resets"
    )
    if limit is not None:
        source += f"; its time limit of {limit:,} steps is no part of a state"
    return ExactDynamics(
        found.table, found.initial, limit, lambda: numbers_of(space, found.states), source
    )


def _register(name: str) -> None:
    """Let a module that is named make its environments known; some do so by a function, not by import."""
    module, colon, known = name.rpartition(":")
    if colon:
        registered = import_module(module)
        if known not in gymnasium.registry and hasattr(registered, "register_envs"):
            registered.register_envs()
