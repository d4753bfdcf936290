"""The rules of the five environments, on small explicit states."""

import subprocess
import sys
from fractions import Fraction
from itertools import combinations, pairwise

import pytest

from tabular import (
    Button,
    ButtonGrid,
    ButtonGridState,
    FiniteMDP,
    OpenGrid,
    Outcome,
    PanFlute,
    ProcMaze,
    ProcMazeState,
    WalledMaze,
    environment,
)
from tabular.environments.maze_generation import maze_distribution
from tabular.environments.walled_maze import (
    WalledMazeState,
    basic_layouts,
    dataset,
    evaluation_layouts,
    path_to_goal,
)

STAY, UP, LEFT, DOWN, RIGHT = range(5)

SMALL = [
    PanFlute(1),
    PanFlute(3),
    PanFlute(3, spontaneous=False),
    ButtonGrid(1, 1),
    ButtonGrid(1, 2),
    ButtonGrid(2, 2, spontaneous=False),
    ButtonGrid(2, 2, spontaneous_event="redraw"),
    ProcMaze(1),
    ProcMaze(2),
    ProcMaze(3, spontaneous=False),
    ProcMaze(2, spontaneous_event="terminate"),
    OpenGrid(1),
    OpenGrid(3),
    WalledMaze(),
    WalledMaze(terminal_step="from-goal"),
]


@pytest.mark.parametrize("rule", SMALL, ids=str)
def test_every_law_is_a_distribution_and_only_terminal_outcomes_have_no_successor(rule):
    assert sum(rule.initial_distribution().values()) == 1
    states = FiniteMDP.from_rule(rule).states
    assert len(states) <= rule.max_states
    for state in states:
        for action in range(rule.num_actions):
            outcomes = rule.outcomes(state, action)
            assert sum(outcome.probability for outcome in outcomes) == 1
            assert all(outcome.probability > 0 for outcome in outcomes)
            assert len({outcome[1:] for outcome in outcomes}) == len(outcomes)
            assert all((outcome.next_state is None) == outcome.terminal for outcome in outcomes)
            assert set(rule.branches(state, action)) <= set(rule.causes)


@pytest.mark.parametrize(
    ("rule", "features"),
    [
        (PanFlute(3), 6),
        (ButtonGrid(2, 2), 3 * 4),
        (ProcMaze(3), 4 * 9),
        (OpenGrid(3), 9),
        (WalledMaze(), 36),
    ],
    ids=str,
)
def test_states_are_told_apart_by_their_observations_of_0_and_1(rule, features):
    states = FiniteMDP.from_rule(rule).states
    observations = {rule.observation(state) for state in states}
    assert len(observations) == len(states)
    assert {len(observation) for observation in observations} == {features}
    assert {feature for observation in observations for feature in observation} == {0, 1}


@pytest.mark.parametrize("rule", SMALL, ids=str)
def test_an_action_out_of_range_is_refused(rule):
    state = next(iter(rule.initial_distribution()))
    for action in (-1, rule.num_actions):
        with pytest.raises(ValueError, match=f"0 to {rule.num_actions - 1}, got {action}"):
            rule.outcomes(state, action)


# PanFlute


def test_a_note_enters_its_pipe_moves_up_and_dissipates():
    flute = PanFlute(3, spontaneous=False)
    state = ((0,), (0, 0), (0, 0, 0))
    for action, expected in [
        (2, ((0,), (0, 0), (1, 0, 0))),
        (1, ((0,), (1, 0), (0, 1, 0))),
        (0, ((1,), (0, 1), (0, 0, 1))),
        (1, ((0,), (1, 0), (0, 0, 0))),
    ]:
        reward = int(state == ((1,), (0, 1), (0, 0, 1)))
        assert flute.outcomes(state, action) == (Outcome(Fraction(1), expected, reward, False),)
        state = expected


def test_one_coin_sounds_all_last_cells_together():
    state = ((0,), (1, 0), (0, 1, 0))
    assert PanFlute(3).outcomes(state, 2) == (
        Outcome(Fraction(8, 9), ((0,), (0, 1), (1, 0, 1)), 0, False),
        Outcome(Fraction(1, 9), ((1,), (0, 1), (1, 0, 1)), 0, False),
    )


def test_the_only_pipe_of_a_flute_sounds_at_every_step():
    assert PanFlute(1).outcomes(((1,),), 0) == (Outcome(Fraction(1), ((1,),), 1, False),)


# ButtonGrid


def buttons(agent, **cells):
    """A state by the agent's cell and, for c3 = True say, a button in cell 3 that is on."""
    return ButtonGridState(
        agent, tuple(sorted(Button(int(cell[1:]), on) for cell, on in cells.items()))
    )


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (buttons(0, c1=False, c8=False), RIGHT, buttons(1, c1=True, c8=False)),
        (buttons(0, c1=True, c8=False), RIGHT, buttons(1, c1=False, c8=False)),
        (buttons(1, c1=False, c8=False), STAY, buttons(1, c1=False, c8=False)),
        (buttons(1, c1=False, c8=False), UP, buttons(1, c1=False, c8=False)),
        (buttons(1, c1=False, c8=False), DOWN, buttons(4, c1=False, c8=False)),
        (buttons(3, c3=False, c8=False), LEFT, buttons(3, c3=False, c8=False)),
    ],
)
def test_only_entering_a_buttons_cell_toggles_it(before, action, after):
    grid = ButtonGrid(2, 3, spontaneous=False)
    assert grid.outcomes(before, action) == (Outcome(Fraction(1), after, 0, False),)


def test_all_buttons_may_switch_on_by_themselves_wherever_the_agent_goes():
    outcomes = ButtonGrid(2, 3).outcomes(buttons(0, c1=True, c8=False), RIGHT)
    assert outcomes == (
        Outcome(Fraction(89, 90), buttons(1, c1=False, c8=False), 0, False),
        Outcome(Fraction(1, 90), buttons(1, c1=True, c8=True), 0, False),
    )


def test_success_is_rewarded_and_draws_everything_anew():
    grid = ButtonGrid(2, 2)
    outcomes = grid.outcomes(buttons(0, c1=True, c2=True), RIGHT)
    assert {(outcome.reward, outcome.terminal) for outcome in outcomes} == {(1, False)}
    drawn = {outcome.next_state: outcome.probability for outcome in outcomes}
    assert drawn == grid.initial_distribution()
    assert len(drawn) == 4 * 6


def test_in_the_redraw_variant_the_event_draws_everything_anew_without_a_reward():
    grid = ButtonGrid(1, 2, spontaneous_event="redraw")
    outcomes = grid.outcomes(buttons(0, c3=False), STAY)
    assert sum(outcome.probability for outcome in outcomes) == 1
    assert {outcome.reward for outcome in outcomes} == {0}
    stayed = next(o for o in outcomes if o.next_state == buttons(0, c3=False))
    assert stayed.probability == Fraction(39, 40) + Fraction(1, 40) / 16
    assert len(outcomes) == 16


def test_buttons_start_off_in_distinct_cells_and_the_agent_anywhere():
    start = ButtonGrid(2, 2).initial_distribution()
    assert set(start.values()) == {Fraction(1, 24)}
    assert {tuple(b.cell for b in state.buttons) for state in start} == set(
        combinations(range(4), 2)
    )
    assert not any(button.on for state in start for button in state.buttons)
    assert any(state.agent == state.buttons[0].cell for state in start)


def test_channels_are_player_on_off_varying_fastest():
    observed = ButtonGrid(2, 2).observation(buttons(1, c1=True, c2=False))
    assert observed == (0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0)


# ProcMaze

WALLS = (False, False, False, True, True, False, False, False, False)
"""The path (0,0) (0,1) (0,2) (1,2) (2,2) (2,1) (2,0)."""


@pytest.mark.parametrize(
    ("agent", "action", "after"),
    [(0, RIGHT, 1), (0, DOWN, 0), (0, UP, 0), (2, DOWN, 5), (7, STAY, 7)],
)
def test_the_agent_moves_unless_a_wall_or_the_border_is_in_the_way(agent, action, after):
    outcomes = ProcMaze(3).outcomes(ProcMazeState(agent, 8, WALLS), action)
    assert outcomes == (
        Outcome(Fraction(69, 70), ProcMazeState(after, 8, WALLS), -1, False),
        Outcome(Fraction(1, 70), ProcMazeState(8, 8, WALLS), -1, False),
    )


def test_the_step_on_the_goal_is_terminal_and_costs_one_too():
    for action in range(5):
        assert ProcMaze(3).outcomes(ProcMazeState(8, 8, WALLS), action) == (
            Outcome(Fraction(1), None, -1, True),
        )


def test_in_the_terminate_variant_the_event_ends_the_episode_anywhere():
    outcomes = ProcMaze(3, spontaneous_event="terminate").outcomes(ProcMazeState(0, 8, WALLS), STAY)
    assert outcomes[1] == Outcome(Fraction(1, 70), None, -1, True)


@pytest.mark.parametrize(("size", "steps"), [(1, 1), (2, 3), (3, 7), (4, 10), (5, 17), (6, 21)])
def test_the_spontaneous_event_of_a_maze_is_as_rare_as_specified(size, steps):
    assert ProcMaze(size).event_probability == Fraction(1, 10 * steps)
    assert ProcMaze(size, spontaneous=False).event_probability == 0


def test_maze_channels_are_player_goal_wall_empty_varying_fastest():
    observed = ProcMaze(2).observation(ProcMazeState(0, 3, (False, True, False, False)))
    assert observed == (1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1)


def test_start_and_goal_are_independent_and_uniform_over_open_cells():
    start = ProcMaze(3).initial_distribution()
    of_maze = {state: p for state, p in start.items() if state.walls == WALLS}
    assert len(of_maze) == 7 * 7
    assert set(of_maze.values()) == {maze_distribution(3)[WALLS] / 49}


# OpenGrid


def test_open_grid_puts_the_agent_on_the_last_cell_now_and_then():
    grid = OpenGrid(4)
    assert grid.outcomes(0, LEFT) == (
        Outcome(Fraction(39, 40), 0, -1, False),
        Outcome(Fraction(1, 40), 15, -1, False),
    )
    assert grid.outcomes(14, RIGHT) == (Outcome(Fraction(1), 15, -1, False),)
    assert grid.outcomes(15, UP) == (Outcome(Fraction(1), None, -1, True),)


# The walled maze of section 2


def test_exactly_two_layouts_are_one_path_from_the_goal_to_the_far_end():
    assert {path_to_goal(walls) for walls in evaluation_layouts()} == {
        (6, 7, 8, 5, 2, 1, 0),
        (2, 5, 8, 7, 6, 3, 0),
    }


@pytest.mark.parametrize("terminal_step", ["into-goal", "from-goal"])
def test_walled_maze_is_deterministic(terminal_step):
    lower = next(walls for walls in evaluation_layouts() if walls[3] and walls[4])
    maze = WalledMaze(terminal_step=terminal_step)
    assert maze.outcomes(WalledMazeState(7, lower), RIGHT) == (
        Outcome(Fraction(1), WalledMazeState(8, lower), -1, False),
    )
    assert maze.outcomes(WalledMazeState(7, lower), UP)[0].next_state.agent == 7


def test_walled_maze_ends_by_the_step_into_the_goal_or_by_the_one_from_it():
    lower = next(walls for walls in evaluation_layouts() if walls[3] and walls[4])
    before, on_goal = WalledMazeState(1, lower), WalledMazeState(0, lower)
    end = (Outcome(Fraction(1), None, -1, True),)
    assert WalledMaze().outcomes(before, LEFT) == end
    assert on_goal not in WalledMaze().initial_distribution()
    late = WalledMaze(terminal_step="from-goal")
    assert late.outcomes(before, LEFT) == (Outcome(Fraction(1), on_goal, -1, False),)
    assert late.outcomes(on_goal, RIGHT) == late.outcomes(on_goal, STAY) == end
    assert late.initial_distribution()[on_goal] == Fraction(1, 14)


def test_walled_maze_shows_agent_goal_walls_present_and_walls_absent():
    (walls,) = (walls for walls in basic_layouts() if walls[8])
    observed = WalledMaze((walls,)).observation(WalledMazeState(1, walls))
    assert observed == (0, 1, *[0] * 7, 1, *[0] * 8, *[0] * 8, 1, *[1] * 8, 0)


@pytest.mark.parametrize(("terminal_step", "goals"), [("into-goal", 0), ("from-goal", 1)])
def test_datasets_hold_what_section_2_says(terminal_step, goals):
    basic = set(dataset("no-evaluation", terminal_step))
    assert len(basic) == 8 * (7 + goals) * 5
    extra = {
        name: set(dataset(name, terminal_step)) - basic
        for name in ("all-evaluation", "path-to-goal", "single-cell")
    }
    assert {name: len(pairs) for name, pairs in extra.items()} == {
        "all-evaluation": 2 * (6 + goals) * 5,
        "path-to-goal": 2 * 6,
        "single-cell": 2 * 5,
    }
    maze = WalledMaze(terminal_step="from-goal")
    for walls in evaluation_layouts():
        steps = {
            (state.agent, maze.outcomes(state, action)[0].next_state.agent)
            for state, action in extra["path-to-goal"]
            if state.walls == walls
        }
        assert steps == set(pairwise(path_to_goal(walls)))
        far = {state.agent for state, _ in extra["single-cell"] if state.walls == walls}
        assert far == {path_to_goal(walls)[0]}


# Bad input


@pytest.mark.parametrize("size", [0, -3, True])
@pytest.mark.parametrize("make", [PanFlute, ButtonGrid, ProcMaze, OpenGrid])
def test_sizes_that_are_no_positive_integers_are_refused(make, size):
    with pytest.raises(ValueError, match=f"an integer (of at least 1|from 1 to 1000), got {size}"):
        make(size)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ButtonGrid(5, 2), "num_buttons must be at most 4"),
        (lambda: WalledMaze(()), "at least one"),
        (lambda: WalledMaze(((True,) * 9,)), "none on the goal"),
        (lambda: WalledMaze(((False, *[True] * 8),)), "at most 7"),
        (lambda: environment("PanPipe", 3), "there is no environment 'PanPipe'"),
        (lambda: ButtonGrid(6).initial_distribution(), "starts in 4,427,500 states"),
        (lambda: ProcMaze(6).initial_distribution(), "starts in about 2e"),
        (lambda: maze_distribution(8), "grid_size 8 has about"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_that_names_it(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_words_that_a_maze_does_not_know_are_refused_with_those_it_knows():
    # In an interpreter of its own: here the run-time type checks would come first.
    code = """
from tabular.environments.walled_maze import WalledMaze, dataset
from tabular.maze_coverage import maze_moves
for call in (
    lambda: maze_moves("goal"),
    lambda: maze_moves(reach="goal"),
    lambda: WalledMaze(terminal_step="goal"),
    lambda: dataset("no-evaluation", "goal"),
    lambda: dataset("goal"),
):
    try:
        call()
    except ValueError as error:
        assert "must be one of (" in str(error) and str(error).endswith("got 'goal'"), error
    else:
        raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["PanFlute", "buttongrid", "PROCMAZE", "openGrid"])
def test_names_are_accepted_in_any_case(name):
    made = environment(name, 3, spontaneous=False)
    assert type(made).__name__.lower() == name.lower()
    assert made.event_probability == 0
