"""Learning action values from stored transitions, with no model: experience replay (Lin, 1992).

Symbols as in `tabular.dataset`. Replaying transition i with the step size α does

    Q(s_i, a_i) <- Q(s_i, a_i) + α (target_i - Q(s_i, a_i)).

Q-iteration takes all transitions together: Q(s, a) becomes the mean of the targets of the
transitions of (s, a). What ties both to a learned model, all of it exact:

1. One sweep of Q-iteration is one sweep of value iteration in the empirical MDP, since a mean of
   r_i + γ v(s'_i) is r(s, a) + γ (sum over s' of P(s' | s, a) v(s')).
2. Replay every transition once, in any order, α being 1, 1/2, ..., 1/n(s, a) at the first, second,
   ..., last one of (s, a). The last value is the mean of the targets. If these come from a table
   that is frozen meanwhile (a target network), the pass is a sweep of Q-iteration.
3. Freeze nothing, and let the transitions of each pair agree, as those of a deterministic task do.
   Then that pass, in any order, leaves at most γ e of the largest difference e, over visited
   pairs, from the certainty-equivalent values. For each target is off by γ e at most, at any time:
   an update mixes targets, or a target and a value that is off by e at most. With α constant, a
   pass leaves at most (1 - α (1 - γ)) e.
4. If the transitions of a pair differ, its value is off while only some of them have been replayed,
   and what bootstraps from it meanwhile is off too: the pass need not leave even the
   certainty-equivalent values where they are. Nor does a constant α, for which the later ones of a
   pair weigh more, and the order decides.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from tabular.dataset import Bootstrap, Dataset, Number, Pair, Values, require_table


def q_iteration_sweep(dataset: Dataset, values: Values, bootstrap: Bootstrap) -> Values:
    """For each visited pair, the mean of the targets of its transitions; the others are kept."""
    require_table(values, dataset.num_states, dataset.num_actions)
    targets: defaultdict[Pair, list[Number]] = defaultdict(list)
    for transition in dataset:
        target = bootstrap.target(transition, values, dataset.visited)
        targets[transition.pair].append(target)
    swept = values.copy()
    for pair, found in targets.items():
        swept[pair] = Fraction(1, len(found)) * sum(found)
    return swept


def q_learning_replay(
    dataset: Dataset,
    order: Iterable[int],
    values: Values,
    bootstrap: Bootstrap,
    *,
    step_size: Number | None = None,
    frozen: Values | None = None,
) -> Values:
    """Q-learning on stored transitions, one after the other.

    Args:
        dataset: What is stored.
        order: Which transition each update takes, 0 to m - 1.
        values: The table before.
        bootstrap: The discount, and what is done with unvisited pairs.
        step_size: α, above 0 and at most 1; None for 1/k at the k-th update of a pair in this call,
            which makes its value the mean of its targets.
        frozen: The table that targets are computed from; None for the one that is learned.

    Raises:
        ValueError: `step_size`, an index in `order`, or a table is not as said.
    """
    require_table(values, dataset.num_states, dataset.num_actions)
    if frozen is not None:
        require_table(frozen, dataset.num_states, dataset.num_actions)
    if step_size is not None and not 0 < step_size <= 1:
        raise ValueError(f"step_size must be above 0 and at most 1, got {step_size}")
    learned, updates = values.copy(), Counter[Pair]()
    for index in order:
        if not 0 <= index < len(dataset):
            raise ValueError(f"order must name transitions 0 to {len(dataset) - 1}, got {index}")
        transition = dataset.transitions[index]
        pair = transition.pair
        updates[pair] += 1
        step = Fraction(1, updates[pair]) if step_size is None else step_size
        bootstrapped = learned if frozen is None else frozen
        target = bootstrap.target(transition, bootstrapped, dataset.visited)
        learned[pair] += step * (target - learned[pair])
    return learned


def expected_replay(
    dataset: Dataset,
    probabilities: Sequence[Number],
    values: Values,
    bootstrap: Bootstrap,
    *,
    step_size: Number,
) -> Values:
    """The mean of the table after one update, if it takes transition i with probability i.

    Raises:
        ValueError: There are more or fewer probabilities than transitions, or one is none; or as
            :func:`q_learning_replay`.
    """
    if len(probabilities) != len(dataset):
        raise ValueError(
            f"there must be a probability for each of {len(dataset)} transitions, "
            f"got {len(probabilities)}"
        )
    expected = values
    for index, probability in enumerate(probabilities):
        if not 0 <= probability <= 1:
            raise ValueError(f"probabilities must be 0 to 1, got {probability}")
        learned = q_learning_replay(dataset, [index], values, bootstrap, step_size=step_size)
        expected = expected + probability * (learned - values)
    return expected.astype(values.dtype)
