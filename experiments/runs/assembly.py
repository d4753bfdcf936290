"""From settings to what runs: the agent, the protocol, the lanes and their loop. The only place that reads both."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from deep.acceleration import Acceleration
from deep.agent import Agent, Lanes
from deep.environments import Environment, WalledMaze
from deep.layers import Precision
from deep.models import (
    AGENTS,
    CounterfactualReplay,
    Model,
    Replay,
    SimpleModel,
    StructuredModel,
    ValueEquivalentCategorical,
    ValueEquivalentGaussian,
)
from deep.online_loop import OnlineLoop, Protocol
from experiments.runs.gym_settings import GymSettings
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.settings import TARGET_UPDATES, OnlineSettings, RunSettings
from experiments.runs.stored_settings import Settings
from experiments.tasks import batched_environment

if TYPE_CHECKING:
    from experiments.runs.gym_task import GymTask


VALUE_EQUIVALENT: dict[str, type[Model]] = {
    "categorical": ValueEquivalentCategorical,
    "gaussian": ValueEquivalentGaussian,
}


def agent_of(settings: Settings, precision: Precision) -> Agent:
    """The agent in its environment.

    Args:
        settings: What is run.
        precision: Of the networks' products, once "auto" is decided.
    """
    return _agent(settings, precision, _environment(settings))


def _environment(settings: Settings) -> Environment[Any]:
    if isinstance(settings, OfflineSettings):
        return WalledMaze(terminal_step=settings.terminal_step)
    if isinstance(settings, GymSettings):
        return gym_task(settings).environment
    return batched_environment(
        settings.env, settings.size, spontaneous=settings.spontaneous, event=settings.event
    )


def gym_task(settings: GymSettings) -> GymTask:
    """The environment that the settings name.

    Raises:
        ValueError: Gymnasium is not installed, or see `GymTask`.
    """
    if find_spec("gymnasium") is None:
        raise ValueError(f"env {settings.env} needs gymnasium, which is not installed")
    from experiments.runs.gym_task import GymTask

    return GymTask(settings)


def _agent(settings: Settings, precision: Precision, environment: Environment[Any]) -> Agent:
    kind = AGENTS[settings.agent]
    options: dict[str, Any] = {"precision": precision}
    if isinstance(settings, RunSettings) and settings.counterfactual:
        kind = CounterfactualReplay
    if isinstance(settings, RunSettings) and settings.structured:
        kind = StructuredModel
        options["gate_noise"] = settings.gate_noise
        if settings.gate_price is not None:
            options["gate_price"] = settings.gate_price
    if isinstance(settings, RunSettings) and settings.value_steps is not None:
        kind = VALUE_EQUIVALENT[settings.agent]
        options["value_steps"] = settings.value_steps
    if not issubclass(kind, Replay):
        options["rollout_length"] = settings.rollout_length
    if settings.learned:
        options["model_batch_size"] = settings.model_batch_size
    if isinstance(settings, OnlineSettings) and settings.learned:
        options["real_share"] = settings.real_share
    if isinstance(settings, RunSettings) and issubclass(kind, SimpleModel):
        options["clipped_logit_sampling"] = settings.clipped_logit_sampling
    prioritized = isinstance(settings, OnlineSettings) and settings.prioritized
    return Agent(kind(environment, **options), prioritized=prioritized)


def online_loop_of(
    settings: RunSettings | GymSettings, precision: Precision, device: str, how: Acceleration
) -> OnlineLoop:
    """The run of these settings, before its first step.

    Args:
        settings: What is run.
        precision: Of the networks' products, once "auto" is decided.
        device: Where it computes.
        how: What is done to its functions.
    """
    protocol, lanes = protocol_of(settings), lanes_of(settings, device)
    if isinstance(settings, RunSettings):
        return OnlineLoop(agent_of(settings, precision), protocol, lanes, how)
    from deep.hosted import EvaluationEpisodes, HostedLoop

    task = gym_task(settings)
    evaluation = EvaluationEpisodes(settings.evaluation_episodes, settings.evaluation_steps)
    agent = _agent(settings, precision, task.environment)
    return HostedLoop(agent, protocol, lanes, task.make, task.encoder, evaluation, how)


def protocol_of(settings: RunSettings | GymSettings) -> Protocol:
    """What happens when, counted in environment steps."""
    protocol = Protocol(
        steps=settings.steps,
        updates_per_step=settings.replay_ratio,
        target_period=TARGET_UPDATES // settings.replay_ratio,
        learning_starts=settings.learning_starts,
        buffer_capacity=settings.buffer,
    )
    if isinstance(settings, GymSettings):
        return protocol
    return replace(
        protocol,
        stale_reset_observation=settings.stale_reset_observation,
        model_steps=settings.model_steps,
    )


def lanes_of(settings: Settings, device: str) -> Lanes:
    """Seeds, step sizes and temperatures of the lanes, on the device."""
    return Lanes(
        torch.tensor(settings.seeds, dtype=torch.int64, device=device),
        torch.tensor(settings.step_sizes, dtype=torch.float32, device=device),
        torch.tensor(settings.temperatures, dtype=torch.float32, device=device),
    )
