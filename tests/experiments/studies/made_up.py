"""Stored runs with made-up performance, to judge claims on what is known."""

from pathlib import Path

import numpy as np

from experiments.runs.run_folder import Measured, StoredRun
from experiments.storage.provenance import RESULTS_VERSION

SPREAD = np.array([-1.0, -0.4, 0.0, 0.5, 0.9])


def stored(settings, level, spread=0.01):
    """A finished run whose lanes end at a level, give or take, by settings."""
    lanes = len(settings.seeds)
    final = level + spread * np.resize(SPREAD, lanes)
    curves = np.tile(final, (10, 1))
    measured = Measured(np.linspace(1, settings.steps, 10).astype(int), *[curves] * 5)
    return StoredRun(Path("made-up"), settings, measured, {"results_version": RESULTS_VERSION})


def found(study, scale, level):
    """What the study's analysis finds if each run ends at `level(settings)`; None is a missing run."""
    planned = [run.settings for run in study.runs(scale)]
    runs = {s.digest: stored(s, level(s)) for s in planned if level(s) is not None}
    return study.analyse(planned, runs)
