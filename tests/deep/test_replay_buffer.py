"""A buffer that holds a fixed dataset in each lane."""

import pytest
import torch

from deep import Agent, Replay
from deep.environments import PanFlute
from deep.random_streams import Stream, lane_words
from deep.replay_buffer import Dataset, empty_buffer, fixed_buffer


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


def test_trajectories_go_on_to_the_newest_transition_of_a_ring_and_stay_there():
    """Nine transitions were stored in a ring of five: 5 to 8 lie in its first places, and 4 in the last."""
    buffer = empty_buffer(2, 5, 1)
    for number in range(9):
        alike = torch.full((2,), number)
        seen = alike.byte().unsqueeze(1)
        buffer.store(seen, alike, alike.float(), alike < 0, seen + 1)
    found = buffer.trajectories(torch.tensor([[4, 0, 3], [2, 3, 4]]), 3)
    by_time = found.action.unflatten(1, (3, 3)).transpose(1, 2)
    assert by_time[0].tolist() == [[4, 5, 6], [5, 6, 7], [8, 8, 8]]
    assert by_time[1].tolist() == [[7, 8, 8], [8, 8, 8], [4, 5, 6]]
    follows = found.follows.unflatten(1, (3, 3)).transpose(1, 2)
    assert follows[0].tolist() == [[True] * 3, [True] * 3, [True, False, False]]
    assert follows[1].tolist() == [[True, True, False], [True, False, False], [True] * 3]
    assert torch.equal(found.next_observation, found.observation + 1)


def test_trajectories_of_a_dataset_go_on_to_its_end():
    buffer = fixed_buffer([numbered(1, 2), numbered(3, 4, 5, 6)])
    found = buffer.trajectories(torch.tensor([[0, 1], [1, 2]]), 3)
    by_time = found.action.unflatten(1, (3, 2)).transpose(1, 2)
    assert by_time.tolist() == [[[1, 2, 2], [2, 2, 2]], [[4, 5, 6], [5, 6, 6]]]
    follows = found.follows.unflatten(1, (3, 2)).transpose(1, 2)
    assert follows[0].tolist() == [[True, True, False], [True, False, False]]
    assert follows[1].tolist() == [[True, True, True], [True, True, False]]


def test_every_transition_is_drawn_about_as_often():
    drawn = sampled(fixed_buffer([numbered(0, 1, 2), numbered(0, 1)]), 30_000)
    for lane, size in zip(drawn.action, (3, 2), strict=True):
        share = lane.bincount() / 30_000
        assert (share - 1 / size).abs().max() < 0.015  # five standard deviations


def test_more_actions_than_a_byte_tells_apart_are_refused():
    buffer = empty_buffer(1, 1, 1)
    seen = torch.zeros(1, 1, dtype=torch.uint8)
    last = Agent(Replay(PanFlute(256))).model.environment.num_actions - 1
    buffer.store(seen, torch.tensor([last]), torch.zeros(1), torch.zeros(1).bool(), seen)
    assert buffer.at(torch.zeros(1, 1, dtype=torch.int64)).action.tolist() == [[255]]
    with pytest.raises(ValueError, match=r"an environment's actions must be .* 1 to 256, got 257"):
        Agent(Replay(PanFlute(257)))


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


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward": torch.zeros(1)}, r"the parts of dataset 1 must be of one length, got \[1, 2\]"),
        ({"action": torch.tensor([0, 257])}, "actions of dataset 1 must be .* 0 to 255, got 257"),
        ({"observation": torch.full((2, 4), 0.7)}, "features of dataset 1 must be .* got 0.7"),
        ({"next_observation": torch.full((2, 4), -2)}, "features of dataset 1 must be .* got -2"),
    ],
)
def test_data_that_a_buffer_cannot_hold_is_refused(changed, message):
    data = Dataset(
        observation=torch.zeros(2, 4, dtype=torch.uint8),
        action=torch.tensor([0, 1]),
        reward=torch.zeros(2),
        terminal=torch.zeros(2, dtype=torch.bool),
        next_observation=torch.zeros(2, 4, dtype=torch.uint8),
    )
    with pytest.raises(ValueError, match=message):
        fixed_buffer([data, data._replace(**changed)])
    most = data._replace(action=torch.tensor([0, 255]))
    assert fixed_buffer([data, most]).action.tolist() == [[0, 1], [0, 255]]
