"""What an online run in an environment of Gymnasium is: plain data, as `experiments.runs.settings`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from experiments.runs.lane_settings import (
    MAX_LANES,
    require_integer,
    require_one_of,
    usual_rollout_length,
)
from experiments.runs.settings import OnlineSettings
from experiments.tasks import REGIMES

PREFIX = "gym:"

STEP_SIZE, TEMPERATURE = 1e-4, 0.8
"""Where nobody tuned any: in the middle of those tuned for the paper's environments."""


@dataclass(frozen=True, kw_only=True)
class GymSettings(OnlineSettings):
    """One agent that learns online in any environment of Gymnasium, a lane for each seed.

    Attributes:
        agent: As of `OnlineSettings`, but for "perfect" where the environment has no table of its dynamics.
        env: "gym:ID", or "gym:module:ID" where a module registers it.
        env_args: What the environment is made with, a JSON object.
        keys: Keys of a Dict observation to look at, apart by commas; all if empty.
        levels: Values of each number in a Box observation, from its low on; None takes the Box's word.
        evaluation_episodes: Of each evaluation, in each lane.
        evaluation_steps: The most steps of such an episode.
    """

    kind: ClassVar[str] = "gym"
    added: ClassVar[tuple[str, ...]] = ("real_share", "updates_per_step", "prioritized")
    identity: ClassVar[tuple[str, ...]] = ("agent", "env", "env_args", "regime")
    task: ClassVar[tuple[str, ...]] = (
        "env", "env_args", "keys", "levels", "regime", "evaluation_steps", "steps",
    )  # fmt: skip

    env_args: str = "{}"
    keys: str = ""
    levels: int | None = None
    evaluation_episodes: int = 10
    evaluation_steps: int = 1_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.env, str) or not self.env.removeprefix(PREFIX):
            raise ValueError(f"env must be gym:ID or gym:module:ID, got {self.env!r}")
        for name in ("evaluation_episodes", "evaluation_steps"):
            require_integer(name, getattr(self, name), 1)
        if self.levels is not None:
            require_integer("levels", self.levels, 2, 256)
        try:
            arguments = json.loads(self.env_args)
        except (TypeError, ValueError):
            arguments = None
        if not isinstance(arguments, dict):
            raise ValueError(f"env_args must be a JSON object, got {self.env_args!r}")

    @property
    def model_steps(self) -> None:
        """The model is never frozen here."""

    @property
    def task_title(self) -> str:
        """What its task is called."""
        name = self.env.removeprefix(PREFIX) + shown_arguments(self.env_args)
        return f"{name}, {self.regime} data"


def is_gym(env: str) -> bool:
    """Whether a name given as an environment is Gymnasium's: "gym:ID", or "module:ID"."""
    return ":" in env


def shown_arguments(env_args: str) -> str:
    """What follows an environment's name where it is made with arguments, a JSON object."""
    return "" if env_args == "{}" else f" with {env_args}"


def env_arguments(given: tuple[str, ...]) -> str:
    """The JSON object of arguments given as KEY=VALUE, a value being JSON or else a string.

    Raises:
        ValueError: One is not of this form, or given twice.
    """
    arguments: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key.isidentifier() or key in arguments:
            raise ValueError(f"--env-arg must be KEY=VALUE, each key once, got {each!r}")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return json.dumps(arguments, sort_keys=True)


def env_arg_option(env_args: str) -> str:
    """The command's option for arguments that are a JSON object, with a space before it; or nothing."""
    given = json.loads(env_args)
    shown = shlex.join(f"{key}={json.dumps(value)}" for key, value in given.items())
    return f" --env-arg {shown}" if given else ""


def gym_settings(*, lanes: int, seed: int = 0, given: Mapping[str, Any]) -> GymSettings:
    """Settings whose lanes differ in their seeds alone, with what is left open filled in.

    Args:
        lanes: Independent runs; lane i has the seed `seed` + i.
        seed: Seed of the first lane.
        given: Fields of `GymSettings` by name, with `step_size` and `temperature` for those of all lanes.

    Raises:
        ValueError: Something is unknown or out of range.
    """
    fields = dict(given)
    regime, env = fields["regime"], fields.pop("env")
    require_one_of("regime", regime, REGIMES)
    require_integer("lanes", lanes, 1, MAX_LANES)
    require_integer("seed", seed, 0, 2**63 - lanes)
    agent = fields.pop("agent").lower()
    fields.setdefault("rollout_length", usual_rollout_length(agent))
    fields.setdefault("evaluation_interval", REGIMES[regime].evaluation_interval)
    return GymSettings(
        agent=agent,
        env=env if env.startswith(PREFIX) else PREFIX + env,
        seeds=tuple(range(seed, seed + lanes)),
        step_sizes=(fields.pop("step_size", STEP_SIZE),) * lanes,
        temperatures=(fields.pop("temperature", TEMPERATURE),) * lanes,
        **fields,
    )
