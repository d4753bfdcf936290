"""Arguments that several commands have, as `--help` shows them, and what is accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

Json = Annotated[str | None, tyro.conf.arg(metavar="PATH")]
Picture = Annotated[Path | None, tyro.conf.arg(metavar="FILE.png|svg|pdf")]


def require_results(folder: Path) -> None:
    """Refuse a folder of results that is not there.

    Raises:
        ValueError: naming it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; accepted: the folder of results of a sweep")
