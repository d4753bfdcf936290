"""Over all truths: how much data settle behaviour, whichever model of the class is the true one.

`identifiability` follows one true model. Here every model is the truth in turn, and what its data leave is given as the
mean over all truths and for the worst of them. Data come in three ways:

- *subsets*: a uniformly random set of pairs is observed, by its size;
- *trajectories*: uniformly random actions from a start state, by their number; an episode that ends begins anew there.
  The law of what a walk has seen is gone through as long as it has few outcomes, and walks are drawn from there on;
- *queries*: each pair is chosen in view of all answers so far, until an optimal policy is settled. The best query tree
  has the least depth for the worst truth, or the least mean depth over all truths.

What is observed at a pair is the truth's option there: in a deterministic class a successor, elsewhere a law and a
reward, as if the pair had been tried often enough. Where the walk goes on from there is chance. (`samples` is about
single draws.)

An optimal policy is settled if in every state some action is optimal under all q that are left. All pairs together
settle one under either criterion, since only the true q solves the Bellman equation everywhere.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, lcm
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64, UInt

from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import checked_index
from theory.criteria.sampled_outcomes import drawn_walk
from theory.criteria.theorem import require_unique_solution
from theory.progress import Progress, silent
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

MAX_EVALUATED = 1 << 22  # truths times sets of pairs, for all of them to be gone through
MAX_TRUTHS = 5_000  # that are walked through one by one
MAX_WALKED = (
    1 << 18
)  # truths times outcomes of a walk, after one step more, for its law to be gone through
MOST_STEPS = 10_000  # of a trajectory
MAX_NODES = 300_000  # datasets in the query trees


@dataclass(frozen=True)
class Left:
    """What one criterion leaves of the truths' data.

    Attributes:
        mean: the mean number of q left.
        worst: of the truth whose mean is largest; None where truths, and sets or walks, were sampled.
        settled: how often an optimal policy is settled.
        least_settled: of the truth for which it is settled least often; None likewise.
    """

    mean: float
    worst: float | None
    settled: float
    least_settled: float | None


@dataclass(frozen=True)
class TruthsRow:
    """One amount of data.

    Attributes:
        amount: the number of observed pairs, or of steps.
        model: under H_M.
        bellman: under H_B.
    """

    amount: int
    model: Left
    bellman: Left


@dataclass(frozen=True)
class QueryTrees:
    """How many queries settle an optimal policy, each chosen in view of the answers before.

    Attributes:
        worst_model: the least depth for the worst truth, under H_M.
        worst_bellman: under H_B.
        mean_model: the least mean depth over all truths, under H_M.
        mean_bellman: under H_B.
    """

    worst_model: int
    worst_bellman: int
    mean_model: float
    mean_bellman: float


@dataclass(frozen=True)
class AllTruths:
    """A class, with every model of it as the truth.

    Attributes:
        name: the class.
        models: |M|.
        start: where trajectories begin.
        subsets: from no observed pair to all.
        subsets_exact: whether all truths and sets were gone through, or a sample.
        trajectories: from no step on.
        trajectories_exact: up to how many steps all truths and all walks were gone through; -1 for not at all.
        queries: the best query trees; None where there are too many datasets.
        seed: of the sampling, where there was any.
        seconds: wall-clock time.
    """

    name: str
    models: int
    start: int
    subsets: tuple[TruthsRow, ...]
    subsets_exact: bool
    trajectories: tuple[TruthsRow, ...]
    trajectories_exact: int
    queries: QueryTrees | None
    seed: int
    seconds: float


class _Answer(NamedTuple):
    """|H_M| and |H_B|, and whether each settles an optimal policy."""

    HM: int
    HB: int
    settled_HM: bool
    settled_HB: bool


class _Data:
    """What the data of a truth at a set of pairs leave, each dataset once."""

    def __init__(self, solved: SolvedClass) -> None:
        self.solved = solved
        self._known: dict[tuple[tuple[int, ...], bytes], _Answer] = {}

    def left(self, truth: int, pairs: tuple[int, ...]) -> _Answer:
        """For the pairs in increasing order."""
        options = self.solved.models[truth, list(pairs)]
        key = (pairs, options.tobytes())
        if key not in self._known:
            self._known[key] = self._answer(list(pairs), options)
        return self._known[key]

    def _answer(self, pairs: list[int], options: UInt[np.ndarray, " pair"]) -> _Answer:
        solved = self.solved
        HM = solved.q_of_models((solved.models[:, pairs] == options).all(axis=1))
        HB = solved.consistent[:, pairs, options].all(axis=1)
        in_common = (solved.greedy[H].all(axis=0) for H in (HM, HB))
        settled = (bool(np.any(best, axis=1).all()) for best in in_common)
        return _Answer(int(HM.sum()), int(HB.sum()), *settled)


def over_all_truths(
    problem: MDPClass,
    *,
    start: int = 0,
    steps: int | None = None,
    samples: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> AllTruths:
    """Curves and query trees over all true models of a class.

    Args:
        problem: the class.
        start: the state where trajectories begin.
        steps: how long they are followed; twice the number of pairs unless given.
        samples: how many truths, with a set or a walk each, are drawn where they are too many.
        seed: of that sampling.
        progress: told the fraction done.

    Raises:
        ValueError: if the class is too large to enumerate, gamma = 1 is refused, or an argument is out of range.
    """
    begin = time.perf_counter()
    require_unique_solution(problem)
    checked_index(start, problem.states - 1, "start")
    steps = 2 * problem.transitions.pairs if steps is None else steps
    if not 0 <= steps <= MOST_STEPS or samples < 2 or seed < 0:
        raise ValueError(
            f"{steps} steps, {samples} samples, seed {seed}; accepted: 0 to {MOST_STEPS:,}, 2 or more, 0 or more"
        )
    solved = solve(problem, lambda fraction: progress(fraction / 10))
    data, rng = _Data(solved), np.random.default_rng(seed)
    models, pairs = len(solved.models), solved.pairs
    all_sets = models * 2**pairs <= MAX_EVALUATED
    if all_sets:
        subsets = _every_subset(data, lambda done: progress(0.1 + 0.4 * done))
    else:
        subsets = _some_subsets(data, samples, rng, lambda done: progress(0.1 + 0.4 * done))
    walks = []
    if models <= MAX_TRUTHS:
        walks += _every_walk(data, start, steps, lambda done: progress(0.5 + 0.2 * done))
    exact = len(walks) - 1
    if exact < steps:
        drawn = _some_walks(
            data, start, steps, samples, rng, lambda done: progress(0.7 + 0.1 * done)
        )
        walks += drawn[len(walks) :]
    trees = _query_trees(data, lambda done: progress(0.8 + 0.2 * done))
    progress(1.0)
    return AllTruths(
        name=problem.name,
        models=models,
        start=start,
        subsets=subsets,
        subsets_exact=all_sets,
        trajectories=tuple(walks),
        trajectories_exact=exact,
        queries=trees,
        seed=seed,
        seconds=time.perf_counter() - begin,
    )


def _row(amount: int, by_truth: Float[np.ndarray, "truth 4"], *, exact: bool) -> TruthsRow:
    """Means over truths, and the worst, from what is left for each, [truth, (HM, HB, settled HM, settled HB)]."""
    mean, most, least = by_truth.mean(axis=0), by_truth.max(axis=0), by_truth.min(axis=0)
    model, bellman = (
        Left(
            mean=float(mean[criterion]),
            worst=float(most[criterion]) if exact else None,
            settled=float(mean[criterion + 2]),
            least_settled=float(least[criterion + 2]) if exact else None,
        )
        for criterion in (0, 1)
    )
    return TruthsRow(amount, model, bellman)


def _every_subset(data: _Data, progress: Progress) -> tuple[TruthsRow, ...]:
    solved = data.solved
    rows, pairs = [], solved.pairs
    for size in range(pairs + 1):
        total = np.zeros((len(solved.models), 4), dtype=np.int64)
        for chosen in combinations(range(pairs), size):
            _, first, group = np.unique(
                solved.models[:, list(chosen)], axis=0, return_index=True, return_inverse=True
            )
            answers = np.array([data.left(int(T), chosen) for T in first], dtype=np.int64)
            total += answers[group.reshape(-1)]
        rows.append(_row(size, total / comb(pairs, size), exact=True))
        progress((size + 1) / (pairs + 1))
    return tuple(rows)


def _some_subsets(
    data: _Data, samples: int, rng: np.random.Generator, progress: Progress
) -> tuple[TruthsRow, ...]:
    """Independent truths and sets of pairs, together."""
    rows, pairs = [], data.solved.pairs
    for size in range(pairs + 1):
        drawn = [
            data.left(
                int(rng.integers(len(data.solved.models))),
                tuple(sorted(rng.choice(pairs, size, replace=False).tolist())),
            )
            for _ in range(samples)
        ]
        rows.append(_row(size, np.array(drawn, dtype=float), exact=False))
        progress((size + 1) / (pairs + 1))
    return tuple(rows)


def _every_walk(data: _Data, start: int, steps: int, progress: Progress) -> list[TruthsRow]:
    """By the exact law of (where the walk is, which pairs it has seen) of each truth, while it has few outcomes."""
    solved = data.solved
    n, k, models = solved.states, solved.actions, len(solved.models)
    options = solved.problem.pair_options
    whole = lcm(*(p.denominator for choices in options for o in choices for _, p in o.law))
    weights = [  # probabilities as integers, 1 for a successor that is certain
        [[(x, int(p * whole)) for x, p in o.law] for o in choices] for choices in options
    ]
    left = np.zeros((steps + 1, models, 4))
    last = steps  # as far as the laws of all truths so far are known
    for truth in range(models):
        follows = [weights[pair][o] for pair, o in enumerate(solved.models[truth].tolist())]
        law = {(start, 0): 1}  # out of (k * whole)^step ways; the pairs seen as a bitmask
        for step in range(last + 1):
            ways_to_see: Counter[int] = Counter()
            for (_, seen), ways in law.items():
                ways_to_see[seen] += ways
            total = [0, 0, 0, 0]
            for seen, ways in ways_to_see.items():
                pairs = tuple(pair for pair in range(solved.pairs) if seen >> pair & 1)
                answer = data.left(truth, pairs)
                total = [so_far + ways * value for so_far, value in zip(total, answer, strict=True)]
            left[step, truth] = [float(Fraction(value, (k * whole) ** step)) for value in total]
            if step == last:
                break
            following: Counter[tuple[int, int]] = Counter()
            for (s, seen), ways in law.items():
                for pair in range(s * k, s * k + k):
                    for successor, weight in follows[pair]:
                        key = (start if successor == n else successor, seen | 1 << pair)
                        following[key] += ways * weight
            law = following
            if models * len(law) > MAX_WALKED:
                last = step
                break
        progress((truth + 1) / models)
    return [_row(step, left[step], exact=True) for step in range(last + 1)]


def _some_walks(
    data: _Data,
    start: int,
    steps: int,
    samples: int,
    rng: np.random.Generator,
    progress: Progress,
) -> list[TruthsRow]:
    """Independent truths and walks, together; each walk is followed through all steps."""
    solved, options = data.solved, data.solved.problem.pair_options
    left = np.zeros((steps + 1, samples, 4))
    for done in range(samples):
        truth = int(rng.integers(len(solved.models)))
        chosen = [pair[o] for pair, o in zip(options, solved.models[truth].tolist(), strict=True)]
        for step, counts in enumerate(drawn_walk(chosen, steps, solved.states, start, rng)):
            seen = tuple(pair for pair, counted in enumerate(counts) if any(counted))
            left[step, done] = data.left(truth, seen)
        progress((done + 1) / samples)
    return [_row(step, left[step], exact=False) for step in range(steps + 1)]


class _Depths(NamedTuple):
    """Of the best trees below a dataset, under each criterion: the largest depth, and the sum over the truths."""

    worst_HM: int
    worst_HB: int
    sum_HM: int
    sum_HB: int


class _TooManyNodesError(Exception):
    """The query trees have too many datasets."""


def _query_trees(data: _Data, progress: Progress) -> QueryTrees | None:
    solved = data.solved
    known: dict[tuple[tuple[int, ...], bytes], _Depths] = {}

    def depths(pairs: tuple[int, ...], agreeing: Int64[np.ndarray, " truth"]) -> _Depths:
        """The best of asking any further pair, for the truths that agree with what is known."""
        truth = int(agreeing[0])
        key = (pairs, solved.models[truth, list(pairs)].tobytes())
        if key in known:
            return known[key]
        if len(known) >= MAX_NODES:
            raise _TooManyNodesError
        answer = data.left(truth, pairs)
        if answer.settled_HM and answer.settled_HB:
            best = _Depths(0, 0, 0, 0)
        else:
            asked = []
            for pair in sorted(set(range(solved.pairs)).difference(pairs)):
                more = tuple(sorted((*pairs, pair)))
                answers = [depths(more, part) for part in _parts(solved, agreeing, pair)]
                asked.append(_together(answers, len(agreeing)))
            best = _Depths(*map(min, zip(*asked, strict=True)))
            if answer.settled_HM:
                best = best._replace(worst_HM=0, sum_HM=0)
        known[key] = best
        progress(len(known) / MAX_NODES)
        return best

    models = len(solved.models)
    try:
        root = depths((), np.arange(models))
    except _TooManyNodesError:
        return None
    return QueryTrees(root.worst_HM, root.worst_HB, root.sum_HM / models, root.sum_HB / models)


def _together(answers: Sequence[_Depths], truths: int) -> _Depths:
    """One query more, over all its answers."""
    worst_HM, worst_HB, sum_HM, sum_HB = zip(*answers, strict=True)
    return _Depths(1 + max(worst_HM), 1 + max(worst_HB), truths + sum(sum_HM), truths + sum(sum_HB))


def _parts(
    solved: SolvedClass, agreeing: Int64[np.ndarray, " truth"], pair: int
) -> Iterator[Int64[np.ndarray, " truth"]]:
    """The truths by what they do at a pair."""
    options = solved.models[agreeing, pair]
    for option in np.unique(options):
        yield agreeing[options == option]
