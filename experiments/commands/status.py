"""How far a run or a sweep is, read from its folder while it goes on: `mbgen status`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro

from experiments.analysis.statistics import mean_interval
from experiments.commands.arguments import Json
from experiments.commands.sweep_progress import in_words
from experiments.commands.terminal import console, facts, table
from experiments.runs.costs import estimated_seconds
from experiments.runs.run_folder import CONFIG, METRICS, read_config, read_progress, state_of
from experiments.runs.stored_run import read_run
from experiments.runs.stored_settings import Settings, stored_settings
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.sweep.manifest import MANIFEST, read_manifest
from experiments.sweep.plan import states_of

if TYPE_CHECKING:
    from rich.console import Console

POINTS = 12
"""Evaluations that the curve so far is shown at."""


def status(
    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")],
    *,
    json: Json = None,
) -> int:
    """How far the run or the sweep in a folder is, how fast, how long still, and its curve so far.

    Args:
        folder: Of a run, or of a sweep (results/desk).
        json: Write it as JSON; "-" is standard output.
    """
    require_writable(json)
    screen = console(json)
    if (folder / CONFIG).exists():
        content = _run_status(folder)
        _show_run(screen, content)
    elif (folder / MANIFEST).exists():
        content = _sweep_status(folder)
        _show_sweep(screen, content)
    else:
        raise ValueError(
            f"{folder} holds no run and no sweep; accepted: a folder with {CONFIG} or {MANIFEST}"
        )
    write_json(content, json)
    return 0


def _run_status(folder: Path) -> dict[str, Any]:
    settings = stored_settings(read_config(folder)["settings"])
    state = state_of(folder, settings)
    content: dict[str, Any] = {
        "run": settings.title,
        "state": state,
        "steps": settings.steps if state == "finished" else 0,
        "of": settings.steps,
        "steps_per_second": None,
        "seconds_left": None,
        "curve": [],
    }
    if (folder / METRICS).exists():
        measured = read_run(folder).measured
        mean = mean_interval(measured.performance.T).estimate
        content["curve"] = [
            {"step": int(step), "performance": float(value)}
            for step, value in zip(measured.step, mean, strict=True)
        ]
        if len(measured.step):
            content["steps"] = int(measured.step[-1])
    progress = read_progress(folder)
    if progress is not None and progress.steps >= content["steps"]:
        content["steps"] = progress.steps
        if state == "running":
            content["steps_per_second"] = progress.speed
            content["seconds_left"] = progress.seconds_left
    return content


def _show_run(screen: Console, content: dict[str, Any]) -> None:
    left = content["seconds_left"]
    rows: list[tuple[str, object]] = [
        ("state", content["state"]),
        ("steps of a lane", f"{content['steps']:,} of {content['of']:,}"),
        ("steps a second", content["steps_per_second"]),
        ("left", None if left is None else in_words(left)),
    ]
    screen.print(facts(content["run"], rows))
    curve = content["curve"]
    if curve:
        shown = np.unique(np.linspace(0, len(curve) - 1, POINTS).round().astype(int))
        points = [(curve[k]["step"], curve[k]["performance"]) for k in shown]
        screen.print(table("Mean over lanes so far", ("step", "performance"), points))


def _sweep_status(folder: Path) -> dict[str, Any]:
    planned, complaints = read_manifest(folder / MANIFEST)
    for complaint in complaints:
        print(f"mbgen: {complaint}", file=sys.stderr)
    states = states_of(planned, folder)
    left = sum(_seconds_left(folder / run.id, run.settings, states[run.id]) for run in planned)
    counts = {state: list(states.values()).count(state) for state in dict.fromkeys(states.values())}
    running = {
        run.id: _run_status(folder / run.id) for run in planned if states[run.id] == "running"
    }
    return {"runs": len(planned), "states": counts, "core_seconds_left": left, "running": running}


def _seconds_left(folder: Path, settings: Settings, state: str) -> float:
    if state == "finished":
        return 0.0
    progress = read_progress(folder)
    share = 1 - progress.steps / progress.total if progress else 1.0
    if state == "running" and progress is not None and progress.seconds_left is not None:
        return progress.seconds_left
    return share * estimated_seconds(settings)


def _show_sweep(screen: Console, content: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = [("runs", content["runs"]), *content["states"].items()]
    rows.append(("left, on one core", in_words(content["core_seconds_left"])))
    screen.print(facts("Sweep", rows))
    running = [
        (
            name, f"{each['steps']:,} of {each['of']:,}", each["steps_per_second"],
            None if each["seconds_left"] is None else in_words(each["seconds_left"]),
            each["curve"][-1]["performance"] if each["curve"] else None,
        )
        for name, each in content["running"].items()
    ]  # fmt: skip
    if running:
        columns = ("running", "steps", "steps a second", "left", "performance")
        screen.print(table("Under way", columns, running))
