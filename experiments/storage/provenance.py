"""Where a result comes from: the code, its version and cleanliness, and the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS_VERSION = 2
"""Raised when a change alters what a run computes beyond rounding; results of two versions never meet in one table.

A commit alone does not raise it. tests/deep/test_results_version.py holds it by short runs.

1: the reward and continuation networks of the latent models did not read the action.
2: they do.
"""

PACKAGES = ("mbgen", "numpy", "scipy", "numba", "pyarrow", "torch")
_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("theory", "tabular", "deep", "experiments")


def provenance() -> dict[str, Any]:
    """What computes in this process, as JSON holds it.

    Returns:
        results_version; commit (None outside a checkout of git) and clean (whether the code is as
        committed; None likewise); versions of Python and packages; processor; cores.
    """
    return {
        "results_version": RESULTS_VERSION,
        **code_version(),
        "versions": versions(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
    }


def versions() -> dict[str, str]:
    """The versions of Python and of those of `PACKAGES` that take part in this process."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        if name in sys.modules or name == "mbgen":
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # run from a folder, without being installed
                continue
    return found


@cache
def code_version() -> dict[str, str | bool | None]:
    """The commit that this code was checked out at, and whether it has been changed since.

    The environment variable MBGEN_COMMIT says it for a copy of the code without its history.

    Raises:
        ValueError: That variable is no commit.
    """
    if stated := os.environ.get("MBGEN_COMMIT"):
        if not re.fullmatch("[0-9a-f]{7,40}", stated):
            raise ValueError(
                f"MBGEN_COMMIT is {stated!r}; accepted: a commit, 7 to 40 hexadecimal digits"
            )
        return {"commit": stated, "clean": None}
    if not (_ROOT / ".git").exists():
        return {"commit": None, "clean": None}
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--", *_CODE)
    return {"commit": commit or None, "clean": None if changed is None else not changed}


@cache
def processor() -> str:
    """The processor's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
