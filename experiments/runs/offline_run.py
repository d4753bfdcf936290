"""A run of an agent that learns from fixed data of the walled maze (paper, section 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from deep.environments import walled_maze
from deep.models import LearnedModel
from deep.offline_learning import OfflineLearner
from deep.random_streams import Purpose, Stream
from deep.replay_buffer import Dataset, fixed_buffer
from experiments.analysis.reference import Reference, walled_maze_reference
from experiments.runs.assembly import agent_of, lanes_of
from experiments.runs.machine import Place
from experiments.runs.measured_run import MeasuredRun, numbers
from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.stored_run import OfflineMeasured

_CELLS = walled_maze.GRID.num_cells


class OfflineRun(MeasuredRun[OfflineSettings, OfflineMeasured]):
    """An offline learner with what it has measured.

    Attributes:
        learner: What moves it on.
    """

    def __init__(self, settings: OfflineSettings, place: Place) -> None:
        """Before the first update."""
        self.settings = settings
        lanes = len(settings.seeds)
        data = walled_maze.dataset(settings.coverage, settings.terminal_step)
        self.learner = OfflineLearner(
            agent_of(settings, place.precision),
            fixed_buffer([data] * lanes, place.device),
            lanes_of(settings, place.device),
            acceleration=place.how,
        )
        self._evaluation = Dataset(
            *(field.to(place.device) for field in _evaluation_transitions(settings.terminal_step))
        )
        cells = np.zeros((0, lanes, len(walled_maze.evaluation_layouts()), _CELLS))
        empty = cells[..., 0, 0]
        self.measured = OfflineMeasured(np.zeros(0, np.int64), *(empty,) * 5, greedy_action=cells)

    @property
    def engine(self) -> OfflineLearner:
        return self.learner

    @property
    def target_period(self) -> int:
        return self.learner.target_period

    @property
    def steps(self) -> int:
        return self.learner.updates

    @property
    def identity(self) -> dict[str, Any]:
        names = ("agent", "env", "coverage", "terminal_step", "rollout_length")
        return {name: getattr(self.settings, name) for name in names}

    @property
    def reference(self) -> Reference:
        return walled_maze_reference(self.settings.terminal_step)

    def evaluate(self) -> None:
        updates = self.steps - self.last_evaluation
        losses = self.learner.take_losses()
        performance = self.known_performance()
        self.append(
            performance,
            *(numbers(loss) / updates for loss in losses),
            *self._predictions(),
            self._greedy_actions(),
        )

    def _greedy_actions(self) -> Float[np.ndarray, "lane layout cell"]:
        """In every cell of the evaluation layouts where a step begins short of the goal."""
        learner, lanes = self.learner, len(self.settings.seeds)
        seen = self._evaluation.observation
        stream = Stream(
            learner.lanes.seed, learner.state.learner.updates, Purpose.EVALUATION_REPRESENTATION
        )
        shown = seen.expand(lanes, -1, -1)
        action = learner.agent.values(learner.state.learner, shown, stream).argmax(2)
        found = np.full((lanes, len(walled_maze.evaluation_layouts()), _CELLS), np.nan)
        layout, cell = _places(seen)
        found[:, layout, cell] = action.cpu().numpy()
        found[:, :, walled_maze.GOAL] = np.nan
        return found

    def _predictions(self) -> tuple[Float[np.ndarray, " lane"], Float[np.ndarray, " lane"]]:
        """Of the next cell: share of transitions for which it is the likeliest, and its mean probability."""
        learner, lanes = self.learner, len(self.settings.seeds)
        model = learner.agent.model
        if not isinstance(model, LearnedModel):
            return np.full(lanes, np.nan), np.full(lanes, np.nan)
        going_on = Dataset(*(field[~self._evaluation.terminal] for field in self._evaluation))
        stream = Stream(learner.lanes.seed, learner.state.learner.updates, Purpose.FORECAST)
        forecast = model.forecast(
            learner.state.learner.model,
            going_on.observation.expand(lanes, -1, -1),
            going_on.action.expand(lanes, -1),
            stream,
            draws=1,
        )
        chance = forecast.features[0, :, :, :_CELLS]  # the cell that the agent is in comes first
        true = going_on.next_observation[:, :_CELLS].bool()
        likeliest = ((chance > 0.5) == true).all(2)  # features are independent under the model
        probability = torch.where(true, chance, 1 - chance).prod(2)
        return numbers(likeliest.double().mean(1)), numbers(probability.mean(1))


def _evaluation_transitions(terminal_step: walled_maze.TerminalStep) -> Dataset:
    """All transitions of the two evaluation layouts."""
    basic = len(walled_maze.dataset("no-evaluation", terminal_step).action)
    whole = walled_maze.dataset("all-evaluation", terminal_step)
    return Dataset(*(field[basic:] for field in whole))  # they come after the basic ones


def _places(observation: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Number of the evaluation layout, and the agent's cell, of each observation."""
    agent, _, walls, _ = observation.cpu().unflatten(1, (4, _CELLS)).unbind(1)
    layouts = torch.tensor(walled_maze.evaluation_layouts())
    layout = (walls.bool().unsqueeze(1) == layouts).all(2).int().argmax(1)
    return layout.numpy(), agent.argmax(1).numpy()
