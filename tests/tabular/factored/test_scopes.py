"""Scopes against brute force over all sets of factors, against the declared ones, and in words."""

from fractions import Fraction
from functools import cache
from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular import (
    ButtonGrid,
    OpenGrid,
    Outcome,
    PanFlute,
    ProcMaze,
    ProcMazeState,
    WalledMaze,
    context_scopes,
    dynamic_bayesian_network,
    enumerate_factors,
    factored_structure,
    smallest_scopes,
)
from tabular.environments.grid import cell_name, target

ENVIRONMENTS = [
    PanFlute(1),
    PanFlute(3),
    PanFlute(3, spontaneous=False),
    ButtonGrid(1, 1),
    ButtonGrid(1, 2),
    ButtonGrid(2, 2),
    ButtonGrid(1, 3, spontaneous_event="redraw"),
    ProcMaze(2),
    ProcMaze(3),
    ProcMaze(2, spontaneous_event="terminate"),
    OpenGrid(3),
    WalledMaze(),
    WalledMaze(terminal_step="from-goal"),
]


def every_layout(size):
    """All states of a maze with any walls at all around agent and goal."""
    cells = range(size**2)
    for walls in product([False, True], repeat=size**2):
        openings = [cell for cell in cells if not walls[cell]]
        yield from (ProcMazeState(agent, goal, walls) for agent in openings for goal in openings)


@cache
def structure_of(environment):
    return factored_structure(enumerate_factors(environment))


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_declared_scopes_hold_on_every_reachable_state(environment):
    structure = structure_of(environment)
    declared = [scope for scope in structure.scopes if scope.declared is not None]
    assert len(declared) >= len(environment.factor_names) * environment.num_actions
    assert all(scope.declared_holds for scope in declared)


@pytest.mark.parametrize("environment", [PanFlute(3), PanFlute(4), ButtonGrid(2, 3)], ids=str)
def test_declared_scopes_of_flutes_and_buttons_are_the_smallest_and_only_ones(environment):
    structure = structure_of(environment)
    for scope in structure.scopes:
        if scope.declared is not None:
            assert scope.smallest == (scope.declared,)


def test_declared_scopes_of_mazes_are_the_smallest_ones_once_any_walls_are_possible():
    enumeration = enumerate_factors(ProcMaze(2), start=every_layout(2))
    for scope in factored_structure(enumeration).scopes:
        if scope.declared is not None:
            assert scope.smallest == (scope.declared,)


def test_in_generated_mazes_a_wall_may_follow_from_the_others():
    structure = structure_of(ProcMaze(3))
    (smallest,) = structure.scope("agent", 1, "usual").smallest
    assert smallest == structure.scope("agent", 1, "usual").declared - {"wall (0, 1)"}


@pytest.mark.parametrize("size", [2, 3])
def test_given_its_cell_the_agent_depends_on_the_one_wall_ahead(size):
    enumeration = enumerate_factors(ProcMaze(size))
    found = context_scopes(enumeration, "agent", "agent", cause="usual")
    assert len(found) == 5 * size**2
    for (action, cell), scopes in found.items():
        ahead = target(cell, action, size)
        needed = frozenset() if ahead == cell else frozenset([f"wall {cell_name(ahead, size)}"])
        assert needed in scopes
        assert len(scopes) == 1 or size == 2


def test_all_causes_together_the_agent_depends_on_the_goal_too():
    structure = structure_of(ProcMaze(3))
    assert "goal" not in structure.scope("agent", 1, "usual").smallest[0]
    assert structure.scope("agent", 1, "spontaneous").smallest == (frozenset(["goal"]),)
    assert "goal" in structure.scope("agent", 1, None).smallest[0]


def test_the_shared_coin_makes_pipes_dependent_and_knowing_it_frees_them():
    class CoinHidden(Renamed):
        """The same law, with no word about the coin."""

    told = structure_of(PanFlute(3))
    untold = factored_structure(enumerate_factors(CoinHidden(PanFlute(3))))
    assert told.dependent == frozenset()
    assert untold.dependent == {"usual"}
    assert untold.scope("pipe 2", 0, None).smallest == (frozenset(["pipe 2"]),)


def test_reward_termination_and_cause_have_scopes_of_their_own():
    maze = structure_of(ProcMaze(3))
    assert maze.scope("reward", 0, None).smallest == (frozenset(),)
    assert maze.scope("terminal", 0, None).smallest == (frozenset(["agent", "goal"]),)
    buttons = structure_of(ButtonGrid(2, 2))
    both = frozenset(["button 1", "button 2"])
    assert buttons.scope("cause", 1, None).smallest == (both,)
    assert buttons.scope("reward", 1, None).smallest == (both,)
    assert buttons.scope("reward", 1, "success").smallest == (frozenset(),)


def test_a_success_draws_buttons_that_are_dependent_since_they_share_no_cell():
    assert structure_of(ButtonGrid(2, 2)).dependent == {"success"}
    assert structure_of(ButtonGrid(1, 2)).dependent == frozenset()


def test_a_single_factor_has_no_factored_structure_and_saves_nothing():
    structure = structure_of(OpenGrid(3))
    assert not structure.has_factored_structure
    assert structure.factored_parameters >= structure.table_parameters


@pytest.mark.parametrize("environment", [PanFlute(3), ButtonGrid(2, 2), ProcMaze(2)], ids=str)
def test_the_three_environments_have_factored_structure_that_saves_parameters(environment):
    structure = structure_of(environment)
    assert structure.has_factored_structure
    assert structure.factored_parameters < structure.table_parameters


def test_parameters_of_a_two_pipe_flute_are_counted_by_hand():
    structure = structure_of(PanFlute(2, spontaneous=False))
    # The state after the reset, and one for each pair of last actions.
    assert structure.num_states == 5
    assert structure.table_parameters == 5 * 2 * 4
    # For each action: pipe 0, of 2 values, depends on nothing; pipe 1, of 4, on itself.
    assert structure.values == (2, 4)
    assert structure.factored_parameters == 2 * (1 * 1 + 4 * 3)


class Renamed:
    """A plain rule: not an Environment, so without causes or declared scopes."""

    def __init__(self, environment):
        self.environment = environment
        self.num_actions = environment.num_actions
        self.factor_names = environment.factor_names
        self.factors = environment.factors
        self.outcomes = environment.outcomes
        self.initial_distribution = environment.initial_distribution


class Lights:
    """A user's rule: light i copies light i - 1, and the first is the sum of all (mod 2)."""

    num_actions = 1
    factor_names = ("a", "b", "c")

    def initial_distribution(self):
        return {state: Fraction(1, 8) for state in product([0, 1], repeat=3)}

    def outcomes(self, state, action):
        following = (sum(state) % 2, state[0], state[1])
        return (Outcome(Fraction(1), following, 0, False),)

    def factors(self, state):
        return state


def test_a_rule_of_ones_own_is_analysed_without_declaring_anything():
    structure = factored_structure(enumerate_factors(Lights()))
    assert structure.scope("a", 0, None).smallest == (frozenset("abc"),)
    assert structure.scope("b", 0, None).smallest == (frozenset("a"),)
    assert structure.scope("c", 0, "usual").smallest == (frozenset("b"),)
    assert structure.has_factored_structure


def test_the_network_has_an_edge_for_each_parent_and_the_actions_that_need_it():
    graph = dynamic_bayesian_network(structure_of(ButtonGrid(2, 2)))
    assert graph.edges[("agent", 0), ("button 1", 1)]["actions"] == {1, 2, 3, 4}
    assert graph.edges[("button 1", 0), ("button 1", 1)]["actions"] == {0, 1, 2, 3, 4}
    assert not graph.has_edge(("button 2", 0), ("button 1", 1))
    assert graph.has_edge(("button 2", 0), ("cause", 0))
    assert graph.has_edge(("cause", 0), ("button 1", 1))
    assert graph.has_edge(("cause", 0), ("reward", 1))
    assert not graph.has_edge(("cause", 0), ("terminal", 1))
    alone = dynamic_bayesian_network(structure_of(ButtonGrid(2, 2)), action=0, cause="usual")
    assert ("cause", 0) not in alone
    assert not alone.has_edge(("agent", 0), ("button 1", 1))


def test_the_cause_reaches_only_what_it_matters_for():
    graph = dynamic_bayesian_network(structure_of(ProcMaze(2)))
    assert set(graph.successors(("cause", 0))) == {("agent", 1), ("terminal", 1)}
    assert set(graph.predecessors(("cause", 0))) == {("agent", 0), ("goal", 0)}


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=12),
    st.lists(st.integers(0, 2), min_size=12, max_size=12),
)
def test_smallest_scopes_are_those_that_brute_force_over_all_sets_finds(rows, drawn):
    codes = np.unique(np.array(rows), axis=0)
    labels = np.array(drawn[: len(codes)])

    def determines(columns):
        seen = {}
        return all(
            seen.setdefault(tuple(code[list(columns)]), label) == label
            for code, label in zip(codes, labels, strict=True)
        )

    every = chain.from_iterable(combinations(range(4), size) for size in range(5))
    valid = [frozenset(columns) for columns in every if determines(columns)]
    least = min(map(len, valid))
    assert set(smallest_scopes(codes, labels)) == {s for s in valid if len(s) == least}


def test_what_is_too_large_or_ambiguous_is_refused_in_one_line():
    with pytest.raises(ValueError, match="up to 51,200 states; max_states is 20,000"):
        enumerate_factors(ProcMaze(4))
    with pytest.raises(ValueError, match="more than 3 states"):
        enumerate_factors(Renamed(PanFlute(3)), max_states=3)
    blurred = Renamed(OpenGrid(2))
    blurred.factors = lambda state: (state % 2,)
    with pytest.raises(ValueError, match="different states with equal factors"):
        enumerate_factors(blurred)
    named = Renamed(OpenGrid(2))
    named.factor_names = ("reward",)
    with pytest.raises(ValueError, match="no factor may be called 'reward'"):
        enumerate_factors(named)
    maze = enumerate_factors(OpenGrid(2))
    with pytest.raises(ValueError, match="context must be one of"):
        context_scopes(maze, "position", "goal")
    with pytest.raises(ValueError, match="no output 'velocity'"):
        context_scopes(maze, "velocity", "position")
