"""Greedy policies evaluated exactly, against the finite-horizon solver and the random reference."""

import numpy as np
import pytest

from tabular import (
    ButtonGrid,
    FiniteMDP,
    OpenGrid,
    PanFlute,
    ProcMaze,
    PushTree,
    greedy_performance,
    reference_performance,
)
from tabular.solvers import finite_horizon

RULES = [PushTree(1), PanFlute(3), ButtonGrid(1, 2), ProcMaze(2), OpenGrid(3)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_evaluations_are_exact(rule):
    mdp = FiniteMDP.from_rule(rule)
    generator = np.random.default_rng(0)
    values = generator.integers(3, size=(4, mdp.num_states, mdp.num_actions)).astype(float)
    found = greedy_performance(mdp, values, 30)
    for run, table in enumerate(values):
        best = table == table.max(axis=1, keepdims=True)
        policy = best / best.sum(axis=1, keepdims=True)
        total = mdp.initial @ finite_horizon.total_reward(mdp, 30, policy)
        expected = total if mdp.termination.any() else total / 30
        assert found[run] == pytest.approx(expected)
    uniform = greedy_performance(mdp, np.zeros((1, mdp.num_states, mdp.num_actions)), 100)
    assert uniform[0] == pytest.approx(reference_performance(rule, "uniform").value)
