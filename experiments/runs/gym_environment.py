"""An environment of Gymnasium by its name, and the table of its exact dynamics; needs no torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium

from experiments.runs.gym_settings import PREFIX

if TYPE_CHECKING:
    from tabular.transition_table import Table

Make = Callable[[], gymnasium.Env[Any, Any]]


class ExactDynamics(NamedTuple):
    """What an environment says of itself.

    Attributes:
        table: Gymnasium's `P`; see `tabular.transition_table`.
        initial: Probability of each state after a reset.
        limit: The most steps of an episode; None if there is no limit.
    """

    table: Table
    initial: Any
    limit: int | None


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


def exact_dynamics(env: str, env_args: str) -> ExactDynamics:
    """The table that an environment keeps of its dynamics.

    Args:
        env: "gym:ID", or "gym:module:ID" where a module registers it.
        env_args: What it is made with, a JSON object.

    Raises:
        ValueError: It cannot be made, or keeps no table.
    """
    _, copy = made(env, env_args)
    table = getattr(copy.unwrapped, "P", None)
    initial = getattr(copy.unwrapped, "initial_state_distrib", None)
    if not isinstance(table, dict) or initial is None:
        raise ValueError(
            f"env {env} has no table P of its dynamics beside initial_state_distrib; accepted: "
            "environments that have both, as FrozenLake, Taxi and CliffWalking"
        )
    limit = copy.spec.max_episode_steps if copy.spec else None
    return ExactDynamics(table, initial, limit)


def _register(name: str) -> None:
    """Let a module that is named make its environments known; some do so by a function, not by import."""
    module, colon, known = name.rpartition(":")
    if colon:
        registered = import_module(module)
        if known not in gymnasium.registry and hasattr(registered, "register_envs"):
            registered.register_envs()
