"""Arguments that several commands have, as `--help` shows them, and what is accepted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import tyro

Json = Annotated[str | None, tyro.conf.arg(metavar="PATH")]
Picture = Annotated[Path | None, tyro.conf.arg(metavar="FILE.png|svg|pdf")]
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def require_results(folder: Path) -> None:
    """Refuse a folder of results that is not there.

    Raises:
        ValueError: naming it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; accepted: the folder of results of a sweep")


def budget_seconds(budget: str | None) -> float | None:
    """Seconds, from a number of them or a number with a unit: 90, 90m, 2h; None for no budget.

    Raises:
        ValueError: naming what was given and what is accepted.
    """
    if budget is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d*)?)([smhd]?)", budget.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds < 1e9:
        raise ValueError(f"budget is {budget!r}; accepted: seconds, or like 90m, 2h, 3d")
    return seconds
