"""Acceleration around the online loop: compilation, and on a GPU capture in CUDA graphs.

The loop is the same without either. `torch.compile` fuses what lies between the matrix products;
a captured segment (many steps with their updates) is launched at once, in place of some hundred
kernels a step. What is captured must keep every tensor in its place and never ask the host; the
test of graph safety sees to that.
"""

import ctypes
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from os import environ
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

import torch

from deep import kernels
from deep.agent import Agent
from deep.argument_checks import require_one_of
from deep.compiler_cache import remove_broken_libraries
from deep.layers import Precision
from deep.tensor_tree import tensors

AccelerationName = Literal["auto", "none", "compile", "kernels", "graph"]
ACCELERATIONS: tuple[str, ...] = get_args(AccelerationName)

Function = TypeVar("Function", bound=Callable[..., Any])

_VARIANTS = 256  # of a function that one process may compile: agents, environments, lanes, shapes
_WARM_UPS = 3
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h


@dataclass(frozen=True)
class Acceleration:
    """What is done to the functions of the loop.

    Attributes:
        compiled: Whether they are compiled.
        captured: Whether whole segments are captured in CUDA graphs.
        kernels: Whether the networks are computed by `deep.kernels`, where their precision is "bf16".
    """

    compiled: bool = False
    captured: bool = False
    kernels: bool = False

    @property
    def name(self) -> str:
        """What `resolve` knows it by."""
        if self.captured:
            return "graph"
        return ("kernels" if self.kernels else "compile") if self.compiled else "none"

    def agent(self, agent: Agent) -> Agent:
        """The agent as it is computed."""
        return agent.with_kernels() if self.kernels else agent

    def compile(self, function: Function) -> Function:
        """The function, compiled for the shapes that it is given."""
        if not self.compiled:
            return function
        from torch._dynamo import config

        _mend_compiler_cache()
        # After eight variants torch would take the function for one that never settles.
        config.recompile_limit = max(config.recompile_limit, _VARIANTS)
        return cast("Function", torch.compile(function, fullgraph=True, dynamic=False))

    def capture(self, function: Callable[[], None], state: Any) -> Callable[[], None]:
        """The function as one launch.

        Args:
            function: Changes the tensors of `state` in place.
            state: A tree of named tuples of tensors; it is as it was afterwards.
        """
        if not self.captured:
            return function
        kept = [tensor.clone() for tensor in tensors(state).values()]
        stream = _capture_stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):  # compiles, and lets libraries choose and allocate
                function()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # A capture that fails leaves its stream current, and the error that ends it has the cause as its context.
        with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph, stream=stream):
            function()
        for tensor, value in zip(tensors(state).values(), kept, strict=True):
            tensor.copy_(value)
        replay: Callable[[], None] = graph.replay
        return replay

    def launched(self, count: int, usual: int) -> int:
        """How many of `count` steps one launch makes: all, or a power of two where that is not the usual number.

        A graph keeps memory of its own for as long as its process lives, and a run may come to any number.
        """
        if not self.captured or count == usual:
            return count
        return 1 << (count.bit_length() - 1)

    def capture_each(self, function: Callable[..., None], state: Any) -> Callable[..., None]:
        """As `capture`: one launch for each choice of arguments, captured when that is first called."""
        captured: dict[tuple[object, ...], Callable[[], None]] = {}

        def launch(*arguments: object) -> None:
            if arguments not in captured:
                captured[arguments] = self.capture(partial(function, *arguments), state)
            captured[arguments]()

        return launch


NONE = Acceleration()


@cache
def _mend_compiler_cache() -> None:
    """Once a process, before it compiles."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    remove_broken_libraries(Path(cache_dir()))


@cache
def _capture_stream() -> Any:
    """One for warm-ups and captures: what libraries keep for a stream is there before a capture."""
    return torch.cuda.Stream()


def resolve(name: str, device: torch.device) -> Acceleration:
    """The acceleration of that name.

    "auto" is "graph" on a GPU; on a CPU with a C++ compiler it is "kernels", compiled code with the
    kernels of `deep.kernels`, if the processor suits them, else "compile"; and "none" without a compiler.

    Raises:
        ValueError: The name is unknown, or the machine lacks what it needs.
    """
    require_one_of("acceleration", name, ACCELERATIONS)
    if name == "auto":
        name = _fastest(device) if can_compile(device) else "none"
    if name == "graph" and device.type != "cuda":
        raise ValueError(f"acceleration 'graph' needs a CUDA device, got {device.type}")
    if name != "none" and not can_compile(device):
        raise ValueError(f"acceleration {name!r} needs a compiler, which this machine lacks")
    if name == "kernels":
        if device.type != "cpu":
            raise ValueError(f"acceleration 'kernels' needs a CPU, got {device.type}")
        kernels.require()
    return Acceleration(name != "none", name == "graph", name == "kernels")


def _fastest(device: torch.device) -> str:
    if device.type == "cuda":
        return "graph"
    return "kernels" if kernels.available() else "compile"


def can_compile(device: torch.device) -> bool:
    """Whether torch.compile finds what it needs: Triton for a GPU, a C++ compiler for a CPU."""
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        return bool(has_triton())
    return shutil.which(environ.get("CXX", "g++")) is not None


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, instead of handing large blocks back at once.

    An update frees and allocates the same megabytes again and again, and to be given fresh pages can
    take longer than to compute what is written on them. Only glibc is told; returns whether it is
    there and agrees.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))


@contextmanager
def product_precision(precision: Precision) -> Iterator[None]:
    """Within, a GPU may use TF32 for float32 products if `precision` is not "highest"."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if precision == "highest" else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
