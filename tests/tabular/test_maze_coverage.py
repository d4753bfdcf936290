"""Section 2 asked exactly: which cells of the evaluation mazes each dataset settles, and for which agent."""

import numpy as np
import pytest

from tabular import (
    FiniteMDP,
    agent_table,
    cell_table,
    class_table,
    coverage_answers,
    maze_moves,
    solvers,
)
from tabular.environments import WalledMazeState
from tabular.environments.walled_maze import dataset
from tabular.maze_coverage import LAYOUTS, PAPER_FAILS, ROLLOUTS

TERMINAL_STEPS = ["into-goal", "from-goal"]
STAY, UP, LEFT, DOWN, RIGHT = range(5)
UPPER, LOWER = 0, 1
TRANSPOSED_CELLS = np.arange(9).reshape(3, 3).T.ravel()
TRANSPOSED_ACTIONS = [STAY, LEFT, UP, RIGHT, DOWN]


def answers(terminal_step="into-goal", reach="anywhere"):
    return coverage_answers(terminal_step, reach)


def by_coverage(terminal_step="into-goal"):
    return {answer.coverage: answer for answer in answers(terminal_step)}


def settled(answer, agent):
    return bool(answer.agents[agent].settled[answer.asked].all())


def determined(answer, left):
    return bool((left.possible <= answer.optimal)[answer.asked].all())


@pytest.mark.parametrize("terminal_step", TERMINAL_STEPS)
def test_the_optimal_actions_follow_the_path(terminal_step):
    paths = [(2, 5, 8, 7, 6, 3), (6, 7, 8, 5, 2, 1)]
    steps = [(DOWN, DOWN, LEFT, LEFT, UP, UP), (RIGHT, RIGHT, UP, UP, LEFT, LEFT)]
    for answer in answers(terminal_step):
        found = {tuple(where) for where in np.argwhere(answer.optimal).tolist()}
        assert found == {
            (layout, cell, step)
            for layout in (UPPER, LOWER)
            for cell, step in zip(paths[layout], steps[layout], strict=True)
        }


@pytest.mark.parametrize("terminal_step", TERMINAL_STEPS)
@pytest.mark.parametrize("reach", ["anywhere", "beside", "ahead"])
def test_every_dataset_leaves_the_class_the_true_model_alone(terminal_step, reach):
    for answer in answers(terminal_step, reach):
        assert answer.model.models == 1
        assert (answer.model.possible == answer.optimal).all()
        assert (answer.model.certain == answer.optimal).all()


def test_without_generalization_of_values_the_agents_fail_as_in_the_paper():
    for coverage, answer in by_coverage().items():
        assert {agent: not settled(answer, agent) for agent in ROLLOUTS} == PAPER_FAILS[coverage]


def test_where_no_path_shows_a_step_from_the_goal_one_imagined_step_settles_nothing():
    differing = [
        (coverage, agent)
        for coverage, answer in by_coverage("from-goal").items()
        for agent in ROLLOUTS
        if settled(answer, agent) is PAPER_FAILS[coverage][agent]
    ]
    assert differing == [("path-to-goal", "1-step")]
    answer = by_coverage("from-goal")["path-to-goal"]
    assert determined(answer, answer.agents["1-step"].in_class)


@pytest.mark.parametrize(
    ("terminal_step", "lengths"), [("into-goal", (1, 1, 6)), ("from-goal", (1, 2, 7))]
)
def test_rollouts_must_go_from_the_far_end_to_the_last_step(terminal_step, lengths):
    found = [answer.sufficient_rollout for answer in answers(terminal_step)]
    assert found == [*lengths, None]


@pytest.mark.parametrize("terminal_step", TERMINAL_STEPS)
def test_values_of_the_class_tell_the_way_in_all_cells_only_with_all_data(terminal_step):
    found = {
        coverage: determined(answer, answer.agents["dqn"].in_class)
        for coverage, answer in by_coverage(terminal_step).items()
    }
    assert found == {
        "all-evaluation": True,
        "path-to-goal": False,
        "single-cell": False,
        "no-evaluation": False,
    }


def test_path_to_goal_leaves_open_the_cell_that_the_paper_names():
    left = by_coverage()["path-to-goal"].agents["dqn"].in_class
    bottom_middle = 7
    assert np.flatnonzero(left.possible[LOWER, bottom_middle]).tolist() == [STAY, UP, DOWN, RIGHT]
    assert not left.certain[LOWER, bottom_middle].any()


def test_models_that_say_stay_or_go_ahead_are_told_apart_by_their_values():
    for answer in answers("into-goal", "ahead"):
        assert answer.agents["dqn"].in_class.models == 1


@pytest.mark.parametrize("reach", ["anywhere", "beside"])
def test_the_two_evaluation_layouts_are_mirror_images(reach):
    for answer in answers("into-goal", reach):
        for known in answer.agents.values():
            for pairs in (answer.optimal, known.in_class.possible, known.in_class.certain):
                mirrored = pairs[LOWER][TRANSPOSED_CELLS][:, TRANSPOSED_ACTIONS]
                assert (pairs[UPPER] == mirrored).all()


def test_less_data_leave_no_fewer_models():
    counts = {c: a.agents["dqn"].in_class.models for c, a in by_coverage().items()}
    for fewer in ("path-to-goal", "single-cell"):
        assert counts["all-evaluation"] < counts[fewer] < counts["no-evaluation"]


@pytest.mark.parametrize(
    ("coverage", "changed", "cell", "greedy"),
    [
        # To stay in the bottom middle is said to lead around the corner.
        ("path-to-goal", {(7, STAY, (3, 4)): 5}, 7, STAY),
        # Right of it, the two cells at equal distance in every basic layout are confused.
        ("single-cell", {(8, UP, (3, 4)): 7, (8, LEFT, (3, 4)): 5}, 8, LEFT),
        # The wall above the far end is said to throw the agent across the maze.
        ("no-evaluation", {(6, UP, (3, 4)): 8}, 6, UP),
    ],
)  # fmt: skip
def test_a_model_that_data_contradict_has_values_that_they_do_not(coverage, changed, cell, greedy):
    moves = maze_moves()
    model = moves.truth.copy()
    for (start, action, walls), place in changed.items():
        layout = next(k for k, w in enumerate(LAYOUTS) if np.flatnonzero(w).tolist() == [*walls])
        model[moves.keys[layout, start, action]] = place
    values = [solved(model[keys]) for keys in moves.keys]
    contradicted = 0
    for state, action in dataset(coverage):
        layout = LAYOUTS.index(state.walls)
        seen = moves.successors[layout, state.agent, action]
        said = model[moves.keys[layout, state.agent, action]]
        contradicted += int(seen != said)
        assert values[layout][said] == pytest.approx(values[layout][seen])
    assert contradicted
    lower = LAYOUTS.index(tuple(k in (3, 4) for k in range(9)))
    backups = values[lower][model[moves.keys[lower, cell]]]
    assert backups.argmax() == greedy
    assert np.sum(backups > backups.max() - 1e-6) == 1
    left = by_coverage()[coverage].agents["dqn"].in_class
    assert left.possible[LOWER, cell, greedy]


def solved(successors):
    """The optimal value of every cell of a layout, the goal being the end."""
    law = np.zeros((9, 5, 9))
    for cell, action in np.ndindex(9, 5):
        if cell and successors[cell, action]:
            law[cell, action, successors[cell, action]] = 1
    rewards = np.full((9, 5), -1.0)
    rewards[0] = 0
    return solvers.discounted.policy_iteration(FiniteMDP.from_arrays(law, rewards), 0.9).values


@pytest.mark.parametrize("terminal_step", TERMINAL_STEPS)
def test_the_true_model_is_the_maze(terminal_step):
    moves = maze_moves(terminal_step)
    beside = {UP: -3, LEFT: -1, DOWN: 3, RIGHT: 1}
    border = {UP: (0, 1, 2), LEFT: (0, 3, 6), DOWN: (6, 7, 8), RIGHT: (2, 5, 8), STAY: range(9)}
    for state, action in dataset("all-evaluation", terminal_step):
        assert isinstance(state, WalledMazeState)
        cell = state.agent
        blocked = cell in border[action] or state.walls[cell + beside[action]]
        expected = cell if blocked else cell + beside[action]
        if terminal_step == "from-goal" and cell == 0:
            expected = moves.end
        assert moves.successors[LAYOUTS.index(state.walls), cell, action] == expected


def test_the_tables_say_what_was_found():
    found = answers()
    columns, rows = cell_table(found)
    assert ("path-to-goal", "(2, 1)", "right", "right", "stay up down right", "none",
            False, True, True) in rows  # fmt: skip
    assert len(rows) == 4 * 6
    assert {len(row) for row in rows} == {len(columns)}
    columns, rows = class_table(found)
    assert rows[-1] == ("no-evaluation", 1, 12, 5_566_277_615_616, 6, None)
    assert {len(row) for row in rows} == {len(columns)}
    columns, rows = agent_table(found)
    assert ("single-cell", "1-step", 0, 6, 12, "fails", "fails") in rows
    assert len(rows) == 12
    assert {len(row) for row in rows} == {len(columns)}


@pytest.mark.parametrize("coverage", ["path-to-goal", "single-cell", "no-evaluation"])
def test_where_values_are_not_settled_any_action_may_be_greedy_and_none_must_be(coverage):
    answer, moves = by_coverage()[coverage], maze_moves()
    trained = answer.agents["dqn"].trained
    successors = moves.successors[-2:]
    layouts = np.arange(2)[:, np.newaxis, np.newaxis]
    # The untrained pairs' values are free; here each is very low or very high, in many ways at once.
    low = np.random.default_rng(0).random((1000, *trained.shape)) < 0.8
    values = np.where(low, -1000.0, 1000.0)
    for _ in range(200):
        best = values.max(axis=-1)
        best[:, :, 0] = 0
        values = np.where(trained, -1 + 0.9 * best[:, layouts, successors], values)
    greedy = np.isclose(values, values.max(axis=-1, keepdims=True), atol=1e-6)[:, answer.asked]
    assert greedy.any(axis=0).all()
    assert not greedy.all(axis=0).any()
