"""What a value-equivalent model can know: between H_M(D) and H_B(D), for data that are trajectories.

A model such as MuZero's is not trained to predict states, but rewards, and the values of the states that it should be
in (the paper's section 5 asks what is lost). For a dataset of trajectories, T is *value-equivalent for K steps* if,
started in any observed state and led along the observed actions for up to K steps, it earns the observed rewards, and
after each step is in a state worth as much as the observed one. The worth is T's own V*, or that under each of a fixed
set F of functions (Grimm et al., 2020), or both. H_VE^K(D) holds the q*_T of these T.

A model that agrees with D is where the data are. And one step ahead, V*(T(s, a)) = V*(s') is the Bellman equation for
q*_T at (s, a, s'). So, under T's own V*,

    H_M(D)  <=  H_VE^K(D)  <=  ...  <=  H_VE^1(D)  =  H_B(D):

what is trained to be value-equivalent one step ahead alone knows nothing that the Bellman equation does not.

A model that has ended where the episode went on does not follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Int64

from theory.classes.transition_class import checked_trajectory, transitions_of
from theory.solving.solved_class import SolvedClass

ValueFunction = tuple[Fraction, ...]


def equivalent_steps(
    solved: SolvedClass,
    trajectories: Iterable[Sequence[int]],
    steps: int,
    *,
    own_values: bool = True,
    functions: Sequence[ValueFunction] = (),
) -> Int64[np.ndarray, " model"]:
    """For how many steps each model is value-equivalent: the largest K up to `steps`, 0 for none.

    Args:
        solved: a class whose options are successors.
        trajectories: (s, a, s', a', s'', ...) each.
        steps: the largest K asked for.
        own_values: whether states are to be worth the same under the model's own V*.
        functions: F, under whose members states are to be worth the same too; the value of each state, that of the
            terminal state being 0.

    Raises:
        ValueError: if a trajectory names what does not exist, or a function has not a value for each state.
    """
    n, k = solved.states, solved.actions
    reward = _reward_numbers(solved)
    alike = _alike(functions, n)
    horizon = np.full(len(solved.models), steps)
    rows = np.arange(len(solved.models))
    for trajectory in dict.fromkeys(checked_trajectory(row, n, k) for row in trajectories):
        observed = transitions_of(trajectory)
        for start, (s, _, _) in enumerate(observed):
            at, follows = np.full(len(rows), s), np.ones(len(rows), dtype=bool)
            for done, (x, a, successor) in enumerate(observed[start : start + steps]):
                follows &= reward[at, a] == reward[x, a]
                pair = np.minimum(at * k + a, solved.pairs - 1)  # past the end nothing follows
                if own_values:
                    follows &= solved.consistent[solved.q_of_model, pair, successor]
                at = np.where(at < n, solved.models[rows, pair], n).astype(np.int64)
                follows &= alike[at, successor]
                np.minimum(horizon, done, out=horizon, where=~follows)
                if not follows.any():
                    break
    return horizon


def value_equivalent(
    solved: SolvedClass, horizon: Int64[np.ndarray, " model"], steps: int
) -> Bool[np.ndarray, " q"]:
    """Membership in H_VE^K(D), K being `steps` and the horizons those of `equivalent_steps`."""
    return solved.q_of_models(horizon >= steps)


def _reward_numbers(solved: SolvedClass) -> Int64[np.ndarray, "vertex action"]:
    """Equal rewards as equal numbers; the terminal state has another one than all, as nothing is earned there."""
    distinct = sorted({reward for row in solved.problem.rewards for reward in row})
    numbers = [[distinct.index(reward) for reward in row] for row in solved.problem.rewards]
    return np.array([*numbers, [-1] * solved.actions], dtype=np.int64)


def _alike(functions: Sequence[ValueFunction], states: int) -> Bool[np.ndarray, "vertex vertex"]:
    """Which states are worth the same under every function."""
    alike = np.ones((states + 1, states + 1), dtype=bool)
    for function in functions:
        if len(function) != states:
            raise ValueError(
                f"a value function has {len(function)} entries; accepted: one for each of {states} states"
            )
        values = [*function, Fraction(0)]
        alike &= np.array([[v == w for w in values] for v in values])
    return alike
