"""A model as a graph for Graphviz: states, and an arrow for each action with what it earns; optimal ones are bold."""

from __future__ import annotations

from theory.classes.mdp_class import MDPClass
from theory.solving.policy_iteration import optimal_q


def dot_text(problem: MDPClass, index: int) -> str:
    """A model of a class as the text of a .dot file; at gamma = 1 no action is called optimal.

    Raises:
        ValueError: if the class has no such model.
    """
    problem.require_successors("export")
    table, n = problem.transitions.table(index), problem.states
    q = optimal_q(table, problem.rewards, problem.gamma) if problem.gamma < 1 else None
    lines = [f"digraph {_quoted(problem.name or 'model')} {{", "  rankdir=LR;"]
    lines += [f"  {s} [label={_quoted(problem.state_name(s))}];" for s in range(n)]
    lines.append(f"  {n} [label={_quoted(problem.state_name(n))}, shape=doublecircle];")
    for s, row in enumerate(table):
        for a, successor in enumerate(row):
            label = f"{problem.action_name(a)}: {problem.rewards[s][a]}"
            best = ", style=bold" if q is not None and q[s][a] == max(q[s]) else ""
            lines.append(f"  {s} -> {successor} [label={_quoted(label)}{best}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
