"""Small explicit cases, by hand, of what the environments do; bad settings."""

import subprocess
import sys

import pytest
import torch

from deep.environments import ButtonGrid, OpenGrid, PanFlute, ProcMaze, make

NO_COIN = torch.full((40,), 2**31 - 1, dtype=torch.int32)
STAY, UP, LEFT, DOWN, RIGHT = range(5)


def play(environment, features, *actions):
    """Rewards, terminal flags and the last observation, without any spontaneous event."""
    state = environment.from_observation(torch.tensor(features, dtype=torch.uint8))
    rewards, terminals = [], []
    for action in actions:
        drawn = NO_COIN[: environment.transition_words]
        done = environment.transition(state, torch.tensor(action), drawn)
        state = done.successor
        rewards.append(float(done.reward))
        terminals.append(bool(done.terminal))
    return rewards, terminals, environment.observe(state).tolist()


def proc_maze_features(text):
    """A agent, G goal, B both, # wall."""
    return [
        feature
        for sign in text.replace(" ", "")
        for feature in (sign in "AB", sign in "GB", sign == "#", sign != "#")
    ]


def button_features(text):
    """A agent, o and * a button off and on, B and @ the agent on a button off and on."""
    return [
        feature
        for sign in text.replace(" ", "")
        for feature in (sign in "AB@", sign in "*@", sign in "oB")
    ]


def test_pan_flute_pays_when_every_last_cell_is_active_and_one_step_later():
    # Longest pipe first: all three activations arrive at the ends together.
    rewards, _, _ = play(PanFlute(3), [0] * 6, 2, 1, 0, 0, 0)
    assert rewards == [0, 0, 0, 1, 0]


def test_pan_flute_activation_moves_up_its_own_pipe_and_dissipates():
    _, _, seen = play(PanFlute(3), [0, 0, 0, 0, 0, 0], 2, 0)
    assert seen == [1, 0, 0, 0, 1, 0]
    _, _, seen = play(PanFlute(3), [1, 1, 1, 1, 1, 1], 1)
    assert seen == [0, 1, 1, 0, 1, 1]


def test_a_spontaneous_event_activates_the_last_cells_of_all_pipes():
    environment = PanFlute(3)
    state = environment.from_observation(torch.zeros(6, dtype=torch.uint8))
    heads = torch.tensor([-(2**31)], dtype=torch.int32)
    done = environment.transition(state, torch.tensor(2), heads)
    assert environment.observe(done.successor).tolist() == [1, 0, 1, 1, 0, 1]


def test_a_maze_is_walked_but_not_through_walls_or_the_border():
    environment = ProcMaze(3)
    start = proc_maze_features("A.. ##. G..")
    _, _, seen = play(environment, start, UP, LEFT, DOWN, STAY)
    assert seen == start
    rewards, terminals, seen = play(environment, start, RIGHT, RIGHT, DOWN, DOWN, LEFT, LEFT)
    assert rewards == [-1] * 6
    assert not any(terminals)
    assert seen == proc_maze_features("... ##. B..")


def test_the_step_taken_on_the_goal_is_the_terminal_one():
    on_goal = proc_maze_features("..# .B. #..")
    assert play(ProcMaze(3), on_goal, STAY)[:2] == ([-1], [True])
    before = [0] * 8 + [0]
    before[7] = 1
    assert play(OpenGrid(3), before, RIGHT, UP)[:2] == ([-1, -1], [False, True])


def test_a_button_toggles_when_entered_and_only_then():
    environment = ButtonGrid(2, 3)
    start = button_features("Ao. ... ..o")
    _, _, seen = play(environment, start, RIGHT)
    assert seen == button_features(".@. ... ..o")
    # Bumping into the border and standing still enter nothing.
    _, _, same = play(environment, start, RIGHT, UP, STAY)
    assert same == seen
    _, _, seen = play(environment, start, RIGHT, LEFT, RIGHT)
    assert seen == button_features(".B. ... ..o")


def test_button_grid_pays_in_the_state_with_all_on_and_draws_everything_anew():
    environment = ButtonGrid(1, 2)
    rewards, terminals, seen = play(environment, button_features("Ao .."), RIGHT, STAY)
    assert rewards == [0, 1]
    assert not any(terminals)
    assert sum(seen[1::3]) == 0
    assert sum(seen[2::3]) == 1


def test_names_are_found_in_any_case():
    assert make("panflute", num_pipes=3) == PanFlute(3)
    assert make("PROCMAZE") == ProcMaze(4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make("Flute"), "environment must be one of PanFlute, .*, got 'Flute'"),
        (lambda: make("OpenGrid", size=3), "options grid_size, spontaneous, got 'size'"),
        (lambda: ProcMaze(8), "grid_size must be an integer from 1 to 7, got 8"),
        (lambda: ProcMaze(0), "grid_size must be an integer from 1 to 7, got 0"),
        (lambda: ButtonGrid(10, 3), "num_buttons must be an integer from 1 to 9, got 10"),
        (lambda: OpenGrid(-1), "grid_size must be an integer from 1 to 1000, got -1"),
    ],
)
def test_bad_settings_are_refused_by_name_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_settings_of_a_wrong_type_are_refused_by_name_and_value_too():
    # In an interpreter of its own: here the run-time type checks would come first.
    code = """
from deep.environments import make
for name, option, value in (
    ("PanFlute", "num_pipes", True),
    ("ButtonGrid", "grid_size", 2.5),
    ("ButtonGrid", "spontaneous_event", "goal"),
    ("ProcMaze", "spontaneous_event", "switch_on"),
    ("ProcMaze", "spontaneous", 1),
    ("OpenGrid", "grid_size", "3"),
):
    try:
        make(name, **{option: value})
    except ValueError as error:
        assert str(error).startswith(option + " must be "), error
        assert str(error).endswith(f"got {value!r}"), error
    else:
        raise AssertionError(name, option, value)
from deep.environments.walled_maze import WalledMaze, dataset
for name, call in (
    ("coverage", lambda: dataset("some")),
    ("terminal_step", lambda: dataset("no-evaluation", "some")),
    ("terminal_step", lambda: WalledMaze(terminal_step="some")),
):
    try:
        call()
    except ValueError as error:
        assert str(error).startswith(name + " must be one of"), error
        assert "got 'some'" in str(error)
    else:
        raise AssertionError(name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_large_grids_are_fine_where_no_bit_board_is_needed():
    environment = OpenGrid(20)
    state = environment.initial(torch.arange(50), torch.tensor(0))
    assert environment.observe(state).sum(-1).eq(1).all()
