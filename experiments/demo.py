"""The guided tour."""

from __future__ import annotations

from pathlib import Path


def demo(*, out: Path = Path("demo")) -> int:
    """Tour."""
    return 0
