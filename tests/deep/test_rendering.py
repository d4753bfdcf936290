"""Pictures and text show the state."""

import numpy as np
import pytest
import torch

from deep.environments import ButtonGrid, OpenGrid, PanFlute, ProcMaze
from deep.rendering import ansi, picture

ORANGE = (242, 140, 40)


def state(environment, features):
    return environment.from_observation(torch.tensor(features, dtype=torch.uint8))


def cells(signs):
    """Features of a maze: A agent, G goal, # wall."""
    return [f for s in signs for f in (s == "A", s == "G", s == "#", s != "#")]


def test_a_maze_as_text_shows_agent_goal_and_walls():
    environment = ProcMaze(2)
    assert ansi(environment, state(environment, cells("A.#G"))) == "A. ..\n#. G."


def test_an_open_grid_as_text_shows_the_goal_in_the_last_cell():
    environment = OpenGrid(2)
    assert ansi(environment, state(environment, [0, 0, 0, 1])) == ".. ..\n.. AG"


def test_buttons_as_text_are_stars_when_on():
    environment = ButtonGrid(2, 2)
    shown = state(environment, [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    assert ansi(environment, shown) == "A* o.\n.. .."


def test_pipes_as_text_stand_side_by_side():
    environment = PanFlute(3)
    assert ansi(environment, state(environment, [1, 0, 1, 0, 0, 0])) == "    .\n  * .\n* . ."


def test_the_agent_is_the_orange_disc_in_its_cell():
    environment = ProcMaze(2)
    drawn = picture(environment, state(environment, cells("G.#A")))
    assert drawn.shape == (120, 120, 3)
    assert tuple(drawn[84, 84]) == ORANGE
    rows, columns = np.nonzero((drawn == ORANGE).all(-1))
    assert (min(rows), min(columns)) > (60, 60)


@pytest.mark.parametrize("pipe", [0, 1, 2])
def test_active_cells_of_a_pipe_are_drawn_from_the_bottom(pipe):
    environment = PanFlute(3)
    features = [0] * 6
    features[pipe * (pipe + 1) // 2 + pipe] = 1
    drawn = picture(environment, state(environment, features))
    assert tuple(drawn[round(48 * (2.75 - pipe)), round(48 * (pipe + 0.75))]) == ORANGE


def test_a_picture_changes_with_the_state_and_with_nothing_else():
    environment = ButtonGrid(1, 2)
    off = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    on = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    first, again, other = (picture(environment, state(environment, f)) for f in (off, off, on))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
