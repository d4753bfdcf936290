"""What an executor of a sweep knows of a run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

INTERRUPTED = 130
"""Exit status of a run that was asked to stop and wrote its checkpoint."""


@dataclass(frozen=True)
class Task:
    """One run of a sweep, as an executor sees it.

    Attributes:
        id: `<study>/<readable name>`, unique in the sweep.
        folder: The run's folder, which alone tells whether the run is done.
        command: The process to start, which goes on from the folder's checkpoint if there is one.
        seconds: Estimated duration on one core.
        memory: Estimated bytes.
    """

    id: str
    folder: Path
    command: tuple[str, ...]
    seconds: float
    memory: int


def interpreter() -> tuple[str, ...]:
    """This Python; it imports from the folder it is started in only if this process does so too.

    Otherwise a module that lies beside a manifest would be imported by a run that names it.
    """
    here = "" in sys.path or str(Path.cwd()) in sys.path
    return (sys.executable,) if here else (sys.executable, "-P")
