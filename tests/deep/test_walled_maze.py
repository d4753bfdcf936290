"""The walled maze of section 2, and its four datasets, by hand."""

import pytest
import torch

from deep.environments import WalledMaze
from deep.environments.walled_maze import basic_layouts, dataset, evaluation_layouts

STAY, UP, LEFT, DOWN, RIGHT = range(5)
LOWER = {3, 4}
"""The walls of the layout whose path is 0, 1, 2, 5, 8, 7, 6."""


def observation(agent, walls):
    cells = range(9)
    return (
        *(int(cell == agent) for cell in cells),
        *(int(cell == 0) for cell in cells),
        *(int(cell in walls) for cell in cells),
        *(int(cell not in walls) for cell in cells),
    )


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


def actions_in(data, cell):
    """What the data do in a cell of the lower layout."""
    return [row[1] for row in rows(data) if row[0] == observation(cell, LOWER)]


@pytest.mark.parametrize(("terminal_step", "goals"), [("into-goal", 0), ("from-goal", 1)])
@pytest.mark.parametrize(
    ("coverage", "extra"),
    [("all-evaluation", 60), ("path-to-goal", 12), ("single-cell", 10), ("no-evaluation", 0)],
)
def test_a_dataset_is_the_basic_set_and_its_share_of_the_evaluation_set(
    coverage, extra, terminal_step, goals
):
    basic = 280 + 40 * goals
    if coverage == "all-evaluation":
        extra += 10 * goals
    seen = rows(dataset(coverage, terminal_step))
    assert len(seen) == len(set(seen)) == basic + extra
    assert seen[:basic] == rows(dataset("no-evaluation", terminal_step))
    assert set(seen) <= set(rows(dataset("all-evaluation", terminal_step)))


def test_in_the_lower_layout_the_path_data_go_right_in_the_bottom_middle_cell():
    assert actions_in(dataset("path-to-goal"), 7) == [RIGHT]
    assert actions_in(dataset("path-to-goal"), 0) == []


def test_the_single_cell_is_the_one_furthest_from_the_goal():
    assert actions_in(dataset("single-cell"), 6) == [STAY, UP, LEFT, DOWN, RIGHT]
    assert actions_in(dataset("single-cell"), 7) == []


def test_walls_block_and_the_step_into_the_goal_ends():
    data = {row[:2]: row[2:] for row in rows(dataset("all-evaluation"))}
    assert data[observation(6, LOWER), UP] == (-1.0, False, observation(6, LOWER))
    assert data[observation(2, LOWER), LEFT] == (-1.0, False, observation(1, LOWER))
    assert data[observation(1, LOWER), LEFT][:2] == (-1.0, True)
    assert (observation(0, LOWER), STAY) not in data


def test_the_step_from_the_goal_ends_if_that_is_the_rule():
    data = {row[:2]: row[2:] for row in rows(dataset("all-evaluation", "from-goal"))}
    assert data[observation(1, LOWER), LEFT] == (-1.0, False, observation(0, LOWER))
    assert data[observation(0, LOWER), RIGHT][:2] == (-1.0, True)


def test_observations_have_36_features_in_four_blocks():
    seen = dataset("no-evaluation").observation
    assert seen.shape == (280, 36)
    assert seen.dtype == torch.uint8
    agent, goal, present, absent = seen.unflatten(-1, (4, 9)).unbind(1)
    assert agent.sum(-1).eq(1).all()
    assert goal.tolist() == [[1] + [0] * 8] * 280
    assert torch.equal(present + absent, torch.ones_like(present))


def test_episodes_are_of_the_layouts_that_are_given():
    environment = WalledMaze(basic_layouts())
    seen = environment.observe(environment.initial(torch.arange(200), torch.tensor(0)))
    assert {tuple(map(bool, walls)) for walls in seen[:, 18:27].tolist()} == set(basic_layouts())
    assert WalledMaze().layouts == evaluation_layouts()


@pytest.mark.parametrize(
    ("layouts", "message"),
    [
        ((), "layouts must be at least one, all distinct"),
        (2 * evaluation_layouts()[:1], "layouts must be at least one, all distinct"),
        (((True,) + 8 * (False,),), "none on the goal and at most 7"),
        (((False,) + 8 * (True,),), "none on the goal and at most 7"),
        (((False, False),), "a layout is 9 walls"),
    ],
)
def test_layouts_that_are_none_are_refused(layouts, message):
    with pytest.raises(ValueError, match=message):
        WalledMaze(layouts)
