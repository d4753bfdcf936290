"""Targets, losses and behaviour, by hand."""

import numpy as np
import torch

from deep.networks import PlainPerceptron
from deep.q_learning import Transitions, softmax_action, td_error, td_loss, td_target
from deep.random_streams import Purpose, Stream, lane_words

VALUES = PlainPerceptron((10 * torch.eye(2).unsqueeze(0),), (torch.zeros(1, 1, 2),))
"""A Q-network of two actions, whose values are ten times the features."""

TRANSITIONS = Transitions(
    features=torch.tensor([[[0.1, 0.2], [0.3, 0.4]]]),
    action=torch.tensor([[1, 0]]),
    reward=torch.tensor([[1.0, -1.0]]),
    continuation=torch.tensor([[1.0, 0.5]]),
    next_features=torch.tensor([[[0.5, 0.4], [0.0, 0.2]]]),
    weight=torch.tensor([[1.0, 0.25]]),
)


def test_a_target_is_the_reward_and_nine_tenths_of_the_best_next_value_if_the_episode_goes_on():
    target = td_target(VALUES, TRANSITIONS)
    torch.testing.assert_close(target, torch.tensor([[1 + 0.9 * 5, -1 + 0.9 * 0.5 * 2]]))


def test_the_loss_is_the_weighted_squared_error_mean_over_the_batch_whatever_the_weights():
    target = torch.tensor([[4.0, -1.0]])
    torch.testing.assert_close(td_error(VALUES, target, TRANSITIONS), torch.tensor([[-2.0, 4.0]]))
    loss = td_loss(VALUES, target, TRANSITIONS)
    torch.testing.assert_close(loss, torch.tensor([(1 * 4 + 0.25 * 16) / 2]))


def test_actions_are_drawn_in_proportion_to_the_exponential_of_value_over_temperature():
    seeds, count = torch.tensor([3, 4]), 20_000
    temperature = torch.tensor([0.5, 2.0])
    q = torch.tensor([0.0, 0.5, 1.5]).expand(2, count, 3)
    drawn = lane_words(Stream(seeds, torch.tensor(0), Purpose.ACTION), 1, count)[0]
    chosen = softmax_action(q, temperature, drawn)
    for lane in range(2):
        chances = np.exp(np.array([0.0, 0.5, 1.5]) / temperature[lane].item())
        shares = chosen[lane].bincount(minlength=3) / count
        np.testing.assert_allclose(shares, chances / chances.sum(), atol=0.02)
        alone = softmax_action(q[:, 0], temperature, drawn[:, 0])
        assert alone[lane] == chosen[lane, 0]
