"""The loops that are compared and timed, and what is asked of their device."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deep.acceleration import Acceleration
from deep.agent import Agent, Lanes
from deep.environments import Environment, ProcMaze
from deep.layers import Precision
from deep.models import AGENTS
from deep.online_loop import HIGH_DATA, OnlineLoop, Protocol
from deep.tensor_tree import tensors

ACCELERATIONS = {
    "capture": Acceleration(captured=True),
    "graph": Acceleration(compiled=True, captured=True),
    "compile": Acceleration(compiled=True),
    "eager": Acceleration(),
}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        environment: That the agents learn in.
        lanes: Of the comparison.
        steps: That are compared, an update each.
        segment: Steps of the comparison that are captured as one.
        filled: Steps before learning starts in the comparison.
        speed_lanes: Numbers of lanes whose speed is measured, the most telling first.
        period: Steps that are timed together: what runs capture as one.
        seconds: The least time for a measurement.
        transitions: Steps of each environment that are compared.
    """

    environment: Environment[Any]
    lanes: int
    steps: int
    segment: int
    filled: int
    speed_lanes: tuple[int, ...]
    period: int
    seconds: float
    transitions: int


FULL = Size(ProcMaze(4), 30, 32, 16, 96, (30, 120, 480, 1), HIGH_DATA.target_period, 0.5, 200)
SMALL = Size(ProcMaze(2), 2, 4, 2, 4, (2, 1), 4, 0.01, 10)


def size_on(device: torch.device) -> Size:
    """All of it on a GPU; on a CPU, where only the checks themselves are tried, little."""
    return FULL if device.type == "cuda" else SMALL


def loop_of(
    agent: str,
    environment: Environment[Any],
    lanes: int,
    device: torch.device,
    way: str = "eager",
    *,
    filled: int,
    period: int,
    precision: Precision = "highest",
) -> OnlineLoop:
    """A run on that device.

    Args:
        agent: Its name.
        environment: What it learns in.
        lanes: How many learn at once.
        device: Where.
        way: How the loop runs.
        filled: Steps before learning starts.
        period: Steps between copies to the target network, and so of a segment.
        precision: Of the products.
    """
    runs = Lanes(
        torch.arange(lanes, device=device),
        torch.full((lanes,), 1e-4, device=device),
        torch.ones(lanes, device=device),
    )
    protocol = Protocol(1_000_000, 1, period, learning_starts=filled, buffer_capacity=10_000)
    return OnlineLoop(
        Agent(AGENTS[agent](environment, precision=precision)), protocol, runs, ACCELERATIONS[way]
    )


def compared_loop(agent: str, size: Size, device: torch.device, way: str = "eager") -> OnlineLoop:
    """The loop of the comparison with the CPU, and of the search for what waits."""
    return loop_of(
        agent,
        size.environment,
        size.lanes,
        device,
        way,
        filled=size.filled,
        period=size.segment,
    )


def copied(loop: OnlineLoop) -> dict[str, Tensor]:
    """The loop's state at this moment, on the CPU."""
    return {name: tensor.cpu().clone() for name, tensor in tensors(loop.state).items()}


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def free_bytes(device: torch.device) -> int | None:
    """Memory of the GPU that nobody has, as its driver counts it, after giving back what nothing uses; None on a CPU.

    Executables of graphs lie there too, of which torch's own count knows nothing.
    """
    gc.collect()
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0]
