"""An environment of Gymnasium, made as the settings of a run name it, and what is known of it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from deep.hosted import (
    Encoder,
    HostedEnvironment,
    TableEnvironment,
    encoder_of,
    transition_table,
)
from experiments.analysis.reference import Reference, table_reference
from experiments.runs.gym_environment import made
from experiments.runs.gym_settings import GymSettings


class GymTask:
    """An environment of Gymnasium as the settings name it.

    Attributes:
        make: Makes a copy.
        encoder: Of its observations.
        environment: What the agent asks of it; a `TableEnvironment` if it has a table of its dynamics.
    """

    def __init__(self, settings: GymSettings) -> None:
        """Make one copy, and look at it.

        Raises:
            ValueError: There is no such environment, agents cannot act in it or see it, or the perfect
                model is asked for and there is no table.
        """
        self.make, copy = made(settings.env, settings.env_args)
        actions = copy.action_space
        if not isinstance(actions, Discrete):
            raise ValueError(
                f"env {settings.env} has the action space {actions}; accepted: Discrete"
            )
        keys = [key.strip() for key in settings.keys.split(",") if key.strip()]
        try:
            self.encoder: Encoder = encoder_of(
                copy.observation_space, keys=keys, levels=settings.levels
            )
        except ValueError as error:
            raise ValueError(f"env {settings.env}: {error}") from None
        self._inner = copy.unwrapped
        self._limit = copy.spec.max_episode_steps if copy.spec else None  # the inner one's has none
        self._seen = copy.observation_space
        if settings.agent == "perfect" and self.table is None:
            raise ValueError(
                f"agent perfect needs the exact dynamics, and env {settings.env} has no table P of them "
                "with the state's number as observation; accepted: er, simple, categorical, gaussian"
            )
        self.environment = self._environment(int(actions.n))

    @cached_property
    def table(self) -> Any:
        """Gymnasium's `P`, if there is one and an observation is the number of a state; else None."""
        found = getattr(self._inner, "P", None)
        seen = self._seen
        if not isinstance(found, dict) or not isinstance(seen, Discrete):
            return None
        return found if int(seen.start) == 0 and len(found) == seen.n else None

    def _environment(self, actions: int) -> HostedEnvironment:
        if self.table is None:
            return HostedEnvironment(actions, self.encoder.num_features)
        return TableEnvironment(actions, self.encoder.num_features, transition_table(self.table))

    def reference(self, horizon: int) -> Reference:
        """Of the best and the uniformly random policy, exact where there is a table, else not known."""
        initial = getattr(self._inner, "initial_state_distrib", None)
        if self.table is None or initial is None:
            return Reference(*[np.nan] * 4)
        return table_reference(self.table, initial, min(horizon, self._limit or horizon))
