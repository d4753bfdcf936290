"""Batched torch: environments, models of them, and agents; every tensor has leading lane axes.

Importing this package makes the environments known to Gymnasium, if that is installed:
`gymnasium.make("deep:mbgen/PanFlute-v0", num_pipes=7)`.
"""

from importlib.util import find_spec

from deep.acceleration import Acceleration, resolve
from deep.agent import Agent, Lanes, Learner
from deep.models import (
    AGENTS,
    CategoricalModel,
    Forecast,
    GaussianModel,
    Model,
    PerfectModel,
    Replay,
    RolloutModel,
    SimpleModel,
)
from deep.networks import Network
from deep.online_loop import HIGH_DATA, LOW_DATA, OnlineLoop, OnlineState, Protocol

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
    "Forecast",
    "GaussianModel",
    "Lanes",
    "Learner",
    "Model",
    "Network",
    "OnlineLoop",
    "OnlineState",
    "PerfectModel",
    "Protocol",
    "Replay",
    "RolloutModel",
    "SimpleModel",
    "resolve",
]
