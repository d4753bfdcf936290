"""What a run is: plain data, checked before anything starts, the same on every machine.

Nothing here needs torch or asks what this machine has; where a run runs is `experiments.runs.machine`'s.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from struct import pack
from typing import Any, Literal, get_args

from experiments.runs.tuned import tuned
from experiments.storage.json_files import read_json
from experiments.tasks import (
    ENVIRONMENTS,
    REGIMES,
    RegimeName,
    environment_name,
    readable_environment,
)

AgentName = Literal["er", "simple", "categorical", "gaussian", "perfect"]
AGENTS: tuple[str, ...] = get_args(AgentName)

LEARNED = ("simple", "categorical", "gaussian")
"""The agents whose model is learned."""

PrecisionName = Literal["auto", "highest", "high", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(PrecisionName)

TRANSITIONS = 320
"""Transitions, replayed or imagined, in each update of the Q-network."""

LEARNING_STARTS = 1_000
"""Environment steps before the first update."""

MAX_LANES = 1_000_000
MAX_STEPS = 42_949_671  # of a run; an evaluation's random words are counted in 32 bits


@dataclass(frozen=True)
class RunSettings:
    """One agent in one environment, a lane for each seed: the identity of a run.

    Attributes:
        agent: "er", "simple", "categorical", "gaussian" or "perfect".
        env: "PanFlute", "ButtonGrid", "ProcMaze" or "OpenGrid".
        size: Pipes, buttons, or grid size.
        regime: "high" (one update a step) or "low" (ten).
        steps: Environment steps of each lane.
        seeds: Seed of each lane; a lane is one independent run.
        step_sizes: Step size of each lane's Q-network.
        temperatures: Temperature of each lane's softmax behaviour.
        rollout_length: Steps of an imagined rollout, a divisor of 320; 1 for ER, which makes none.
        model_batch_size: Replayed transitions that a learned model learns from in an update, 1 to
            320; without effect where nothing is learned.
        buffer: Transitions that a lane remembers.
        learning_starts: Environment steps before the first update.
        evaluation_interval: Environment steps between evaluations.
        precision: Of the networks' products; "auto" is whichever of float32 and bfloat16 is faster
            on the machine that runs it, and what was chosen is in the run's provenance.
        clipped_logit_sampling: A quirk of the authors' code, in the simple model.
        stale_reset_observation: A quirk of the authors' code; without effect in a continuing
            environment.
        spontaneous: Whether spontaneous transitions are on.
        event: The form of the spontaneous event where there are two; None is the usual one.
    """

    agent: str
    env: str
    size: int
    regime: RegimeName
    steps: int
    seeds: tuple[int, ...]
    step_sizes: tuple[float, ...]
    temperatures: tuple[float, ...]
    rollout_length: int = 10
    model_batch_size: int = 32
    buffer: int = 100_000
    learning_starts: int = LEARNING_STARTS
    evaluation_interval: int = 500
    precision: PrecisionName = "auto"
    clipped_logit_sampling: bool = False
    stale_reset_observation: bool = False
    spontaneous: bool = True
    event: str | None = None

    def __post_init__(self) -> None:
        require_one_of("agent", self.agent, AGENTS)
        require_one_of("env", self.env, ENVIRONMENTS)
        require_one_of("regime", self.regime, REGIMES)
        require_one_of("precision", self.precision, PRECISIONS)
        require_integer("steps", self.steps, 1, MAX_STEPS)
        require_integer("size", self.size, 1)
        for name in ("buffer", "learning_starts", "evaluation_interval"):
            require_integer(name, getattr(self, name), 1)
        for name in ("clipped_logit_sampling", "stale_reset_observation", "spontaneous"):
            require_one_of(name, getattr(self, name), (True, False))
        if not 1 <= len(self.seeds) <= MAX_LANES:
            raise ValueError(
                f"a run has 1 to {MAX_LANES:,} lanes, a seed each, got {len(self.seeds)}"
            )
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
        require_integer("rollout_length", self.rollout_length, 1, TRANSITIONS)
        if TRANSITIONS % self.rollout_length:
            raise ValueError(
                f"rollout_length must be a divisor of {TRANSITIONS}, got {self.rollout_length}"
            )
        require_integer("model_batch_size", self.model_batch_size, 1, TRANSITIONS)
        if self.agent == "er" and self.rollout_length != 1:
            raise ValueError(
                f"rollout_length must be 1 with er, which imagines nothing, got {self.rollout_length}"
            )
        if self.clipped_logit_sampling and self.agent != "simple":
            raise ValueError(
                f"clipped_logit_sampling is a quirk of the agent simple, got {self.agent}"
            )
        if self.buffer < self.replayed:
            raise ValueError(
                f"buffer must hold the {self.replayed} transitions that {self.agent} replays in an "
                f"update, got {self.buffer}"
            )
        readable_environment(self.env, self.size, spontaneous=self.spontaneous, event=self.event)

    @property
    def replayed(self) -> int:
        """Transitions replayed in an update: rollouts start from them and models learn from them."""
        starts = TRANSITIONS // self.rollout_length
        return max(starts, self.model_batch_size) if self.agent in LEARNED else starts

    @property
    def updates(self) -> int:
        """Updates of a lane in the whole run."""
        return self.updates_after(self.steps)

    def updates_after(self, steps: int) -> int:
        """Updates of a lane in its first so many environment steps."""
        return max(0, steps - self.learning_starts) * REGIMES[self.regime].updates_per_step

    @property
    def title(self) -> str:
        """What a run is called in tables and pictures."""
        return f"{self.agent} on {self.env} {self.size}, {self.regime} data"

    def stored(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell these settings from all others."""
        text = json.dumps(self.stored(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def stored_settings(stored: object) -> RunSettings:
    """The settings that `RunSettings.stored` gave.

    Raises:
        ValueError: They are none, or not in range.
    """
    names = [field.name for field in fields(RunSettings)]
    if not isinstance(stored, Mapping):
        raise ValueError(f"the settings of a run are an object with the keys {', '.join(names)}")
    for name in sorted(stored.keys() ^ set(names)):
        raise ValueError(
            f"the settings of a run have {'no' if name in stored else 'a'} key {name!r}; "
            f"their keys are {', '.join(names)}"
        )
    values: dict[str, Any] = {}
    for name, value in stored.items():
        listed = name in ("seeds", "step_sizes", "temperatures")
        if listed != isinstance(value, (list, tuple)):
            raise ValueError(f"{name} is {value!r}; accepted: {'a list' if listed else 'no list'}")
        values[name] = tuple(value) if listed else value
    return RunSettings(**values)


def read_settings(path: Path) -> RunSettings:
    """The settings in a JSON file: an object of them, or one that has them under "settings".

    Raises:
        ValueError: The file cannot be read or holds no settings; the file is named.
    """
    found = read_json(path)
    try:
        return stored_settings(found.get("settings", found))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def run_settings(
    *,
    agent: str,
    env: str,
    size: int,
    regime: str,
    steps: int,
    lanes: int,
    seed: int = 0,
    step_size: float | None = None,
    temperature: float | None = None,
    rollout_length: int | None = None,
    **others: Any,
) -> RunSettings:
    """Settings whose lanes differ in their seeds alone, with what is left open filled in.

    Args:
        agent: Name of the agent, in any case.
        env: Name of the environment, in any case.
        size: Pipes, buttons, or grid size.
        regime: "high" or "low"; it also sets the evaluation interval, if none is given.
        steps: Environment steps of each lane.
        lanes: Independent runs; lane i has the seed `seed` + i.
        seed: Seed of the first lane.
        step_size: Step size of every lane's Q-network; the authors' tuned one if None.
        temperature: Temperature of every lane's behaviour; the authors' tuned one if None.
        rollout_length: Steps of a rollout; 10 if None, and 1 for ER.
        others: More fields of `RunSettings`, by name.

    Raises:
        ValueError: Something is unknown or out of range.
    """
    agent = agent.lower()
    require_one_of("agent", agent, AGENTS)
    environment = environment_name(env)
    require_one_of("regime", regime, REGIMES)
    require_integer("lanes", lanes, 1, MAX_LANES)
    require_integer("seed", seed, 0, 2**63 - lanes)
    best = tuned(agent, environment, regime)
    given = {name: value for name, value in others.items() if value is not None}
    given.setdefault("evaluation_interval", REGIMES[regime].evaluation_interval)
    return RunSettings(
        agent=agent,
        env=environment,
        size=size,
        regime=regime,  # type: ignore[arg-type]
        steps=steps,
        seeds=tuple(range(seed, seed + lanes)),
        step_sizes=(best.step_size if step_size is None else step_size,) * lanes,
        temperatures=(best.temperature if temperature is None else temperature,) * lanes,
        rollout_length=(1 if agent == "er" else 10) if rollout_length is None else rollout_length,
        **given,
    )


def require_integer(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number in a range.

    Raises:
        ValueError: naming the value and the range.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value or (most is not None and value > most):  # type: ignore[operator]
        range_ = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be a whole number, {range_}, got {value!r}")


def require_one_of(what: str, value: object, accepted: Any) -> None:
    """Refuse a value that is none of those accepted.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    if not any(value == known and type(value) is type(known) for known in accepted):
        raise ValueError(
            f"{what} must be one of {', '.join(str(known) for known in accepted)}, got {value!r}"
        )


def _require_positive(what: str, value: object) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number:
        try:
            number = pack("f", value) != pack("f", 0.0) and 0 < value < math.inf  # type: ignore[operator]
        except OverflowError:
            number = False
    if not number:
        raise ValueError(f"{what} must be a positive number in float32, got {value!r}")
