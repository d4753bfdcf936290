"""Classes one level up: at every pair (s, a) a model chooses an *option*, a reward and a law over successors.

A model is a row of option numbers, one for each pair, and a class is any set of such rows. This covers stochastic
transitions, rewards that are not known, and both at once; a deterministic class with known rewards is the case in which
an option is a successor (`transition_class`), and keeps its own faster methods. All that is said of H_M, H_B, criteria
and witnesses holds for either, since it rests on which options a model has and which ones a q is consistent with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np

from theory.classes.transition_class import (
    MAX_MAP_ENTRIES,
    ProductClass,
    check_sizes,
    checked_index,
    distinct_rows,
)

MAX_OPTIONS = 65_535


@dataclass(frozen=True)
class Option:
    """What may happen at a pair.

    Attributes:
        reward: what is earned, whatever follows.
        law: (successor, probability) in the order of successors, each probability above 0; n is the terminal state.
    """

    reward: Fraction
    law: tuple[tuple[int, Fraction], ...]

    def probability(self, successor: int) -> Fraction:
        """How likely a successor is."""
        return dict(self.law).get(successor, Fraction(0))

    def backup(self, values: Sequence[Fraction], gamma: Fraction) -> Fraction:
        """The reward plus gamma times the mean value of the successor; `values` ends with the terminal state's 0."""
        if len(self.law) == 1:
            return self.reward + gamma * values[self.law[0][0]]
        return self.reward + gamma * sum((p * values[x] for x, p in self.law), Fraction(0))


PairOptions = tuple[tuple[Option, ...], ...]


def option(reward: Fraction | int, law: Mapping[int, Fraction | int], states: int) -> Option:
    """An option, checked.

    Args:
        reward: what is earned.
        law: the probability of each successor; those of 0 may be left out.
        states: n, which is also the terminal state.

    Raises:
        ValueError: if a successor does not exist, a probability is negative, or they do not add to 1.
    """
    for successor, p in law.items():
        checked_index(successor, states, "a successor of a law")
        if p < 0:
            raise ValueError(
                f"successor {successor} has probability {p}; accepted: numbers from 0 to 1"
            )
    if (total := sum(map(Fraction, law.values()))) != 1:
        raise ValueError(f"the probabilities of a law add to {total}; accepted: 1 exactly")
    return Option(Fraction(reward), tuple((x, Fraction(p)) for x, p in sorted(law.items()) if p))


class OptionClass(ProductClass):
    """Models that choose an option at every pair; the blocks of the product hold option numbers.

    Args:
        states: n.
        actions: k.
        options: for each pair, s * k + a, its options.
        blocks: as those of `ProductClass`, with the numbers of options; every choice unless given.
        merged: how many repeated models were dropped when the class was made.

    Raises:
        ValueError: if a pair has no option, or too many.
    """

    def __init__(
        self,
        states: int,
        actions: int,
        options: Sequence[Sequence[Option]],
        blocks: Sequence[tuple[Sequence[int], np.ndarray]] | None = None,
        merged: int = 0,
    ) -> None:
        check_sizes(states, actions)
        if len(options) != states * actions:
            raise ValueError(
                f"{len(options)} pairs have options; accepted: {states * actions}, one list for each pair"
            )
        for pair, choices in enumerate(options):
            where = f"state {pair // actions}, action {pair % actions}"
            if not 1 <= len(choices) <= MAX_OPTIONS:
                raise ValueError(
                    f"{where} has {len(choices)} options; accepted: 1 to {MAX_OPTIONS}"
                )
        self._options: PairOptions = tuple(tuple(choices) for choices in options)
        dtype = option_dtype(self._options)
        every = [
            ([pair], np.arange(len(choices), dtype=dtype)[:, None])
            for pair, choices in enumerate(options)
        ]
        super().__init__(states, actions, every if blocks is None else blocks, merged)

    @property
    def options(self) -> PairOptions:
        return self._options

    def with_rewards(self, rewards: Sequence[Sequence[Fraction]]) -> OptionClass:
        """The same models where these rewards take the place of the options' own; some options may then be alike."""
        k = self.actions
        options = [
            [Option(rewards[pair // k][pair % k], choice.law) for choice in choices]
            for pair, choices in enumerate(self._options)
        ]
        return OptionClass(self.states, k, options, self.blocks, self.merged)

    @property
    def is_tabular(self) -> bool:
        """Whether the class is known to hold every choice of its options."""
        return bool(self.size == prod(map(len, self._options)))


def option_dtype(options: PairOptions) -> type[np.unsignedinteger]:
    """The smallest unsigned integer that holds every option number."""
    return np.uint8 if max(map(len, options)) <= 256 else np.uint16


def option_class(
    states: int,
    actions: int,
    options: Sequence[Sequence[Option]],
    models: Sequence[Sequence[int]] | None = None,
) -> OptionClass:
    """The class of all choices, or of the models that are listed. Repeated ones are merged and counted.

    Args:
        states: n.
        actions: k.
        options: for each pair, s * k + a, its options.
        models: for each model an option number for each pair; every choice unless given.

    Raises:
        ValueError: if a pair has an option twice, the list is empty, a model has a wrong length, or chooses an option
            that its pair does not have.
    """
    every = OptionClass(states, actions, options)
    _require_distinct(actions, options)
    if models is None:
        return every
    if not models:
        raise ValueError(
            "the class is empty: the list of models has no entry; accepted: one model or more"
        )
    for index, model in enumerate(models):
        if len(model) != every.pairs:
            raise ValueError(
                f"model {index} has {len(model)} options; accepted: {every.pairs}, one for each pair"
            )
        for pair, number in enumerate(model):
            where = f"option of model {index} at state {pair // actions}, action {pair % actions}"
            checked_index(number, len(options[pair]) - 1, where)
    rows = np.array(models, dtype=option_dtype(every.options))
    distinct = distinct_rows(rows)
    blocks = [(range(every.pairs), distinct)]
    return OptionClass(states, actions, options, blocks, len(rows) - len(distinct))


def _require_distinct(actions: int, options: Sequence[Sequence[Option]]) -> None:
    for pair, choices in enumerate(options):
        seen: dict[Option, int] = {}
        for number, choice in enumerate(choices):
            first = seen.setdefault(choice, number)
            if first != number:
                raise ValueError(
                    f"state {pair // actions}, action {pair % actions} has the same option as number {first} and"
                    f" {number}; accepted: distinct options"
                )


def option_blocks(
    states: int,
    actions: int,
    blocks: Sequence[tuple[Sequence[int], Sequence[Sequence[Option]]]],
) -> OptionClass:
    """The class of free choices from blocks of pairs, each with joint assignments of options.

    Args:
        states: n.
        actions: k.
        blocks: (pairs, assignments) for each block: an assignment has an option for each of its pairs. Repeated
            assignments count once.

    Raises:
        ValueError: if the blocks do not cover each pair once, an assignment has a wrong length, or they are too many.
    """
    options: list[dict[Option, int]] = [{} for _ in range(states * actions)]
    entries = sum(len(pairs) * len(assignments) for pairs, assignments in blocks)
    if entries > MAX_MAP_ENTRIES:
        raise ValueError(
            f"the blocks have {entries} options in all; accepted: at most {MAX_MAP_ENTRIES}"
        )
    numbered = []
    for pairs, assignments in blocks:
        rows = [
            [
                options[pair].setdefault(choice, len(options[pair]))
                for pair, choice in zip(pairs, assignment, strict=True)
            ]
            for assignment in assignments
        ]
        numbered.append((pairs, distinct_rows(np.array(rows, dtype=np.uint16))))
    return OptionClass(states, actions, [tuple(choices) for choices in options], numbered)


def stochastic_factors(
    sizes: Sequence[int],
    actions: Sequence[Sequence[tuple[Sequence[int], Sequence[Sequence[Fraction]]] | None]],
    rewards: Sequence[Sequence[Fraction]],
    *,
    known: Mapping[int, Option] | None = None,
) -> OptionClass:
    """States made of factors, each of which an action moves by an unknown law that depends on its parents alone.

    States are numbered as by `theory.classes.factored`. Given the parents' values, the factors move independently.

    Args:
        sizes: the number of values of each factor.
        actions: for each action and each factor (its parents, the laws over its values that are possible), or None for
            a factor that the action leaves as it is. A model chooses one of the laws for each value of the parents.
        rewards: `rewards[s][a]`.
        known: options that every model shares, by pair, whatever the factors would say.

    Raises:
        ValueError: if a law is none, or an action has too many choices to list.
    """
    states, k = prod(sizes), len(actions)
    check_sizes(states, k)
    values = list(product(*map(range, sizes)))
    known = known or {}
    blocks = []
    for a, factors in enumerate(actions):
        contexts = [
            list(product(*(range(sizes[parent]) for parent in moved[0]))) if moved else []
            for moved in factors
        ]
        count = prod(
            len(moved[1]) ** len(context)
            for moved, context in zip(factors, contexts, strict=True)
            if moved
        )
        if count * states > MAX_MAP_ENTRIES:
            raise ValueError(
                f"action {a} has {count} ways to move {states} states; accepted: at most {MAX_MAP_ENTRIES} options"
            )
        choices = [
            list(product(moved[1], repeat=len(context))) if moved else [()]
            for moved, context in zip(factors, contexts, strict=True)
        ]
        assignments = []
        for chosen in product(*choices):
            row = []
            for s, state in enumerate(values):
                by_factor = []
                for f, moved in enumerate(factors):
                    if moved is None:
                        by_factor.append([Fraction(x == state[f]) for x in range(sizes[f])])
                    else:
                        place = contexts[f].index(tuple(state[parent] for parent in moved[0]))
                        by_factor.append(list(chosen[f][place]))
                law = {
                    x: prod((by_factor[f][v] for f, v in enumerate(following)), start=Fraction(1))
                    for x, following in enumerate(values)
                }
                row.append(known.get(s * k + a) or option(rewards[s][a], law, states))
            assignments.append(row)
        blocks.append(([s * k + a for s in range(states)], assignments))
    return option_blocks(states, k, blocks)
