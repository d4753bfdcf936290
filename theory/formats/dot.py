"""A model as a graph for Graphviz: states, and arrows for each action with what it earns; optimal ones are bold.

An action with chance has an arrow to each successor, which also says how likely it is.
"""

from __future__ import annotations

from theory.classes.mdp_class import MDPClass
from theory.solving.policy_iteration import optimal_q_of_options


def dot_text(problem: MDPClass, index: int) -> str:
    """A model of a class as the text of a .dot file; at gamma = 1 no action is called optimal.

    Raises:
        ValueError: if the class has no such model.
    """
    model, n = problem.chosen(problem.transitions.table(index)), problem.states
    q = optimal_q_of_options(model, problem.gamma) if problem.gamma < 1 else None
    lines = [f"digraph {_quoted(problem.name or 'model')} {{", "  rankdir=LR;"]
    lines += [f"  {s} [label={_quoted(problem.state_name(s))}];" for s in range(n)]
    lines.append(f"  {n} [label={_quoted(problem.state_name(n))}, shape=doublecircle];")
    for s, row in enumerate(model):
        for a, option in enumerate(row):
            best = ", style=bold" if q is not None and q[s][a] == max(q[s]) else ""
            for successor, p in option.law:
                label = f"{problem.action_name(a)}: {option.reward}"
                label += f" ({p})" if p < 1 else ""
                lines.append(f"  {s} -> {successor} [label={_quoted(label)}{best}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
