"""How fast the deep agents learn on this machine, beside what its matrix products alone would take."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Annotated, Any

import tyro

from experiments.benchmarks.measurement import (
    Measurement,
    best_rates,
    once,
    present,
    require_positive,
)
from experiments.commands.arguments import Json
from experiments.commands.terminal import progress
from experiments.runs.settings import AGENTS
from experiments.storage.whole_files import require_writable

LANES = (1, 8, 30)
MAZE_SIZE = 4
TARGET_SHARE = 0.7
TARGET_LANES = 8
TARGETED = ("er", "simple", "gaussian")

_REPLAYED = 400  # transitions in the buffer, for an update to draw from
_REPEATS = 10


def bench_deep(
    *,
    agents: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = AGENTS,
    lanes: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N [N ...]")] = LANES,
    acceleration: str = "auto",
    precision: str = "highest",
    seconds: float = 2.0,
    threads: int | None = None,
    json: Json = None,
) -> int:
    """Milliseconds an update on ProcMaze 4, and the share reached of the matrix-product rate.

    Compiling takes a minute or so for each agent and number of lanes, once on a machine; Ctrl-C prints what was
    measured until then (exit status 130). Exit status 1 if a target is missed: 70 % of the rate at 8 lanes for ER,
    simple and Gaussian, compiled, in full precision.

    Args:
        agents: Which to measure: er, simple, categorical, gaussian, perfect.
        lanes: Numbers of lanes.
        acceleration: none, compile, kernels, or auto (the fastest that there is here).
        precision: Of the products, in updates and alone: highest, high or bf16.
        seconds: For each measurement.
        threads: Threads that torch may use; all cores if not given.
        json: Write the figures as JSON; "-" is standard output.
    """
    for name in agents:
        if name not in AGENTS:
            raise ValueError(f"agent is {name!r}; accepted: {', '.join(AGENTS)}")
    if not lanes or min(lanes) < 1:
        raise ValueError(f"lanes are {lanes}; accepted: numbers of 1 or more")
    require_positive(seconds=seconds, threads=threads)
    require_writable(json)
    import torch

    from deep.acceleration import keep_freed_memory, resolve
    from deep.layers import PRECISIONS

    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; accepted: {', '.join(PRECISIONS)}")
    how = resolve(acceleration, torch.device("cpu"))
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    machine = (
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {platform.machine()}, "
        f"torch {torch.__version__}, {how.name}, {precision}"
    )
    measurements: list[Measurement] = []
    interrupted = False
    try:
        with progress("measuring") as report:
            for name in agents:
                for count in lanes:
                    targeted = name in TARGETED and count == TARGET_LANES and how.compiled
                    target = TARGET_SHARE if targeted and precision == "highest" else None
                    measurements.append(measure(name, count, how, precision, seconds, target))
                    report(len(measurements) / (len(agents) * len(lanes)))
    except KeyboardInterrupt:
        if not measurements:
            raise
        interrupted = True
    status = present(
        "deep",
        machine,
        measurements,
        {"seconds": seconds},
        json,
        "ms a lane: one update of all lanes, divided by their number. gflop a lane: its matrix products, from"
        " their shapes. gflop a second: this machine's batched products, measured between the updates, of whose"
        " rate a share is measured.",
    )
    return 130 if interrupted else status


def measure(
    name: str,
    count: int,
    acceleration: Any,
    precision: Any,
    seconds: float,
    target: float | None,
) -> Measurement:
    """Updates of one agent and products of the same batch, in turn, so that both meet the same machine.

    Args:
        name: Of the agent.
        count: How many lanes are updated at once.
        acceleration: What is done to an update, a `deep.acceleration.Acceleration`.
        precision: Of its products.
        seconds: For the measurement.
        target: The least share of the products' rate; None if there is no target.

    Returns:
        The share that updates reach of the rate of this machine's batched products, in the shape of a hidden layer
        of the Q-network. Its details are what it follows from, and the seconds of the first update, compilation
        included.
    """
    import torch

    from deep.matrix_products import flops, update_products

    agent, update = prepared_update(name, count, acceleration, precision)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.randn(count, rows, 200).to(dtype) for rows in (320, 200))
    start = time.perf_counter()
    update()
    first = time.perf_counter() - start
    updates, products = best_rates(
        once(update),
        once(lambda: torch.bmm(left, right)),
        seconds=seconds / (2 * _REPEATS),
        repeats=_REPEATS,
    )
    product_rate = 2 * count * 320 * 200 * 200 * products
    work = flops(update_products(agent))
    details = {
        "lanes": count,
        "ms_a_lane": 1e3 / updates / count,
        "gflop_a_lane": work / 1e9,
        "gflop_a_second": product_rate / 1e9,
        "first_seconds": first,
    }
    share = count * work * updates / product_rate
    return Measurement(name, share, "of the rate", at_least=target, details=details)


def prepared_update(
    name: str, count: int, acceleration: Any, precision: Any
) -> tuple[Any, Callable[[], None]]:
    """An agent of that name and what updates it once in so many lanes, on ProcMaze 4; the first call compiles."""
    import torch

    from deep.agent import Agent, Lanes
    from deep.environments import ProcMaze
    from deep.models import AGENTS as MODELS
    from deep.online_loop import OnlineLoop, Protocol, learn

    agent = acceleration.agent(Agent(MODELS[name](ProcMaze(MAZE_SIZE), precision=precision)))
    lanes = Lanes(torch.arange(count), torch.full((count,), 1e-4), torch.full((count,), 0.4))
    loop = OnlineLoop(agent, Protocol(_REPLAYED, 1, 100, learning_starts=_REPLAYED), lanes)
    loop.advance(_REPLAYED)
    compiled = acceleration.compile(learn)
    return agent, lambda: compiled(agent, lanes, loop.state)
