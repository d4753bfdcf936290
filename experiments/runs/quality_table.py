"""How good a learned model was in the end: model_quality.parquet of a run's folder. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.runs.lane_table import write_lane_table
from experiments.runs.stored_settings import Settings
from experiments.storage.parquet_table import read_table

MODEL_QUALITY = "model_quality.parquet"

NOVELTY = ("seen", "recombined", "unseen")
"""How new a state with an action is to the lane's buffer, see `deep.model_accuracy`."""

HORIZONS = (1, 10)
"""Steps after which the model's state is compared with the true one."""


class ModelQuality(NamedTuple):
    """How often a model is right about the state after some steps.

    Attributes:
        cases: Test cases of that horizon and novelty.
        accuracy: Mean probability over these that the model's whole state is the true one; NaN if
            there is none, or the lane has diverged.
    """

    cases: Float[np.ndarray, "lane horizon novelty"]
    accuracy: Float[np.ndarray, "lane horizon novelty"]

    def of(self, horizon: int, novelty: str) -> Float[np.ndarray, " lane"]:
        """The accuracy of each lane after so many steps, in cases so new."""
        return self.accuracy[:, HORIZONS.index(horizon), NOVELTY.index(novelty)]


def write_model_quality(
    folder: Path, settings: Settings, quality: ModelQuality, origin: Mapping[str, Any]
) -> None:
    """Write model_quality.parquet: a row for each lane, horizon and novelty."""
    axes = {"horizon": np.array(HORIZONS), "novelty": np.array(NOVELTY)}
    write_lane_table(folder / MODEL_QUALITY, settings, {}, axes, quality._asdict(), origin)


def read_model_quality(folder: Path, lanes: int) -> ModelQuality | None:
    """What the folder says of the model; None if it says nothing.

    Raises:
        ValueError: The table cannot be read, or is another one.
    """
    path = folder / MODEL_QUALITY
    if not path.exists():
        return None
    columns, _ = read_table(path)
    shape = (lanes, len(HORIZONS), len(NOVELTY))
    names = {"lane", "seed", "horizon", "novelty", *ModelQuality._fields}
    if columns.keys() != names or len(columns["lane"]) != np.prod(shape):
        raise ValueError(f"{path} holds no model quality; accepted: what a run wrote")
    return ModelQuality(
        *(columns[name].astype(float).reshape(shape) for name in ModelQuality._fields)
    )
