"""No step, captured or not, may make the host wait for the device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from experiments.gpu_check.findings import Facts
from experiments.gpu_check.loop import Size, compared_loop


def never_waits(agent: str, way: str, device: torch.device, size: Size) -> Facts:
    """Steps with updates, and an evaluation, with every wait an error."""
    loop = compared_loop(agent, size, device, way)
    loop.advance(size.filled + size.segment)
    loop.evaluate()  # compiled or not, everything has run once
    with synchronization_is_an_error(device):
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
