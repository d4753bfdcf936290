"""Models learned by counting, of a table or of factors: one learner, which differs in what it pools.

A model has *outputs*: each variable of the next state, termination, and the reward. For each output
it sorts all state-action pairs into contexts, and counts in each context what came out. Then it
predicts, for a pair,

    the reward       by the mean in the pair's context,
    termination      by the share in the pair's context,
    the next state   by the product of the variables' shares, each in the pair's context.

The outcome of a pair never tried is thus predicted from others, as soon as each of its contexts has
been seen. Where one has not, *nothing* is predicted and the pair is *unknown*: a planner leaves its
value as it was at the start. That is the convention for every model here.

What is pooled is the whole difference between the models:

- the table: the next state is a single variable, and each pair is a context of its own;
- the factored model: a variable's parents, as *declared* by the environment, with the action, make
  its contexts; or *exact* decision trees do, grown from the true laws; or a tree is *learned* from
  the same data as the counts. With the first two the learner knows which pairs share a law, and not
  which law; with the last, nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tabular.factored.context_tree import exact_contexts, learned_contexts
from tabular.factored.enumeration import CAUSE, REWARD, TERMINAL
from tabular.factored.smallest_scopes import smallest_scopes
from tabular.factored.space import ACTION, FactoredSpace
from tabular.finite_mdp import FiniteMDP
from tabular.rule import Environment, Factor, FactoredRule, Outcome

_Law = frozenset[tuple[Factor, Fraction]]


class Experience(NamedTuple):
    """Observed transitions, by the numbers of a :class:`FactoredSpace`.

    Attributes:
        states: The states.
        actions: The actions.
        rewards: The rewards.
        next_states: The next states; -1 where the step was terminal.
    """

    states: Int[np.ndarray, " step"]
    actions: Int[np.ndarray, " step"]
    rewards: Float[np.ndarray, " step"]
    next_states: Int[np.ndarray, " step"]


@dataclass(frozen=True, eq=False)
class ModelStructure:
    """What a model pools: a row of tables for each output, state and action.

    Attributes:
        rows: The row of each output, state and action; the last two outputs are termination and the
            reward. No two outputs share a row.
        first_slot: Where the slots of each row begin; those of row k end where k + 1 begins.
        slot_values: Which value of the output each slot counts.
        strides: The next state's number is the sum of its variables' values times these.
    """

    rows: Int[np.ndarray, "output state action"]
    first_slot: Int[np.ndarray, " row_and_one"]
    slot_values: Int[np.ndarray, " slot"]
    strides: Int[np.ndarray, " variable"]

    def allows(self, state: int, action: int, next_state: int) -> bool:
        """Whether there is a slot for each variable of this outcome."""
        return all(
            value in self.slot_values[self.first_slot[row] : self.first_slot[row + 1]]
            for row, value in self.variables(state, action, next_state)
        )

    def variables(self, state: int, action: int, next_state: int) -> Iterator[tuple[int, int]]:
        """The row of each variable of this outcome, and its value."""
        rest = next_state
        for row, stride in zip(self.rows[:-2, state, action], self.strides, strict=True):
            value, rest = divmod(rest, int(stride))
            yield int(row), value


class Prediction(NamedTuple):
    """What a model says of a pair.

    Attributes:
        reward: The expected reward.
        termination: The probability that the step is terminal.
        next_states: The probability of each next state, given that it is not.
    """

    reward: float
    termination: float
    next_states: dict[int, float]


@dataclass(frozen=True, eq=False)
class CountedModel:
    """A model: a structure and its counts, in plain Python. `observe` changes the counts in place.

    Attributes:
        structure: What is pooled.
        counts: How often each slot's value came out.
        totals: How often something came out in each row.
        reward_sums: The sum of the rewards of each row.
    """

    structure: ModelStructure
    counts: Int[np.ndarray, " slot"]
    totals: Int[np.ndarray, " row"]
    reward_sums: Float[np.ndarray, " row"]

    @classmethod
    def empty(cls, structure: ModelStructure) -> "CountedModel":
        """Nothing has been seen."""
        num_rows = len(structure.first_slot) - 1
        return cls(
            structure,
            np.zeros(len(structure.slot_values), dtype=np.int64),
            np.zeros(num_rows, dtype=np.int64),
            np.zeros(num_rows),
        )

    def observe(self, state: int, action: int, reward: float, next_state: int) -> None:
        """Count a transition; `next_state` is -1 if it was terminal."""
        termination, rewards = self.structure.rows[-2:, state, action].tolist()
        self._count(termination, int(next_state < 0))
        self.totals[rewards] += 1
        self.reward_sums[rewards] += reward
        if next_state >= 0:
            for row, value in self.structure.variables(state, action, next_state):
                self._count(row, value)

    def predict(self, state: int, action: int) -> Prediction | None:
        """What comes of a pair; None if it is unknown."""
        *variables, termination, rewards = self.structure.rows[:, state, action].tolist()
        if not self.totals[termination] or not self.totals[rewards]:
            return None
        ends = dict(self._shares(termination)).get(1, 0.0)
        if ends == 1:
            return Prediction(self._mean_reward(rewards), 1.0, {})
        if not self.totals[variables].all():
            return None
        next_states: defaultdict[int, float] = defaultdict(float)
        for values in product(*map(self._shares, variables)):
            number = sum(
                value * int(stride)
                for (value, _), stride in zip(values, self.structure.strides, strict=True)
            )
            next_states[number] += float(np.prod([share for _, share in values]))
        return Prediction(self._mean_reward(rewards), ends, dict(next_states))

    def _mean_reward(self, row: int) -> float:
        return float(self.reward_sums[row] / self.totals[row])

    def _shares(self, row: int) -> list[tuple[int, float]]:
        """The values that came out in a row, and how often of all times."""
        return [
            (int(self.structure.slot_values[slot]), float(self.counts[slot] / self.totals[row]))
            for slot in self._slots(row)
            if self.counts[slot]
        ]

    def _count(self, row: int, value: int) -> None:
        self.totals[row] += 1
        for slot in self._slots(row):
            self.counts[slot] += self.structure.slot_values[slot] == value

    def _slots(self, row: int) -> range:
        return range(int(self.structure.first_slot[row]), int(self.structure.first_slot[row + 1]))


def table_structure(mdp: FiniteMDP[Any], space: FactoredSpace) -> ModelStructure:
    """Each pair for itself. Slots are kept for the successors that are possible, to save memory."""
    entries, num_pairs = mdp.transitions, mdp.num_states * mdp.num_actions
    pairs = np.full((space.num_states, space.num_actions), num_pairs)  # not reached: an empty row
    pairs[space.reached] = np.arange(num_pairs).reshape(mdp.num_states, mdp.num_actions)
    rows = np.stack([pairs, pairs + num_pairs + 1, pairs + 2 * (num_pairs + 1)])
    successors = [*np.diff(entries.indptr), 0]
    slots = np.concatenate([[0], successors, [2] * (num_pairs + 1), [0] * (num_pairs + 1)])
    values = np.concatenate(
        [space.reached[entries.indices], np.tile([0, 1], num_pairs + 1)]
    ).astype(np.int64)
    return ModelStructure(rows, np.cumsum(slots), values, np.ones(1, dtype=np.int64))


def declared_structure(
    environment: Environment[Any], mdp: FiniteMDP[Any], space: FactoredSpace
) -> ModelStructure:
    """The parents that the environment declares, under any cause, and those of the cause itself.

    Of the cause, termination and the reward nothing is declared: they have their smallest scopes.
    """
    laws = _Laws(environment, mdp, space)
    names = [*space.names, ACTION]
    parents: dict[str, list[frozenset[str]]] = {
        output: [frozenset(names[k] for k in laws.scope(output))] * space.num_actions
        for output in (TERMINAL, REWARD)
    }
    cause = {names[k] for k in laws.scope(CAUSE)}
    of_factor = defaultdict(set)
    for name, factor in zip(space.names, space.factors, strict=True):
        of_factor[factor].add(name)
    for action in range(space.num_actions):
        declared = [environment.parents(action, each) for each in environment.causes]
        for name, factor in zip(space.names, space.factors, strict=True):
            factors = frozenset().union(*(each[factor] for each in declared))
            if unknown := factors - of_factor.keys():
                raise ValueError(
                    f"{factor!r} has the parent {min(unknown)!r}, which is no factor; "
                    f"accepted: {', '.join(of_factor)}"
                )
            own = frozenset().union(*(of_factor[parent] for parent in factors))
            parents.setdefault(name, []).append(own | cause | {ACTION})
    return structure_of_parents(space, parents)


def structure_of_parents(
    space: FactoredSpace, parents: Mapping[str, Sequence[Iterable[str]]]
) -> ModelStructure:
    """A context for each combination of the values of an output's parents.

    Args:
        space: The variables.
        parents: For each variable, "terminal" and "reward": the parents given each action; they are
            variables, or "action".

    Raises:
        ValueError: An output has no parents listed, or one that names no variable.
    """
    features = [*space.names, ACTION]
    contexts = []
    for output in (*space.names, TERMINAL, REWARD):
        if output not in parents or len(parents[output]) != space.num_actions:
            raise ValueError(f"parents of {output!r} must be given for {space.num_actions} actions")
        numbers = np.zeros(len(space.pair_codes), dtype=np.int64)
        for action, names in enumerate(parents[output]):
            if unknown := set(names) - set(features):
                raise ValueError(
                    f"{output!r} has the parent {min(unknown)!r}, which is no variable; "
                    f"accepted: {', '.join(features)}"
                )
            own = space.pair_codes[:, -1] == action
            sizes = (*space.shape, space.num_actions)
            for column in sorted(map(features.index, names)):
                numbers[own] = numbers[own] * sizes[column] + space.pair_codes[own, column]
        contexts.append(np.unique(numbers, return_inverse=True)[1].reshape(-1))
    return _structure(space, contexts)


def exact_structure(
    rule: FactoredRule[Any], mdp: FiniteMDP[Any], space: FactoredSpace
) -> ModelStructure:
    """Trees grown from the true laws: within a context, the law is the same for all reached pairs."""
    laws = _Laws(rule, mdp, space)
    return _structure(
        space,
        [
            exact_contexts(*laws.labelled(output), space.pair_codes)
            if len(laws.labelled(output)[1])
            else np.zeros(len(space.pair_codes), dtype=np.int64)
            for output in (*space.names, TERMINAL, REWARD)
        ],
    )


def learned_structure(
    space: FactoredSpace, seen: Experience, *, false_alarms: float = 0.01
) -> ModelStructure:
    """Trees learned from transitions: what has not been told apart significantly is pooled.

    Raises:
        ValueError: `false_alarms` is not above 0 and below 1.
    """
    pairs = seen.states * space.num_actions + seen.actions
    going_on = seen.next_states >= 0
    following = space.codes[seen.next_states[going_on]]
    outputs = [(pairs[going_on], following[:, k]) for k in range(len(space.names))]
    outputs.append((pairs, (~going_on).astype(np.int64)))
    outputs.append((pairs, np.unique(seen.rewards, return_inverse=True)[1].reshape(-1)))
    contexts = []
    for acting, values in outputs:
        if not len(values):
            contexts.append(np.zeros(len(space.pair_codes), dtype=np.int64))
            continue
        rows, row = np.unique(acting, return_inverse=True)
        weights = np.zeros((len(rows), values.max() + 1))
        np.add.at(weights, (row.reshape(-1), values), 1.0)
        contexts.append(
            learned_contexts(
                space.pair_codes[rows], weights, space.pair_codes, false_alarms=false_alarms
            )
        )
    return _structure(space, contexts)


class _Laws:
    """The exact law of each output, for each reached pair in which it is defined."""

    def __init__(self, rule: FactoredRule[Any], mdp: FiniteMDP[Any], space: FactoredSpace) -> None:
        numbers = dict(zip(mdp.states, space.reached.tolist(), strict=True))
        self._codes = space.pair_codes
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        self._labels: defaultdict[str, list[int]] = defaultdict(list)
        known: defaultdict[str, dict[_Law, int]] = defaultdict(dict)

        @cache
        def laws_of(outcomes: tuple[Outcome, ...]) -> list[tuple[str, int]]:
            laws: defaultdict[str, defaultdict[Factor, Fraction]] = defaultdict(
                lambda: defaultdict(Fraction)
            )
            for outcome in outcomes:
                laws[TERMINAL][outcome.terminal] += outcome.probability
                laws[REWARD][outcome.reward] += outcome.probability
                if outcome.next_state is not None:
                    codes = space.codes[numbers[outcome.next_state]].tolist()
                    for name, value in zip(space.names, codes, strict=True):
                        laws[name][value] += outcome.probability
            return [(output, label(output, law)) for output, law in laws.items()]

        def label(output: str, law: Mapping[Factor, Fraction]) -> int:
            total = sum(law.values())
            shares = frozenset((value, chance / total) for value, chance in law.items() if chance)
            return known[output].setdefault(shares, len(known[output]))

        for state, action in product(mdp.states, range(space.num_actions)):
            labels = laws_of(rule.outcomes(state, action))
            if isinstance(rule, Environment):
                chances: dict[Factor, Fraction] = {
                    cause: sum((outcome.probability for outcome in branch), Fraction(0))
                    for cause, branch in rule.branches(state, action).items()
                }
                labels = [*labels, (CAUSE, label(CAUSE, chances))]
            for output, number in labels:
                self._rows[output].append(numbers[state] * space.num_actions + action)
                self._labels[output].append(number)

    def labelled(
        self, output: str
    ) -> tuple[Int[np.ndarray, "row feature"], Int[np.ndarray, " row"]]:
        """The features of the pairs in which an output is defined, and the number of its law there."""
        rows = np.array(self._rows[output], dtype=np.int64)
        return self._codes[rows], np.array(self._labels[output], dtype=np.int64)

    def scope(self, output: str) -> frozenset[int]:
        """The first of the smallest scopes of an output, among the variables and the action."""
        return smallest_scopes(*self.labelled(output))[0]


def _structure(
    space: FactoredSpace, contexts: Sequence[Int[np.ndarray, " pair"]]
) -> ModelStructure:
    """Rows and slots: a slot for each value of a variable, two for termination, none for the reward."""
    values = [*space.shape, 2, 0]
    numbers = [int(found.max()) + 1 for found in contexts]
    first_row = np.concatenate([[0], np.cumsum(numbers)])
    rows = np.stack(
        [
            (start + found).reshape(space.num_states, space.num_actions)
            for start, found in zip(first_row, contexts, strict=False)
        ]
    )
    slots = np.repeat(values, numbers)
    slot_values = np.concatenate([np.arange(size) for size in slots]).astype(np.int64)
    return ModelStructure(rows, np.concatenate([[0], np.cumsum(slots)]), slot_values, space.strides)
