"""Theorem 1 in the paper's example: after two experiences a model knows that pushing pays, and q alone does not.

It prints:

    28 optimal value functions; 10 are left by the models, 19 by the Bellman equation
    q((0,1), push) by the models: 9/10
    q((0,1), push) by the Bellman equation: 0, 729/1000, 81/100, 9/10
"""

import numpy as np

from theory import GALLERY, gallery_class, solve, version_space

problem = gallery_class("push-tree")
solved = solve(problem)
space = version_space(solved, GALLERY["push-tree"].dataset)
print(
    solved.value_functions, "optimal value functions;",
    space.HM.sum(), "are left by the models,", space.HB.sum(), "by the Bellman equation",
)  # fmt: skip
state, push = problem.state_names.index("(0,1)"), problem.action_names.index("push")
for name, left in (("the models", space.HM), ("the Bellman equation", space.HB)):
    values = sorted({solved.q_table(int(q))[state][push] for q in np.flatnonzero(left)})
    print(f"q((0,1), push) by {name}:", ", ".join(map(str, values)))
