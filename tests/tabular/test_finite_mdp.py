"""Enumeration of a rule into matrices and a graph."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from tabular import ButtonGrid, FiniteMDP, OpenGrid, Outcome, PanFlute, ProcMaze


@pytest.mark.parametrize("rule", [PanFlute(3), ButtonGrid(1, 2), ProcMaze(2), OpenGrid(3)], ids=str)
def test_the_matrices_hold_the_law_of_every_state_and_action(rule):
    mdp = FiniteMDP.from_rule(rule)
    table = mdp.transitions.toarray().reshape(mdp.num_states, mdp.num_actions, mdp.num_states)
    for position, state in enumerate(mdp.states):
        for action in range(rule.num_actions):
            expected, reward, ending = np.zeros(mdp.num_states), Fraction(0), Fraction(0)
            for outcome in rule.outcomes(state, action):
                reward += outcome.probability * outcome.reward
                if outcome.terminal:
                    ending += outcome.probability
                else:
                    expected[mdp.states.index(outcome.next_state)] = outcome.probability
            np.testing.assert_array_equal(table[position, action], expected)
            assert mdp.rewards[position, action] == float(reward)
            assert mdp.termination[position, action] == pytest.approx(float(ending))
    assert dict(zip(mdp.states, mdp.initial, strict=True)).items() >= {
        (state, float(chance)) for state, chance in rule.initial_distribution().items()
    }
    assert mdp.initial.sum() == pytest.approx(1)


def test_only_reachable_states_are_enumerated():
    assert FiniteMDP.from_rule(PanFlute(2, spontaneous=False)).num_states == 5
    assert FiniteMDP.from_rule(PanFlute(2)).num_states == 6


def test_restarting_leads_from_the_goal_to_the_initial_distribution():
    mdp = FiniteMDP.from_rule(OpenGrid(2), restart=True)
    assert not mdp.termination.any()
    goal = mdp.states.index(3)
    np.testing.assert_allclose(mdp.transitions.toarray()[goal * 5], np.full(4, 0.25))


def test_the_graph_of_an_episodic_task_leads_to_its_end_from_the_goal_alone():
    graph = FiniteMDP.from_rule(OpenGrid(3)).transition_graph()
    assert set(graph.predecessors("end")) == {8}
    assert graph.edges[0, 1, 4]["probability"] == pytest.approx(29 / 30)
    assert graph.edges[0, 8, 4]["probability"] == pytest.approx(1 / 30)
    assert graph.edges[8, "end", 0]["probability"] == pytest.approx(1)
    assert nx.has_path(graph, 0, "end")


def test_a_stochastic_policy_mixes_the_rows_of_its_actions():
    mdp = FiniteMDP.from_rule(OpenGrid(2))
    transitions, rewards = mdp.chain(mdp.uniform_policy())
    each = [mdp.chain(np.full(4, action))[0].toarray() for action in range(5)]
    np.testing.assert_allclose(transitions.toarray(), np.mean(each, axis=0))
    np.testing.assert_allclose(rewards, -1)


def test_what_is_too_large_is_refused_with_an_estimate_before_or_while_enumerating():
    with pytest.raises(ValueError, match=r"up to 1,921,600 states; max_states is 100,000"):
        FiniteMDP.from_rule(PanFlute(7))
    with pytest.raises(ValueError, match=r"about .* transitions; allowed are"):
        FiniteMDP.from_rule(ButtonGrid(2, 3), max_transitions=10_000)


def test_a_rule_without_a_bound_is_refused_once_too_many_states_are_reached():
    class Counter:
        num_actions = 1

        def initial_distribution(self):
            return {0: Fraction(1)}

        def outcomes(self, state, action):
            return (Outcome(Fraction(1), state + 1, 0, False),)

    with pytest.raises(ValueError, match="at least 101 states"):
        FiniteMDP.from_rule(Counter(), max_states=100)
