"""Solvers of finite MDPs, one module for each criterion.

Each function returns values, a greedy policy, and a bound on the error of the values.
"""

from tabular.solvers import average_reward, discounted, finite_horizon, stochastic_shortest_path
from tabular.solvers.average_reward import GainSolution
from tabular.solvers.solution import Solution

__all__ = [
    "GainSolution",
    "Solution",
    "average_reward",
    "discounted",
    "finite_horizon",
    "stochastic_shortest_path",
]
