"""What only a machine with a GPU can tell: whether results agree there, how fast it is, and whole cells.

    python -m experiments.gpu_check --out results/gpu

Runs from the source tree, without installation. Each finding is one line of JSON, on standard output
and at the end of `findings.jsonl` in the folder given, from the moment it is made; what is found
there already is not done again. See docs/gpu.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from deep.acceleration import Acceleration, can_compile, product_precision
from deep.agent import Agent, Lanes
from deep.environments import ENVIRONMENTS, Environment, ProcMaze, at, make
from deep.matrix_products import Products, flops, update_products
from deep.models import AGENTS
from deep.networks import PRECISIONS, Precision
from deep.online_loop import OnlineLoop, Protocol
from deep.random_streams import Purpose, Stream, integers, words
from deep.tensor_tree import tensors

if TYPE_CHECKING:
    from experiments.runs.settings import RunSettings

WAYS = {
    "eager": Acceleration(),
    "compile": Acceleration(compiled=True),
    "graph": Acceleration(compiled=True, captured=True),
}
TARGETS_MS = {"er": 0.3, "perfect": 0.6, "simple": 0.8, "gaussian": 1.2, "categorical": 2.5}
"""An update of 30 lanes on an H100, ProcMaze 4."""

LANES_ALIKE = 0.9
MEDIAN_DRIFT, MAX_DRIFT = 1e-3, 5e-2
"""How far parameters may be apart, as a share of how far the steps compared have moved them.

Rounding differs between devices, so that now and then a draw near its threshold falls otherwise: in
a lane's own steps (such lanes are not compared, and few), or in an imagined one (one of 320).
"""

CELLS = tuple(
    f"{agent}:{env}:{size}:{regime}"
    for regime in ("high", "low")
    for env, size in (("ProcMaze", 4), ("ButtonGrid", 4), ("PanFlute", 9))
    for agent in ("er", "simple", "perfect", "categorical", "gaussian")
)
"""Of the paper's figure 3, the most telling first."""

Facts = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        environment: That the agents learn in.
        lanes: Of the comparison.
        steps: That are compared, an update each.
        segment: Steps captured as one.
        filled: Steps before learning starts.
        speed_lanes: Numbers of lanes whose speed is measured, the most telling first.
        segments: Lengths of a captured segment that are measured.
        seconds: The least time for a measurement.
        transitions: Steps of each environment that are compared.
        scale: Of the cells, as `mbgen run` has it.
    """

    environment: Environment[Any]
    lanes: int
    steps: int
    segment: int
    filled: int
    speed_lanes: tuple[int, ...]
    segments: tuple[int, ...]
    seconds: float
    transitions: int
    scale: str


FULL = Size(ProcMaze(4), 30, 64, 16, 96, (30, 120, 480, 1), (4, 32, 100), 1.0, 200, "paper")
SMALL = Size(ProcMaze(2), 2, 4, 2, 4, (2, 1), (1,), 0.01, 10, "smoke")


@dataclass(frozen=True)
class Check:
    """One call of this module.

    Attributes:
        device: What is checked, against the CPU.
        size: How much is done.
        agents: Names of the agents.
        ways: Names of the accelerations.
        precisions: Of the products.
        cells: Runs, as agent:environment:size:regime.
        out: The folder of the findings.
        deadline: When to start nothing more, by `time.monotonic`.
        done: Stage and case of what was found before on such a device.
    """

    device: torch.device
    size: Size
    agents: Sequence[str]
    ways: Sequence[str]
    precisions: Sequence[Precision]
    cells: Sequence[str]
    out: Path
    deadline: float
    done: set[tuple[str, str]] = field(default_factory=set)

    @property
    def seconds_left(self) -> float:
        """Until the deadline."""
        return self.deadline - time.monotonic()

    def find(self, stage: str, case: str, work: Callable[[], Facts]) -> bool | None:
        """Do the work and tell what it found, its failure too.

        Returns:
            Whether all was well; None if it was found before, or there is no time.
        """
        if (stage, case) in self.done or self.seconds_left <= 0:
            return None
        start = time.monotonic()
        try:
            facts: Facts = {"ok": True} | work()
        except Exception as error:  # noqa: BLE001  # what fails is a finding, and the others go on
            places = traceback.extract_tb(error.__traceback__)[-3:]
            facts = {
                "ok": False,
                "error": f"{type(error).__name__}: {str(error)[:2000]}",
                "at": [f"{Path(place.filename).name}:{place.lineno}" for place in places],
            }
        seconds = round(time.monotonic() - start, 3)
        found = {"stage": stage, "case": case, "on": self.device.type}
        self.tell(found | facts | {"seconds": seconds})
        return bool(facts["ok"])

    def tell(self, facts: Facts) -> None:
        """Print and store a finding at once."""
        line = json.dumps(
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in facts.items()
            }
        )
        print(line, flush=True)
        with (self.out / "findings.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def loop_of(
    name: str,
    size: Size,
    lanes: int,
    device: torch.device,
    way: str = "eager",
    precision: Precision = "highest",
    segment: int | None = None,
) -> OnlineLoop:
    """A run on that device; learning starts after `size.filled` steps or a few more."""
    runs = Lanes(
        torch.arange(lanes, device=device),
        torch.full((lanes,), 1e-4, device=device),
        torch.ones(lanes, device=device),
    )
    period = segment or size.segment
    filled = -(-size.filled // period) * period  # whole segments
    protocol = Protocol(1_000_000, 1, period, 500, learning_starts=filled, buffer_capacity=10_000)
    agent = Agent(AGENTS[name](size.environment, precision=precision))
    return OnlineLoop(agent, protocol, runs, WAYS[way])


# Parity


def parity(check: Check) -> None:
    """Draws and environments exactly, agents to rounding, against the CPU."""
    check.find("parity", "draws", partial(_same_draws, check))
    for name in ENVIRONMENTS:
        check.find("parity", name, partial(_same_transitions, check, make(name)))
    for name in check.agents:
        _same_agents(check, name)
        release(check.device)


def _same_draws(check: Check) -> Facts:
    seed = torch.tensor([0, 1, -1, 2**62, -(2**62), 123_456_789])
    step = torch.arange(5).unsqueeze(1)
    here, there = (
        words(Stream(seed.to(device), step.to(device), Purpose.ACTION), 33)
        for device in (torch.device("cpu"), check.device)
    )
    network = Agent(AGENTS["er"](check.size.environment)).q_network
    weights, other = (
        network.initial(Stream(seed.to(device), step[0].to(device), Purpose.INITIAL_Q)).cpu()
        for device in (torch.device("cpu"), check.device)
    )
    ulps = (weights.view(torch.int32) - other.view(torch.int32)).abs().max()
    alike = torch.equal(here, there.cpu())
    return {"ok": alike, "words": here.numel(), "first_weights_ulps": int(ulps)}


def _same_transitions(check: Check, environment: Environment[Any]) -> Facts:
    """Random actions on both devices; every state, reward and end must be the same."""
    seed = torch.arange(64)
    times = torch.arange(check.size.transitions).unsqueeze(1)
    actions = integers(words(Stream(seed, times, Purpose.ACTION), 1)[0], environment.num_actions)
    rows = []
    for device in (torch.device("cpu"), check.device):
        noise = environment.noise(seed.to(device), times.to(device))
        state = environment.initial(seed.to(device), torch.tensor(0, device=device))
        seen = []
        for time_step, action in enumerate(actions.to(device)):
            step = environment.step(state, action, at(noise, time_step))
            state = step.next_state
            row = (environment.observe(state), step.reward[:, None], step.terminal[:, None])
            seen.append(torch.cat([part.double() for part in row], 1))
        rows.append(torch.stack(seen).cpu())
    ends = int(rows[0][:, :, -1].sum())
    return {"ok": torch.equal(*rows), "steps": actions.numel(), "ends": ends}


def _same_agents(check: Check, name: str) -> None:
    """Each way from the same state, so that a failure tells which layer is at fault."""
    ends: dict[str, dict[str, Tensor]] = {}

    @cache
    def reference() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        loop = loop_of(name, check.size, check.size.lanes, torch.device("cpu"))
        loop.advance(check.size.filled)
        start = copied(loop)
        loop.advance(check.size.steps)
        return start, copied(loop)

    def compare(way: str) -> Facts:
        start, end = reference()
        loop = loop_of(name, check.size, check.size.lanes, check.device, way)
        loop.load(start)
        with product_precision("highest"):
            loop.advance(check.size.steps)
        ends[way] = copied(loop)
        facts = agreement(start, end, ends[way]) | {"updates": int(loop.state.learner.updates)}
        if way == "graph" and "compile" in ends:
            facts["bits_of_compile"] = all(
                torch.equal(tensor, ends["compile"][leaf]) for leaf, tensor in ends[way].items()
            )
        return facts

    for way in check.ways:
        check.find("parity", f"{name} {way}", partial(compare, way))


def copied(loop: OnlineLoop) -> dict[str, Tensor]:
    """The state at this moment, on the CPU."""
    return {name: tensor.cpu().clone() for name, tensor in tensors(loop.state).items()}


def agreement(start: dict[str, Tensor], one: dict[str, Tensor], other: dict[str, Tensor]) -> Facts:
    """How two runs from one start agree.

    Lanes that acted and saw the same are compared by the distance of their parameters, as a share
    of how far the first run has moved them.
    """
    acted = [
        name
        for name in one
        if name.startswith(("environment", "observation", "buffer")) and one[name].dim()
    ]
    alike = torch.stack(
        [(one[name] == other[name]).view(len(one[name]), -1).all(1) for name in acted]
    ).all(0)
    learned = [
        name
        for name in one
        if name == "learner.q" or (name.startswith("learner.model.") and name.count(".") == 2)
    ]
    drifts = {
        name: ((other[name] - one[name]).norm(dim=1) / (one[name] - start[name]).norm(dim=1))[alike]
        for name in learned
    }
    drift = torch.cat(list(drifts.values())) if alike.any() else torch.tensor([torch.inf])
    counted = all(torch.equal(one[name], other[name]) for name in one if not one[name].dim())
    share, median, most = (float(x) for x in (alike.float().mean(), drift.median(), drift.max()))
    ok = counted and share >= LANES_ALIKE and median <= MEDIAN_DRIFT and most <= MAX_DRIFT
    return {"ok": ok, "lanes_alike": share, "median_drift": median, "max_drift": most}


# Waiting for the host


def sync(check: Check) -> None:
    """No step, captured or not, may wait for the device."""
    for name in check.agents:
        for way in check.ways:
            check.find("sync", f"{name} {way}", partial(_unsynchronized, check, name, way))
        release(check.device)


def _unsynchronized(check: Check, name: str, way: str) -> Facts:
    size = check.size
    loop = loop_of(name, size, size.lanes, check.device, way)
    loop.advance(size.filled + size.segment)
    loop.evaluate()  # compiled or not, everything has run once
    with synchronization_is_an_error(check.device):
        loop.advance(2 * size.segment)
        loop.evaluate()
    return {"updates": int(loop.state.learner.updates)}


@contextmanager
def synchronization_is_an_error(device: torch.device) -> Iterator[None]:
    """Within, whatever makes the host wait for a GPU raises."""
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


# Speed


def speed(check: Check) -> None:
    """Time, arithmetic, kernels and memory of an update, the most telling cases first."""
    longest = 0.0
    cases = list(_speed_cases(check))
    for index, case in enumerate(cases):
        if check.seconds_left < 1.5 * longest:
            left = [" ".join(map(str, other)) for other in cases[index:]]
            check.tell({"stage": "speed", "case": "left", "ok": True, "cases": left})
            return
        start = time.monotonic()
        check.find("speed", " ".join(map(str, case)), partial(update_speed, check, *case))
        release(check.device)
        longest = max(longest, time.monotonic() - start)


def _speed_cases(check: Check) -> Iterator[tuple[str, int, str, Precision, int]]:
    size, first = check.size, check.size.speed_lanes[0]
    best, *others = reversed(check.ways)
    standard, *looser = check.precisions
    for name in check.agents:
        yield name, first, best, standard, size.segment
    for way in others:
        for name in check.agents:
            yield name, first, way, standard, size.segment
    for precision in looser:
        for name in check.agents:
            yield name, first, best, precision, size.segment
    for lanes in size.speed_lanes[1:]:
        for name in check.agents:
            yield name, lanes, best, standard, size.segment
    if best == "graph":
        for segment in size.segments:
            for name in check.agents:
                yield name, first, best, standard, segment
    for precision in looser:
        for lanes in size.speed_lanes[1:]:
            for name in check.agents:
                yield name, lanes, best, precision, size.segment


def update_speed(
    check: Check, name: str, lanes: int, way: str, precision: Precision, segment: int
) -> Facts:
    """Of a step with one update; the products alone are timed beside it, in the same precision."""
    device, size = check.device, check.size
    reset_peak(device)
    loop = loop_of(name, size, lanes, device, way, precision, segment)
    with product_precision(precision):
        loop.advance(loop.protocol.learning_starts)
        start = time.perf_counter()
        loop.advance(segment)
        synchronize(device)
        prepared = time.perf_counter() - start
        peak = peak_bytes(device)
        seconds = best_seconds(lambda: loop.advance(segment), size.seconds, device) / segment
        kernels = kernels_of(lambda: loop.advance(segment), device)
        together = update_products(loop.agent).together
        products = products_seconds(together, lanes, precision, size.seconds / 4, device)
    if not bool(loop.finite().all()):
        raise ArithmeticError("parameters are not finite after the measurement")
    work = lanes * flops(together)
    target = TARGETS_MS[name] if device.type == "cuda" and lanes == 30 else None
    return {
        "ms_per_update": 1e3 * seconds,
        "target_ms": target,
        "met": None if target is None else 1e3 * seconds <= target,
        "gflop_per_update": work / 1e9,
        "tflop_per_second": work / seconds / 1e12,
        "products_ms": 1e3 * products,
        "products_tflop_per_second": work / products / 1e12,
        "share_of_products": products / seconds,
        "kernels_per_update": None if kernels is None else kernels / segment,
        "prepare_seconds": prepared,
        "peak_gib": None if peak is None else peak / 2**30,
        "state_gib": sum(x.nbytes for x in tensors(loop.state).values()) / 2**30,
    }


def products_seconds(
    products: Products, lanes: int, precision: Precision, seconds: float, device: torch.device
) -> float:
    """How long the products alone take, on random numbers; on a GPU launched at once, by a graph."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, device=device).to(dtype)

    operands = [
        (
            count,
            random(lanes, product.rows, product.inner),
            random(lanes, product.inner, product.columns),
        )
        for product, count in Counter(products).items()
    ]
    results = [torch.bmm(left, right) for _, left, right in operands]

    def work() -> None:
        for (count, left, right), result in zip(operands, results, strict=True):
            for _ in range(count):
                torch.bmm(left, right, out=result)

    captured = Acceleration(captured=device.type == "cuda").capture(work, ())
    return best_seconds(captured, seconds, device)


def best_seconds(work: Callable[[], object], least: float, device: torch.device) -> float:
    """The best of three times of it, each taken over at least so many seconds."""

    def timed(times: int) -> float:
        synchronize(device)
        start = time.perf_counter()
        for _ in range(times):
            work()
        synchronize(device)
        return time.perf_counter() - start

    times = 1
    while (elapsed := timed(times)) < least:
        times *= 2
    return min(elapsed, timed(times), timed(times)) / times


def kernels_of(work: Callable[[], object], device: torch.device) -> int | None:
    """Kernels, copies and fills that it makes a GPU do; None on a CPU."""
    kind = torch.profiler.ProfilerActivity
    with torch.profiler.profile(
        activities=[kind.CUDA if device.type == "cuda" else kind.CPU]
    ) as profile:
        work()
        synchronize(device)
    found = [event for event in profile.key_averages() if event.device_type.name == "CUDA"]
    return sum(event.count for event in found) if device.type == "cuda" else None


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reset_peak(device: torch.device) -> None:
    """Forget the most memory that was in use."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int | None:
    """The most memory reserved since it was forgotten, that of graphs too; None on a CPU."""
    return torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None


def release(device: torch.device) -> None:
    """Give back what nothing uses any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


# Cells


def cells(check: Check) -> None:
    """Whole runs, in folders of their own; one that time cuts short goes on in a later call."""
    for cell in check.cells:
        check.find("cells", cell, partial(_run_cell, check, cell))
        release(check.device)


def _run_cell(check: Check, cell: str) -> Facts:
    from experiments.runs.online_run import execute

    settings = _cell_settings(check, cell)
    folder = check.out / "cells" / cell.replace(":", "-")
    folder.parent.mkdir(exist_ok=True)
    outcome = execute(settings, folder, resume=True, interrupted=lambda: check.seconds_left <= 0)
    facts = {"finished": outcome.finished, "steps": outcome.steps, "of": settings.steps}
    if outcome.summary is None:
        return facts
    told = ("mean", "half_width", "lanes_in_mean", "reference", "steps_per_second")
    return facts | {name: outcome.summary[name] for name in told}


def _cell_settings(check: Check, cell: str) -> RunSettings:
    from experiments.runs.settings import run_settings

    parts = cell.split(":")
    if len(parts) != 4 or not parts[2].isdigit():
        raise ValueError(f"a cell must be agent:environment:size:regime, got {cell!r}")
    agent, env, size, regime = parts
    way = check.ways[-1]
    return run_settings(
        agent=agent,
        env=env,
        size=int(size),
        regime=regime,
        scale=check.size.scale,
        device=check.device.type,
        precision=check.precisions[0],
        acceleration="none" if way == "eager" else way,
    )


# The command


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the checks that were asked for; 1 if something found is not well."""
    options = _options(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "--device cuda: torch finds no GPU; --device cpu tries everything but the GPU"
        )
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        earlier = _findings(options.out)
    except (OSError, ValueError) as error:
        print(f"--out {options.out}: {error}", file=sys.stderr)
        return 2
    ways = options.ways or [way for way in WAYS if way == "eager" or can_compile(device)]
    if device.type != "cuda":
        ways = [way for way in ways if way != "graph"]
    check = Check(
        device=device,
        size=FULL if device.type == "cuda" else SMALL,
        agents=options.agents,
        ways=ways,
        precisions=options.precisions,
        cells=options.cells,
        out=options.out,
        deadline=time.monotonic() + options.seconds,
        done={
            (finding["stage"], finding["case"])
            for finding in earlier
            if finding["ok"] and finding.get("finished", True)
            if finding.get("on") == device.type and not options.again
        },
    )
    try:
        for cell in check.cells:
            _cell_settings(check, cell)
    except ValueError as error:
        print(f"--cells: {error}", file=sys.stderr)
        return 2
    check.tell({"stage": "machine", "case": "", "ok": True} | machine(device))
    before = len(_findings(options.out))
    for stage in options.stages:
        STAGES[stage](check)
    return 0 if all(finding["ok"] for finding in _findings(options.out)[before:]) else 1


STAGES: dict[str, Callable[[Check], None]] = {
    "parity": parity,
    "sync": sync,
    "speed": speed,
    "cells": cells,
}


def machine(device: torch.device) -> Facts:
    """What it was found on."""
    facts: Facts = {"python": platform.python_version(), "torch": torch.__version__}
    if device.type != "cuda":
        return facts | {"device": platform.machine(), "threads": torch.get_num_threads()}
    properties = torch.cuda.get_device_properties(device)
    return facts | {
        "device": properties.name,
        "gib": properties.total_memory / 2**30,
        "cuda": torch.version.cuda,
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.gpu_check", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="folder of findings")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--agents", nargs="+", default=list(TARGETS_MS), choices=AGENTS)
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, help="default: all that this machine can"
    )
    parser.add_argument("--precisions", nargs="+", default=list(PRECISIONS), choices=PRECISIONS)
    parser.add_argument("--cells", nargs="+", default=CELLS, metavar="AGENT:ENV:SIZE:REGIME")
    parser.add_argument("--seconds", type=float, default=480.0, help="start nothing after so many")
    parser.add_argument(
        "--again", action="store_true", help="also what was found to be well before"
    )
    options = parser.parse_args(arguments)
    if math.isnan(options.seconds):
        parser.error("argument --seconds: a number, got nan")
    return options


def _findings(out: Path) -> list[Facts]:
    path = out / "findings.jsonl"
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            finding = json.loads(line)
        except ValueError:
            finding = None
        if not isinstance(finding, dict) or not {"stage", "case", "ok"} <= finding.keys():
            raise ValueError(f"line {number} of {path.name} is no finding; delete it to go on")
        found.append(finding)
    return found


if __name__ == "__main__":
    sys.exit(main())
