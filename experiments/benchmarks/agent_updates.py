"""How fast the deep agents learn on this machine, beside what its matrix products alone would take."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

AGENTS = ("er", "simple", "categorical", "gaussian", "perfect")
LANES = (1, 8, 30)
MAZE_SIZE = 4
TARGET_SHARE = 0.7
TARGET_LANES = 8
TARGETED = ("er", "simple", "gaussian")

_REPLAYED = 400  # transitions in the buffer, for an update to draw from


class UpdateSpeed(NamedTuple):
    """The measurement of one agent at one number of lanes.

    Attributes:
        agent: Its name.
        lanes: How many are updated at once.
        milliseconds: An update of one lane, the best of the repeats.
        flops: Floating-point operations of the matrix products of an update of one lane.
        product_rate: Floating-point operations a second of this machine's batched products, in the
            shape of a hidden layer of the Q-network, measured between the updates.
        share: Of that rate that the updates reach.
        first_seconds: Of the first update, compilation included.
        met: Whether the target share is reached; None if there is none.
    """

    agent: str
    lanes: int
    milliseconds: float
    flops: int
    product_rate: float
    share: float
    first_seconds: float
    met: bool | None = None


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

    Compiling takes a minute or so for each agent and number of lanes, once on a machine. Exit status 1 if a
    target is missed: 70 % of the rate at 8 lanes for ER, simple and Gaussian, compiled, in full precision.

    Args:
        agents: Which to measure: er, simple, categorical, gaussian, perfect.
        lanes: Numbers of lanes.
        acceleration: none, compile, or auto (compile, where there is a compiler).
        precision: Of the products: highest, high or bf16; the rate is measured in highest.
        seconds: For each measurement.
        threads: Threads that torch may use; all cores if not given.
        json: Write the figures as JSON; "-" is standard output.
    """
    for name in agents:
        if name not in AGENTS:
            raise ValueError(f"agent is {name!r}; accepted: {', '.join(AGENTS)}")
    if not lanes or min(lanes) < 1:
        raise ValueError(f"lanes are {lanes}; accepted: numbers of 1 or more")
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; accepted: more than 0")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; accepted: 1 or more")
    require_writable(json)
    import torch

    from deep.acceleration import keep_freed_memory, resolve
    from deep.networks import PRECISIONS

    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; accepted: {', '.join(PRECISIONS)}")
    how = resolve(acceleration, torch.device("cpu"))
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    machine = (
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {platform.machine()}, "
        f"torch {torch.__version__}, {'compiled' if how.compiled else 'eager'}, {precision}"
    )
    figures = []
    with progress("measuring") as report:
        for name in agents:
            for count in lanes:
                figure = measure(name, count, how, precision, seconds)
                targeted = name in TARGETED and count == TARGET_LANES and how.compiled
                if targeted and precision == "highest":
                    figure = figure._replace(met=figure.share >= TARGET_SHARE)
                figures.append(figure)
                report(len(figures) / (len(agents) * len(lanes)))
    rows = [
        (f.agent, f.lanes, f.milliseconds, f.flops / 1e9, f.product_rate / 1e9, f.share, f.met)
        for f in figures
    ]
    columns = ("agent", "lanes", "ms a lane", "GFLOP a lane", "GFLOP/s", "share", "met")
    screen = console(json)
    screen.print(
        table(f"mbgen bench deep: {machine}", columns, rows),
        "ms a lane: one update of all lanes, divided by their number. GFLOP: its matrix products, from their"
        " shapes. GFLOP/s: this machine's batched products, measured between the updates. share: of that.",
    )
    write_json({"machine": machine, "figures": [figure._asdict() for figure in figures]}, json)
    return 1 if any(figure.met is False for figure in figures) else 0


def measure(
    name: str, count: int, acceleration: Any, precision: Any, seconds: float
) -> UpdateSpeed:
    """Updates of one agent and products of the same batch, in turn, so that both meet the same machine."""
    import torch

    from deep.agent import Agent, Lanes
    from deep.environments import ProcMaze
    from deep.matrix_products import flops, update_products
    from deep.models import AGENTS as MODELS
    from deep.online_loop import OnlineLoop, Protocol, learn

    agent = Agent(MODELS[name](ProcMaze(MAZE_SIZE), precision=precision))
    lanes = Lanes(torch.arange(count), torch.full((count,), 1e-4), torch.full((count,), 0.4))
    loop = OnlineLoop(agent, Protocol(_REPLAYED, 1, 100, 100, learning_starts=_REPLAYED), lanes)
    loop.advance(_REPLAYED)
    compiled = acceleration.compile(learn)
    left, right = torch.randn(count, 320, 200), torch.randn(count, 200, 200)

    def update() -> None:
        compiled(agent, lanes, loop.state)

    def product() -> None:
        torch.bmm(left, right)

    start = time.perf_counter()
    update()
    first = time.perf_counter() - start
    best_update, best_product = float("inf"), float("inf")
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        best_update = min(best_update, _seconds(update, 2))
        best_product = min(best_product, _seconds(product, 10))
    rate = 2 * count * 320 * 200 * 200 / best_product
    work = flops(update_products(agent).together)
    share = count * work / best_update / rate
    return UpdateSpeed(name, count, 1e3 * best_update / count, work, rate, share, first)


def _seconds(work: Callable[[], None], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times
