"""What each factor of the successor depends on, exactly, by going through all reachable states.

Given an action and a cause (see `tabular.factored.enumeration`), the *scope* of an output is a smallest set of factors
S such that states that agree on S give the output the same distribution. Three questions are kept apart:

- scopes given the cause, which a factored model with a shared coin can use;
- scopes of each output's own distribution, all causes together (cause None);
- whether, given state, action and cause, the factors of the successor are independent.

Scopes hold on the reachable states, which need not be all combinations of values: two buttons never share a cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np

from tabular.argument_checks import require_one_of
from tabular.factored.enumeration import CAUSE, REWARD, TERMINAL, Enumeration, Key
from tabular.factored.smallest_scopes import conflict_of, groups_of, smallest_scopes
from tabular.rule import Environment, Factor, FactoredRule

_NO_ROWS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Scope:
    """What an output depends on, given an action and a cause.

    Attributes:
        output: A factor of the successor, "reward", "terminal" or "cause".
        action: The action.
        cause: The cause, or None for all causes together.
        smallest: All smallest scopes; nearly always one.
        declared: What the rule says, if it says something.
        declared_holds: Whether the output depends on no factor that is not declared; None if
            nothing is declared.
        contexts: The number of reachable combinations of values of the first smallest scope.
    """

    output: str
    action: int
    cause: str | None
    smallest: tuple[frozenset[str], ...]
    declared: frozenset[str] | None
    declared_holds: bool | None
    contexts: int

    @property
    def chosen(self) -> frozenset[str]:
        """One of the smallest scopes: the declared one if it is among them, else the first."""
        return self.declared if self.declared in self.smallest else self.smallest[0]


@dataclass(frozen=True, eq=False)
class FactoredStructure:
    """The scopes of a rule, and what they save.

    Attributes:
        factor_names: The factors.
        values: How many values each factor takes.
        num_states: Reachable states.
        num_actions: Actions.
        causes: The causes that occur.
        episodic: Whether some step is terminal.
        dependent: The causes given which some factors of the successor are still dependent, so
            that a product of the factors' distributions is not quite the law of the step.
        scopes: Every scope.
        caused: The actions and outputs for which the cause itself matters: the factors that an
            output depends on under any cause do not determine its distribution without it.
    """

    factor_names: tuple[str, ...]
    values: tuple[int, ...]
    num_states: int
    num_actions: int
    causes: tuple[str, ...]
    episodic: bool
    dependent: frozenset[str]
    scopes: tuple[Scope, ...]
    caused: frozenset[tuple[int, str]]

    def scope(self, output: str, action: int, cause: str | None) -> Scope:
        """One scope; KeyError if that output never occurs with that action and cause."""
        return self._index[action, cause, output]

    @cached_property
    def _index(self) -> dict[Key, Scope]:
        return {(scope.action, scope.cause, scope.output): scope for scope in self.scopes}

    def parents(self, output: str, causes: Iterable[str | None]) -> frozenset[str]:
        """Everything that an output depends on under some action and one of the causes."""
        wanted = set(causes)
        return frozenset().union(
            *(
                scope.chosen
                for scope in self.scopes
                if scope.output == output and scope.cause in wanted
            )
        )

    @property
    def has_factored_structure(self) -> bool:
        """Whether some factor never needs all factors to be predicted, once the cause is given.

        A state that is a single factor has no structure in this sense.
        """
        return len(self.factor_names) > 1 and any(
            len(self.parents(name, self.causes)) < len(self.factor_names)
            for name in self.factor_names
        )

    @property
    def table_parameters(self) -> int:
        """Free numbers of a table of next-state probabilities: the end counts as a state if met."""
        return self.num_states * self.num_actions * (self.num_states - 1 + self.episodic)

    @property
    def factored_parameters(self) -> int:
        """Free numbers of a model with a table for each output over its own scope alone.

        The cause is one output, with as many values as there are causes; rewards are not counted,
        neither here nor in the table.
        """
        free = dict(zip(self.factor_names, (number - 1 for number in self.values), strict=True))
        free |= {CAUSE: len(self.causes) - 1, TERMINAL: int(self.episodic)}
        return sum(
            scope.contexts * free[scope.output]
            for scope in self.scopes
            if (scope.cause is None) == (scope.output == CAUSE) and scope.output != REWARD
        )


def factored_structure(enumeration: Enumeration) -> FactoredStructure:
    """The scopes of every output, given each action and cause, against what is declared."""
    rule, scopes = enumeration.rule, []
    for (action, cause, output), (rows, labels) in enumeration.labels.items():
        codes = enumeration.codes[rows]
        smallest = smallest_scopes(codes, labels)
        declared = holds = None
        if isinstance(rule, Environment) and cause is not None and output in rule.factor_names:
            declared = rule.parents(action, cause)[output]
            columns = frozenset(map(rule.factor_names.index, declared))
            holds = conflict_of(codes, labels, columns) is None
        scopes.append(
            Scope(
                output,
                action,
                cause,
                tuple(_names(rule, scope) for scope in smallest),
                declared,
                holds,
                len(np.unique(groups_of(codes, smallest[0]))),
            )
        )
    named = rule.causes if isinstance(rule, Environment) else ("usual",)
    occurring = {cause for _, cause, _ in enumeration.labels}
    return FactoredStructure(
        rule.factor_names,
        tuple(len(values) for values in enumeration.values),
        len(enumeration.codes),
        rule.num_actions,
        tuple(cause for cause in named if cause in occurring),
        enumeration.episodic,
        enumeration.dependent,
        tuple(scopes),
        _caused(enumeration, scopes),
    )


def context_scopes(
    enumeration: Enumeration, output: str, context: str, *, cause: str | None = None
) -> dict[tuple[int, Factor], tuple[frozenset[str], ...]]:
    """The smallest scopes of an output among the other factors, for each value of one factor.

    Given the agent's cell, say, the agent's next cell depends on a single wall.

    Args:
        enumeration: Of the rule.
        output: A factor of the successor, "reward", "terminal", or with no cause "cause".
        context: The factor whose value is given.
        cause: The cause, or None for all together.

    Returns:
        By action and value of the context, where they occur.

    Raises:
        ValueError: `context` is no factor, or `output` never occurs with that cause.
    """
    names = enumeration.rule.factor_names
    require_one_of("context", context, names)
    column = names.index(context)
    found = {}
    for action in range(enumeration.rule.num_actions):
        rows, labels = enumeration.labels.get((action, cause, output), _NO_ROWS)
        codes = enumeration.codes[rows]
        for number, value in enumerate(enumeration.values[column]):
            given = codes[:, column] == number
            if given.any():
                scopes = smallest_scopes(codes[given], labels[given])
                found[action, value] = tuple(_names(enumeration.rule, scope) for scope in scopes)
    if not found:
        raise ValueError(f"there is no output {output!r} with cause {cause!r}")
    return found


def dynamic_bayesian_network(
    structure: FactoredStructure, *, action: int | None = None, cause: str | None = None
) -> "nx.DiGraph[tuple[str, int]]":
    """The two-slice network: edges from factors now to the outputs that depend on them.

    Args:
        structure: The scopes.
        action: The action; None for every edge that some action needs.
        cause: The cause; None for every edge that some cause needs once it is given. If there are
            several, ("cause", 0) is then a node, with edges from its own scope and to the outputs
            for which it matters.

    Returns:
        A graph with nodes (name, slice), and on each edge the attribute `actions`, the set of
        actions that need it.
    """
    wanted = structure.causes if cause is None else (cause,)
    graph: nx.DiGraph[tuple[str, int]] = nx.DiGraph()
    graph.add_nodes_from((name, 0) for name in structure.factor_names)
    graph.add_nodes_from((name, 1) for name in (*structure.factor_names, REWARD, TERMINAL))
    edges = [
        (parent, (scope.output, 1), scope.action)
        for scope in structure.scopes
        if scope.cause in wanted
        for parent in scope.chosen
    ]
    if len(wanted) > 1:
        graph.add_node((CAUSE, 0))
        edges += [(CAUSE, (output, 1), acting) for acting, output in structure.caused]
        edges += [
            (parent, (CAUSE, 0), scope.action)
            for scope in structure.scopes
            if scope.output == CAUSE
            for parent in scope.chosen
        ]
    for parent, child, acting in edges:
        if action in (None, acting):
            graph.add_edge((parent, 0), child)
            graph.edges[(parent, 0), child].setdefault("actions", set()).add(acting)
    return graph


def _caused(enumeration: Enumeration, scopes: Iterable[Scope]) -> frozenset[tuple[int, str]]:
    given = [scope for scope in scopes if scope.cause is not None]
    matters = set()
    for action, output in {(scope.action, scope.output) for scope in given}:
        same = [scope for scope in given if (scope.action, scope.output) == (action, output)]
        parents = frozenset().union(*(scope.smallest[0] for scope in same))
        columns = frozenset(map(enumeration.rule.factor_names.index, parents))
        pooled = [enumeration.labels[action, scope.cause, output] for scope in same]
        rows, labels = (np.concatenate(arrays) for arrays in zip(*pooled, strict=True))
        if conflict_of(enumeration.codes[rows], labels, columns) is not None:
            matters.add((action, output))
    return frozenset(matters)


def _names(rule: FactoredRule[Any], scope: Iterable[int]) -> frozenset[str]:
    return frozenset(rule.factor_names[column] for column in scope)
