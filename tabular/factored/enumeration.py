"""All reachable states of a rule, and which of them give each output the same distribution.

Let a state be made of factors x_1, ..., x_d. *Outputs* of a step are the factors of the successor (where the step is
not terminal, given that it is not), the reward, and termination; and the cause itself.

A *cause* is what factors have in common: the one coin of PanFlute that sounds all pipes, or the success that draws all
buttons anew. Without it, pipes would look dependent on nothing but their own past, and yet be dependent on one another.
A rule that is no :class:`tabular.rule.Environment` names no causes, and is taken to have one.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import chain
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Int

from tabular.argument_checks import require_distinct, require_positive_integer
from tabular.rule import (
    Branches,
    Environment,
    Factor,
    FactoredRule,
    Outcome,
    factors_of,
    require_initial_distribution,
    require_law,
)

REWARD, TERMINAL, CAUSE = "reward", "terminal", "cause"

Key = tuple[int, str | None, str]
"""An action, a cause (None for all together), and an output."""

_Law = Hashable


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
            factor has the name of another one or of another output, or what the rule gives is no
            law (see :func:`tabular.rule.require_law`).
    """
    names = rule.factor_names
    if clashing := {REWARD, TERMINAL, CAUSE} & set(names):
        raise ValueError(f"no factor may be called {min(clashing)!r}")
    require_distinct("factor", names)
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


def _branches(rule: FactoredRule[Any], state: Any, action: int) -> dict[str, list[Outcome]]:
    """The possible outcomes by cause, which together must be a law."""
    branches: Branches
    if isinstance(rule, Environment):
        branches = rule.branches(state, action)
    else:
        branches = {"usual": rule.outcomes(state, action)}
    for outcomes in branches.values():
        if not isinstance(outcomes, Iterable):
            raise ValueError(
                f"in state {state!r} with action {action} there is {outcomes!r}; accepted: outcomes"
            )
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


def _columns(
    pairs: list[tuple[int, int]],
) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"]]:
    table = np.array(pairs, dtype=np.int64)
    return table[:, 0], table[:, 1]
