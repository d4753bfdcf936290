"""Batched torch: environments, models of them, and agents; every tensor has leading lane axes.

Importing this package makes the environments known to Gymnasium, if that is installed:
`gymnasium.make("deep:mbgen/PanFlute-v0", num_pipes=7)`.
"""

from importlib.util import find_spec

from deep.acceleration import Acceleration, resolve
from deep.agent import Agent, Lanes, Learner, Losses
from deep.models import (
    AGENTS,
    CategoricalModel,
    CounterfactualReplay,
    Forecast,
    GaussianModel,
    Model,
    PerfectModel,
    Replay,
    RolloutModel,
    SimpleModel,
    StructuredModel,
    ValueEquivalentCategorical,
    ValueEquivalentGaussian,
)
from deep.networks import Network
from deep.offline_learning import OfflineLearner, OfflineState
from deep.online_loop import HIGH_DATA, LOW_DATA, OnlineLoop, OnlineState, Protocol
from deep.replay_buffer import Dataset, fixed_buffer

if find_spec("gymnasium"):
    from deep.gymnasium_adapter import register

    register()

__all__ = [
    "AGENTS",
    "HIGH_DATA",
    "LOW_DATA",
    "Acceleration",
    "Agent",
    "CategoricalModel",
    "CounterfactualReplay",
    "Dataset",
    "Forecast",
    "GaussianModel",
    "Lanes",
    "Learner",
    "Losses",
    "Model",
    "Network",
    "OfflineLearner",
    "OfflineState",
    "OnlineLoop",
    "OnlineState",
    "PerfectModel",
    "Protocol",
    "Replay",
    "RolloutModel",
    "SimpleModel",
    "StructuredModel",
    "ValueEquivalentCategorical",
    "ValueEquivalentGaussian",
    "fixed_buffer",
    "resolve",
]
