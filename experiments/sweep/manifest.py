"""Manifests: which runs a sweep carries out, one JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from experiments.runs.stored_settings import stored_settings
from experiments.storage.whole_files import write_text
from experiments.studies.study import PlannedRun

MANIFEST = "manifest.jsonl"
"""Of a sweep or a question, in its folder."""

_PART = r"(?!\.+(/|$))[A-Za-z0-9_.-]+"
_ID = re.compile(f"{_PART}(/{_PART})*")


def write_manifest(path: Path, planned: Iterable[PlannedRun]) -> None:
    """Write a manifest: a line for each run with its id, priority and settings.

    Raises:
        ValueError: It cannot be written.
    """
    lines = [
        json.dumps({"id": run.id, "priority": run.priority, "settings": run.settings.stored()})
        for run in planned
    ]
    write_text(path, "\n".join([*lines, ""]))


def read_manifest(path: Path) -> tuple[list[PlannedRun], list[str]]:
    """The runs of a manifest, and a complaint for each line that is none.

    A complaint names the line by its number and says what is wrong with it; an id that comes twice for
    other settings is one.

    Raises:
        ValueError: The file cannot be read, or has no line that is a run.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text; accepted: JSON, a run a line") from None
    found: dict[str, PlannedRun] = {}
    complaints = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            run = _run(line)
            if found.setdefault(run.id, run).settings != run.settings:
                raise ValueError(f"{run.id!r} was named before for other settings")
        except ValueError as error:
            complaints.append(f"{path}, line {number}: {error}")
    if not found:
        reason = f": {complaints[0]}" if complaints else ""
        raise ValueError(f"{path} names no run that could be carried out{reason}")
    return list(found.values()), complaints


def add_to_manifest(path: Path, planned: Iterable[PlannedRun]) -> None:
    """Write a manifest of these runs and of those that are in it, by their priority; a run of the same id is replaced.

    One that has all of them is left as it is.

    Raises:
        ValueError: It cannot be read or written; or has a line that is no run, and would be lost.
    """
    earlier, complaints = read_manifest(path) if path.exists() else ([], [])
    held = {run.id: run for run in earlier}
    merged = held | {run.id: run for run in planned}
    if merged == held:
        return
    if complaints:
        raise ValueError(f"{complaints[0]}; to be mended or removed before runs are added")
    write_manifest(path, sorted(merged.values(), key=lambda run: run.priority))


def _run(line: str) -> PlannedRun:
    try:
        held = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    keys = {"id", "settings"}
    if not isinstance(held, dict) or not keys <= held.keys() <= {*keys, "priority"}:
        raise ValueError('accepted: {"id": ..., "settings": {...}, "priority": a whole number}')
    name, priority = held["id"], held.get("priority", 0)
    if not isinstance(name, str) or not _ID.fullmatch(name) or ".." in name:
        raise ValueError(
            f"the id is {name!r}; accepted: letters, digits, dots, dashes and underscores, in "
            "parts between slashes, none of dots alone"
        )
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise ValueError(f"the priority is {priority!r}; accepted: a whole number")
    return PlannedRun(name, stored_settings(held["settings"]), priority)
