"""A model as numpy arrays, as QuantEcon's DiscreteDP(R, Q, beta) takes them, with the exact numbers beside."""

from __future__ import annotations

import numpy as np

from theory.classes.mdp_class import MDPClass


def model_arrays(problem: MDPClass, index: int) -> dict[str, np.ndarray]:
    """The arrays of a model of a class; the end is the last state, in which every action stays for nothing.

    Returns:
        R: [state, action], rewards, float64.
        Q: [state, action, successor], probabilities, float64.
        beta: the discount, float64.
        successors: [state, action], without the end; not where there is chance.
        probabilities: where there is chance: [state, action, successor], without the end's row, exact as "p/q".
        rewards: [state, action], without the end, exact as "p/q".
        gamma: exact as "p/q".
        state_names, action_names: as the class has them, or by number.

    Raises:
        ValueError: if the class has no such model.
    """
    n, k = problem.states, problem.actions
    model = problem.chosen(problem.transitions.table(index))
    R, Q = np.zeros((n + 1, k)), np.zeros((n + 1, k, n + 1))
    R[:n] = [[float(option.reward) for option in row] for row in model]
    for s, row in enumerate(model):
        for a, option in enumerate(row):
            for successor, p in option.law:
                Q[s, a, successor] = float(p)
    Q[n, :, n] = 1
    if all(len(option.law) == 1 for row in model for option in row):
        exact = {"successors": np.array([[option.law[0][0] for option in row] for row in model])}
    else:
        laws = [[[str(o.probability(x)) for x in range(n + 1)] for o in row] for row in model]
        exact = {"probabilities": np.array(laws)}
    return {
        "R": R,
        "Q": Q,
        "beta": np.array(float(problem.gamma)),
        **exact,
        "rewards": np.array([[str(option.reward) for option in row] for row in model]),
        "gamma": np.array(str(problem.gamma)),
        "state_names": np.array([problem.state_name(s) for s in range(n + 1)]),
        "action_names": np.array([problem.action_name(a) for a in range(k)]),
    }
