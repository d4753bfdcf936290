"""Settings of any kind, read from what holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from experiments.runs.gym_settings import GymSettings
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.settings import RunSettings
from experiments.storage.json_files import read_json

Settings: TypeAlias = RunSettings | OfflineSettings | GymSettings

_KINDS = {kind.kind: kind for kind in (RunSettings, OfflineSettings, GymSettings)}


def stored_settings(stored: object) -> Settings:
    """The settings that the `stored` of some kind gave; "online" is what names no kind.

    Raises:
        ValueError: They are none, or not in range.
    """
    if not isinstance(stored, Mapping):
        raise ValueError(
            "the settings of a run are an object with its agent, steps, seeds and more"
        )
    name = stored.get("kind", "online")
    if not isinstance(name, str) or name not in _KINDS:
        raise ValueError(f"the kind of a run is {name!r}; accepted: {', '.join(_KINDS)}")
    return _KINDS[name].from_stored({key: stored[key] for key in stored if key != "kind"})


def read_settings(path: Path) -> Settings:
    """The settings in a JSON file: an object of them, or one that has them under "settings".

    Raises:
        ValueError: The file cannot be read or holds no settings; the file is named.
    """
    found = read_json(path)
    try:
        return stored_settings(found.get("settings", found))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
