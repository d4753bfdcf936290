"""What a run of an online agent is: every choice, checked before anything starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, NamedTuple, TypeVar

import torch

from deep.acceleration import ACCELERATIONS, AccelerationName, resolve
from deep.agent import Agent, Lanes
from deep.argument_checks import require_integer
from deep.environments import ENVIRONMENTS, Environment, make
from deep.models import AGENTS, Replay, SimpleModel
from deep.networks import PRECISIONS, Precision
from deep.online_loop import HIGH_DATA, LOW_DATA, Protocol

Regime = Literal["high", "low"]
Scale = Literal["smoke", "desk", "paper"]
Number = TypeVar("Number", int, float)

REGIMES: Mapping[str, Protocol] = {"high": HIGH_DATA, "low": LOW_DATA}
SCALES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "smoke": {"high": (2, 1_100), "low": (2, 1_020)},
    "desk": {"high": (4, 20_000), "low": (4, 2_000 + LOW_DATA.learning_starts)},
    "paper": {"high": (30, HIGH_DATA.steps), "low": (30, LOW_DATA.steps)},
}
"""Lanes and steps; at every scale updates happen."""

MAX_LANES = 1_000_000

COMPILING_PAYS = 30_000
"""Updates, over all lanes, from which on a CPU saves more time than compiling takes."""


class Tuned(NamedTuple):
    """Q step size and softmax temperature."""

    step_size: float
    temperature: float


TUNED: Mapping[str, Mapping[str, Mapping[str, Tuned]]] = {
    "simple": {
        "ProcMaze": {"high": Tuned(2e-4, 0.8), "low": Tuned(2.5e-5, 0.4)},
        "ButtonGrid": {"high": Tuned(2e-4, 1.6), "low": Tuned(5e-5, 0.4)},
        "PanFlute": {"high": Tuned(1e-4, 0.4), "low": Tuned(2e-4, 0.2)},
    },
    "perfect": {
        "ProcMaze": {"high": Tuned(1e-4, 0.4), "low": Tuned(4e-4, 0.4)},
        "ButtonGrid": {"high": Tuned(2e-4, 0.0125), "low": Tuned(2e-4, 0.0125)},
        "PanFlute": {"high": Tuned(2e-4, 0.1), "low": Tuned(1e-4, 0.1)},
    },
    "er": {
        "ProcMaze": {"high": Tuned(5e-5, 0.1), "low": Tuned(2.5e-5, 1.6)},
        "ButtonGrid": {"high": Tuned(5e-5, 0.0125), "low": Tuned(2.5e-5, 0.1)},
        "PanFlute": {"high": Tuned(1e-4, 0.1), "low": Tuned(3.125e-6, 0.8)},
    },
    "categorical": {
        "ProcMaze": {"high": Tuned(2e-4, 1.6), "low": Tuned(1e-4, 0.8)},
        "ButtonGrid": {"high": Tuned(1e-4, 0.05), "low": Tuned(2e-4, 0.1)},
        "PanFlute": {"high": Tuned(8e-4, 0.05), "low": Tuned(1.6e-3, 0.05)},
    },
    "gaussian": {
        "ProcMaze": {"high": Tuned(3.125e-6, 12.8), "low": Tuned(3.125e-6, 0.8)},
        "ButtonGrid": {"high": Tuned(1.25e-5, 0.1), "low": Tuned(2.5e-5, 0.8)},
        "PanFlute": {"high": Tuned(2e-4, 0.1), "low": Tuned(2e-4, 0.1)},
    },
}
"""The authors' settings, found on ProcMaze 4, ButtonGrid 4 and PanFlute 7, used at every size.

Nothing was tuned on OpenGrid; it takes ProcMaze's, whose rewards are the same.
"""


@dataclass(frozen=True)
class RunSettings:
    """A run: one agent in one environment, a lane for each seed. See `run_settings` for defaults.

    Attributes:
        agent: A name of `deep.models.AGENTS`.
        env: A name of `deep.environments.ENVIRONMENTS`.
        size: Pipes, buttons, or grid size.
        regime: "high" or "low": how many updates a step, and when the rest happens.
        steps: Of a lane.
        seeds: Of each lane.
        step_sizes: Of each lane's Q-network.
        temperatures: Of each lane's softmax behaviour.
        device: "cpu" or "cuda".
        precision: Of the networks' products.
        acceleration: "none", "compile" or "graph".
        rollout_length: Steps of a rollout; 1 for ER, which makes none.
        buffer: Transitions a lane.
        learning_starts: Steps before the first update.
        evaluation_interval: Steps between evaluations.
        clipped_logit_sampling: A quirk; of the simple model alone.
        stale_reset_observation: A quirk; without effect in a continuing environment.
        spontaneous: Whether spontaneous transitions are on.
    """

    agent: str
    env: str
    size: int
    regime: Regime
    steps: int
    seeds: tuple[int, ...]
    step_sizes: tuple[float, ...]
    temperatures: tuple[float, ...]
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Precision = "highest"
    acceleration: AccelerationName = "none"
    rollout_length: int = 10
    buffer: int = HIGH_DATA.buffer_capacity
    learning_starts: int = HIGH_DATA.learning_starts
    evaluation_interval: int = HIGH_DATA.evaluation_interval
    clipped_logit_sampling: bool = False
    stale_reset_observation: bool = False
    spontaneous: bool = True

    def __post_init__(self) -> None:
        _require_name("agent", self.agent, AGENTS)
        _require_name("env", self.env, ENVIRONMENTS)
        _require_name("regime", self.regime, REGIMES)
        _require_name("device", self.device, ("cpu", "cuda"))
        _require_name("precision", self.precision, PRECISIONS)
        _require_name("acceleration", self.acceleration, ACCELERATIONS[1:])
        if not self.seeds:
            raise ValueError("a run needs a seed for each of its lanes, got none")
        for seed in self.seeds:
            require_integer("seed", seed, 0, 2**63 - 1)
        for name in ("step_sizes", "temperatures"):
            values = getattr(self, name)
            if len(values) != len(self.seeds):
                raise ValueError(
                    f"{name} must be {len(self.seeds)}, one for each lane, got {len(values)}"
                )
            for value in values:
                _require_positive(name.removesuffix("s").replace("_", " "), value)
        if self.agent == "er" and self.rollout_length != 1:
            raise ValueError(
                f"rollout_length must be 1 with er, which imagines nothing, got {self.rollout_length}"
            )
        if self.clipped_logit_sampling and self.agent != "simple":
            raise ValueError(
                f"clipped_logit_sampling is a quirk of the agent simple, got {self.agent}"
            )
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device cuda needs a GPU that torch can use, and there is none")
        resolve(self.acceleration, torch.device(self.device))
        replayed = self.built_agent().replayed
        require_integer("steps", self.steps, 1)
        if not self.buffer >= replayed:
            raise ValueError(
                f"buffer must hold the {replayed} transitions that {self.agent} replays in an "
                f"update, got {self.buffer}"
            )
        self.protocol()

    @property
    def title(self) -> str:
        """What a run is called in tables and pictures."""
        return f"{self.agent} on {self.env} {self.size}, {self.regime} data"

    def environment(self) -> Environment[Any]:
        """The batched environment.

        Raises:
            ValueError: The size is out of range.
        """
        size_name = fields(ENVIRONMENTS[self.env])[0].name  # type: ignore[arg-type]
        return make(self.env, **{size_name: self.size, "spontaneous": self.spontaneous})

    def built_agent(self) -> Agent:
        """The agent in its environment."""
        kind = AGENTS[self.agent]
        options: dict[str, Any] = {"precision": self.precision}
        if kind is not Replay:
            options["rollout_length"] = self.rollout_length
        if kind is SimpleModel:
            options["clipped_logit_sampling"] = self.clipped_logit_sampling
        return Agent(kind(self.environment(), **options))

    def protocol(self) -> Protocol:
        """What happens when."""
        return replace(
            REGIMES[self.regime],
            steps=self.steps,
            evaluation_interval=self.evaluation_interval,
            learning_starts=self.learning_starts,
            buffer_capacity=self.buffer,
            stale_reset_observation=self.stale_reset_observation,
        )

    def lanes(self) -> Lanes:
        """Seeds and settings of each lane, on the device."""
        return Lanes(
            torch.tensor(self.seeds, dtype=torch.int64, device=self.device),
            torch.tensor(self.step_sizes, dtype=torch.float32, device=self.device),
            torch.tensor(self.temperatures, dtype=torch.float32, device=self.device),
        )

    def stored(self) -> dict[str, Any]:
        """As JSON holds them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def stored_settings(stored: Mapping[str, Any]) -> RunSettings:
    """The settings that `RunSettings.stored` gave, on a machine of any kind.

    Raises:
        ValueError: They are none, or of another version.
    """
    if stored.keys() != {field.name for field in fields(RunSettings)}:
        raise ValueError(f"these are no settings of a run: {', '.join(stored)}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    values |= {"device": "cpu", "acceleration": "none"}
    return RunSettings(**values)


def run_settings(
    *,
    agent: str,
    env: str,
    size: int,
    regime: str,
    scale: str = "paper",
    lanes: int | None = None,
    seed: int = 0,
    steps: int | None = None,
    device: str = "auto",
    step_size: float | None = None,
    temperature: float | None = None,
    precision: str = "highest",
    acceleration: str = "auto",
    rollout_length: int | None = None,
    **others: Any,
) -> RunSettings:
    """Settings with everything that is left open filled in.

    Lane i has the seed `seed` + i; lanes and steps are those of the scale, step size and
    temperature the tuned ones, the rollout length 10 (1 for ER); "auto" takes what the machine has
    (a CPU compiles only what is long enough).

    Args:
        agent: Its name, in any case; and so the environment's.
        env: See `agent`.
        size: As in `RunSettings`, and so `regime`, `precision` and whatever is in `others`.
        regime: See `size`.
        scale: "smoke", "desk" or "paper".
        lanes: Independent runs.
        seed: Of the first lane.
        steps: Of a lane.
        device: "cpu", "cuda", or "auto".
        step_size: Of every lane's Q-network.
        temperature: Of every lane's behaviour.
        precision: See `size`.
        acceleration: "none", "compile", "graph", or "auto".
        rollout_length: Steps of a rollout.
        others: See `size`.

    Raises:
        ValueError: Something is unknown or out of range.
    """
    agent = agent.lower()
    _require_name("agent", agent, AGENTS)
    environment = {name.lower(): name for name in ENVIRONMENTS}.get(env.lower(), env)
    _require_name("env", environment, ENVIRONMENTS)
    _require_name("regime", regime, REGIMES)
    _require_name("scale", scale, SCALES)
    _require_name("device", device, ("cpu", "cuda", "auto"))
    _require_name("acceleration", acceleration, ACCELERATIONS)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda needs a GPU that torch can use, and there is none")
    usual_lanes, usual_steps = SCALES[scale][regime]
    lanes = _given(lanes, usual_lanes)
    require_integer("lanes", lanes, 1, MAX_LANES)
    require_integer("seed", seed, 0, 2**63 - lanes)
    tuned = TUNED[agent].get(environment, TUNED[agent]["ProcMaze"])[regime]
    steps = _given(steps, usual_steps)
    if acceleration == "auto" and device == "cpu":
        updates = lanes * steps * REGIMES[regime].updates_per_step
        acceleration = "auto" if updates >= COMPILING_PAYS else "none"
    how = resolve(acceleration, torch.device(device))
    resolved = "graph" if how.captured else "compile" if how.compiled else "none"
    options = {"evaluation_interval": REGIMES[regime].evaluation_interval} | others
    return RunSettings(
        agent=agent,
        env=environment,
        size=size,
        regime=regime,  # type: ignore[arg-type]
        steps=steps,
        seeds=tuple(range(seed, seed + lanes)),
        step_sizes=(_given(step_size, tuned.step_size),) * lanes,
        temperatures=(_given(temperature, tuned.temperature),) * lanes,
        device=device,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        acceleration=resolved,  # type: ignore[arg-type]
        rollout_length=_given(rollout_length, 1 if agent == "er" else 10),
        **options,
    )


def _given(value: Number | None, usual: Number) -> Number:
    return usual if value is None else value


def _require_name(what: str, name: str, accepted: Any) -> None:
    if name not in accepted:
        raise ValueError(f"{what} must be one of {', '.join(accepted)}, got {name!r}")


def _require_positive(what: str, value: float) -> None:
    if not (0 < torch.tensor(value, dtype=torch.float32).item() < math.inf):
        raise ValueError(f"{what} must be a positive number in float32, got {value}")
