"""What a run has measured, as its folder has it. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from experiments.runs.forecast_table import Forecasts, read_forecasts
from experiments.runs.lane_table import write_lane_table
from experiments.runs.quality_table import ModelQuality, read_model_quality
from experiments.runs.run_folder import (
    CONFIG,
    GREEDY,
    METRICS,
    SUMMARY,
    read_config,
    require_same,
)
from experiments.runs.stored_settings import Settings, stored_settings
from experiments.storage.parquet_table import read_provenance, read_table


class Measured(NamedTuple):
    """What was measured, a row for each evaluation.

    Attributes:
        step: Environment steps of a lane at the evaluation.
        performance: Of the greedy policy; NaN once the lane has diverged.
        reward: Mean of a training step since the row before.
        episodes: Episodes that ended in training since the row before.
        q_loss: Mean loss of the Q-network's updates since then; NaN if there was none.
        model_loss: Mean loss of the model's updates since then; 0 for one that learns nothing.
    """

    step: Int[np.ndarray, " evaluation"]
    performance: Float[np.ndarray, "evaluation lane"]
    reward: Float[np.ndarray, "evaluation lane"]
    episodes: Float[np.ndarray, "evaluation lane"]
    q_loss: Float[np.ndarray, "evaluation lane"]
    model_loss: Float[np.ndarray, "evaluation lane"]


class OfflineMeasured(NamedTuple):
    """What was measured of a run on fixed data, a row for each evaluation.

    Attributes:
        step: Updates of a lane at the evaluation.
        performance: Of the greedy policy in the evaluation layouts; NaN once the lane has diverged.
        q_loss: Mean loss of the Q-network's updates since the row before.
        model_loss: Likewise of the model's; 0 if there is none.
        next_cell: Share of the evaluation layouts' transitions, but for the terminal ones, whose next cell is
            the likeliest under the model; NaN if there is none.
        next_cell_probability: Mean probability of their next cells; likewise.
        greedy_action: In each cell of the evaluation layouts; NaN in walls and in the goal.
    """

    step: Int[np.ndarray, " evaluation"]
    performance: Float[np.ndarray, "evaluation lane"]
    q_loss: Float[np.ndarray, "evaluation lane"]
    model_loss: Float[np.ndarray, "evaluation lane"]
    next_cell: Float[np.ndarray, "evaluation lane"]
    next_cell_probability: Float[np.ndarray, "evaluation lane"]
    greedy_action: Float[np.ndarray, "evaluation lane layout cell"]


AnyMeasured: TypeAlias = Measured | OfflineMeasured


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder has it.

    Attributes:
        folder: Where it lies.
        settings: What is run.
        measured: Up to the last checkpoint.
        provenance: Results version, place, and each process that worked on it.
        forecasts: What the model expects in the end, where that was asked for.
        model_quality: What it gets right in the end, where that was asked for.
    """

    folder: Path
    settings: Settings
    measured: AnyMeasured
    provenance: Mapping[str, Any]
    forecasts: Forecasts | None = None
    model_quality: ModelQuality | None = None

    @property
    def finished(self) -> bool:
        """Whether it made all its steps."""
        return len(self.measured.step) > 0 and int(self.measured.step[-1]) == self.settings.steps

    @property
    def performance(self) -> Float[np.ndarray, "lane evaluation"]:
        """Performance of the greedy policy, lanes first; NaN once a lane has diverged."""
        return self.measured.performance.T

    @property
    def results_version(self) -> int:
        """The version of the code's results that it belongs to."""
        return int(self.provenance["results_version"])


def write_metrics(
    out: Path, settings: Settings, measured: AnyMeasured, origin: Mapping[str, Any]
) -> None:
    """Write metrics.parquet, a row for each evaluation and lane, and what has more axes to a table of its own."""
    fields = measured._asdict()
    if isinstance(measured, OfflineMeasured):
        layouts, cells = measured.greedy_action.shape[2:]
        axes = {"layout": np.arange(layouts), "cell": np.arange(cells)}
        greedy = {"greedy_action": fields.pop("greedy_action")}
        write_lane_table(out / GREEDY, settings, {"step": measured.step}, axes, greedy, origin)
    del fields["step"]
    write_lane_table(out / METRICS, settings, {"step": measured.step}, {}, fields, origin)


def read_run(folder: Path) -> StoredRun:
    """What a run has measured so far.

    Raises:
        ValueError: The folder holds no run that has measured anything, its table is cut short or ends before a run
            that is said to be finished, or config and table are of different runs.
    """
    path = folder / METRICS
    if not path.exists():
        raise ValueError(f"{folder} holds no results of a run: there is no {path}")
    columns, stored = read_table(path)
    try:
        settings = stored_settings(stored)
    except ValueError:
        raise ValueError(
            f"{path} holds no learning curves; accepted: what `mbgen run` wrote"
        ) from None
    require_same(settings, read_config(folder)["settings"], folder / CONFIG)
    kind = OfflineMeasured if settings.kind == "offline" else Measured
    names = [name for name in kind._fields if name not in ("step", "greedy_action")]
    lanes = len(settings.seeds)
    if columns.keys() != {"lane", "seed", "step", *names} or len(columns["step"]) % lanes:
        raise ValueError(f"{path} is no whole table of {lanes} lanes; accepted: what a run wrote")
    values = {name: columns[name].reshape(-1, lanes) for name in ("step", *names)}
    if not (values["step"] == values["step"][:, :1]).all():
        raise ValueError(f"{path} is no whole table of {lanes} lanes; accepted: what a run wrote")
    if infinite := [name for name, value in values.items() if np.isinf(value).any()]:
        raise ValueError(
            f"{path} has an infinite {infinite[0]}; accepted: numbers, and NaN of lanes that diverged"
        )
    step = values.pop("step")[:, 0].astype(np.int64)
    arrays = {name: value.astype(float) for name, value in values.items()}
    if settings.kind == "offline":
        arrays["greedy_action"] = _greedy(folder / GREEDY, len(step), lanes)
    run = StoredRun(
        folder,
        settings,
        kind(step, **arrays),
        read_provenance(path),
        read_forecasts(folder, lanes),
        read_model_quality(folder, lanes),
    )
    if (folder / SUMMARY).exists() and not run.finished:
        raise ValueError(
            f"{folder} is said to be finished, and its tables end at step {step.max(initial=0):,} of "
            f"{settings.steps:,}; accepted: what one run wrote"
        )
    return run


def _greedy(
    path: Path, evaluations: int, lanes: int
) -> Float[np.ndarray, "evaluation lane layout cell"]:
    columns, _ = read_table(path)
    if columns.keys() != {"step", "lane", "seed", "layout", "cell", "greedy_action"}:
        raise ValueError(f"{path} holds no greedy actions; accepted: what a run wrote")
    sizes = (int(columns[axis].max(initial=-1)) + 1 for axis in ("layout", "cell"))
    shape = (evaluations, lanes, *sizes)
    found = columns["greedy_action"].astype(float)
    if found.size != prod(shape):
        raise ValueError(
            f"{path} and {METRICS} are not of one checkpoint; accepted: what a run wrote"
        )
    return found.reshape(shape)


def require_one_version(runs: Sequence[StoredRun]) -> None:
    """Refuse to put runs beside each other that versions of the code computed which differ in results.

    Raises:
        ValueError: naming a folder of each version.
    """
    folders = {run.results_version: run.folder for run in runs}
    if len(folders) > 1:
        told = ", ".join(f"{folder} of {version}" for version, folder in sorted(folders.items()))
        raise ValueError(f"these runs are of different results versions, {told}; accepted: of one")
