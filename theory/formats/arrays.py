"""A model as numpy arrays, as QuantEcon's DiscreteDP(R, Q, beta) takes them, with the exact numbers beside."""

from __future__ import annotations

import numpy as np

from theory.classes.mdp_class import MDPClass


def model_arrays(problem: MDPClass, index: int) -> dict[str, np.ndarray]:
    """The arrays of a model of a class; the end is the last state, in which every action stays for nothing.

    Returns:
        R: [state, action], rewards, float64.
        Q: [state, action, successor], probabilities, 0 or 1.
        beta: the discount, float64.
        successors: [state, action], without the end.
        rewards: [state, action], without the end, exact as "p/q".
        gamma: exact as "p/q".
        state_names, action_names: as the class has them, or by number.

    Raises:
        ValueError: if the class has no such model.
    """
    problem.require_successors("export")
    n, k = problem.states, problem.actions
    successors = np.array(problem.transitions.table(index))
    R, Q = np.zeros((n + 1, k)), np.zeros((n + 1, k, n + 1))
    R[:n] = np.array(problem.rewards, dtype=float)
    Q[np.arange(n)[:, None], np.arange(k), successors] = 1
    Q[n, :, n] = 1
    return {
        "R": R,
        "Q": Q,
        "beta": np.array(float(problem.gamma)),
        "successors": successors,
        "rewards": np.array([[str(r) for r in row] for row in problem.rewards]),
        "gamma": np.array(str(problem.gamma)),
        "state_names": np.array([problem.state_name(s) for s in range(n + 1)]),
        "action_names": np.array([problem.action_name(a) for a in range(k)]),
    }
