"""Learning action values from a learned model: Dyna in tables (Sutton, 1990).

The model is the empirical MDP. Planning uses it in one of two ways:

- a *full sweep* backs up every visited pair by its expectation, which is value iteration;
- *sampled planning* draws a visited pair, the next state from P(. | s, a), and makes the update of
  Q-learning with the reward r(s, a). It is replay, of imagined transitions.

Pairs may be drawn by their counts or uniformly. By their counts, (s, a, s') is drawn with
probability n(s, a, s') / m, as if from the replay buffer, and since the update is linear in the
reward, its expectation is that of replaying a stored transition drawn uniformly. Drawn uniformly,
each pair's expected update is rescaled by a positive factor: another path to the same fixed point.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from tabular.dataset import Bootstrap, Dataset, Number, Transition, Values, require_table
from tabular.empirical_mdp import EmpiricalMDP
from tabular.replay import q_learning_replay


def value_iteration_sweep(model: EmpiricalMDP, values: Values, bootstrap: Bootstrap) -> Values:
    """r(s, a) + γ (sum over s' of P(s' | s, a) v(s')) for visited pairs; the others are kept."""
    require_table(values, model.num_states, model.num_actions)
    following = model.transitions @ model.state_values(values, bootstrap)
    backup = model.rewards + bootstrap.discount * following
    return np.where(model.visited, backup, values).astype(values.dtype)


def imagined_transitions(
    model: EmpiricalMDP, *, by_count: bool = True
) -> tuple[Dataset, tuple[Fraction, ...]]:
    """What sampled planning may draw, each different transition once, and how likely it is.

    Args:
        model: The learned counts.
        by_count: Whether visited pairs are drawn in proportion to their counts, or uniformly.
    """
    weighted = list(_weighted_transitions(model, by_count))
    transitions, weights = zip(*weighted, strict=True)
    total = sum(weights)
    imagined = Dataset(model.num_states, model.num_actions, transitions)
    return imagined, tuple(weight / total for weight in weights)


def sampled_planning(
    model: EmpiricalMDP,
    values: Values,
    bootstrap: Bootstrap,
    *,
    updates: int,
    step_size: Number,
    generator: np.random.Generator,
    by_count: bool = True,
) -> Values:
    """Q-learning on this many transitions that are drawn from the model.

    Raises:
        ValueError: `updates` is negative; or as :func:`tabular.replay.q_learning_replay`.
    """
    if updates < 0:
        raise ValueError(f"updates must be at least 0, got {updates}")
    imagined, probabilities = imagined_transitions(model, by_count=by_count)
    chances = [float(probability) for probability in probabilities]
    order = generator.choice(len(imagined), size=updates, p=chances).tolist()
    return q_learning_replay(imagined, order, values, bootstrap, step_size=step_size)


def _weighted_transitions(
    model: EmpiricalMDP, by_count: bool
) -> Iterator[tuple[Transition, Fraction]]:
    for state, action in np.argwhere(model.visited).tolist():
        count, reward = int(model.counts[state, action]), model.rewards[state, action]
        scale = Fraction(1) if by_count else Fraction(1, count)
        successors = model.successors[state, action]
        for following in np.flatnonzero(successors).tolist():
            weight = scale * int(successors[following])
            yield Transition(state, action, reward, following), weight
        if ended := int(model.terminations[state, action]):
            yield Transition(state, action, reward, None), scale * ended
