"""A run in its folder: measured, stored, and gone on with after any end.

A run that was killed and is resumed measures on a CPU, bit for bit, what it would have measured
otherwise. What the folder holds is `experiments.runs.run_folder`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deep.acceleration import keep_freed_memory, product_precision
from experiments.analysis.learning_curves import FINAL_EVALUATIONS, final_performance
from experiments.analysis.statistics import mean_interval
from experiments.figures.learning_curves import draw_learning_curve
from experiments.runs import run_folder
from experiments.runs.forecast_table import write_forecasts
from experiments.runs.machine import Place, choose_place, require_memory, stored_place
from experiments.runs.measured_run import MeasuredRun
from experiments.runs.offline_run import OfflineRun
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.online_run import OnlineRun
from experiments.runs.quality_table import write_model_quality
from experiments.runs.run_folder import CHECKPOINT
from experiments.runs.stored_run import AnyMeasured, write_metrics
from experiments.runs.stored_settings import Settings
from experiments.storage.folder_lock import lock
from experiments.storage.json_files import plain, write_json
from experiments.storage.provenance import RESULTS_VERSION, provenance

PROGRESS_SECONDS = 5.0
"""Between two words on how far a run is."""


class Moment(NamedTuple):
    """What is told while a run goes on.

    Attributes:
        steps: Of a lane, so far.
        speed: Steps of a lane in a second, in this process.
        measured: So far.
        evaluated: Whether the last row of it is new.
    """

    steps: int
    speed: float
    measured: AnyMeasured
    evaluated: bool

    @property
    def performance(self) -> float | None:
        """Of the last evaluation: mean over the lanes that have not diverged; None if there is none."""
        last = self.measured.performance[-1:]
        known = last[~np.isnan(last)]
        return float(known.mean()) if len(known) else None


@dataclass(frozen=True)
class Outcome:
    """How a call of `execute` ended.

    Attributes:
        steps: Of a lane, so far.
        summary: What summary.json holds; None unless these are all.
        restarted: Lanes whose episode could not be found again when the run was gone on with.
    """

    steps: int
    summary: dict[str, Any] | None
    restarted: tuple[int, ...] = ()


def begin_run(settings: Settings, place: Place) -> MeasuredRun[Any, Any]:
    """The run of these settings, before its first step.

    Raises:
        ValueError: The machine lacks what the place names.
    """
    if isinstance(settings, OfflineSettings):
        return OfflineRun(settings, place)
    return OnlineRun(settings, place)


class _Diary:
    """What the folder says of a run: settings, place, and each process that worked on it."""

    def __init__(self, out: Path, settings: Settings, place: Place, first_step: int) -> None:
        self.out, self.settings, self.place = out, settings, place
        before = run_folder.read_config(out)["sittings"]
        versions = {sitting["results_version"] for sitting in before}
        if first_step and versions - {RESULTS_VERSION}:
            raise ValueError(
                f"{out} was begun by results version {max(versions)} and this is {RESULTS_VERSION}: "
                "--overwrite begins anew"
            )
        self.start = time.monotonic()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self.sitting = provenance() | {"started": started, "first_step": first_step, "seconds": 0.0}
        self.sittings = [*(before if first_step else []), self.sitting]
        self.write()

    @property
    def origin(self) -> dict[str, Any]:
        """The provenance of what is measured."""
        return {
            "results_version": RESULTS_VERSION,
            "digest": self.settings.digest,
            "place": self.place.stored(),
            "sittings": self.sittings,
        }

    def write(self) -> None:
        """Bring config.json up to date."""
        self.sitting["seconds"] = max(0.1, round(time.monotonic() - self.start, 1))
        run_folder.write_config(self.out, self.settings, self.place.stored(), self.sittings)


def execute(
    settings: Settings,
    out: Path,
    *,
    device: str = "auto",
    acceleration: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 300.0,
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Moment], None] | None = None,
) -> Outcome:
    """Run, or go on with a run, until it is done or interrupted.

    Args:
        settings: What is run.
        out: Its folder.
        device: "cpu", "cuda", or "auto": where it began, or a GPU if there is one.
        acceleration: "none", "compile", "kernels", "graph", or "auto": as it began, or what suits the device.
        resume: Go on from the checkpoint in the folder; from the start if there is none yet.
        overwrite: Begin anew in a folder that holds a run.
        checkpoint_seconds: A checkpoint is written at the first evaluation after so many.
        interrupted: Asked between segments; if true, a checkpoint is written and the call ends.
        report: Told how far it is, after each segment.

    Raises:
        ValueError: The folder is not fit, is in use, holds another run, or cannot be written to; or
            the run needs more memory than there is.
    """
    begun = run_folder.require_fit(out, settings, resume=resume, overwrite=overwrite)
    place = (
        _place(settings, out, device, acceleration)
        if begun
        else choose_place(settings, device, acceleration)
    )
    require_memory(settings, place.device)
    run = begin_run(settings, place)
    with lock(out), product_precision(place.precision):
        # Once more: another process may have been here between the look and the lock.
        if run_folder.require_fit(out, settings, resume=resume, overwrite=overwrite):
            run_folder.clear_parts(out)
            (out / CHECKPOINT).parent.mkdir(exist_ok=True)
        else:
            run_folder.lay_out(out, settings)
        if (out / CHECKPOINT).exists():
            run.load(out / CHECKPOINT)
        if place.device == "cpu":
            keep_freed_memory()
        diary = _Diary(out, settings, place, run.steps)
        if run.restarted:
            diary.sitting["restarted_lanes"] = run.restarted
        return _carry_on(run, diary, checkpoint_seconds, interrupted, report)


def _place(settings: Settings, out: Path, device: str, acceleration: str) -> Place:
    """Where a run goes on: where it began, if it has come as far as a checkpoint."""
    began = run_folder.read_config(out)["place"]
    if began is None or not (out / CHECKPOINT).exists():
        return choose_place(settings, device, acceleration)
    return stored_place(began, device, acceleration)


def _carry_on(
    run: MeasuredRun[Any, Any],
    diary: _Diary,
    checkpoint_seconds: float,
    interrupted: Callable[[], bool],
    report: Callable[[Moment], None] | None,
) -> Outcome:
    out, settings, first = diary.out, run.settings, run.steps
    start = saved = said = time.monotonic()
    evaluated: list[tuple[int, float]] = []

    def keep() -> None:
        run.save(out / CHECKPOINT)
        diary.write()
        write_metrics(out, settings, run.measured, diary.origin)

    while not run.finished and not interrupted():
        due = run.advance()
        now = time.monotonic()
        speed = (run.steps - first) / (now - start)
        if due:
            evaluated.append((run.steps, now))
        if report:
            report(Moment(run.steps, speed, run.measured, due))
        if now - said >= PROGRESS_SECONDS:
            run_folder.write_progress(out, run.steps, settings.steps, speed)
            said = now
        if due and now - saved >= checkpoint_seconds and not run.finished:
            keep()
            saved = time.monotonic()
    # Also of a run that was finished already: what saved its last checkpoint may have died before its tables.
    if run.steps > first or run.finished:
        keep()
    if not run.finished:
        return Outcome(run.steps, None, tuple(run.restarted))
    if (forecasts := run.forecasts()) is not None:
        write_forecasts(out, settings, forecasts, diary.origin)
    if (quality := run.model_quality()) is not None:
        write_model_quality(out, settings, quality, diary.origin)
    taken = run.steps - first
    overall = taken / (time.monotonic() - start) if taken else None
    summary = _write_summary(run, diary, overall, _pace(evaluated))
    (out / run_folder.PROGRESS).unlink(missing_ok=True)
    return Outcome(run.steps, summary, tuple(run.restarted))


def _pace(evaluated: list[tuple[int, float]]) -> float | None:
    """Steps of a lane in a second between the last two evaluations, when all is compiled; None if there were fewer."""
    if len(evaluated) < 2:
        return None
    (first, began), (last, ended) = evaluated[-2:]
    return (last - first) / (ended - began)


def summary_of(
    run: MeasuredRun[Any, Any],
    origin: dict[str, Any],
    speed: float | None,
    pace: float | None = None,
) -> dict[str, Any]:
    """What summary.json holds.

    Args:
        run: A finished run.
        origin: Its provenance.
        speed: Steps of a lane a second; None if no step was made.
        pace: Likewise, between the last two evaluations; None if there were fewer.
    """
    settings, measured = run.settings, run.measured
    final = final_performance(measured.performance.T)
    interval = mean_interval(final)
    diverged = np.isnan(measured.performance[-1])
    return {
        **run.identity,
        "steps": settings.steps,
        "evaluations": len(measured.step),
        "final_evaluations": min(FINAL_EVALUATIONS, len(measured.step)),
        "final_performance": final.tolist(),
        "mean": float(interval.estimate),
        "half_width": float(interval.half_width),
        "lanes": len(settings.seeds),
        "lanes_in_mean": int(interval.seeds),
        "diverged": [
            {
                "lane": int(lane),
                "seed": settings.seeds[lane],
                "step": int(measured.step[np.isnan(measured.performance[:, lane]).argmax()]),
            }
            for lane in np.flatnonzero(diverged)
        ],
        "reference": run.reference._asdict(),
        "steps_per_second": speed,
        "lane_steps_per_second": None if speed is None else speed * len(settings.seeds),
        "last_steps_per_second": pace,
        "seconds": sum(sitting["seconds"] for sitting in origin["sittings"]),
        "provenance": origin,
    }


def _write_summary(
    run: MeasuredRun[Any, Any], diary: _Diary, speed: float | None, pace: float | None
) -> dict[str, Any]:
    summary: dict[str, Any] = plain(summary_of(run, diary.origin, speed, pace))
    known = {name: np.nan if x is None else x for name, x in summary["reference"].items()}
    draw_learning_curve(
        diary.out / run_folder.FIGURE,
        run.settings.title,
        run.measured.step,
        run.measured.performance.T,
        optimal=known["optimal"],
        uniform=known["uniform"],
    )
    write_json(summary, str(diary.out / run_folder.SUMMARY))
    return summary
