"""Every model of a deterministic class solved exactly: optimal values as ranks, and the partition of M into fibers.

For a model T with optimal values V, q(s, a) = r(s, a) + gamma * V(T(s, a)) with the same r and gamma for all of M. So
two models have the same q* exactly if V(T(s, a)) is equal at every pair; and a transition (s, a, s') is
Bellman-consistent with q exactly if V(s') = V(T(s, a)). Both are comparisons of ranks.
"""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numba
import numpy as np
from jaxtyping import Bool, Int32, Int64, Integer, Shaped, UInt

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import Models
from theory.compiled import compile_once, kernel
from theory.progress import Progress, silent
from theory.solving.lasso_table import LassoTable, Scale, lasso_table, scale_of, table_seconds
from theory.solving.solved_class import SolvedClass
from theory.solving.value_algebra import ValueAlgebra, seconds_per_model

MAX_BYTES = 1_500_000_000
MAX_SECONDS = 3600
LOOK_UP_SECONDS = 5e-9
BATCH = 1 << 18


class ClassTooLargeError(ValueError):
    """The class has more models than can be enumerated in memory."""


@dataclass(frozen=True, kw_only=True)
class DeterministicClass(SolvedClass):
    """A solved class whose options are successors.

    Attributes:
        ranks: [model, vertex], the rank among `levels` of V at each state and at t.
        levels: the values that ranks stand for, in increasing order, times `scale.factor`.
        scale: what the integers in `levels` mean.
    """

    ranks: Int32[np.ndarray, "model vertex"]
    levels: Shaped[np.ndarray, " level"]
    scale: Scale

    @cached_property
    def value_vectors(self) -> int:
        return len(row_numbers(self.ranks[self.first_model, :-1])[1])

    @cached_property
    def backup_ranks(self) -> Int32[np.ndarray, "q pair"]:
        """The rank of V(T(s, a)) under each q: with the rewards and gamma it determines q."""
        return successor_ranks(self.models[self.first_model], self.ranks[self.first_model])

    @cached_property
    def consistent(self) -> Bool[np.ndarray, "q pair vertex"]:
        values = self.ranks[self.first_model]
        equal: Bool[np.ndarray, "q pair vertex"] = (
            self.backup_ranks[:, :, None] == values[:, None, :]
        )
        return equal

    @cached_property
    def greedy(self) -> Bool[np.ndarray, "q state action"]:
        backups = self.levels // self.scale.q * self.scale.p
        rewards = np.array(self.scale.rewards, dtype=self.levels.dtype)
        q = rewards + backups[self.backup_ranks].reshape(-1, self.states, self.actions)
        best: Bool[np.ndarray, "q state action"] = q == q.max(axis=2, keepdims=True)
        return best

    def value(self, rank: int) -> Fraction:
        """The exact value that a rank stands for."""
        return Fraction(int(self.levels[rank]), self.scale.factor)

    def q_table(self, q: int) -> QTable:
        backups = self.backup_ranks[q].reshape(self.states, self.actions).tolist()
        return tuple(
            tuple(
                reward + self.problem.gamma * self.value(rank)
                for reward, rank in zip(rewards, ranks, strict=True)
            )
            for rewards, ranks in zip(self.problem.rewards, backups, strict=True)
        )


def enumeration_bytes(problem: MDPClass) -> int:
    """About how much memory `solve` needs: models, ranks, and the keys that tell the q apart."""
    n, pairs, options = problem.states, problem.transitions.pairs, problem.transitions.options
    if options is not None:  # ranks of every option where each model has a q of its own
        return problem.transitions.size * pairs * (9 + 5 * max(map(len, options)))
    return problem.transitions.size * (pairs + 4 * (n + 1) + 4 * pairs + 40)


def beyond_enumeration(problem: MDPClass) -> bool:
    """Whether solving all models would pass MAX_BYTES, or about MAX_SECONDS; with options there is no other way."""
    if problem.transitions.options is not None:
        return False
    if enumeration_bytes(problem) > MAX_BYTES:
        return True
    one_by_one = problem.transitions.size * seconds_per_model(problem.states, problem.actions)
    return min(one_by_one, seconds_by_table(problem)) > MAX_SECONDS


def require_enumerable(problem: MDPClass) -> None:
    """Refuse a class whose models do not fit into memory.

    Raises:
        ClassTooLargeError: past MAX_BYTES.
    """
    needed = enumeration_bytes(problem)
    if needed > MAX_BYTES:
        size = Decimal(problem.transitions.size)  # a float ends at 1e308
        counted = (
            problem.transitions.options is None
            and table_seconds(problem.rewards, problem.gamma) < math.inf
            and problem.transitions.is_tabular
        )
        raise ClassTooLargeError(
            f"the class has {size:.12g} models, about {Decimal(needed) / 10**9:.3g} GB and {size / 10**6:.3g} s"
            f" to enumerate; accepted: at most {MAX_BYTES / 1e9:.2g} GB"
            f"{'; the census can count it' if counted and problem.gamma < 1 else ''}"
        )


def solve(problem: MDPClass, progress: Progress = silent) -> DeterministicClass:
    """All optimal values of all models of a class, by the table of all policies' values or model by model.

    The table costs the same however few the models are, policy iteration nothing but them; the cheaper one is taken.
    At gamma = 1 values are over terminating paths, and models in which some value is infinite are dropped.

    Raises:
        ClassTooLargeError: if the class cannot be enumerated in memory.
        TableTooLargeError: at gamma = 1, if the table cannot be made.
        ValueError: at gamma = 1, if no model has a finite q*.
    """
    transitions = problem.transitions
    require_enumerable(problem)
    by_policy_iteration = transitions.size * seconds_per_model(problem.states, problem.actions)
    if problem.gamma < 1 and by_policy_iteration < seconds_by_table(problem):
        return _solve_by_policy_iteration(problem, progress)
    return solve_by_table(problem, lasso_table(problem.rewards, problem.gamma), progress)


def seconds_by_table(problem: MDPClass) -> float:
    """About how long all models take by the table of all policies' values; infinity if it is not accepted."""
    table = table_seconds(problem.rewards, problem.gamma)
    if table == math.inf or problem.transitions.state_assignments() is not None:
        return table
    policies: int = problem.actions**problem.states
    return table + LOOK_UP_SECONDS * problem.transitions.size * problem.states * policies


def solve_by_table(
    problem: MDPClass, table: LassoTable, progress: Progress = silent
) -> DeterministicClass:
    """`solve`, with the values of all policies looked up in a table made before."""
    transitions = problem.transitions
    if (assignments := transitions.state_assignments()) is not None:
        models = transitions.models(0, transitions.size)
        ranks = optimal_ranks_of_product(assignments, table)
        progress(1.0)
    else:
        batches, looked_up, start = [], [], 0
        for batch in transitions.batches(BATCH):
            batches.append(batch)
            looked_up.append(optimal_ranks(batch, table, problem.actions))
            start += len(batch)
            progress(start / transitions.size)
        models, ranks = np.concatenate(batches), np.concatenate(looked_up)
    return _grouped(problem, models, ranks, table.levels, table.scale)


def optimal_ranks_of_product(
    assignments: list[UInt[np.ndarray, "_choice action"]], table: LassoTable
) -> Int32[np.ndarray, "model vertex"]:
    """The rank of V*(s) in every model of a class whose states are independent.

    State by state, the table's axis of options gives way to an axis of joint assignments, along which the best
    action is taken. Models that agree in the first states share that work: about one maximum for each action,
    model and vertex remains.
    """
    small = np.int16 if len(table.levels) < 2**15 else np.int32
    n = len(assignments)
    options = [(int(choices.max()) + 1) * (n + 1) for choices in table.choice]
    best = np.ascontiguousarray(table.ranks.T, dtype=small).reshape(n + 1, *options)
    for s, successors in enumerate(assignments):
        option = table.choice[s] * (n + 1) + successors.astype(np.int64)
        merged = best.take(option[:, 0], axis=s + 1)
        for a in range(1, option.shape[1]):
            np.maximum(merged, best.take(option[:, a], axis=s + 1), out=merged)
        best = merged
    return np.ascontiguousarray(best.reshape(n + 1, -1).T, dtype=np.int32)


def optimal_ranks(
    models: Models, table: LassoTable, actions: int
) -> Int32[np.ndarray, "model vertex"]:
    """The rank of V*(s) in each of the given models: the best over the policies, which are rows of the table.

    An optimal policy is best in all states at once, so the maximum is taken state by state. The cost is
    k^n * n look-ups a model.
    """
    best_ranks = kernel(_best_ranks, len(models) * len(table.stride) * actions ** len(table.stride))
    return typing.cast(
        "Int32[np.ndarray, 'model vertex']",
        best_ranks(models, table.ranks, table.choice, table.stride, actions),
    )


@compile_once(parallel=True)
@typing.no_type_check
def _best_ranks(models, table, choice, stride, actions):
    states = len(stride)
    best = np.empty((len(models), states + 1), dtype=np.int32)
    chunk = 1 << 12
    for part in numba.prange((len(models) + chunk - 1) // chunk):
        weight = np.empty((states, actions), dtype=np.int64)
        policy = np.empty(states, dtype=np.int64)
        for m in range(part * chunk, min((part + 1) * chunk, len(models))):
            graph = 0
            for s in range(states):
                policy[s] = 0
                for a in range(actions):
                    option = choice[s, a] * (states + 1) + models[m, s * actions + a]
                    weight[s, a] = stride[s] * option
                graph += weight[s, 0]
            best[m] = table[graph]
            s = 0
            while s < states:  # the next policy, state 0 changing fastest
                a = policy[s]
                if a + 1 == actions:
                    policy[s] = 0
                    graph += weight[s, 0] - weight[s, a]
                    s += 1
                    continue
                policy[s] = a + 1
                graph += weight[s, a + 1] - weight[s, a]
                for x in range(states):
                    best[m, x] = max(best[m, x], table[graph, x])
                s = 0
    return best


def _solve_by_policy_iteration(problem: MDPClass, progress: Progress) -> DeterministicClass:
    """One model at a time, without a table."""
    size, n, k = problem.transitions.size, problem.states, problem.actions
    algebra = ValueAlgebra(problem.rewards, problem.gamma)
    models = problem.transitions.models(0, size)
    numbers = np.zeros((size, n + 1), dtype=np.int32)  # the terminal state has number 0
    for index, model in enumerate(models):
        numbers[index, :-1] = algebra.optimal(model.reshape(n, k).tolist())
        progress((index + 1) / size)
    used = np.unique(numbers).tolist()
    in_order = sorted(used, key=algebra.values.__getitem__)
    rank = np.zeros(len(algebra.values), dtype=np.int32)
    rank[in_order] = np.arange(len(in_order))
    values = [algebra.values[number] for number in in_order]
    s = scale_of(values, problem.rewards, problem.gamma)
    levels = np.array([int(value * s.factor) for value in values], dtype=object)
    return _grouped(problem, models, rank[numbers], levels, s)


def _grouped(
    problem: MDPClass,
    models: Models,
    ranks: Int32[np.ndarray, "model vertex"],
    levels: Shaped[np.ndarray, " level"],
    s: Scale,
) -> DeterministicClass:
    dropped = 0
    if s.undiscounted:
        finite = (np.abs(levels[ranks]) != s.infinity).all(axis=1)
        dropped = int(len(models) - finite.sum())
        models, ranks = models[finite], ranks[finite]
        if not len(models):
            raise ValueError("no model of the class has a finite q* at gamma = 1")
    numbers, first = row_numbers(successor_ranks(models, ranks))
    return DeterministicClass(
        problem=problem,
        models=models,
        q_of_model=numbers,
        first_model=first,
        dropped=dropped,
        ranks=ranks,
        levels=levels,
        scale=s,
    )


def successor_ranks(
    models: Models, ranks: Int32[np.ndarray, "model vertex"]
) -> Int32[np.ndarray, "model pair"]:
    """The rank of V(T(s, a)) at every pair of every model."""
    looked_up: Int32[np.ndarray, "model pair"] = np.take_along_axis(
        ranks, models.astype(np.intp), axis=1
    )
    return looked_up


def row_numbers(
    rows: Integer[np.ndarray, "row column"],
) -> tuple[Int64[np.ndarray, " row"], Int64[np.ndarray, " distinct"]]:
    """Equal rows get equal numbers, counted from 0 in the order of first appearance; and where each appears first.

    Columns are packed into one 64-bit key; where the next one does not fit, the key is first renumbered densely.
    """
    key, size = np.zeros(len(rows), dtype=np.int64), 1
    for column in rows.T:
        base = int(column.max()) + 1
        if size * base >= 2**63:
            distinct, key = np.unique(key, return_inverse=True)
            size = len(distinct)
        key, size = key * base + column, size * base
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse], np.sort(first)
