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


def test_what_cannot_be_played_is_refused():
    mdp = FiniteMDP.from_rule(OpenGrid(2))
    values = np.zeros((1, 4, 5))
    with pytest.raises(ValueError, match="horizon must be at least 1, got 0"):
        greedy_performance(mdp, values, 0)
    with pytest.raises(ValueError, match=r"of shape \(run, \*\(4, 5\)\), got \(1, 4, 4\) with 0"):
        greedy_performance(mdp, values[:, :, :4], 10)
    values[0, 1, 2] = np.nan
    with pytest.raises(ValueError, match="with 1 that are not finite"):
        greedy_performance(mdp, values, 10)
