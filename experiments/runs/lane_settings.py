"""What all runs have in common: an agent, lanes that differ in seed and hyperparameters, a length, an identity.

Nothing here needs torch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from struct import pack
from typing import Any, ClassVar, Literal, Self, get_args

PrecisionName = Literal["auto", "highest", "high", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(PrecisionName)
DEVICES = ("auto", "cpu", "cuda")

TRANSITIONS = 320
"""Transitions, replayed or imagined, in each update of the Q-network."""

LEARNED = ("simple", "categorical", "gaussian")
"""The agents whose model is learned."""

MAX_LANES = 1_000_000
MAX_STEPS = 42_949_671  # of a run; an evaluation's random words are counted in 32 bits


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """One agent, a lane for each seed.

    Attributes:
        agent: Its name.
        steps: Of each lane; in what unit, the kind of run says.
        seeds: Seed of each lane; a lane is one independent run.
        step_sizes: Step size of each lane's Q-network.
        temperatures: Temperature of each lane's softmax behaviour.
        rollout_length: Steps of an imagined rollout, a divisor of 320; 1 for ER, which makes none.
        model_batch_size: Replayed transitions that a learned model learns from in an update, 1 to
            320; without effect where nothing is learned.
        evaluation_interval: Steps between evaluations.
        precision: Of the networks' products; "auto" is whichever of float32 and bfloat16 is faster
            on the machine that runs it, and what was chosen is in the run's provenance.
    """

    kind: ClassVar[str]
    """What kind of run it is; with it, settings are stored and read."""
    added: ClassVar[tuple[str, ...]] = ()
    """Fields that came later: they are stored only where they are not as usual, so that what was stored
    before keeps its digest."""

    agent: str
    steps: int
    seeds: tuple[int, ...]
    step_sizes: tuple[float, ...]
    temperatures: tuple[float, ...]
    rollout_length: int = 10
    model_batch_size: int = 32
    evaluation_interval: int = 500
    precision: PrecisionName = "auto"

    def __post_init__(self) -> None:
        require_one_of("precision", self.precision, PRECISIONS)
        require_integer("steps", self.steps, 1, MAX_STEPS)
        require_integer("evaluation_interval", self.evaluation_interval, 1)
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

    @property
    def learned(self) -> bool:
        """Whether the agent learns a model."""
        return self.agent in LEARNED

    @property
    def replayed(self) -> int:
        """Transitions replayed in an update: rollouts start from them and models learn from them."""
        starts = TRANSITIONS // self.rollout_length
        return max(starts, self.model_batch_size) if self.learned else starts

    def stored(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        usual = {field.name: field.default for field in fields(self)}
        held = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name not in self.added or value != usual[name]
        }
        return held if self.kind == "online" else {"kind": self.kind} | held

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell these settings from all others."""
        text = json.dumps(self.stored(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The settings that `stored` gave, without their kind.

        Raises:
            ValueError: They are none, or not in range.
        """
        names = [field.name for field in fields(cls)]
        needed = set(names) - set(cls.added)
        for name in sorted(stored.keys() ^ needed):
            if name in cls.added:
                continue
            raise ValueError(
                f"the settings of a run {'have no' if name in stored else 'lack the'} key {name!r}; "
                f"their keys are {', '.join(names)}"
            )
        values: dict[str, Any] = {}
        for name, value in stored.items():
            listed = name in ("seeds", "step_sizes", "temperatures")
            if listed != isinstance(value, (list, tuple)):
                raise ValueError(
                    f"{name} is {value!r}; accepted: {'a list' if listed else 'no list'}"
                )
            values[name] = tuple(value) if listed else value
        return cls(**values)


def usual_rollout_length(agent: str) -> int:
    """Steps of a rollout where nothing else is said: 10, and 1 for ER, which makes none."""
    return 1 if agent == "er" else 10


def require_integer(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number in a range.

    Raises:
        ValueError: naming the value and the range.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value or (most is not None and value > most):  # type: ignore[operator]
        range_ = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be a whole number, {range_}, got {value!r}")


def require_share(name: str, value: object) -> None:
    """Refuse what is no number from 0 to 1.

    Raises:
        ValueError: naming the value and the range.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}")


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
