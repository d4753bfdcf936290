"""What is there of a study: its finished runs, those of an older version, and those that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.runs.run_folder import State, state_of
from experiments.runs.scales import ScaleName
from experiments.runs.stored_run import StoredRun, read_run
from experiments.studies.study import PlannedRun, Study


@dataclass(frozen=True)
class Results:
    """The runs of a study at one scale, as their folders have them.

    Attributes:
        planned: All runs of the study.
        states: Where each stands, by its id.
        stored: The finished ones of the present results version, by the digest of their settings.
    """

    planned: tuple[PlannedRun, ...]
    states: Mapping[str, State]
    stored: Mapping[str, StoredRun]

    def ids(self, *states: State) -> list[str]:
        """The runs that stand so."""
        return [name for name, state in self.states.items() if state in states]

    @property
    def provenance(self) -> dict[str, list[Any]]:
        """The commits, processors, devices and precisions that took part in what is stored."""
        found: dict[str, set[Any]] = {}
        for run in self.stored.values():
            place = run.provenance["place"]
            for name in ("device_name", "precision", "acceleration", "threads"):
                found.setdefault(name, set()).add(place[name])
            for sitting in run.provenance["sittings"]:
                for name in ("commit", "clean", "processor"):
                    found.setdefault(name, set()).add(sitting[name])
                found.setdefault("torch", set()).add(sitting["versions"]["torch"])
        return {name: sorted(values, key=str) for name, values in found.items()}


def results_of(study: Study, scale: ScaleName, results: Path) -> Results:
    """What is there of a study at a scale.

    Raises:
        ValueError: A folder holds another run than the study plans, or cannot be read.
    """
    planned = tuple(study.runs(scale))
    folder = results / scale
    states = {run.id: state_of(folder / run.id, run.settings) for run in planned}
    return Results(planned, states, dict(_stored(planned, states, folder)))


def _stored(
    planned: Iterable[PlannedRun], states: Mapping[str, State], folder: Path
) -> Iterable[tuple[str, StoredRun]]:
    for run in planned:
        if states[run.id] == "finished":
            yield run.settings.digest, read_run(folder / run.id)
