"""Readable finite MDPs: rules with exact outcome distributions, solvers, factored structure."""

from tabular.environments import (
    Button,
    ButtonGrid,
    ButtonGridState,
    OpenGrid,
    PanFlute,
    PanFluteState,
    ProcMaze,
    ProcMazeState,
    WalledMaze,
    WalledMazeState,
)
from tabular.finite_mdp import FiniteMDP
from tabular.optimal_performance import (
    PanFluteProgress,
    Performance,
    optimal_rate,
    reference_performance,
)
from tabular.rule import Environment, FactoredRule, Outcome, Rule, merged

__all__ = [
    "Button",
    "ButtonGrid",
    "ButtonGridState",
    "Environment",
    "FactoredRule",
    "FiniteMDP",
    "OpenGrid",
    "Outcome",
    "PanFlute",
    "PanFluteProgress",
    "PanFluteState",
    "Performance",
    "ProcMaze",
    "ProcMazeState",
    "Rule",
    "WalledMaze",
    "WalledMazeState",
    "merged",
    "optimal_rate",
    "reference_performance",
]
