"""A run of an agent that learns online."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep.models import RolloutModel
from deep.online_loop import OnlineLoop
from experiments.analysis.reference import Reference, reference_of
from experiments.runs.assembly import gym_task, online_loop_of
from experiments.runs.forecast_table import Forecasts
from experiments.runs.gym_settings import GymSettings
from experiments.runs.machine import Place
from experiments.runs.measured_run import MeasuredRun, numbers
from experiments.runs.model_quality import measure_model_quality, require_words
from experiments.runs.pan_flute_forecasts import measure_forecasts
from experiments.runs.quality_table import ModelQuality
from experiments.runs.settings import RunSettings
from experiments.runs.stored_run import Measured


class OnlineRun(MeasuredRun[RunSettings | GymSettings, Measured]):
    """An online loop with what it has measured.

    Attributes:
        loop: What moves it on.
    """

    def __init__(self, settings: RunSettings | GymSettings, place: Place) -> None:
        """Before the first step."""
        self.settings = settings
        self.loop = online_loop_of(settings, place.precision, place.device, place.how)
        if isinstance(settings, RunSettings) and settings.model_quality:
            model = self.loop.agent.model
            assert isinstance(model, RolloutModel)
            require_words(model)
        empty = np.zeros((0, len(settings.seeds)))
        self.measured = Measured(np.zeros(0, np.int64), *[empty] * (len(Measured._fields) - 1))

    @property
    def engine(self) -> OnlineLoop:
        return self.loop

    @property
    def target_period(self) -> int:
        return self.loop.protocol.target_period

    @property
    def steps(self) -> int:
        return self.loop.steps

    @property
    def identity(self) -> dict[str, Any]:
        return {name: getattr(self.settings, name) for name in self.settings.identity}

    @property
    def reference(self) -> Reference:
        settings = self.settings
        if isinstance(settings, GymSettings):
            return gym_task(settings).reference(settings.evaluation_steps)
        return reference_of(settings.env, settings.size, settings.spontaneous, settings.event)

    @property
    def restarted(self) -> list[int]:
        return self.loop.restarted

    def evaluate(self) -> None:
        before = self.last_evaluation
        performance = self.known_performance()
        tally = self.loop.take_tally()
        updates = self.settings.updates_after(self.steps) - self.settings.updates_after(before)
        learned = updates if self.settings.model_steps is None else self._model_updates(before)
        self.append(
            performance,
            numbers(tally.reward) / (self.steps - before),
            numbers(tally.episodes),
            numbers(tally.q_loss) / updates if updates else np.nan * performance,
            numbers(tally.model_loss) / learned if learned else np.nan * performance,
        )

    def _model_updates(self, before: int) -> int:
        """Of a model that is to be frozen, since those steps."""
        last = self.settings.model_steps or 0
        done, earlier = (self.settings.updates_after(min(s, last)) for s in (self.steps, before))
        return done - earlier

    def forecasts(self) -> Forecasts | None:
        if isinstance(self.settings, GymSettings) or not self.settings.forecasts:
            return None
        return measure_forecasts(self.loop.agent, self.loop.state.learner, self.loop.lanes)

    def model_quality(self) -> ModelQuality | None:
        if isinstance(self.settings, GymSettings) or not self.settings.model_quality:
            return None
        state = self.loop.state
        return measure_model_quality(self.loop.agent, state.learner, state.buffer, self.loop.lanes)
