"""The solved class of any problem: by the fast methods where options are successors, by those for laws elsewhere."""

from __future__ import annotations

from theory.classes.mdp_class import MDPClass
from theory.progress import Progress, silent
from theory.solving import deterministic
from theory.solving.laws import solve_laws
from theory.solving.solved_class import SolvedClass


def solve(problem: MDPClass, progress: Progress = silent) -> SolvedClass:
    """All optimal values of all models of a class.

    Raises:
        ClassTooLargeError: if the class cannot be enumerated in memory.
        TableTooLargeError: at gamma = 1, if the table of all policies cannot be made.
        ValueError: at gamma = 1, if no model has a finite q*.
    """
    if problem.transitions.options is None:
        return deterministic.solve(problem, progress)
    deterministic.require_enumerable(problem)
    return solve_laws(problem, progress)
