"""Optimal values of all models of a class with options, exactly: policy iteration over all models at once.

What a policy is worth in a model depends only on the options that the model has at the n pairs which the policy uses.
Models that share these share the evaluation, so that few linear systems serve many models: at most the product over
states of the number of options of its actions, 1,296 for 6,561 models of 4 states, 2 actions and 3 options.

Everything is an integer. With L a common denominator of all rewards and all gamma * p, the system of a policy is

    (L I - W) V = R,    R = L r,  W = L gamma P,

which fraction-free elimination (Bareiss, 1968) solves as V = N / D with integers N and D > 0. The matrix is strictly
diagonally dominant, so that no leading minor is 0 and no pivot is sought. An option's backup of V is
(D R + W N) / (L D): within one V, backups are compared as integers, and their ranks are all that the models need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

import numpy as np
from jaxtyping import Bool, Int32, Int64, Shaped

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.options import PairOptions
from theory.classes.transition_class import Models
from theory.progress import Progress, silent
from theory.solving.deterministic import row_numbers
from theory.solving.solved_class import SolvedClass

BATCH = 1 << 16
PART = 1 << 12  # of evaluations, whose exact integers are made at once

Integers = Shaped[np.ndarray, "..."]  # Python integers


@dataclass(frozen=True, kw_only=True)
class LawClass(SolvedClass):
    """A solved class with options.

    Attributes:
        q_ranks: [q, pair, option], the rank of an option's backup among all those of its state; -1 where a pair has
            no such option.
        values: [q], V* as fractions.
    """

    q_ranks: Int32[np.ndarray, "q pair option"]
    values: list[tuple[Fraction, ...]]

    @cached_property
    def chosen_ranks(self) -> Int32[np.ndarray, "q pair"]:
        """The rank of q(s, a), which is that of the option chosen by any model of the fiber."""
        chosen = self.models[self.first_model].astype(np.intp)
        ranks: Int32[np.ndarray, "q pair"] = np.take_along_axis(
            self.q_ranks, chosen[:, :, None], axis=2
        )[:, :, 0]
        return ranks

    @cached_property
    def consistent(self) -> Bool[np.ndarray, "q pair option"]:
        equal: Bool[np.ndarray, "q pair option"] = self.q_ranks == self.chosen_ranks[:, :, None]
        return equal

    @cached_property
    def greedy(self) -> Bool[np.ndarray, "q state action"]:
        q = self.chosen_ranks.reshape(-1, self.states, self.actions)
        best: Bool[np.ndarray, "q state action"] = q == q.max(axis=2, keepdims=True)
        return best

    @cached_property
    def value_vectors(self) -> int:
        return len(set(self.values))

    def q_table(self, q: int) -> QTable:
        options = self.problem.transitions.options
        assert options is not None
        values, chosen = (*self.values[q], Fraction(0)), self.models[self.first_model[q]].tolist()
        row = [
            choices[o].backup(values, self.problem.gamma)
            for choices, o in zip(options, chosen, strict=True)
        ]
        k = self.actions
        return tuple(tuple(row[s * k : (s + 1) * k]) for s in range(self.states))


def solve_laws(problem: MDPClass, progress: Progress = silent) -> LawClass:
    """All optimal values of all models of a class with options, gamma < 1."""
    transitions = problem.transitions
    assert transitions.options is not None
    evaluations = _Evaluations(transitions.options, problem.states, problem.gamma)
    batches, found, done = [], [], 0
    for batch in transitions.batches(BATCH):
        batches.append(batch)
        found.append(_optimal_evaluations(batch, evaluations))
        done += len(batch)
        progress(done / transitions.size)
    models, evaluation = np.concatenate(batches), np.concatenate(found)
    values = evaluations.values(evaluation)
    # Different policies may be worth the same: their ranks are then equal too, and the first stands for all.
    number_of: dict[tuple[Fraction, ...], int] = {}
    same = np.zeros(evaluations.count, dtype=np.int64)
    for number, value in values.items():
        same[number] = number_of.setdefault(value, number)
    evaluation = same[evaluation]
    ranks = np.empty((len(models), transitions.pairs + 1), dtype=np.int64)
    for start in range(0, len(models), BATCH):
        part = slice(start, start + BATCH)
        ranks[part, :-1] = evaluations.ranks_of(evaluation[part], models[part])
    ranks[:, -1] = evaluation
    numbers, first = row_numbers(ranks)
    return LawClass(
        problem=problem,
        models=models,
        q_of_model=numbers,
        first_model=first,
        q_ranks=evaluations.ranks[evaluation[first]],
        values=[values[int(number)] for number in evaluation[first]],
    )


def _optimal_evaluations(models: Models, evaluations: _Evaluations) -> Int64[np.ndarray, " model"]:
    """The evaluation of an optimal policy of each model, by policy iteration."""
    count, pairs = models.shape
    n, k = evaluations.states, pairs // evaluations.states
    optimal = np.zeros(count, dtype=np.int64)
    policy = np.zeros((count, n), dtype=np.int64)
    active = np.arange(count)
    while len(active):
        rows = models[active]
        used = np.arange(n) * k + policy[active]
        options = evaluations.start[used] + np.take_along_axis(rows, used, axis=1)
        number = evaluations.numbers(options)
        q = evaluations.ranks_of(number, rows).reshape(-1, n, k)
        current = np.take_along_axis(q, policy[active][:, :, None], axis=2)[:, :, 0]
        better = current < q.max(axis=2)
        policy[active] = np.where(better, q.argmax(axis=2), policy[active])
        optimal[active] = number
        active = active[better.any(axis=1)]
    return optimal


class _Evaluations:
    """Policies evaluated so far, each known by the options that it uses, one for each state.

    Args:
        options: of each pair.
        states: n.
        gamma: below 1.
    """

    def __init__(self, options: PairOptions, states: int, gamma: Fraction) -> None:
        self.states = states
        self.pairs, self.most = len(options), max(map(len, options))
        every = [choice for choices in options for choice in choices]
        self.pair_of = np.repeat(np.arange(self.pairs), [len(choices) for choices in options])
        self.option_of = np.concatenate([np.arange(len(choices)) for choices in options])
        self.start = np.cumsum([0, *(len(choices) for choices in options)])[:-1]
        denominators = [(gamma * p).denominator for choice in every for _, p in choice.law]
        self.L = lcm(*denominators, *(choice.reward.denominator for choice in every))
        self.R = np.array([int(choice.reward * self.L) for choice in every], dtype=object)
        self.W = np.zeros((len(every), states + 1), dtype=object)
        for row, choice in zip(self.W, every, strict=True):
            for x, p in choice.law:
                row[x] = int(gamma * p * self.L)
        self.W = self.W[:, :states]  # the end is worth 0
        self.known: dict[bytes, int] = {}
        self.rows: list[np.ndarray] = []
        self._ranks = np.empty((0, self.pairs, self.most), dtype=np.int32)
        self.count = 0

    @property
    def ranks(self) -> Int32[np.ndarray, "evaluation pair option"]:
        """The rank of each option's backup among those of its state; -1 where there is no such option."""
        return self._ranks[: self.count]

    def ranks_of(
        self, number: Int64[np.ndarray, " model"], models: Models
    ) -> Int32[np.ndarray, "model pair"]:
        """The ranks of the options that models choose, each under an evaluation."""
        ranks: Int32[np.ndarray, "model pair"] = self.ranks[
            number[:, None], np.arange(self.pairs), models
        ]
        return ranks

    def numbers(self, options: Int64[np.ndarray, "model state"]) -> Int64[np.ndarray, " model"]:
        """The evaluations of policies by the options that they use; what is new is evaluated."""
        group, first = row_numbers(options)
        distinct = options[first]
        keys = [row.tobytes() for row in distinct]
        new = [i for i, key in enumerate(keys) if key not in self.known]
        for start in range(0, len(new), PART):
            part = new[start : start + PART]
            self._evaluate(distinct[part])
            for i in part:
                self.known[keys[i]] = len(self.known)
        found: Int64[np.ndarray, " model"] = np.array([self.known[key] for key in keys])[group]
        return found

    def values(self, wanted: Int64[np.ndarray, " model"]) -> dict[int, tuple[Fraction, ...]]:
        """V of some evaluations, by number."""
        rows = np.concatenate(self.rows)
        return {
            int(number): tuple(Fraction(int(x), int(rows[number, -1])) for x in rows[number, :-1])
            for number in np.unique(wanted)
        }

    def _evaluate(self, options: Int64[np.ndarray, "policy state"]) -> None:
        N, D = self._solve(options)
        backups = D[:, None] * self.R + N @ self.W.T
        if self.count + len(options) > len(self._ranks):
            room = max(2 * len(self._ranks), self.count + len(options)) - self.count
            more = np.full((room, self.pairs, self.most), -1, dtype=np.int32)
            self._ranks = np.concatenate([self.ranks, more])
        ranks = self._ranks[self.count : self.count + len(options)]
        for columns in self._columns():
            ranks[:, self.pair_of[columns], self.option_of[columns]] = _dense_ranks(
                backups[:, columns]
            )
        self.rows.append(np.column_stack([N, D]))
        self.count += len(options)

    def _columns(self) -> Iterator[Int64[np.ndarray, " option"]]:
        """The options of each state, as numbers over all pairs."""
        actions = self.pairs // self.states
        for s in range(self.states):
            yield np.flatnonzero(self.pair_of // actions == s)

    def _solve(self, options: Int64[np.ndarray, "policy state"]) -> tuple[Integers, Integers]:
        """N [policy, state] and D [policy] with V = N / D in lowest terms, by elimination without fractions."""
        n = self.states
        A = np.empty((len(options), n, n + 1), dtype=object)
        A[:, :, :n] = -self.W[options]
        A[:, :, n] = self.R[options]
        A[:, np.arange(n), np.arange(n)] += self.L
        before = np.ones((len(options), 1, 1), dtype=object)
        for c in range(n):
            pivot = A[:, c : c + 1, c : c + 1].copy()
            row, column = A[:, c : c + 1, :].copy(), A[:, :, c : c + 1].copy()
            A = (pivot * A - column * row) // before  # exact, by Sylvester's identity
            A[:, c : c + 1, :] = row
            before = pivot
        D, N = before[:, 0, 0], A[:, :, n]
        for numerators, i in zip(N, range(len(D)), strict=True):
            common = gcd(D[i], *numerators)
            numerators //= common
            D[i] //= common
        return N, D


def _dense_ranks(numbers: Integers) -> Int32[np.ndarray, "row column"]:
    """The rank of each entry in its row, equal entries having the same."""
    order = np.argsort(numbers, axis=1, kind="stable")
    ordered = np.take_along_axis(numbers, order, axis=1)
    steps = np.zeros(numbers.shape, dtype=np.int32)
    steps[:, 1:] = np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1)
    ranks = np.empty_like(steps)
    np.put_along_axis(ranks, order, steps, axis=1)
    return ranks
