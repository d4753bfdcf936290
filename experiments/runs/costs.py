"""What a run costs, estimated from its settings alone, to order and to place many of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from experiments.runs.gym_settings import GymSettings
from experiments.runs.settings import OnlineSettings, RunSettings
from experiments.runs.stored_settings import Settings

MILLISECONDS: Mapping[str, float] = {
    "er": 1.4,
    "perfect": 2.4,
    "simple": 5.0,
    "gaussian": 5.5,
    "categorical": 13.0,
}
"""Of an update of one lane on one core with one thread, as `mbgen bench deep` measures it (bfloat16, AMX tiles or
AVX512)."""

_COMPILING_SECONDS = 60.0
_PROCESS_BYTES = 3 * 2**28  # torch, and what it compiles
_LANE_BYTES = 2**26  # parameters, moments, and the layers of an update
_FEATURE_BYTES = 2**16  # of the layers that read or predict a feature
_PAIR_BYTES, _UNITS_BYTES = 2**10, 2**19  # where each feature reads each, and has layers of its own
_FEATURES: Mapping[str, Callable[[int], int]] = {
    "ProcMaze": lambda size: 4 * size**2,
    "ButtonGrid": lambda _: 75,
    "PanFlute": lambda size: size * (size + 1) // 2,
    "OpenGrid": lambda size: size**2,
}
_WALLED_MAZE = 36
_MANY_FEATURES = 1_000
"""Of an environment of Gymnasium, which is not made to be asked."""

_SHORT_ROLLOUTS = 0.8
"""Of the cost of an update, where rollouts of a learned model have one step in place of ten."""

_FROZEN = 0.7
"""Of the same, where the model is frozen."""

_DEARER_REPLAY = 1.4
"""Of the same, where transitions are drawn by priority or recombined."""

_STRUCTURED = 1.3
"""Of the same, where each feature has a network of its own."""

_UNROLLING = (0.8, 0.1)
"""Of the same, of a value-equivalent model, and more for each step of its trajectories."""


def estimated_seconds(settings: Settings) -> float:
    """On one core with one thread; other machines differ by a factor, which a sweep learns as it goes."""
    updates = float(settings.updates)
    if isinstance(settings, RunSettings) and settings.model_steps is not None:
        learning = settings.updates_after(settings.model_steps)
        updates = learning + _FROZEN * (updates - learning)
    rows = max(settings.model_batch_size, 32) / 32  # a model that learns from more costs more
    dearer = 1 + 0.3 * (rows - 1)
    if settings.learned and settings.rollout_length == 1:
        dearer *= _SHORT_ROLLOUTS
    by_priority = isinstance(settings, OnlineSettings) and settings.prioritized
    if by_priority or (isinstance(settings, RunSettings) and settings.counterfactual):
        dearer *= _DEARER_REPLAY
    if isinstance(settings, RunSettings) and settings.structured:
        dearer *= _STRUCTURED
    if isinstance(settings, RunSettings) and settings.value_steps is not None:
        dearer *= _UNROLLING[0] + _UNROLLING[1] * settings.value_steps
    spent = len(settings.seeds) * updates * MILLISECONDS[settings.agent] * dearer / 1e3
    return _COMPILING_SECONDS + spent


def estimated_memory(settings: Settings) -> int:
    """Bytes of the process, an upper estimate."""
    lanes, features = len(settings.seeds), _features(settings)
    buffer = settings.capacity * (2 * features + 10)  # priorities among them
    lane = _LANE_BYTES + _FEATURE_BYTES * features + buffer
    if isinstance(settings, RunSettings) and settings.structured:
        lane += _PAIR_BYTES * features**2 + _UNITS_BYTES * features
    if isinstance(settings, GymSettings):
        lane += 4 * settings.steps  # every action, by which an episode is gone on with
    return _PROCESS_BYTES + lanes * lane


def _features(settings: Settings) -> int:
    if isinstance(settings, RunSettings):
        return _FEATURES[settings.env](settings.size)
    return _MANY_FEATURES if isinstance(settings, GymSettings) else _WALLED_MAZE
