"""Stored runs with made-up performance, to judge claims on what is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.runs.forecast_table import Forecasts
from experiments.runs.quality_table import HORIZONS, NOVELTY, LearnedScopes, ModelQuality
from experiments.runs.stored_run import Measured, OfflineMeasured, StoredRun
from experiments.storage.provenance import RESULTS_VERSION
from experiments.studies.maze_coverage import mazes

SPREAD = np.array([-1.0, -0.4, 0.0, 0.5, 0.9])


def stored(settings, level, spread=0.01):
    """A finished run whose lanes end at a level, give or take, by settings."""
    lanes = len(settings.seeds)
    final = level + spread * np.resize(SPREAD, lanes)
    curves = np.tile(final, (10, 1))
    measured = Measured(np.linspace(1, settings.steps, 10).astype(int), *[curves] * 5)
    return StoredRun(Path("made-up"), settings, measured, {"results_version": RESULTS_VERSION})


def found(study, scale, made):
    """What the study's analysis finds of runs that `made(settings)` tells: made up, or by their level, or missing."""
    planned = [run.settings for run in study.runs(scale)]
    told = {settings.digest: (settings, made(settings)) for settings in planned}
    runs = {
        digest: run if isinstance(run, StoredRun) else stored(settings, run)
        for digest, (settings, run) in told.items()
        if run is not None
    }
    return study.analyse(planned, runs)


def offline(settings, right, predicted=1.0):
    """A finished run on fixed data: in every cell that share of its lanes is right, from the first one on."""
    lanes, decided, best = len(settings.seeds), mazes().decided, mazes().best.argmax(2)
    wrong = np.arange(lanes)[:, None, None] >= round(right * lanes)
    greedy = np.where(decided, np.where(wrong, (best + 1) % 5, best), np.nan)
    flat = np.full((3, lanes), -4.0)
    measured = OfflineMeasured(
        np.array([1, settings.steps - 1, settings.steps]), flat, flat, flat,
        np.full((3, lanes), predicted), np.full((3, lanes), predicted), np.stack([greedy] * 3),
    )  # fmt: skip
    return StoredRun(Path("made-up"), settings, measured, {"results_version": RESULTS_VERSION})


def expecting(settings, rise, all_active=0.5):
    """A finished run in PanFlute whose model expects a reward that rises by so much with each active end."""
    lanes, ends = len(settings.seeds), settings.size + 1
    noise = 0.001 * np.resize(SPREAD, lanes)[:, None]
    reward = rise * np.arange(ends) * (1 + noise)
    active = np.full((lanes, ends), all_active) + noise
    full = np.ones((lanes, ends))
    forecasts = Forecasts(full, reward, 0 * full, full, active, 0 * full)
    return replace(stored(settings, 0.0), forecasts=forecasts)


def right(settings, accuracy, learned=20, shared=9):
    """A finished run whose model is right so often; structured ones have so many pairs of scopes, of ten true ones."""
    lanes = len(settings.seeds)
    noise = 0.001 * np.resize(SPREAD, lanes)
    shape = (lanes, len(HORIZONS), len(NOVELTY))
    scopes = None
    if settings.structured:
        flat = np.ones(lanes)
        scopes = LearnedScopes(0.3 * flat, learned * flat, 10 * flat, shared + noise)
    rightly = np.broadcast_to((accuracy + noise)[:, None, None], shape)
    return replace(
        stored(settings, 0.0), model_quality=ModelQuality(np.ones(shape), rightly, scopes)
    )


def frozen(settings, steps):
    """A finished run whose greedy policy is the best one after so many steps on the frozen model; None if never."""
    lanes = len(settings.seeds)
    at = np.arange(500, settings.steps + 1, 500)
    good = steps if steps is not None else np.inf
    late = at[:, None] - settings.model_steps >= good + 500 * np.resize([0, 1, 2], lanes)
    curves = np.where(late, 1.0, 0.0)
    run = StoredRun(
        Path("made-up"), settings, Measured(at, *[curves] * 5), {"results_version": RESULTS_VERSION}
    )
    return replace(run, forecasts=expecting(settings, 0.1).forecasts)
