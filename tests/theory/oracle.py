"""Theorem 1 from its definitions, in fractions and loops: what the tests hold `theory` against.

Nothing here imports `theory`. A model is a nested tuple `model[s][a]` of successors, n being the terminal state; an
optimal q is a nested tuple of Fractions; a dataset is a collection of transitions (s, a, s').
"""

from fractions import Fraction
from functools import cache
from itertools import product

from hypothesis import strategies as st


def linear_solution(matrix, right):
    """x with matrix @ x = right, by elimination."""
    rows = [
        [Fraction(x) for x in row] + [Fraction(b)] for row, b in zip(matrix, right, strict=True)
    ]
    for i in range(len(rows)):
        pivot = next(j for j in range(i, len(rows)) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j, row in enumerate(rows):
            if j != i and row[i]:
                rows[j] = [x - row[i] * y for x, y in zip(row, rows[i], strict=True)]
    return [row[-1] for row in rows]


def policy_values(successors, rewards, gamma):
    """V of one policy, from (I - gamma P) V = r; the terminal state's 0 is the last entry."""
    n = len(successors)
    matrix = [[(i == j) - gamma * (successors[i] == j) for j in range(n)] for i in range(n)]
    return [*linear_solution(matrix, rewards), Fraction(0)]


def q_from_values(model, rewards, gamma, values):
    return tuple(
        tuple(Fraction(r) + gamma * values[t] for r, t in zip(rs, ts, strict=True))
        for rs, ts in zip(rewards, model, strict=True)
    )


def best_of_all_policies(model, rewards, gamma):
    """q* for gamma < 1: the best value of each state over all policies."""
    states, actions = range(len(model)), range(len(model[0]))
    values = [
        policy_values(
            [model[s][choice[s]] for s in states], [rewards[s][choice[s]] for s in states], gamma
        )
        for choice in product(actions, repeat=len(model))
    ]
    return q_from_values(
        model, rewards, gamma, [max(column) for column in zip(*values, strict=True)]
    )


def best_terminating_paths(model, rewards):
    """q* for gamma = 1: the largest sum of rewards on the way to the terminal state; None if any is infinite.

    Best sums over paths of at most 1, 2, ... steps; if they still grow after n steps, a loop pays.
    """
    n = len(model)
    values = [None] * n + [Fraction(0)]
    for _ in range(n + 1):
        before = values
        values = [
            max(
                (r + before[t] for r, t in zip(rs, ts, strict=True) if before[t] is not None),
                default=None,
            )
            for rs, ts in zip(rewards, model, strict=True)
        ] + [Fraction(0)]
    if None in values or values != before:
        return None
    return q_from_values(model, rewards, 1, values)


def optimal_q(model, rewards, gamma):
    if gamma == 1:
        return best_terminating_paths(model, rewards)
    return best_of_all_policies(model, rewards, gamma)


def consistent(q, rewards, gamma, transition):
    """The Bellman optimality equation at one transition."""
    s, a, successor = transition
    following = max(q[successor]) if successor < len(q) else 0
    return q[s][a] == rewards[s][a] + gamma * following


class VersionSpaces:
    """H_M(D) and H_B(D) of a class, both as sets of q tables."""

    def __init__(self, models, rewards, gamma):
        solved = [(model, optimal_q(model, rewards, gamma)) for model in dict.fromkeys(models)]
        self.solved = [(model, q) for model, q in solved if q is not None]
        self.rewards, self.gamma = rewards, gamma
        self.HQ = frozenset(q for _, q in self.solved)

    @cache  # noqa: B019 - an oracle lives as long as its test
    def agreeing(self, transition):
        s, a, successor = transition
        return frozenset((m, q) for m, q in self.solved if m[s][a] == successor)

    @cache  # noqa: B019
    def bellman(self, transition):
        return frozenset(q for q in self.HQ if consistent(q, self.rewards, self.gamma, transition))

    def extensions(self, dataset):
        return frozenset(self.solved).intersection(*map(self.agreeing, dataset))

    def h_m(self, dataset):
        return {q for _, q in self.extensions(dataset)}

    def h_b(self, dataset):
        return self.HQ.intersection(*map(self.bellman, dataset))


def all_models(states, actions):
    """Every map, in lexicographic order."""
    for flat in product(range(states + 1), repeat=states * actions):
        yield tuple(flat[s * actions : (s + 1) * actions] for s in range(states))


def functional_datasets(states, actions):
    """Every functional dataset; an unobserved pair comes after its successors, the last pair changes fastest."""
    pairs = list(product(range(states), range(actions)))
    for seen in product([*range(states + 1), None], repeat=len(pairs)):
        yield [(s, a, t) for (s, a), t in zip(pairs, seen, strict=True) if t is not None]


gammas = st.integers(2, 12).flatmap(lambda q: st.integers(1, q - 1).map(lambda p: Fraction(p, q)))
extreme_gammas = st.sampled_from([Fraction(1, 1000), Fraction(999, 1000)])
small_fractions = st.builds(Fraction, st.integers(-3, 3), st.sampled_from([1, 1, 2, 3]))


def tables(states, actions, entries):
    row = st.tuples(*[entries] * actions)
    return st.tuples(*[row] * states)


@st.composite
def classes(draw, *, max_states=3, max_actions=2, max_models=6, gamma=gammas):
    """A few models with shared rewards and gamma."""
    n, k = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
    models = draw(st.lists(tables(n, k, st.integers(0, n)), min_size=1, max_size=max_models))
    return tuple(models), draw(tables(n, k, small_fractions)), draw(gamma)
