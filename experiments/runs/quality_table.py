"""How good a learned model was in the end, in a run's folder. It needs no torch.

model_quality.parquet has its accuracy; of a structured model learned_scopes.parquet has what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.runs.lane_table import write_lane_table
from experiments.runs.stored_settings import Settings
from experiments.storage.parquet_table import read_table

MODEL_QUALITY, LEARNED_SCOPES = "model_quality.parquet", "learned_scopes.parquet"

NOVELTY = ("seen", "recombined", "unseen")
"""How new a state with an action is to the lane's buffer, see `deep.model_accuracy`."""

HORIZONS = (1, 10)
"""Steps after which the model's state is compared with the true one."""


class LearnedScopes(NamedTuple):
    """What a structured model reads beside the true scopes, as pairs of a factor and one that it depends on.

    Attributes:
        gates: Share of the gates between features that are open.
        learned: Pairs of which a gate is open.
        true: Pairs of the true scopes, of any action.
        shared: Pairs that are both.
    """

    gates: Float[np.ndarray, " lane"]
    learned: Float[np.ndarray, " lane"]
    true: Float[np.ndarray, " lane"]
    shared: Float[np.ndarray, " lane"]

    @property
    def precision(self) -> Float[np.ndarray, " lane"]:
        """Of the learned pairs, the share that is true; NaN if there is none."""
        return np.where(self.learned > 0, self.shared / np.maximum(self.learned, 1), np.nan)

    @property
    def recall(self) -> Float[np.ndarray, " lane"]:
        """Of the true pairs, the share that is learned; NaN if there is none."""
        return np.where(self.true > 0, self.shared / np.maximum(self.true, 1), np.nan)


class ModelQuality(NamedTuple):
    """How often a model is right about the state after some steps.

    Attributes:
        cases: Test cases of that horizon and novelty.
        accuracy: Mean probability over these that the model's whole state is the true one; NaN if
            there is none, or the lane has diverged.
        scopes: What the model reads, if it learns that.
    """

    cases: Float[np.ndarray, "lane horizon novelty"]
    accuracy: Float[np.ndarray, "lane horizon novelty"]
    scopes: LearnedScopes | None = None

    def of(self, horizon: int, novelty: str) -> Float[np.ndarray, " lane"]:
        """The accuracy of each lane after so many steps, in cases so new."""
        return self.accuracy[:, HORIZONS.index(horizon), NOVELTY.index(novelty)]


def write_model_quality(
    folder: Path, settings: Settings, quality: ModelQuality, origin: Mapping[str, Any]
) -> None:
    """Write both tables: a row for each lane, horizon and novelty, and a row for each lane."""
    axes = {"horizon": np.array(HORIZONS), "novelty": np.array(NOVELTY)}
    values = {"cases": quality.cases, "accuracy": quality.accuracy}
    write_lane_table(folder / MODEL_QUALITY, settings, {}, axes, values, origin)
    if quality.scopes is not None:
        path = folder / LEARNED_SCOPES
        write_lane_table(path, settings, {}, {}, quality.scopes._asdict(), origin)


def read_model_quality(folder: Path, lanes: int) -> ModelQuality | None:
    """What the folder says of the model; None if it says nothing.

    Raises:
        ValueError: A table cannot be read, or is another one.
    """
    if not (folder / MODEL_QUALITY).exists():
        return None
    shape = (lanes, len(HORIZONS), len(NOVELTY))
    found = _read(folder / MODEL_QUALITY, ("cases", "accuracy"), ("horizon", "novelty"), shape)
    scopes = None
    if (folder / LEARNED_SCOPES).exists():
        scopes = LearnedScopes(*_read(folder / LEARNED_SCOPES, LearnedScopes._fields, (), (lanes,)))
    cases, accuracy = found
    return ModelQuality(cases, accuracy, scopes)


def _read(
    path: Path, names: tuple[str, ...], axes: tuple[str, ...], shape: tuple[int, ...]
) -> list[np.ndarray]:
    columns, _ = read_table(path)
    if columns.keys() != {"lane", "seed", *axes, *names} or len(columns["lane"]) != prod(shape):
        raise ValueError(f"{path} holds no model quality; accepted: what a run wrote")
    return [columns[name].astype(float).reshape(shape) for name in names]
