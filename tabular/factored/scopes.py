"""What each factor of the successor depends on, exactly, by going through all reachable states.

Let a state be made of factors x_1, ..., x_d. Given an action and a cause (below), the *scope* of an
output is a smallest set of factors S such that states that agree on S give the output the same
distribution. Outputs are the factors of the successor (where the step is not terminal, given that
it is not), the reward, and termination; and the cause itself.

A *cause* is what factors have in common: the one coin of PanFlute that sounds all pipes, or the
success that draws all buttons anew. Without it, pipes would look dependent on nothing but their own
past, and yet be dependent on one another. Three questions are therefore kept apart:

- scopes given the cause, which a factored model with a shared coin can use;
- scopes of each output's own distribution, all causes together (cause None);
- whether, given state, action and cause, the factors of the successor are independent.

A rule that is no :class:`tabular.rule.Environment` names no causes, and is taken to have one.

Scopes hold on the reachable states. Where these are not all combinations of values (two buttons
never share a cell), two different sets of factors may carry the same information; then all smallest
scopes are found.

They are found as smallest sets that hit every *conflict*, that is, contain one of the factors in
which two states with different distributions differ. Few conflicts are ever written down: those of
states that differ in a single factor, and then, as long as a smallest hitting set is not a scope,
one that refutes it.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from itertools import chain
from math import prod
from typing import Any

import networkx as nx
import numpy as np
from jaxtyping import Int

from tabular.rule import (
    Branches,
    Environment,
    Factor,
    FactoredRule,
    Outcome,
    factors_of,
    require_initial_distribution,
    require_law,
    require_positive_integer,
)

REWARD, TERMINAL, CAUSE = "reward", "terminal", "cause"

Key = tuple[int, str | None, str]
"""An action, a cause (None for all together), and an output."""

_Law = Hashable
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
class Enumeration:
    """All reachable states of a factored rule, and a label for each distribution that occurs.

    Attributes:
        rule: The rule.
        values: The values of each factor, in order of first appearance.
        codes: The number of each factor's value in each state.
        labels: For each action, cause and output: the states in which it is defined, and the
            number of its distribution in each; equal numbers are equal distributions, also
            between causes.
        episodic: Whether some step is terminal.
        dependent: The causes under which factors of some successor are dependent.
    """

    rule: FactoredRule[Any]
    values: tuple[tuple[Factor, ...], ...]
    codes: Int[np.ndarray, "state factor"]
    labels: Mapping[Key, tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"]]]
    episodic: bool
    dependent: frozenset[str]


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


def enumerate_factors(
    rule: FactoredRule[Any], *, start: Iterable[Any] | None = None, max_states: int = 20_000
) -> Enumeration:
    """Go through all states that `rule` reaches, and tell the distributions of outputs apart.

    Args:
        rule: Any rule whose states are made of named factors.
        start: The states to start from; None for those of the initial distribution. With all mazes
            there could be, say, one learns what holds whatever mazes are generated.
        max_states: The most states to go through.

    Raises:
        ValueError: There are more than `max_states` states, two states have equal factors, a
            factor has the name of another output, or what the rule gives is no law (see
            :func:`tabular.rule.require_law`).
    """
    names = rule.factor_names
    if clashing := {REWARD, TERMINAL, CAUSE} & set(names):
        raise ValueError(f"no factor may be called {min(clashing)!r}")
    if start is None and isinstance(rule, Environment) and rule.max_states > max_states:
        raise ValueError(
            f"{rule} has up to {rule.max_states:,} states; max_states is {max_states:,}"
        )
    require_positive_integer("num_actions", rule.num_actions)
    if start is None:
        start = rule.initial_distribution()
        require_initial_distribution(start)
    states = list(dict.fromkeys(start))
    known = set(states)
    laws_of = cache(partial(_output_laws, rule))
    laws: defaultdict[tuple[int, str], dict[_Law, int]] = defaultdict(dict)
    rows: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
    dependent = set()
    episodic = False
    for position, state in enumerate(states):  # grows while it is read
        for action in range(rule.num_actions):
            branches = _branches(rule, state, action)
            everything = [outcome for branch in branches.values() for outcome in branch]
            for cause, branch in [*branches.items(), (None, everything)]:
                found, independent = laws_of(tuple(branch))
                outputs = dict(found)
                if cause is None:
                    shares = {name: _total(branches[name]) for name in branches}
                    outputs[CAUSE] = frozenset(shares.items())
                elif not independent:
                    dependent.add(cause)
                for output, law in outputs.items():
                    seen = laws[action, output]
                    number = seen.setdefault(law, len(seen))
                    rows[action, cause, output].append((position, number))
            for outcome in everything:
                episodic |= outcome.terminal
                if not outcome.terminal and outcome.next_state not in known:
                    known.add(outcome.next_state)
                    states.append(outcome.next_state)
            if len(states) > max_states:
                raise ValueError(
                    f"{rule} has more than {max_states:,} states: {len(states):,} were reached "
                    f"from {position + 1:,} of them"
                )
    factors = [factors_of(rule, state) for state in states]
    if len(set(factors)) < len(factors):
        raise ValueError(f"{rule} has different states with equal factors")
    numbers: list[dict[Factor, int]] = [{} for _ in names]
    codes = [
        [number.setdefault(value, len(number)) for number, value in zip(numbers, row, strict=True)]
        for row in factors
    ]
    return Enumeration(
        rule,
        tuple(tuple(number) for number in numbers),
        np.array(codes, dtype=np.int64).reshape(len(states), len(names)),
        {key: _columns(pairs) for key, pairs in rows.items()},
        episodic,
        frozenset(dependent),
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
            holds = _conflict(codes, labels, columns) is None
        scopes.append(
            Scope(
                output,
                action,
                cause,
                tuple(_names(rule, scope) for scope in smallest),
                declared,
                holds,
                len(np.unique(_groups(codes, smallest[0]))),
            )
        )
    return FactoredStructure(
        rule.factor_names,
        tuple(len(values) for values in enumeration.values),
        len(enumeration.codes),
        rule.num_actions,
        tuple(cause for cause in _causes(rule) if cause in {key[1] for key in enumeration.labels}),
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
    if context not in names:
        raise ValueError(f"context must be one of {names}, got {context!r}")
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


def smallest_scopes(
    codes: Int[np.ndarray, "row factor"], labels: Int[np.ndarray, " row"]
) -> tuple[frozenset[int], ...]:
    """All smallest sets of columns on which rows with different labels always differ.

    Different rows of `codes` may have equal labels, but equal rows must.
    """
    conflicts = {
        frozenset([column])
        for column in range(codes.shape[1])
        if _conflict(codes, labels, frozenset(range(codes.shape[1])) - {column})
    }
    while True:
        candidates = _smallest_hitting_sets(conflicts, codes.shape[1])
        refuted = {
            conflict for scope in candidates if (conflict := _conflict(codes, labels, scope))
        }
        if not refuted:
            return tuple(sorted(candidates, key=sorted))
        conflicts |= refuted


def _conflict(
    codes: Int[np.ndarray, "row factor"], labels: Int[np.ndarray, " row"], scope: frozenset[int]
) -> frozenset[int] | None:
    """The columns in which two rows differ that agree on `scope` and have different labels."""
    groups = _groups(codes, scope)
    _, first = np.unique(groups, return_index=True)
    leader = first[groups]
    different = np.flatnonzero(labels != labels[leader])
    if not different.size:
        return None
    row = different[0]
    return frozenset(np.flatnonzero(codes[row] != codes[leader[row]]).tolist())


def _groups(codes: Int[np.ndarray, "row factor"], scope: frozenset[int]) -> Int[np.ndarray, " row"]:
    """A number for each row, equal for rows that agree on `scope`: 0, 1, ... without gaps."""
    groups = np.zeros(len(codes), dtype=np.int64)
    for column in sorted(scope):
        pair = groups * (codes[:, column].max() + 1) + codes[:, column]
        groups = np.unique(pair, return_inverse=True)[1].reshape(-1)
    return groups


def _smallest_hitting_sets(conflicts: set[frozenset[int]], num_columns: int) -> set[frozenset[int]]:
    """All sets of least size that share an element with every conflict."""

    def extended(chosen: frozenset[int], room: int) -> Iterator[frozenset[int]]:
        missed = next((conflict for conflict in conflicts if not conflict & chosen), None)
        if missed is None:
            yield chosen
        elif room:
            for column in missed:
                yield from extended(chosen | {column}, room - 1)

    for size in range(num_columns + 1):
        if found := set(extended(frozenset(), size)):
            return found
    raise ValueError("two equal rows have different labels")


def _causes(rule: FactoredRule[Any]) -> tuple[str, ...]:
    return rule.causes if isinstance(rule, Environment) else ("usual",)


def _caused(enumeration: Enumeration, scopes: Iterable[Scope]) -> frozenset[tuple[int, str]]:
    given = [scope for scope in scopes if scope.cause is not None]
    matters = set()
    for action, output in {(scope.action, scope.output) for scope in given}:
        same = [scope for scope in given if (scope.action, scope.output) == (action, output)]
        parents = frozenset().union(*(scope.smallest[0] for scope in same))
        columns = frozenset(map(enumeration.rule.factor_names.index, parents))
        pooled = [enumeration.labels[action, scope.cause, output] for scope in same]
        rows, labels = (np.concatenate(arrays) for arrays in zip(*pooled, strict=True))
        if _conflict(enumeration.codes[rows], labels, columns) is not None:
            matters.add((action, output))
    return frozenset(matters)


def _branches(rule: FactoredRule[Any], state: Any, action: int) -> dict[str, list[Outcome]]:
    """The possible outcomes by cause, which together must be a law."""
    branches: Branches
    if isinstance(rule, Environment):
        branches = rule.branches(state, action)
    else:
        branches = {"usual": rule.outcomes(state, action)}
    listed = {cause: list(outcomes) for cause, outcomes in branches.items()}
    require_law(chain.from_iterable(listed.values()), state, action)
    possible = {
        cause: [outcome for outcome in outcomes if outcome.probability]
        for cause, outcomes in listed.items()
    }
    return {cause: outcomes for cause, outcomes in possible.items() if outcomes}


def _output_laws(
    rule: FactoredRule[Any], outcomes: tuple[Outcome, ...]
) -> tuple[dict[str, _Law], bool]:
    """The distribution of each output, and whether the factors of the successor are independent."""
    going_on = [outcome for outcome in outcomes if not outcome.terminal]
    total, alive = _total(outcomes), _total(going_on)
    laws: dict[str, _Law] = {
        REWARD: _law((outcome.reward, outcome.probability / total) for outcome in outcomes),
        TERMINAL: 1 - alive / total,
    }
    if not going_on:
        return laws, True
    joint = [(factors_of(rule, o.next_state), o.probability / alive) for o in going_on]
    marginals = [
        _law((values[i], probability) for values, probability in joint)
        for i in range(len(rule.factor_names))
    ]
    laws |= zip(rule.factor_names, marginals, strict=True)
    chances = [dict(law) for law in marginals]
    combined = _law(joint)
    independent = len(combined) == prod(map(len, chances)) and all(
        probability == prod(chance[value] for chance, value in zip(chances, values, strict=True))
        for values, probability in combined
    )
    return laws, independent


def _law(chances: Iterable[tuple[Any, Fraction]]) -> frozenset[tuple[Any, Fraction]]:
    total: defaultdict[Factor, Fraction] = defaultdict(Fraction)
    for value, probability in chances:
        total[value] += probability
    return frozenset(total.items())


def _total(outcomes: Iterable[Outcome]) -> Fraction:
    return sum((outcome.probability for outcome in outcomes), Fraction(0))


def _names(rule: FactoredRule[Any], scope: Iterable[int]) -> frozenset[str]:
    return frozenset(rule.factor_names[column] for column in scope)


def _columns(
    pairs: list[tuple[int, int]],
) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"]]:
    table = np.array(pairs, dtype=np.int64)
    return table[:, 0], table[:, 1]
