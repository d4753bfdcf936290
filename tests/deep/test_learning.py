"""What agents and models learn on tiny environments, against what `tabular` computes exactly."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch

import tabular
from deep import AGENTS, Agent, Lanes, OnlineLoop, Protocol
from deep.environments import Environment, OpenGrid, PanFlute
from deep.random_streams import Purpose, Stream, lane_words
from tabular import FiniteMDP, reference_performance
from tabular.solvers.discounted import policy_iteration

DISCOUNT = 0.9
STARTS = 400  # steps before the first update
EVALUATIONS, APART = 4, 50  # at the end of a run
DRAWS = 64  # of a latent


class Case(NamedTuple):
    """An environment, and the least that suffices there."""

    rules: tabular.Environment
    batched: Environment
    updates: int
    target_period: int

    @property
    def mdp(self):
        return FiniteMDP.from_rule(self.rules)

    @property
    def familiar(self):
        """Rows of the states seen often: not the silence of PanFlute, with which a run starts."""
        return [row for row, seen in enumerate(self.seen.tolist()) if any(seen)]

    @property
    def seen(self):
        states = [self.rules.observation(state) for state in self.mdp.states]
        return torch.tensor(states, dtype=torch.uint8)


FLUTE = tabular.PanFlute(2), PanFlute(2)
GRID = tabular.OpenGrid(2), OpenGrid(2)
CASES = {
    "er": Case(*FLUTE, 600, 10),
    "perfect": Case(*FLUTE, 600, 10),
    "simple": Case(*FLUTE, 400, 50),
    "categorical": Case(*GRID, 500, 50),
    "gaussian": Case(*GRID, 600, 50),
}


def new_loop(name):
    case = CASES[name]
    lanes = Lanes(torch.arange(1), torch.tensor([1e-3]), torch.tensor([0.4]))
    protocol = Protocol(STARTS + case.updates, 1, case.target_period, 50, learning_starts=STARTS)
    return OnlineLoop(Agent(AGENTS[name](case.batched)), protocol, lanes)


def learned(name):
    """A run that is over, and the mean of its last evaluations."""
    loop, evaluations = new_loop(name), []
    loop.advance(loop.protocol.steps - APART * (EVALUATIONS - 1))
    evaluations.append(loop.evaluate())
    for _ in range(EVALUATIONS - 1):
        loop.advance(APART)
        evaluations.append(loop.evaluate())
    assert int(loop.state.learner.updates) == CASES[name].updates
    return loop, float(torch.stack(evaluations).mean())


def assert_near_the_best_policy(name, performance):
    case = CASES[name]
    best, uniform = (
        float(reference_performance(case.rules, policy).value) for policy in ("optimal", "uniform")
    )
    assert performance > uniform + 0.8 * (best - uniform)
    assert float(new_loop(name).evaluate().mean()) < uniform + 0.5 * (best - uniform)


def q_values(name, loop):
    """Of the familiar states and all actions."""
    seen = CASES[name].seen.unsqueeze(0)
    values = loop.agent.values(
        loop.state.learner,
        seen,
        Stream(loop.lanes.seed, torch.tensor(0), Purpose.EVALUATION_REPRESENTATION),
    )
    return values[0, CASES[name].familiar].numpy()


@pytest.mark.parametrize("name", ["er", "perfect"])
def test_an_agent_learns_the_exact_values_and_the_best_policy(name):
    mdp, familiar = CASES[name].mdp, CASES[name].familiar
    exact = mdp.backup(policy_iteration(mdp, DISCOUNT).values, DISCOUNT)[familiar]
    loop, performance = learned(name)
    assert_near_the_best_policy(name, performance)
    assert exact.min() > 5
    assert np.abs(q_values(name, new_loop(name)) - exact).max() > 5
    assert np.abs(q_values(name, loop) - exact).max() < 0.5


def every_pair(case, copies):
    """The familiar observations and all actions, so many times each."""
    known, actions = case.seen[case.familiar], case.rules.num_actions
    seen = known.repeat_interleave(actions * copies, 0).unsqueeze(0)
    action = torch.arange(actions).repeat_interleave(copies).repeat(len(known)).unsqueeze(0)
    return seen, action


def imagined(name, loop):
    """Mean reward and continuation of a step, and of the one that follows it."""
    case, model = CASES[name], loop.agent.model
    learned = model.perceptrons(loop.state.learner.model)
    seen, action = every_pair(case, DRAWS)

    def draw(step, purpose, count):
        return lane_words(
            Stream(loop.lanes.seed, torch.tensor(step), purpose), count, seen.shape[1]
        )

    latent = model.start(learned, seen, draw(0, Purpose.ROLLOUT_START, model.represent_words))
    means = []
    for step in range(2):
        drawn = draw(step, Purpose.ROLLOUT, model.step_words)
        following, known = model.step(learned, latent, action, drawn)
        means += model.outcomes(learned, latent, action, [known])
        latent = following
    return torch.stack(means, 2).view(-1, case.rules.num_actions, DRAWS, 4).mean(2).numpy()


def expected(case, value):
    """The mean of `value(outcome)` for the familiar states and all actions."""
    return np.array(
        [
            [
                sum(
                    float(outcome.probability) * np.array(value(outcome), dtype=float)
                    for outcome in case.rules.outcomes(case.mdp.states[row], action)
                )
                for action in range(case.rules.num_actions)
            ]
            for row in case.familiar
        ]
    )


def two_steps(case, outcome):
    """Reward and continuation of a step, and the means of the next ones, if there is a next.

    Those do not depend on the action here.
    """
    if outcome.terminal:
        return outcome.reward, 0, np.nan, np.nan
    following = case.rules.outcomes(outcome.next_state, 0)
    reward = sum(float(then.probability) * then.reward for then in following)
    return outcome.reward, 1, reward, not following[0].terminal


@pytest.mark.parametrize("name", ["simple", "categorical", "gaussian"])
def test_an_agent_learns_a_model_and_the_best_policy(name):
    case = CASES[name]
    loop, performance = learned(name)
    assert_near_the_best_policy(name, performance)
    truth = expected(case, partial(two_steps, case))
    error, before = (
        np.nanmean(np.abs(imagined(name, each) - truth), (0, 1)) for each in (loop, new_loop(name))
    )
    assert (error < 0.2).all()
    assert (error < before / 2).all()
    if name == "simple":
        assert_features_are_distributed_as_they_are(case, loop)


def assert_features_are_distributed_as_they_are(case, loop):
    seen, action = every_pair(case, 1)
    model = loop.agent.model
    learned = model.perceptrons(loop.state.learner.model)
    predicted = model.next_logits(learned, seen.float(), action)
    truth = expected(case, lambda outcome: case.rules.observation(outcome.next_state))
    error = np.abs(predicted.sigmoid().view(truth.shape).numpy() - truth)
    # The spontaneous event has probability 1/4, and every pair was met about 80 times.
    assert error.max() < 0.15
    assert error.mean() < 0.03
