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
    environment,
)
from tabular.factored import (
    Enumeration,
    FactoredStructure,
    Scope,
    context_scopes,
    dynamic_bayesian_network,
    enumerate_factors,
    factored_structure,
    smallest_scopes,
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
    "Enumeration",
    "Environment",
    "FactoredRule",
    "FactoredStructure",
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
    "Scope",
    "WalledMaze",
    "WalledMazeState",
    "context_scopes",
    "dynamic_bayesian_network",
    "enumerate_factors",
    "environment",
    "factored_structure",
    "merged",
    "optimal_rate",
    "reference_performance",
    "smallest_scopes",
]
