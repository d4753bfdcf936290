"""A run in progress: what moves it on, what it has measured, and its checkpoints; whatever the kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from deep import checkpoint
from deep.offline_learning import OfflineLearner
from deep.online_loop import OnlineLoop
from deep.tensor_tree import tensors
from experiments.analysis.reference import Reference
from experiments.runs import run_folder
from experiments.runs.forecast_table import Forecasts
from experiments.runs.quality_table import ModelQuality
from experiments.runs.stored_run import AnyMeasured
from experiments.runs.stored_settings import Settings

Kind = TypeVar("Kind", bound=Settings)
Rows = TypeVar("Rows", bound=AnyMeasured)


class MeasuredRun(ABC, Generic[Kind, Rows]):
    """An engine with what it has measured.

    Attributes:
        settings: What is run.
        measured: At each evaluation so far.
    """

    settings: Kind
    measured: Rows

    @property
    @abstractmethod
    def engine(self) -> OnlineLoop | OfflineLearner:
        """What moves it on."""

    @property
    @abstractmethod
    def target_period(self) -> int:
        """Steps between copies to the target network."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """Of a lane, so far."""

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What a summary says of the settings."""

    @property
    @abstractmethod
    def reference(self) -> Reference:
        """Of the best and the uniformly random policy."""

    @abstractmethod
    def evaluate(self) -> None:
        """Measure, and append what was found."""

    def advance(self) -> bool:
        """Go on to the next copy to the target network or evaluation; whether it was an evaluation."""
        interval = self.settings.evaluation_interval
        left = (each - self.steps % each for each in (self.target_period, interval))
        self.engine.advance(min(*left, self.settings.steps - self.steps))
        due = self.finished or self.steps % interval == 0
        if due:
            self.evaluate()
        return due

    def forecasts(self) -> Forecasts | None:
        """What the model expects, now; None if that is not asked for."""
        return None

    def model_quality(self) -> ModelQuality | None:
        """What the model gets right, now; None if that is not asked for."""
        return None

    @property
    def restarted(self) -> list[int]:
        """Lanes whose episode could not be found again at `load`, and began anew."""
        return []

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.steps == self.settings.steps

    @property
    def last_evaluation(self) -> int:
        """Steps at the last evaluation; 0 if there was none."""
        return int(self.measured.step[-1]) if len(self.measured.step) else 0

    def known_performance(self) -> Float[np.ndarray, " lane"]:
        """Performance of the greedy policy now; NaN in every lane that has diverged, now or before."""
        performance = numbers(self.engine.evaluate())
        failed = ~self.engine.finite().cpu().numpy() | ~np.isfinite(performance)
        if len(self.measured.step):
            failed |= np.isnan(self.measured.performance[-1])
        return np.where(failed, np.nan, performance)

    def append(self, *row: np.ndarray) -> None:
        """Add a row to what is measured: for each field after the step an array, lanes first."""
        self.measured = type(self.measured)(
            np.append(self.measured.step, self.steps),
            *(
                np.concatenate((before, new[None]))
                for before, new in zip(self.measured[1:], row, strict=True)
            ),
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Raises:
            ValueError: It cannot be written; the one before is then untouched.
        """
        state = {f"state.{name}": leaf for name, leaf in tensors(self.engine.state).items()}
        measured = {
            f"measured.{name}": torch.from_numpy(column)
            for name, column in self.measured._asdict().items()
        }
        checkpoint.save(path, state | measured, self.settings.stored())

    def load(self, path: Path) -> None:
        """Go back to a checkpoint.

        Raises:
            ValueError: It cannot be read, or is another run's.
        """
        held, stored = checkpoint.load(path)
        run_folder.require_same(self.settings, stored, path)
        self.engine.load(_below("state.", held))
        columns = _below("measured.", held)
        kind = type(self.measured)
        self.measured = kind(*(columns[name].numpy() for name in kind._fields))


def numbers(tensor: Tensor) -> Float[np.ndarray, " lane"]:
    """A tensor's values, on the host."""
    return tensor.double().cpu().numpy()


def _below(prefix: str, held: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in held.items()
        if name.startswith(prefix)
    }
