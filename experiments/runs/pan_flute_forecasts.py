"""What a learned model of PanFlute expects, by the number of active pipe ends (paper, figure 4, left).

The data are the paper's: a policy that takes the actions in order with probability 0.8, and a uniform one
otherwise, so that all numbers of active ends occur. In order means the longest pipe first: only then do
all ends come to sound together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from deep.agent import Agent, Lanes, Learner
from deep.environments import PanFlute
from deep.environments.pan_flute import PanFluteState
from deep.models import LearnedModel
from deep.random_streams import Purpose, Stream, integers, lane_words, uniform
from experiments.runs.forecast_table import Forecasts

IN_ORDER = 0.8
"""Probability of the action that comes next in order."""

FLUTES = 100
"""Played side by side in each lane."""

STEPS = 100
"""Of each flute that are looked at, once it has been played for so long that the start is forgotten."""

DRAWS = 8
"""Latents that a forecast is averaged over; what is averaged over thousands of forecasts needs no more."""

_FIRST = 2**31
"""Step of the first random words, beyond those of any run."""


def measure_forecasts(agent: Agent, learner: Learner, lanes: Lanes) -> Forecasts:
    """Play the flute and ask the model what comes of each step, in every lane.

    Args:
        agent: With a learned model of PanFlute.
        learner: What it has learned.
        lanes: Their seeds decide the data.
    """
    model, flute = agent.model, agent.model.environment
    assert isinstance(model, LearnedModel)
    assert isinstance(flute, PanFlute)
    pipes, device, count = flute.num_pipes, lanes.seed.device, len(lanes.seed)
    certain = replace(flute, spontaneous=False)
    chance = float(flute.event_probability)
    state = PanFluteState(
        torch.zeros(count, FLUTES, flute.num_features, dtype=torch.bool, device=device)
    )
    sums = torch.zeros(len(Forecasts._fields), count, pipes + 1, dtype=torch.float64, device=device)
    unseen = 2 * pipes
    for time in range(unseen + STEPS):
        moment = torch.tensor(_FIRST + time, device=device)
        drawn = lane_words(Stream(lanes.seed, moment, Purpose.FORECAST), 3, FLUTES)
        action = integers(drawn[1], pipes)
        action[uniform(drawn[0]) < IN_ORDER] = pipes - 1 - time % pipes
        done = flute.transition(state, action, drawn[2:])
        if time >= unseen:
            stream = Stream(lanes.seed, moment + unseen + STEPS, Purpose.FORECAST)
            expected = model.forecast(
                learner.model, flute.observe(state), action, stream, draws=DRAWS
            )
            surely = _ends(certain.transition(state, action, drawn[2:]).successor, pipes).all(2)
            now, following = (
                _ends(each, pipes).sum(2, dtype=torch.int64) for each in (state, done.successor)
            )
            one = torch.ones_like(done.reward)
            ends = _last_cells(pipes)
            for place, (value, number) in enumerate(
                (
                    (one, now),
                    (expected.reward, now),
                    (done.reward, now),
                    (one, following),
                    (expected.probability_of_all(ends), following),
                    (surely + ~surely * chance, following),
                )
            ):
                sums[place].scatter_add_(1, number, value.double())
        state = done.successor
    transitions, reward, true_reward, nexts, active, truly = sums.cpu().numpy()
    return Forecasts(
        transitions,
        _mean(reward, transitions),
        _mean(true_reward, transitions),
        nexts,
        _mean(active, nexts),
        _mean(truly, nexts),
    )


def _last_cells(pipes: int) -> list[int]:
    """The features that are the ends of the pipes, whose cells come one pipe after the other."""
    return [(pipe + 1) * (pipe + 2) // 2 - 1 for pipe in range(pipes)]


def _ends(state: PanFluteState, pipes: int) -> Bool[Tensor, "lane flute pipe"]:
    return state.active[..., _last_cells(pipes)]


def _mean(
    total: Float[np.ndarray, "lane ends"], count: Float[np.ndarray, "lane ends"]
) -> Float[np.ndarray, "lane ends"]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
