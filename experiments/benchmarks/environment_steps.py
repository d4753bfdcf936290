"""How fast the batched environments are on this machine, beside one Gymnasium environment each."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Annotated, Any

import tyro

from experiments.benchmarks.measurement import Measurement, best_rates, present, require_positive
from experiments.commands.arguments import Json
from experiments.commands.terminal import progress
from experiments.storage.whole_files import require_writable

TARGETS = {"PanFlute": 2e6, "ButtonGrid": 2e6, "ProcMaze": 2e6}
"""Steps a second at the largest number of copies, on two cores."""

MAZES_TARGET = 2e5
MAZE_SIZE = 4
COPIES = (1, 30, 1_024, 32_768)

_MAZES_AT_ONCE = 32_768
_STEPS_DRAWN_AT_ONCE = 128


def bench_environments(
    *,
    copies: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N [N ...]")] = COPIES,
    seconds: float = 1.0,
    repeats: int = 3,
    threads: int | None = None,
    drawn_at_once: int = 65_536,
    json: Json = None,
) -> int:
    """Steps a second of each environment at several numbers of copies, and mazes a second.

    A step is everything that training needs of it: random words, fresh mazes for the lanes whose
    episode ends, transition, reset and observation. Noise is drawn ahead, as it is in training, for
    at most 128 steps. Exit status 1 if a target is missed; the targets are for 32,768 copies on 2
    cores.

    Args:
        copies: Numbers of copies.
        seconds: The least time for one measurement.
        repeats: How often each is measured; the best counts.
        threads: Threads that torch may use; all cores if not given.
        drawn_at_once: Noise is drawn ahead for as many steps as make this many lanes. Torch splits
            work over threads from 32,769 lanes on.
        json: Write the figures as JSON; "-" is standard output.
    """
    if not copies or min(copies) < 1:
        raise ValueError(f"copies are {copies}; accepted: numbers of 1 or more")
    require_positive(repeats=repeats, seconds=seconds, threads=threads, drawn_at_once=drawn_at_once)
    require_writable(json)
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    machine = (
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {platform.machine()}, "
        f"torch {torch.__version__}"
    )
    with progress("measuring") as report:
        measurements = measure(copies, seconds, repeats, drawn_at_once, report)
    settings = {"seconds": seconds, "repeats": repeats, "drawn_at_once": drawn_at_once}
    return present("environments", machine, measurements, settings, json)


def measure(
    copies: tuple[int, ...],
    seconds: float,
    repeats: int,
    drawn_at_once: int,
    report: Callable[[float], None],
) -> list[Measurement]:
    """All measurements; `report` is told the fraction done."""
    from deep.environments import ENVIRONMENTS

    measurements: list[Measurement] = []
    total = len(ENVIRONMENTS) * (1 + len(copies)) + 1

    def add(
        what: str, lanes: int | None, work: Callable[[], int], at_least: float | None = None
    ) -> None:
        work()  # warms up
        (rate,) = best_rates(work, seconds=seconds, repeats=repeats)
        measurements.append(
            Measurement(what, rate, "a second", at_least=at_least, details={"copies": lanes})
        )
        report(len(measurements) / total)

    for name, kind in ENVIRONMENTS.items():
        environment = kind()
        label = f"{name} {next(iter(vars(environment).values()))} steps"
        add(f"{label}, Gymnasium", None, _gymnasium_steps(name))
        for lanes in copies:
            target = TARGETS.get(name) if lanes == COPIES[-1] else None
            add(label, lanes, _batched_steps(environment, lanes, drawn_at_once), target)
    add(f"mazes of size {MAZE_SIZE}", _MAZES_AT_ONCE, _mazes(), MAZES_TARGET)
    return measurements


def _gymnasium_steps(name: str) -> Callable[[], int]:
    import gymnasium
    import numpy as np

    environment = gymnasium.make(f"deep:mbgen/{name}-v0").unwrapped
    environment.reset(seed=0)
    actions = np.random.default_rng(0).integers(environment.action_space.n, size=256)  # type: ignore[attr-defined]

    def work() -> int:
        for action in actions:
            if environment.step(action)[2]:
                environment.reset()
        return len(actions)

    return work


def _batched_steps(environment: Any, lanes: int, drawn_at_once: int) -> Callable[[], int]:
    import torch

    from deep.environments import at
    from deep.random_streams import Purpose, Stream, integers, words

    ahead = max(1, min(_STEPS_DRAWN_AT_ONCE, drawn_at_once // lanes))
    seed = torch.arange(lanes)
    times = torch.arange(ahead).unsqueeze(1)
    actions = integers(words(Stream(seed, times, Purpose.ACTION), 1)[0], environment.num_actions)
    state = environment.initial(seed, torch.tensor(0))

    def work() -> int:
        nonlocal state, times
        noise = environment.noise(seed, times)
        for time_ahead in range(ahead):
            step = environment.step(state, actions[time_ahead], at(noise, time_ahead))
            state = step.next_state
            environment.observe(state)
        times = times + ahead
        return ahead * lanes

    return work


def _mazes() -> Callable[[], int]:
    import torch

    from deep.environments import ProcMaze

    environment = ProcMaze(MAZE_SIZE)
    seed = torch.arange(_MAZES_AT_ONCE)
    drawn = 0

    def work() -> int:
        nonlocal drawn
        environment.initial(seed, torch.tensor(drawn))
        drawn += 1
        return len(seed)

    return work
