"""What an online run is: plain data, checked before anything starts, the same on every machine.

Nothing here needs torch or asks what this machine has; where a run runs is `experiments.runs.machine`'s.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from experiments.runs.lane_settings import (
    LEARNED,
    MAX_LANES,
    TRANSITIONS,
    LaneSettings,
    require_integer,
    require_one_of,
    require_share,
    usual_rollout_length,
)
from experiments.runs.tuned import tuned
from experiments.tasks import (
    ENVIRONMENTS,
    REGIMES,
    RegimeName,
    environment_name,
    readable_environment,
)

AgentName = Literal["er", "simple", "categorical", "gaussian", "perfect"]
AGENTS: tuple[str, ...] = get_args(AgentName)

LEARNING_STARTS = 1_000
"""Environment steps before the first update."""

TARGET_UPDATES = 100
"""Updates between copies to the target network, in both regimes."""

LATENT = ("categorical", "gaussian")
"""The agents whose model is stepped in a latent space."""

MOST_VALUE_STEPS = 10
"""Of the trajectories that a value-equivalent model learns from."""

UPDATES_PER_STEP = tuple(n for n in range(1, TARGET_UPDATES + 1) if TARGET_UPDATES % n == 0)
"""So that the target network is copied after a whole number of steps."""


@dataclass(frozen=True, kw_only=True)
class OnlineSettings(LaneSettings):
    """One agent that learns online, a lane for each seed, whatever the environment.

    Attributes:
        agent: "er", "simple", "categorical", "gaussian" or "perfect".
        steps: Environment steps of each lane.
        env: The environment's name.
        regime: "high" (one update a step) or "low" (ten).
        buffer: Transitions that a lane remembers.
        learning_starts: Environment steps before the first update.
        real_share: Of the 320 transitions of a Q update, those that are replayed beside the ones that a
            learned model imagines.
        updates_per_step: Updates after each environment step, a divisor of 100; None is the regime's. The
            target network is copied every 100 updates in any case.
        prioritized: Whether ER draws transitions by priority.
    """

    identity: ClassVar[tuple[str, ...]]
    """What a summary says of a run."""
    task: ClassVar[tuple[str, ...]]
    """What runs that are compared have in common."""

    env: str
    regime: RegimeName
    buffer: int = 100_000
    learning_starts: int = LEARNING_STARTS
    real_share: float = 0.0
    updates_per_step: int | None = None
    prioritized: bool = False

    def __post_init__(self) -> None:
        require_one_of("agent", self.agent, AGENTS)
        require_one_of("regime", self.regime, REGIMES)
        super().__post_init__()
        require_share("real_share", self.real_share)
        require_one_of("prioritized", self.prioritized, (True, False))
        if self.updates_per_step is not None:
            require_one_of("updates_per_step", self.updates_per_step, UPDATES_PER_STEP)
        self._require_learned("real_share")
        self._require_replay("prioritized")
        for name in ("buffer", "learning_starts"):
            require_integer(name, getattr(self, name), 1)
        if self.buffer < self.replayed:
            raise ValueError(
                f"buffer must hold the {self.replayed} transitions that {self.agent} replays in an "
                f"update, got {self.buffer}"
            )

    def _require_learned(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) and not self.learned:
                raise ValueError(
                    f"{name} needs an agent that learns a model, {', '.join(LEARNED)}, got {self.agent}"
                )

    def _require_replay(self, name: str) -> None:
        if getattr(self, name) and self.agent != "er":
            raise ValueError(f"{name} is an option of the agent er, got {self.agent}")

    @property
    def replayed(self) -> int:
        return max(super().replayed, round(self.real_share * TRANSITIONS))

    @property
    def updates(self) -> int:
        """Updates of a lane in the whole run."""
        return self.updates_after(self.steps)

    def updates_after(self, steps: int) -> int:
        """Updates of a lane in its first so many environment steps."""
        return max(0, steps - self.learning_starts) * self.replay_ratio

    @property
    def replay_ratio(self) -> int:
        """Updates after each environment step, the regime's if nothing else is said."""
        return self.updates_per_step or REGIMES[self.regime].updates_per_step

    @property
    def capacity(self) -> int:
        """Transitions that a lane's buffer has room for."""
        return min(self.buffer, self.steps)

    @property
    def title(self) -> str:
        """What a run is called in tables and pictures."""
        return f"{self.agent} on {self.task_title}"

    @property
    @abstractmethod
    def task_title(self) -> str:
        """What its task is called."""


@dataclass(frozen=True, kw_only=True)
class RunSettings(OnlineSettings):
    """One agent that learns online in one environment of the paper, a lane for each seed.

    Attributes:
        env: "PanFlute", "ButtonGrid", "ProcMaze" or "OpenGrid".
        size: Pipes, buttons, or grid size.
        clipped_logit_sampling: A quirk of the authors' code, in the simple model.
        stale_reset_observation: A quirk of the authors' code; without effect in a continuing
            environment.
        spontaneous: Whether spontaneous transitions are on.
        event: The form of the spontaneous event where there are two; None is the usual one.
        model_steps: Steps after which the learned model is frozen and the Q-network begins from scratch;
            None if the model learns to the end.
        forecasts: Whether, at the end, what the learned model expects is measured by the number of
            active pipe ends; in PanFlute alone.
        counterfactual: Whether ER recombines transitions factor by factor.
        structured: Whether the simple model predicts each feature from a learned few others.
        gate_price: Of each feature that another one is predicted from, in nats a transition; None is 0.003.
        gate_noise: Whether what is read is chosen with noise in learning.
        value_steps: Steps of the trajectories from which a latent model learns rewards, ends and values alone, 1 to
            10; None if it learns by reconstruction, as usual.
        model_quality: Whether, at the end, what the learned model gets right is measured, of states that it
            has seen and of new ones.
    """

    kind: ClassVar[str] = "online"
    added: ClassVar[tuple[str, ...]] = (
        "model_steps", "forecasts", "real_share", "updates_per_step", "prioritized",
        "counterfactual", "model_quality", "structured", "value_steps", "gate_price", "gate_noise",
    )  # fmt: skip
    identity: ClassVar[tuple[str, ...]] = ("agent", "env", "size", "regime")
    task: ClassVar[tuple[str, ...]] = ("env", "size", "regime", "spontaneous", "event", "steps")

    size: int
    clipped_logit_sampling: bool = False
    stale_reset_observation: bool = False
    spontaneous: bool = True
    event: str | None = None
    model_steps: int | None = None
    forecasts: bool = False
    counterfactual: bool = False
    model_quality: bool = False
    structured: bool = False
    value_steps: int | None = None
    gate_price: float | None = None
    gate_noise: bool = True

    def __post_init__(self) -> None:
        require_one_of("env", self.env, ENVIRONMENTS)
        super().__post_init__()
        require_integer("size", self.size, 1)
        for name in (
            "clipped_logit_sampling", "stale_reset_observation", "spontaneous", "forecasts",
            "counterfactual", "model_quality", "structured", "gate_noise",
        ):  # fmt: skip
            require_one_of(name, getattr(self, name), (True, False))
        self._require_structured()
        self._require_value_steps()
        if self.clipped_logit_sampling and self.agent != "simple":
            raise ValueError(
                f"clipped_logit_sampling is a quirk of the agent simple, got {self.agent}"
            )
        if self.model_steps is not None:
            require_integer("model_steps", self.model_steps, 1, self.steps - 1)
        self._require_learned("model_steps", "forecasts", "model_quality")
        self._require_replay("counterfactual")
        if self.prioritized and self.counterfactual:
            raise ValueError("prioritized and counterfactual exclude each other, got both")
        if self.model_quality and self.model_steps is not None:
            raise ValueError(
                "model_quality asks what the model has met, which is forgotten at model_steps: got both"
            )
        if self.forecasts and self.env != "PanFlute":
            raise ValueError(f"forecasts are measured in PanFlute alone, got {self.env}")
        readable_environment(self.env, self.size, spontaneous=self.spontaneous, event=self.event)

    def _require_structured(self) -> None:
        if self.structured:
            if self.agent != "simple":
                raise ValueError(f"structured is an option of the agent simple, got {self.agent}")
        elif self.gate_price is not None:
            raise ValueError(f"gate_price needs structured True, got {self.gate_price} without")
        elif not self.gate_noise:
            raise ValueError("gate_noise needs structured True, got False without")
        if self.gate_price is not None:
            require_share("gate_price", self.gate_price)

    def _require_value_steps(self) -> None:
        if self.value_steps is None:
            return
        require_integer("value_steps", self.value_steps, 1, MOST_VALUE_STEPS)
        if self.agent not in LATENT:
            raise ValueError(
                f"value_steps is an option of the agents {', '.join(LATENT)}, got {self.agent}"
            )
        for name in ("forecasts", "model_quality"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} needs a model that predicts observations; one with value_steps does not"
                )

    def updates_after(self, steps: int) -> int:
        """Updates of a lane in its first so many environment steps."""
        scratch = 0 if self.model_steps is None else max(0, steps - self.model_steps)
        learning = (max(0, part - self.learning_starts) for part in (steps - scratch, scratch))
        return sum(learning) * self.replay_ratio

    @property
    def task_title(self) -> str:
        """What its task is called."""
        return f"{self.env} {self.size}, {self.regime} data"


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
        rollout_length=usual_rollout_length(agent) if rollout_length is None else rollout_length,
        **given,
    )
