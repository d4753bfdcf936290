"""What a learned model of PanFlute expected in the end, in a run's folder. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.runs.lane_table import write_lane_table
from experiments.runs.stored_settings import Settings
from experiments.storage.parquet_table import read_table

FORECASTS = "forecasts.parquet"


class Forecasts(NamedTuple):
    """What a model expects in PanFlute, by the number of active pipe ends; NaN where that did not occur.

    Attributes:
        transitions: How many begin with so many ends active.
        reward: The model's mean of theirs.
        true_reward: Mean of the true ones.
        next_transitions: How many end with so many ends active.
        all_active: The model's mean probability that all ends are active next, over these.
        true_all_active: The mean of the true probability.
    """

    transitions: Float[np.ndarray, "lane ends"]
    reward: Float[np.ndarray, "lane ends"]
    true_reward: Float[np.ndarray, "lane ends"]
    next_transitions: Float[np.ndarray, "lane ends"]
    all_active: Float[np.ndarray, "lane ends"]
    true_all_active: Float[np.ndarray, "lane ends"]


def write_forecasts(
    folder: Path, settings: Settings, forecasts: Forecasts, origin: Mapping[str, Any]
) -> None:
    """Write the table: a row for each lane and number of active ends."""
    ends = {"ends": np.arange(forecasts.reward.shape[1])}
    write_lane_table(folder / FORECASTS, settings, {}, ends, forecasts._asdict(), origin)


def read_forecasts(folder: Path, lanes: int) -> Forecasts | None:
    """What the folder says that the model expected; None if it says nothing.

    Raises:
        ValueError: The table cannot be read, or is another one.
    """
    path = folder / FORECASTS
    if not path.exists():
        return None
    columns, _ = read_table(path)
    whole = columns.keys() == {"lane", "seed", "ends", *Forecasts._fields}
    if not whole or len(columns["lane"]) % lanes:
        raise ValueError(f"{path} holds no forecasts of {lanes} lanes; accepted: what a run wrote")
    return Forecasts(
        *(columns[name].astype(float).reshape(lanes, -1) for name in Forecasts._fields)
    )
