"""The four datasets of section 2."""

import pytest
import torch

from deep.environments.walled_maze import (
    basic_layouts,
    dataset,
    evaluation_layouts,
    observation,
    path_from_goal,
)

LOWER = frozenset({3, 4})
UPPER = frozenset({1, 4})


def rows(data):
    return list(
        zip(
            map(tuple, data.observation.tolist()),
            data.action.tolist(),
            data.reward.tolist(),
            data.terminal.tolist(),
            map(tuple, data.next_observation.tolist()),
            strict=True,
        )
    )


def test_exactly_two_layouts_with_two_walls_form_one_path_from_the_goal():
    assert set(evaluation_layouts()) == {LOWER, UPPER}
    assert len(evaluation_layouts()) == 2
    assert path_from_goal(LOWER) == (0, 1, 2, 5, 8, 7, 6)


def test_the_basic_layouts_have_one_wall_off_the_goal():
    assert sorted(map(sorted, basic_layouts())) == [[cell] for cell in range(1, 9)]


@pytest.mark.parametrize(
    ("coverage", "extra"),
    [("all-evaluation", 70), ("path-to-goal", 12), ("single-cell", 10), ("no-evaluation", 0)],
)
def test_a_dataset_is_the_basic_set_and_its_share_of_the_evaluation_set(coverage, extra):
    seen = rows(dataset(coverage))
    assert len(seen) == len(set(seen)) == 320 + extra
    assert seen[:320] == rows(dataset("no-evaluation"))
    assert set(seen) <= set(rows(dataset("all-evaluation")))


def test_in_the_lower_layout_the_path_data_go_right_in_the_bottom_middle_cell():
    data = rows(dataset("path-to-goal"))
    assert [row[1] for row in data if row[0] == observation(7, LOWER)] == [4]


def test_the_single_cell_is_the_one_furthest_from_the_goal():
    data = rows(dataset("single-cell"))
    assert [row[1] for row in data if row[0] == observation(6, LOWER)] == [0, 1, 2, 3, 4]


def test_walls_block_and_the_goal_ends():
    data = {row[:2]: row[2:] for row in rows(dataset("all-evaluation"))}
    assert data[observation(6, LOWER), 1] == (-1.0, False, observation(6, LOWER))
    assert data[observation(1, LOWER), 2] == (-1.0, False, observation(0, LOWER))
    assert data[observation(0, LOWER), 4][:2] == (-1.0, True)


def test_observations_have_36_features_in_four_blocks():
    seen = dataset("no-evaluation").observation
    assert seen.shape == (320, 36)
    assert seen.dtype == torch.uint8
    agent, goal, present, absent = seen.unflatten(-1, (4, 9)).unbind(1)
    assert agent.sum(-1).eq(1).all()
    assert goal.tolist() == [[1] + [0] * 8] * 320
    assert torch.equal(present + absent, torch.ones_like(present))
