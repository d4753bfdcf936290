"""Runs of a question that are made up: their folders hold what real ones would, at a level that is known."""

from pathlib import Path

import numpy as np

from experiments.runs.quality_table import HORIZONS, NOVELTY, ModelQuality, write_model_quality
from experiments.runs.run_folder import SUMMARY, lay_out, write_config
from experiments.runs.stored_run import Measured, write_metrics
from experiments.storage.json_files import write_json
from experiments.storage.provenance import RESULTS_VERSION
from experiments.sweep.local import Ended

SITTING = {"processor": "an abacus", "commit": "0123456789", "clean": True, "seconds": 1_800.0}
ORIGIN = {
    "results_version": RESULTS_VERSION, "place": {"precision": "highest"}, "sittings": [SITTING],
}  # fmt: skip


def finish(
    run, out, level, *, spread=0.05, episodes=1.0, reward=0.1, diverged=(), seconds=4.0, right=0.9
):
    """Write the folder of a run whose seeds end at a level, give or take; of recombined states it has so many right."""
    settings, folder = run.settings, out / run.id
    lanes, rows = len(settings.seeds), 10
    final = level + spread * np.random.default_rng(settings.seeds[0]).normal(size=lanes)
    performance = np.tile(final, (rows, 1))
    for lane in diverged:
        performance[3:, lane] = np.nan
        performance[2, lane] = -7.0
    step = np.linspace(settings.steps // rows, settings.steps, rows).astype(int)
    flat = np.ones((rows, lanes))
    losses = np.linspace(2.0, 0.5, rows)[:, None] * flat
    measured = Measured(step, performance, reward * flat, episodes * flat, losses, losses)
    lay_out(folder, settings)
    write_config(folder, settings, {}, [ORIGIN])
    write_metrics(folder, settings, measured, ORIGIN)
    if getattr(settings, "model_quality", False):
        cases = np.ones((lanes, len(HORIZONS), len(NOVELTY)))
        write_model_quality(folder, settings, ModelQuality(256 * cases, right * cases), ORIGIN)
    summary = {
        "seconds": seconds, "steps_per_second": 100.0, "last_steps_per_second": 1_000.0,
        "reference": {"optimal": 1.0, "uniform": 0.0},
    }  # fmt: skip
    write_json(summary, str(folder / SUMMARY))


def carrying(out, levels, **how):
    """Carries out runs as the sweep would, one after the other, at the level of their name, or else of their agent."""

    def carry(runs, stop, seconds):
        made = []
        for run in runs:
            if stop():
                return Ended(tuple(made), (), tuple(runs[len(made) :]), "interrupted")
            if not (out / run.id / SUMMARY).exists():
                finish(run, out, levels.get(Path(run.id).name, levels[run.settings.agent]), **how)
            made.append(run)
        return Ended(tuple(made), (), (), None)

    return carry
