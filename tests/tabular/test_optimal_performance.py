"""Reference performances against plain dynamic programming, closed forms and simulation."""

from fractions import Fraction
from functools import cache

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import (
    Button,
    ButtonGrid,
    ButtonGridState,
    FiniteMDP,
    OpenGrid,
    PanFlute,
    ProcMaze,
    WalledMaze,
    first_passage,
    optimal_rate,
    reference_performance,
)
from tabular.environments.maze_generation import maze_classes
from tabular.first_passage import survival, worlds_of
from tabular.solvers import average_reward, finite_horizon, stochastic_shortest_path

ENUMERABLE = [
    PanFlute(1),
    PanFlute(2),
    PanFlute(3),
    PanFlute(3, spontaneous=False),
    ButtonGrid(1, 2),
    ButtonGrid(2, 2),
    ButtonGrid(2, 2, spontaneous_event="redraw"),
    ButtonGrid(1, 3, spontaneous=False),
    ButtonGrid(1, 3, spontaneous_event="redraw"),
    ProcMaze(1),
    ProcMaze(2),
    ProcMaze(3),
    ProcMaze(3, spontaneous=False),
    ProcMaze(3, spontaneous_event="terminate"),
    OpenGrid(4),
    OpenGrid(3, spontaneous=False),
    WalledMaze(),
    WalledMaze(terminal_step="from-goal"),
]


@pytest.mark.parametrize("environment", ENUMERABLE, ids=str)
@pytest.mark.parametrize("policy", ["optimal", "uniform"])
def test_the_reduction_gives_what_dynamic_programming_over_every_state_gives(environment, policy):
    mdp = FiniteMDP.from_rule(environment)
    chosen = None if policy == "optimal" else mdp.uniform_policy()
    for horizon in (1, 2, 7, 100):
        total = mdp.initial @ finite_horizon.total_reward(mdp, horizon, chosen)
        found = reference_performance(environment, policy, horizon=horizon)
        per_step = found.unit == "reward a step"
        assert per_step == isinstance(environment, PanFlute | ButtonGrid)
        assert found.value == pytest.approx(total / horizon if per_step else total, abs=1e-10)
        assert found.half_width == 0


@given(st.integers(1, 12), st.booleans())
@settings(max_examples=20)
def test_pan_flute_in_100_steps_is_a_matter_of_counting_windows(pipes, spontaneous):
    environment = PanFlute(pipes, spontaneous=spontaneous)
    coin = Fraction(int(spontaneous), pipes**2)
    tunes = 99 // pipes
    best = (tunes + coin * (99 - tunes)) / 100
    tune = Fraction(1, pipes**pipes)
    uniform = sum(1 - (1 - coin) * (1 - tune * (step >= pipes)) for step in range(1, 100)) / 100
    assert reference_performance(environment, "optimal").value == pytest.approx(float(best))
    assert reference_performance(environment, "uniform").value == pytest.approx(float(uniform))


@pytest.mark.parametrize("pipes", [1, 2, 3, 5, 7, 11])
def test_the_best_rate_of_pan_flute_is_the_closed_form(pipes):
    assert optimal_rate(PanFlute(pipes)) == pytest.approx((1 + (pipes - 1) / pipes**2) / pipes)
    assert optimal_rate(PanFlute(pipes, spontaneous=False)) == pytest.approx(1 / pipes)


@pytest.mark.parametrize(
    "environment",
    [PanFlute(2), PanFlute(3), ButtonGrid(2, 2), ButtonGrid(1, 3, spontaneous_event="redraw")],
    ids=str,
)
def test_the_best_rate_is_the_gain_of_the_enumerated_environment(environment):
    mdp = FiniteMDP.from_rule(environment)
    for solve in (average_reward.relative_value_iteration, average_reward.policy_iteration):
        assert optimal_rate(environment) == pytest.approx(solve(mdp).gain[0], abs=1e-8)


def test_one_button_without_chance_is_pressed_in_the_mean_walking_distance():
    side = np.arange(5)
    distances = np.abs(side[:, None] - side)
    walk = distances[:, None, :, None] + distances[None, :, None, :]
    walk = np.where(walk == 0, 2, walk)  # a button underfoot is left and entered again
    rate = optimal_rate(ButtonGrid(1, spontaneous=False))
    assert rate == pytest.approx(1 / (walk.mean() + 1))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_open_grid_without_chance_costs_the_mean_walking_distance_and_the_last_step(size):
    found = reference_performance(OpenGrid(size, spontaneous=False), "optimal")
    assert found.value == pytest.approx(-(size - 1) - 1)


@pytest.mark.parametrize("environment", [ProcMaze(3), OpenGrid(3), WalledMaze()], ids=str)
def test_a_long_evaluation_approaches_the_stochastic_shortest_path(environment):
    mdp = FiniteMDP.from_rule(environment)
    best = mdp.initial @ stochastic_shortest_path.policy_iteration(mdp).values
    found = reference_performance(environment, "optimal", horizon=2000)
    assert found.value == pytest.approx(best)
    drifting = mdp.initial @ stochastic_shortest_path.policy_values(mdp, mdp.uniform_policy())
    assert reference_performance(environment, "uniform", horizon=5000).value == pytest.approx(
        drifting, rel=1e-6
    )


@pytest.mark.parametrize(
    "environment",
    [ButtonGrid(2, 2), ButtonGrid(1, 3, spontaneous_event="redraw"), ProcMaze(3)],
    ids=str,
)
def test_simulated_random_behaviour_earns_the_uniform_performance(environment):
    generator = np.random.default_rng(0)
    starts = environment.initial_distribution()
    states, chances = list(starts), np.array([float(chance) for chance in starts.values()])
    law = cache(environment.outcomes)
    returns = []
    for start in generator.choice(len(states), size=400, p=chances / chances.sum()):
        state, total = states[start], 0
        for _ in range(30):
            outcomes = law(state, int(generator.integers(environment.num_actions)))
            chances = [float(outcome.probability) for outcome in outcomes]
            outcome = outcomes[generator.choice(len(outcomes), p=chances)]
            total += outcome.reward
            if outcome.terminal:
                break
            state = outcome.next_state
        returns.append(total)
    found = reference_performance(environment, "uniform", horizon=30)
    scale = 30 if found.unit == "reward a step" else 1
    error = np.std(returns) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - scale * found.value) < 5 * error


def test_sampled_mazes_give_an_interval_that_holds_the_exact_value(monkeypatch):
    exact = reference_performance(ProcMaze(4), "uniform").value
    monkeypatch.setattr("tabular.first_passage.MAX_MAZES", 0)
    sampled = [
        reference_performance(ProcMaze(4), "uniform", samples=100, seed=seed) for seed in range(20)
    ]
    held = sum(abs(found.value - exact) <= found.half_width for found in sampled)
    assert held >= 15
    assert sampled[0].value != sampled[1].value
    assert "sampled" in sampled[0].method


def test_sampled_button_layouts_come_near_the_exact_value(monkeypatch):
    exact = reference_performance(ButtonGrid(2), "optimal").value
    monkeypatch.setattr("tabular.first_passage._MAX_STATES", 0)
    sampled = reference_performance(ButtonGrid(2), "optimal", samples=2000)
    assert 0 < sampled.half_width < 0.01
    assert abs(sampled.value - exact) < 3 * sampled.half_width


@pytest.mark.parametrize(
    ("buttons", "size", "classes"), [(1, 2, 1), (2, 2, 2), (1, 3, 3), (2, 3, 8)]
)
def test_button_layouts_are_gone_through_up_to_symmetry(buttons, size, classes):
    worlds = worlds_of(ButtonGrid(buttons, size), samples=1, seed=0)
    assert worlds.exact
    assert len(worlds.weights) == classes
    assert worlds.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("environment", [ButtonGrid(2), ProcMaze(4), OpenGrid(4)], ids=str)
def test_the_best_policy_never_outlives_the_uniform_one(environment):
    worlds = worlds_of(environment, samples=1, seed=0)
    best, uniform = (survival(worlds, policy, 50) for policy in ("optimal", "uniform"))
    assert (best <= uniform + 1e-12).all()
    assert (np.diff(best, axis=1) <= 0).all()
    np.testing.assert_allclose(best[:, 0], 1)


@pytest.mark.parametrize("index", [0, 100, 318])
def test_shortest_ways_to_press_three_buttons_are_those_of_breadth_first_search(index):
    grid = ButtonGrid(3, spontaneous=False)
    worlds = worlds_of(grid, samples=1, seed=0)
    cells = np.flatnonzero(worlds.entered[index]).tolist()
    starts = [
        ButtonGridState(agent, tuple(Button(cell, False) for cell in cells)) for agent in range(25)
    ]
    graph, waiting = nx.DiGraph(), list(starts)
    while waiting:
        state = waiting.pop()
        for action in range(5 if not all(button.on for button in state.buttons) else 0):
            (outcome,) = grid.outcomes(state, action)
            if outcome.next_state not in graph:
                waiting.append(outcome.next_state)
            graph.add_edge(state, outcome.next_state)
    pressed = [state for state in graph if all(button.on for button in state.buttons)]
    away = nx.multi_source_dijkstra_path_length(graph.reverse(), pressed)
    expected = np.mean([away[state] for state in starts])
    assert survival(worlds, "optimal", 100)[index].sum() - 1 == pytest.approx(expected)


def test_shortest_ways_through_mazes_are_those_of_breadth_first_search():
    worlds = worlds_of(ProcMaze(5), samples=1, seed=0)
    steps = survival(worlds, "optimal", 100).sum(axis=1) - 1
    for walls, found in zip(list(maze_classes(5))[::50], steps[::50], strict=True):
        graph = nx.grid_2d_graph(5, 5)
        graph.remove_nodes_from([divmod(cell, 5) for cell, wall in enumerate(walls) if wall])
        lengths = dict(nx.all_pairs_shortest_path_length(graph))
        expected = np.mean([length for ends in lengths.values() for length in ends.values()])
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "optimal", "horizon": 0}, "horizon must be at least 1, got 0"),
        ({"policy": "optimal", "samples": 3}, "samples must be at least 20, got 3"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        reference_performance(OpenGrid(2), **arguments)


def test_a_layout_too_large_to_solve_is_refused_with_its_size():
    with pytest.raises(ValueError, match="states in a single layout"):
        reference_performance(ButtonGrid(24), "optimal")


def test_a_grid_whose_button_cannot_be_pressed_has_no_rate():
    with pytest.raises(ValueError, match="cannot be solved"):
        optimal_rate(ButtonGrid(1, 1))


def test_an_environment_whose_episodes_end_has_no_rate():
    with pytest.raises(ValueError, match=r"episodes of OpenGrid.* end: there is no long-run rate"):
        optimal_rate(OpenGrid(2))


def test_progress_rises_to_the_end_and_parts_give_what_the_whole_gives(monkeypatch):
    whole = reference_performance(ProcMaze(8), "uniform", samples=40)
    monkeypatch.setattr(first_passage, "_BETWEEN_REPORTS", 64 * 64 * 5 * 101 * 3)  # three mazes
    told = []
    parts = reference_performance(ProcMaze(8), "uniform", samples=40, report=told.append)
    assert parts == whole
    assert told == [min(1, 3 * (part + 1) / 40) for part in range(14)]
