"""A buffer that holds a fixed dataset in each lane."""

import pytest
import torch

from deep.random_streams import Stream, lane_words
from deep.replay_buffer import Dataset, fixed_buffer


def numbered(*numbers, features=5):
    """Transitions that are told apart by their rewards, and hold these numbers in every field."""
    number = torch.tensor(numbers, dtype=torch.int64)
    wide = number.byte().unsqueeze(1).expand(-1, features)
    return Dataset(wide, number, number.float(), number % 2 == 0, wide + 1)


def sampled(buffer, count):
    lanes = torch.arange(len(buffer.action))
    return buffer.sample(lane_words(Stream(lanes, torch.tensor(0), 0), 1, count)[0])


def test_each_lane_draws_from_its_own_dataset_alone_whatever_their_sizes():
    buffer = fixed_buffer([numbered(1), numbered(2, 3, 4, 5), numbered(6, 7)])
    drawn = sampled(buffer, 200)
    assert [set(lane) for lane in drawn.action.tolist()] == [{1}, {2, 3, 4, 5}, {6, 7}]
    assert torch.equal(drawn.reward, drawn.action.float())
    assert torch.equal(drawn.terminal, drawn.action % 2 == 0)
    assert torch.equal(drawn.observation.long(), drawn.action.unsqueeze(2).expand(-1, -1, 5))
    assert torch.equal(drawn.next_observation, drawn.observation + 1)


def test_every_transition_is_drawn_about_as_often():
    drawn = sampled(fixed_buffer([numbered(0, 1, 2), numbered(0, 1)]), 30_000)
    for lane, size in zip(drawn.action, (3, 2), strict=True):
        share = lane.bincount() / 30_000
        assert (share - 1 / size).abs().max() < 0.015  # five standard deviations


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ([], r"at least one transition, got datasets of \[\]"),
        ([numbered(1, 2), numbered()], r"at least one transition, got datasets of \[2, 0\]"),
        ([numbered(1), numbered(1, features=4)], r"as many features, got \[4, 5\]"),
    ],
)
def test_what_no_lane_can_learn_from_is_refused(datasets, message):
    with pytest.raises(ValueError, match=message):
        fixed_buffer(datasets)
