"""Where the runs of a sweep may go: executors, and how many run side by side in how much memory."""

from __future__ import annotations

import os

from experiments.runs.lane_settings import require_integer
from experiments.sweep.local import Room

EXECUTORS = ("local", "slurm")
_MEMORY_SHARE = 0.8  # that runs may take together


def rooms_for(
    executor: str, device: str, workers: int | None, per_device: int | None
) -> tuple[Room, ...]:
    """Where runs go side by side: the cores, or with local runs on GPUs each of these."""
    if (executor, device) != ("local", "cuda"):
        if per_device is not None:
            raise ValueError(
                f"--per-device is for local runs on GPUs, got {executor} runs, device {device}"
            )
        return (room_on_cores(workers),)
    if workers is not None:
        raise ValueError("--workers counts runs on the cores; on GPUs --per-device does")
    per_device = 1 if per_device is None else per_device
    require_integer("per_device", per_device, 1, 1_000)
    from experiments.runs.machine import gpu_memory

    gpus, memory = gpu_memory(), _usable_memory()
    return tuple(
        Room(
            per_device,
            min(int(_MEMORY_SHARE * there), memory // len(gpus)),
            {"CUDA_VISIBLE_DEVICES": name},
        )
        for name, there in gpus.items()
    )


def room_on_cores(workers: int | None) -> Room:
    """Where so many runs go side by side on this machine; as many as there are cores if not given."""
    workers = len(os.sched_getaffinity(0)) if workers is None else workers
    require_integer("workers", workers, 1, 10_000)
    return Room(workers, _usable_memory())


def _usable_memory() -> int:
    """Bytes of this machine's memory that runs may take together."""
    return int(_MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
