"""In a table, a sweep of replay over the data is a sweep of planning in the model counted from them, exactly.

It prints:

    replay:   5/8 5/8
    planning: 5/8 5/8
"""

from fractions import Fraction

from tabular import (
    Bootstrap,
    Dataset,
    EmpiricalMDP,
    Transition,
    exact_table,
    q_iteration_sweep,
    value_iteration_sweep,
)

steps = (
    Transition(0, 0, 0, 1),
    Transition(0, 0, 1, None),
    Transition(1, 0, 1, None),
    Transition(1, 0, 0, 0),
)
dataset, bootstrap = Dataset(2, 1, steps), Bootstrap(Fraction(1, 2))
model = EmpiricalMDP.from_dataset(dataset)
replayed = planned = exact_table(2, 1)
for _ in range(2):
    replayed = q_iteration_sweep(dataset, replayed, bootstrap)
    planned = value_iteration_sweep(model, planned, bootstrap)
print("replay:  ", *replayed.flat)
print("planning:", *planned.flat)
