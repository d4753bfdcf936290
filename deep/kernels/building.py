"""Builds the kernels where they are first needed, and keeps them for the next start."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

_SOURCES = ("operators.cpp", "perceptron.cpp", "perceptron.h")
_FLAGS = (
    *("-std=c++20", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"),
    *("-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16"),
)


def available() -> bool:
    """Whether this machine has the kernels; they are then loaded."""
    return missing() is None


def require() -> None:
    """Raise ValueError, which says why, unless this machine has the kernels; they are then loaded."""
    if lacked := missing():
        raise ValueError(f"acceleration 'kernels' needs {lacked}, which this machine lacks")


@cache
def missing() -> str | None:
    """Load the kernels; what they need and this machine lacks, None if they are loaded.

    They are built first if this machine has not done so: half a minute.
    """
    if not _processor_suits():
        return "a processor with AVX512-BF16 and without AMX (whose products torch computes faster)"
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        return "a C++ compiler"
    folder = Path(__file__).parent
    described = [compiler, torch.__version__, *_FLAGS]
    digest = hashlib.sha256("\n".join(described).encode())
    for name in _SOURCES:
        digest.update((folder / name).read_bytes())
    library = cache_folder() / f"kernels-{digest.hexdigest()[:16]}.so"
    try:
        if not library.exists():
            _build(compiler, folder, library)
        torch.ops.load_library(library)
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return "a C++ compiler that builds them, and a cache folder that can be written to"
    from deep.kernels.operators import register

    register()
    return None


def _processor_suits() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    words = set(flags.split())
    needed = {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16"}
    return needed <= words and "amx_bf16" not in words


def _build(compiler: str, folder: Path, library: Path) -> None:
    """Build beside its place and move it there: whoever builds at the same time does no harm."""
    root = Path(torch.__file__).parent
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        command = [compiler, *_FLAGS, *(str(folder / name) for name in _SOURCES if name[-1] == "p")]
        for include in (root / "include", root / "include/torch/csrc/api/include"):
            command += ["-isystem", str(include)]
        command += ["-L", str(root / "lib"), "-ltorch_cpu", "-lc10", "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True)
        made.replace(library)


def cache_folder() -> Path:
    """Where this machine keeps what it has built and measured."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mbgen"
