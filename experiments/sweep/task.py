"""What an executor of a sweep knows of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
