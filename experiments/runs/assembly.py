"""From settings to what runs: the agent, the protocol and the lanes. The only place that reads both."""

from __future__ import annotations

from typing import Any

import torch

from deep.agent import Agent, Lanes
from deep.environments import WalledMaze
from deep.models import AGENTS, Replay, SimpleModel
from deep.networks import Precision
from deep.online_loop import Protocol
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.settings import RunSettings
from experiments.runs.stored_settings import Settings
from experiments.tasks import REGIMES, batched_environment


def agent_of(settings: Settings, precision: Precision) -> Agent:
    """The agent in its environment.

    Args:
        settings: What is run.
        precision: Of the networks' products, once "auto" is decided.
    """
    kind = AGENTS[settings.agent]
    options: dict[str, Any] = {"precision": precision}
    if kind is not Replay:
        options["rollout_length"] = settings.rollout_length
    if settings.learned:
        options["model_batch_size"] = settings.model_batch_size
    if isinstance(settings, OfflineSettings):
        return Agent(kind(WalledMaze(terminal_step=settings.terminal_step), **options))
    if kind is SimpleModel:
        options["clipped_logit_sampling"] = settings.clipped_logit_sampling
    environment = batched_environment(
        settings.env, settings.size, spontaneous=settings.spontaneous, event=settings.event
    )
    return Agent(kind(environment, **options))


def protocol_of(settings: RunSettings) -> Protocol:
    """What happens when, counted in environment steps."""
    regime = REGIMES[settings.regime]
    return Protocol(
        steps=settings.steps,
        updates_per_step=regime.updates_per_step,
        target_period=regime.target_period,
        evaluation_interval=settings.evaluation_interval,
        learning_starts=settings.learning_starts,
        buffer_capacity=settings.buffer,
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
