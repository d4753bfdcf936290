"""Where a run runs: asked of the machine when it starts, and kept beside what it measured.

A run that is gone on with takes the place it began in: on a CPU the same device, precision,
acceleration and number of threads give the same bits, whenever it was stopped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch

from deep.acceleration import ACCELERATIONS, Acceleration, can_compile, resolve
from deep.kernels.building import cache_folder
from deep.layers import Precision
from experiments.runs.assembly import agent_of
from experiments.runs.gym_settings import GymSettings
from experiments.runs.lane_settings import DEVICES, PrecisionName, require_one_of
from experiments.runs.stored_settings import Settings
from experiments.storage.provenance import processor
from experiments.storage.whole_files import write_text

COMPILING_PAYS = 30_000
"""Total updates over all lanes above which compiling on a CPU repays its cost."""


@dataclass(frozen=True)
class Place:
    """Where and how a run computes.

    Attributes:
        device: "cpu" or "cuda".
        device_name: The GPU's or the processor's name.
        precision: Of the networks' products.
        acceleration: "none", "compile", "kernels" or "graph".
        threads: Threads of the CPU that torch uses.
    """

    device: str
    device_name: str
    precision: Precision
    acceleration: str
    threads: int

    @property
    def how(self) -> Acceleration:
        """The acceleration, resolved for the device.

        Raises:
            ValueError: The machine lacks what it needs.
        """
        return resolve(self.acceleration, torch.device(self.device))

    def stored(self) -> dict[str, Any]:
        """The place as JSON holds it."""
        return asdict(self)


def choose_place(settings: Settings, device: str = "auto", acceleration: str = "auto") -> Place:
    """The place for a run that begins: a GPU if there is one, and what is fastest there.

    Args:
        settings: What is run.
        device: "auto", "cpu" or "cuda".
        acceleration: "auto", "none", "compile", "kernels" or "graph"; "auto" captures graphs on a GPU,
            and on a CPU compiles what is long enough to repay it, with kernels for bf16 where there are any.

    Raises:
        ValueError: The machine lacks what is asked for.
    """
    require_one_of("device", device, DEVICES)
    require_one_of("acceleration", acceleration, ACCELERATIONS)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _require_device(device)
    precision = choose_precision(settings.precision, device)
    if acceleration == "auto" and device == "cpu":
        short = len(settings.seeds) * settings.updates < COMPILING_PAYS
        if short or not can_compile(torch.device(device)):
            acceleration = "none"
        elif precision != "bf16":  # for which alone there are kernels
            acceleration = "compile"
    how = resolve(acceleration, torch.device(device))
    return Place(
        device=device,
        device_name=_device_name(device),
        precision=precision,
        acceleration=how.name,
        threads=torch.get_num_threads(),
    )


def stored_place(
    stored: Mapping[str, Any], device: str = "auto", acceleration: str = "auto"
) -> Place:
    """The place that a run began in, to go on with it here.

    Args:
        stored: What `Place.stored` gave.
        device: The device asked for; "auto" takes the stored one.
        acceleration: Likewise.

    Raises:
        ValueError: It is none, another one is asked for, or this machine lacks it.
    """
    if stored.keys() != {field.name for field in fields(Place)}:
        raise ValueError(f"this is no place of a run: {', '.join(stored)}")
    place = Place(**stored)
    for name, given in (("device", device), ("acceleration", acceleration)):
        began = getattr(place, name)
        if given not in ("auto", began):
            raise ValueError(f"the run began with {name} {began}, got {given}")
    _require_device(place.device)
    torch.set_num_threads(place.threads)
    return place


def choose_precision(wanted: PrecisionName, device: str) -> Precision:
    """The precision of products; "auto" is bfloat16 where it is faster than float32.

    On a GPU "auto" is bfloat16. On a CPU both are timed once on products of the sizes that an update
    has, and the answer is kept for this processor.
    """
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bf16"
    kept = cache_folder() / "precision.json"
    key = f"{processor()}, torch {torch.__version__}"
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if known.get(key) not in ("highest", "bf16"):
        known[key] = _faster_precision()
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_text(kept, json.dumps(known, indent=2) + "\n")
        except (OSError, ValueError):  # nowhere to keep it: measured again the next time
            pass
    answer: Precision = known[key]
    return answer


def memory_bytes(settings: Settings) -> dict[str, int]:
    """Bytes that a run holds on its device, from shapes; what passes through an update is estimated."""
    agent = agent_of(settings, "highest")
    lanes, features = len(settings.seeds), agent.model.environment.num_features
    networks = (agent.q_network, *agent.model.networks)
    parameters = 4 * lanes * sum(network.num_parameters for network in networks)
    units = sum(network.units for network in networks)
    # Of a hosted environment, whose episodes are gone on with by them.
    hosted = isinstance(settings, GymSettings)
    actions = {"actions": 4 * lanes * settings.steps} if hosted else {}
    return actions | {
        "buffer": lanes * settings.capacity * (2 * features + 6 + 4 * agent.prioritized),
        "parameters": parameters + 4 * lanes * agent.q_network.num_parameters,
        "moments": 2 * parameters,
        # Gradients; and the layers of 320 transitions, forward and backward.
        "updates": parameters + 2 * 4 * lanes * 320 * units,
    }


def require_memory(settings: Settings, device: str) -> None:
    """Refuse a run that needs more memory than the device has.

    Raises:
        ValueError: naming both.
    """
    needed = sum(memory_bytes(settings).values())
    if device == "cuda":
        there, _ = torch.cuda.mem_get_info()  # free now, which graphs of other processes reduce
    else:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise ValueError(
            f"the run needs about {needed / 2**30:.1f} GiB and {device} has "
            f"{there / 2**30:.1f}; fewer lanes or a smaller buffer need less"
        )


def gpu_memory() -> dict[str, int]:
    """Bytes of each GPU that torch can use, by its name for `CUDA_VISIBLE_DEVICES`; occupies none.

    Raises:
        ValueError: There is none.
    """
    _require_device("cuda")
    count = torch.cuda.device_count()
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if names == [""]:
        names = [str(index) for index in range(count)]
    return {
        names[index].strip(): torch.cuda.get_device_properties(index).total_memory
        for index in range(count)
    }


def _faster_precision() -> Precision:
    """The faster of the two for 8 lanes of 320 rows through a hidden layer, by the best of several tries."""
    inputs, weights = torch.ones(8, 320, 200), torch.ones(8, 200, 200)

    def best(left: torch.Tensor, right: torch.Tensor) -> float:
        times = []
        for _ in range(30):
            start = time.perf_counter()
            torch.bmm(left, right)
            times.append(time.perf_counter() - start)
        return min(times)

    single = best(inputs, weights)
    half = best(inputs.bfloat16(), weights.bfloat16())
    # Rounding costs too: products must be clearly faster to pay for it.
    return "bf16" if half < 0.7 * single else "highest"


def _require_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda needs a GPU that torch can use, and there is none")


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else processor()
