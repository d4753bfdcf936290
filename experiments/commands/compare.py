"""Runs side by side: the learning curves of several agents in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import tyro

from experiments.analysis.learning_curves import GOOD_SHARE, final_performance, steps_to
from experiments.analysis.reference import Reference, reference_of
from experiments.analysis.statistics import mean_interval
from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, require_picture, table
from experiments.runs.gym_settings import GymSettings
from experiments.runs.run_folder import finished_summary
from experiments.runs.settings import AGENTS, RunSettings
from experiments.runs.stored_run import StoredRun, read_run, require_one_version
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

if TYPE_CHECKING:
    from rich.console import Console


class Compared(NamedTuple):
    """One run among the others.

    Attributes:
        label: The agent's name, or the end of the folder's path that tells it from others of that agent.
        agent: Its name.
        folder: Where it is.
        lanes: Runs that it holds.
        diverged: Of these, left out of every mean.
        final: Mean over lanes of the mean of the last ten evaluations.
        half_width: Half of its 95 % interval.
        last: Mean over lanes of the last evaluation.
        updates: Of each lane.
        steps_to: When the mean over lanes first came 90 % of the way from uniform to best; None: it never did.
    """

    label: str
    agent: str
    folder: Path
    lanes: int
    diverged: int
    final: float
    half_width: float
    last: float
    updates: int
    steps_to: int | None


def compare(
    folders: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="DIR [DIR ...]")
    ],
    *,
    out: Picture = None,
    json: Json = None,
) -> int:
    """Draw finished runs on the same task in one picture, and print how each ended.

    Args:
        folders: Of runs, as `mbgen run` makes them.
        out: The picture.
        json: Write the figures as JSON; "-" is standard output.
    """
    if not folders:
        raise ValueError("there is nothing to compare; accepted: one or more folders of runs")
    require_picture(out)
    require_writable(json)
    runs = [read_run(folder) for folder in folders]
    for run in runs:
        if not run.finished:
            raise ValueError(
                f"{run.folder} holds no finished run; accepted: runs that are complete"
            )
    compare_runs(runs, console(json), out, json)
    return 0


def compare_runs(
    runs: Sequence[StoredRun], screen: Console, out: Path | None, json: str | None = None
) -> None:
    """Print, draw and write the comparison.

    Raises:
        ValueError: The runs are not of one task; or what is asked for cannot be written.
    """
    from experiments.figures.learning_curves import draw_comparison

    settings = [_online(run) for run in runs]
    first = settings[0]
    task = {name: getattr(first, name) for name in first.task}
    for run in runs:
        for name, value in task.items():
            other = getattr(run.settings, name, None)
            if other != value:
                raise ValueError(
                    f"{run.folder} has {name} {other}; accepted: {value}, as in {runs[0].folder}"
                )
    require_one_version(runs)
    reference = _reference(runs[0])
    bar = reference.level(GOOD_SHARE)
    compared = [_compared(label, run, bar) for label, run in zip(_labels(runs), runs, strict=True)]
    title = first.task_title
    rows: list[tuple[object, ...]] = [
        (c.label, c.lanes, c.diverged, c.updates, c.final, c.half_width, c.last, c.steps_to)
        for c in compared
    ]
    best, random = reference.optimal, reference.uniform
    rows.append(("optimal", None, None, None, best, reference.optimal_half_width, None, None))
    rows.append(("uniform", None, None, None, random, reference.uniform_half_width, None, None))
    columns = ("run", "lanes", "diverged", "updates a lane", "final", "±", "last", "steps to 90 %")
    screen.print(
        table(title, columns, rows),
        "final: greedy performance, mean of the last ten evaluations and over lanes that did not diverge, with the"
        " half of its 95 % interval (Student). last: the last evaluation. steps to 90 %: when the mean first was that"
        " far from uniform to optimal.",
    )
    if out is not None:
        curves = [
            (c.label, run.measured.step, mean_interval(run.performance))
            for c, run in zip(compared, runs, strict=True)
        ]
        draw_comparison(out, title, curves, optimal=reference.optimal, uniform=reference.uniform)
    figures = {**task, "reference": reference._asdict(), "runs": [c._asdict() for c in compared]}
    write_json(figures, json)


def _reference(run: StoredRun) -> Reference:
    settings = run.settings
    if isinstance(settings, RunSettings):
        return reference_of(settings.env, settings.size, settings.spontaneous, settings.event)
    summary = finished_summary(settings, run.folder) or {}
    known = summary.get("reference", {})
    return Reference(
        *(np.nan if known.get(name) is None else float(known[name]) for name in Reference._fields)
    )


def _online(run: StoredRun) -> RunSettings | GymSettings:
    if not isinstance(run.settings, (RunSettings, GymSettings)):
        raise ValueError(
            f"{run.folder} holds a run of the kind {run.settings.kind}; accepted: online runs"
        )
    return run.settings


def _labels(runs: Sequence[StoredRun]) -> list[str]:
    """The agent's name where it is the only run of that agent, else the shortest ends of paths that differ.

    An end that is the name of another agent is too short.
    """
    agents = [run.settings.agent for run in runs]
    whole = [run.folder.resolve() for run in runs]
    several = {
        folder: agent
        for folder, agent in zip(whole, agents, strict=True)
        if agents.count(agent) > 1
    }
    ends: dict[Path, str] = {}
    for parts in range(1, max((len(folder.parts) for folder in several), default=0) + 1):
        ends = {folder: "/".join(folder.parts[-parts:]) for folder in several}
        mistaken = any(end in AGENTS and end != several[folder] for folder, end in ends.items())
        if len(set(ends.values())) == len(ends) and not mistaken:
            break
    return [ends.get(folder, agent) for folder, agent in zip(whole, agents, strict=True)]


def _compared(label: str, run: StoredRun, bar: float) -> Compared:
    last_of_each = final_performance(run.performance)
    final = mean_interval(last_of_each)
    mean = mean_interval(run.performance).estimate
    return Compared(
        label=label,
        agent=run.settings.agent,
        folder=run.folder,
        lanes=len(run.performance),
        diverged=int(np.isnan(last_of_each).sum()),
        final=float(final.estimate),
        half_width=float(final.half_width),
        last=float(mean[-1]),
        updates=run.settings.updates,
        steps_to=steps_to(run.measured.step, mean, bar),
    )
