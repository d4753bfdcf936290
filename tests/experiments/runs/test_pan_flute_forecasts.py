"""What models expect in PanFlute, against the readable rule."""

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from deep import Agent, Lanes, SimpleModel
from deep.environments import PanFlute
from deep.models import Forecast
from experiments.runs import pan_flute_forecasts
from experiments.runs.pan_flute_forecasts import measure_forecasts
from tabular.environments.pan_flute import PanFlute as Rule

PIPES = 3


def pipes(observation):
    cells = [int(cell) for cell in observation]
    return tuple(tuple(cells[i * (i + 1) // 2 :][: i + 1]) for i in range(PIPES))


@pytest.fixture
def by_the_rule(monkeypatch):
    """A model that expects what tabular's rule says, but for the event, and keeps what it was asked."""
    monkeypatch.setattr(pan_flute_forecasts, "FLUTES", 5)
    monkeypatch.setattr(pan_flute_forecasts, "STEPS", 30)
    asked = []
    rule = Rule(PIPES, spontaneous=False)

    def forecast(self, parameters, observation, action, stream, draws):
        lanes, flutes, features = observation.shape
        reward = torch.zeros(lanes, flutes)
        chance = torch.zeros(1, lanes, flutes, features)
        for lane in range(lanes):
            for flute in range(flutes):
                state = pipes(observation[lane, flute])
                (outcome,) = rule.outcomes(state, int(action[lane, flute]))
                reward[lane, flute] = float(outcome.reward)
                chance[0, lane, flute] = torch.tensor(rule.observation(outcome.next_state))
                asked.append((lane, state, int(action[lane, flute])))
        return Forecast(reward, torch.ones_like(reward), chance)

    monkeypatch.setattr(SimpleModel, "forecast", forecast)
    agent = Agent(SimpleModel(PanFlute(num_pipes=PIPES)))
    lanes = Lanes(torch.tensor([3, 4]), torch.full((2,), 1e-4), torch.ones(2))
    return measure_forecasts(agent, agent.initial(lanes.seed), lanes), asked


def test_a_model_that_knows_the_rule_expects_the_true_reward(by_the_rule):
    found, asked = by_the_rule
    assert len(asked) == 2 * 5 * 30
    assert (found.transitions.sum(1) == 150).all()
    assert (found.next_transitions.sum(1) == 150).all()
    for lane in range(2):
        ends = [sum(pipe[-1] for pipe in state) for who, state, _ in asked if who == lane]
        assert np.bincount(ends, minlength=PIPES + 1).tolist() == found.transitions[lane].tolist()
    seen = found.transitions > 0
    np.testing.assert_array_equal(found.reward[seen], found.true_reward[seen])
    assert (found.true_reward[:, :PIPES][seen[:, :PIPES]] == 0).all()
    assert (found.true_reward[:, PIPES] == 1).all()


def test_the_true_probability_is_the_rules_and_that_without_events_is_the_models(by_the_rule):
    found, asked = by_the_rule
    event = float(Rule(PIPES).event_probability)
    surely = [
        sum(
            float(o.probability)
            for o in Rule(PIPES).outcomes(state, action)
            if all(pipe[-1] for pipe in o.next_state)
        )
        for _, state, action in asked
    ]
    total = np.nansum(found.true_all_active * found.next_transitions)
    assert total == pytest.approx(sum(surely), abs=1e-4)
    model = np.nansum(found.all_active * found.next_transitions)
    assert model == pytest.approx(sum(p == 1 for p in surely), abs=1e-4)
    partly = found.true_all_active[:, :PIPES]
    assert np.allclose(partly[~np.isnan(partly)], event)


def test_actions_are_mostly_in_order_from_the_longest_pipe(by_the_rule):
    _, asked = by_the_rule
    times = np.arange(len(asked)) // 10
    in_order = [PIPES - 1 - (2 * PIPES + time) % PIPES for time in times]
    share = np.mean(
        [action == usual for (_, _, action), usual in zip(asked, in_order, strict=True)]
    )
    expected = 0.8 + 0.2 / PIPES
    assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / len(asked))
