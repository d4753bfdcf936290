"""How much slower the deep agents learn while other processes keep this machine's cores busy."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import tyro

from experiments.benchmarks.agent_updates import prepared_update
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

THREADS = (1, 2)
TOLERANCE = 1.1
"""Times the slowdown that is due, for the target: what two measurements of the same differ by."""

_REPEATS = 10
# Ends by itself too, should nobody be left to end it.
_BUSY = "import os\nstarter = os.getppid()\nwhile os.getppid() == starter: sum(range(10_000))"


def bench_contention(
    *,
    agent: str = "er",
    lanes: int = 5,
    threads: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N [N ...]")] = THREADS,
    busy: int | None = None,
    acceleration: str = "auto",
    seconds: float = 2.0,
    json: Json = None,
) -> int:
    """How much slower updates are beside processes that keep the other cores busy, by number of threads.

    The share is what a fair scheduler leaves of the cores that the updates have alone. Exit status 1 if with one
    thread they are slower by more than the share that is lost.

    Args:
        agent: er, simple, categorical, gaussian or perfect.
        lanes: Learning at once, on ProcMaze 4.
        threads: Numbers of threads that torch may use.
        busy: Processes beside; all cores but one if not given.
        acceleration: none, compile, kernels, or auto: kernels or compile, as far as the machine has them.
        seconds: For each measurement.
        json: Write the figures as JSON; "-" is standard output.
    """
    if agent not in AGENTS:
        raise ValueError(f"agent is {agent!r}; accepted: {', '.join(AGENTS)}")
    if not threads or min(threads) < 1:
        raise ValueError(f"threads are {threads}; accepted: numbers of 1 or more")
    require_positive(lanes=lanes, busy=busy, seconds=seconds)
    require_writable(json)
    import torch

    from deep.acceleration import keep_freed_memory, resolve

    how = resolve(acceleration, torch.device("cpu"))
    keep_freed_memory()
    cores = len(os.sched_getaffinity(0))
    busy = max(1, cores - 1) if busy is None else busy
    machine = (
        f"{cores} cores, {busy} busy beside, {platform.machine()}, torch {torch.__version__}, "
        f"{'compiled' if how.compiled else 'eager'}, {agent}, {lanes} lanes"
    )
    measurements = []
    before = torch.get_num_threads()
    with progress("measuring") as report:
        try:
            for count in threads:
                torch.set_num_threads(count)
                share = fair_share(count, busy, cores)
                measurements.append(_measure(agent, lanes, how, count, busy, share, seconds))
                report(len(measurements) / len(threads))
        finally:
            torch.set_num_threads(before)
    return present(
        "contention",
        machine,
        measurements,
        {"agent": agent, "lanes": lanes, "busy": busy, "cores": cores, "seconds": seconds},
        json,
        "ms: one update of all lanes. share: of the cores that it has alone, by a fair scheduler; the slowdown that"
        " is due is one divided by it.",
    )


def fair_share(threads: int, busy: int, cores: int) -> float:
    """Of what threads have alone, what they have beside busy processes if all are treated alike."""
    return min(1.0, cores / (threads + busy) * threads / min(threads, cores))


def _measure(
    agent: str, lanes: int, how: Any, threads: int, busy: int, share: float, seconds: float
) -> Measurement:
    """Updates alone and beside the busy processes, in turn, so that both meet the same machine."""
    _, update = prepared_update(agent, lanes, how, "highest")
    update()  # compiles
    with busy_processes(busy) as let_work:

        def updated(beside: bool) -> None:
            let_work(beside)
            update()

        alone, beside = best_rates(
            once(lambda: updated(False)),
            once(lambda: updated(True)),
            seconds=seconds / (2 * _REPEATS),
            repeats=_REPEATS,
        )
    details = {
        "ms_alone": 1e3 / alone,
        "ms_beside": 1e3 / beside,
        "share": share,
    }
    return Measurement(
        f"{threads} thread{'s' * (threads > 1)}",
        alone / beside,
        "times as long",
        below=TOLERANCE / share if threads == 1 else None,
        details=details,
    )


@contextmanager
def busy_processes(count: int) -> Iterator[Callable[[bool], None]]:
    """So many processes that keep a core busy each, and the function that holds them or lets them work.

    They end with the block, whatever ends it.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def let_work(work: bool) -> None:
        for process in processes:
            process.send_signal(signal.SIGCONT if work else signal.SIGSTOP)

    try:
        # In sessions of their own: the terminal's Ctrl-C is the benchmark's to answer.
        processes.extend(
            subprocess.Popen([sys.executable, "-c", _BUSY], start_new_session=True)
            for _ in range(count)
        )
        yield let_work
    finally:
        for process in processes:
            process.kill()
            process.wait()
