"""Time, arithmetic, kernels and memory of a step with an update, as runs make them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from deep.acceleration import Acceleration, product_precision
from deep.layers import Precision
from deep.matrix_products import Products, flops, update_products
from deep.tensor_tree import tensors
from experiments.gpu_check.findings import Facts
from experiments.gpu_check.loop import Size, free_bytes, loop_of, synchronize

TARGETS_MS = {"er": 0.3, "perfect": 0.6, "simple": 0.8, "gaussian": 1.2, "categorical": 2.5}
"""An update of 30 lanes on an H100, ProcMaze 4."""


def update_speed(
    agent: str, way: str, precision: Precision, lanes: int, device: torch.device, size: Size
) -> Facts:
    """Of a step with one update; the products alone are timed beside it, in the same precision.

    Args:
        agent: Its name.
        way: How the loop runs.
        precision: Of the products.
        lanes: How many learn at once.
        device: Where.
        size: How much is done.
    """
    period = size.period
    before = free_bytes(device)
    loop = loop_of(
        agent,
        size.environment,
        lanes,
        device,
        way,
        filled=period,
        period=period,
        precision=precision,
    )
    with product_precision(precision):
        loop.advance(period)
        start = time.perf_counter()
        loop.advance(period)
        synchronize(device)
        prepared = time.perf_counter() - start
        after = free_bytes(device)
        seconds = best_seconds(lambda: loop.advance(period), size.seconds, device) / period
        kernels = kernels_of(lambda: loop.advance(period), device)
        together = update_products(loop.agent)
        products = products_seconds(together, lanes, precision, size.seconds / 4, device)
    if not bool(loop.finite().all()):
        raise ArithmeticError("parameters are not finite after the measurement")
    work = lanes * flops(together)
    target = TARGETS_MS[agent] if device.type == "cuda" and lanes == 30 else None
    return {
        "ms_per_update": 1e3 * seconds,
        "target_ms": target,
        "met": None if target is None else 1e3 * seconds <= target,
        "gflop_per_update": work / 1e9,
        "tflop_per_second": work / seconds / 1e12,
        "products_ms": 1e3 * products,
        "products_tflop_per_second": work / products / 1e12,
        "share_of_products": products / seconds,
        "kernels_per_update": None if kernels is None else kernels / period,
        "prepare_seconds": prepared,
        "device_gib": None if before is None or after is None else (before - after) / 2**30,
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
    if device.type != "cuda":
        return None
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
        synchronize(device)
    return sum(
        int(event.count) for event in profile.key_averages() if event.device_type.name == "CUDA"
    )
