"""Datasets drawn as plain values, and their certainty-equivalent values without `EmpiricalMDP`."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import sympy
from hypothesis import strategies as st

from tabular import Bootstrap, Dataset, Transition

DISCOUNTS = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(9, 10)])
STEP_SIZES = st.sampled_from([Fraction(1, 10), Fraction(1, 2), Fraction(1)])
quarters = st.integers(-20, 20).map(lambda numerator: Fraction(numerator, 4))


@st.composite
def problems(draw, *, deterministic=False):
    """A size, up to 12 transitions, often several of a pair, which may agree; a table; a setting."""
    states, actions = size = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    state, action = st.integers(0, states - 1), st.integers(0, actions - 1)
    outcome = st.tuples(quarters, st.none() | state)
    if deterministic:
        pairs = [(s, a) for s in range(states) for a in range(actions)]
        law = {pair: draw(outcome) for pair in pairs}
        seen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=12))
        rows = [(*pair, *law[pair]) for pair in seen]
    else:
        step = st.tuples(state, action, outcome).map(lambda drawn: (*drawn[:2], *drawn[2]))
        rows = draw(st.lists(step, min_size=1, max_size=12))
    entries = draw(st.lists(quarters, min_size=states * actions, max_size=states * actions))
    return size, rows, entries, (draw(DISCOUNTS), draw(st.booleans()))


def built(problem):
    """The dataset, the table and the bootstrap of what `problems` draws."""
    size, rows, entries, setting = problem
    dataset = Dataset(*size, tuple(Transition(*row) for row in rows))
    return dataset, np.array(entries, dtype=object).reshape(size), Bootstrap(*setting)


def exact_certainty_equivalence(dataset, table, bootstrap):
    """The certainty-equivalent table in Fractions, by policy iteration on lists of transitions."""
    stored = defaultdict(list)
    for transition in dataset.transitions:
        stored[transition.state, transition.action].append(transition)
    states, actions = range(dataset.num_states), range(dataset.num_actions)
    every = bootstrap.include_unvisited
    options = [[a for a in actions if every or (s, a) in stored] for s in states]

    def affine(pair):
        """The constant, and the slope in each v(s'), of the value of a pair."""
        if pair not in stored:
            return table[pair], [Fraction(0) for _ in states]
        found = stored[pair]
        ends = [transition.next_state for transition in found]
        mean = sum(transition.reward for transition in found) / Fraction(len(found))
        return mean, [bootstrap.discount * Fraction(ends.count(s), len(found)) for s in states]

    def value(pair, v):
        constant, slopes = affine(pair)
        return constant + sum(slope * x for slope, x in zip(slopes, v, strict=True))

    policy, improved = None, [allowed[0] if allowed else None for allowed in options]
    while policy != improved:
        policy = improved
        none = (Fraction(0), [Fraction(0) for _ in states])
        chosen = [none if a is None else affine((s, a)) for s, a in enumerate(policy)]
        matrix = sympy.eye(len(states)) - sympy.Matrix([slopes for _, slopes in chosen])
        solved = matrix.LUsolve(sympy.Matrix([constant for constant, _ in chosen]))
        v = [Fraction(x.p, x.q) for x in solved]
        improved = [
            max(allowed, key=lambda a: (value((s, a), v), a == policy[s]), default=None)
            for s, allowed in enumerate(options)
        ]
    return np.array([[value((s, a), v) for a in actions] for s in states], dtype=object)
