"""What a dataset leaves open: H_M(D) and H_B(D) of Theorem 1, for one dataset and for all functional ones at once.

Evidence E is the general case: at every pair it allows some of the options. H_M(E) holds the q* of the models whose
options are all allowed, H_B(E) the q in H_Q for which every pair has an allowed option that satisfies the equation. A
functional dataset is evidence that allows one option at the observed pairs, and all elsewhere:

- H_B(D): the optimal q in H_Q that satisfy the Bellman optimality equation at every transition of D.
- H_M(D): the optimal q of the models in M that agree with every transition of D.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

import numpy as np
from jaxtyping import Bool, Int32

from theory.classes.transition_class import Transition, checked_transition
from theory.compiled import compile_once, kernel
from theory.progress import Progress, silent
from theory.solving.solved_class import SolvedClass

Evidence = tuple[tuple[int, ...], ...]
"""For each pair the options that are allowed."""

MAX_DATASETS = 30_000_000
MAX_STEPS = 20_000_000_000


class SweepTooLargeError(ValueError):
    """There are too many functional datasets to go through all of them."""


@dataclass(frozen=True, kw_only=True)
class EvidenceSpace:
    """What is left of H_Q after evidence E.

    Attributes:
        HM: [q], membership in H_M(E).
        HB: [q], membership in H_B(E).
        agrees: [model], whether a model agrees with E.
    """

    HM: Bool[np.ndarray, " q"]
    HB: Bool[np.ndarray, " q"]
    agrees: Bool[np.ndarray, " model"]

    @property
    def models_consistent(self) -> int:
        """How many models of M agree with the data."""
        return int(self.agrees.sum())

    @property
    def realizable(self) -> bool:
        """Whether some model of M agrees with the data."""
        return self.models_consistent > 0

    @property
    def included(self) -> bool:
        """Part 1: whether H_M is a subset of H_B."""
        return bool((self.HM <= self.HB).all())

    @property
    def strict(self) -> bool:
        """Part 2: whether the data are realizable and H_M is a proper subset of H_B."""
        return self.realizable and self.included and bool((self.HM != self.HB).any())


@dataclass(frozen=True, kw_only=True)
class VersionSpace(EvidenceSpace):
    """What is left of H_Q after a dataset D, which need not be functional.

    Attributes:
        dataset: the transitions, sorted, without repetition.
        functional: whether each pair occurs with at most one successor.
    """

    dataset: tuple[Transition, ...]
    functional: bool


def evidence_space(solved: SolvedClass, evidence: Evidence) -> EvidenceSpace:
    """H_M(E) and H_B(E): some model of the fiber is allowed; at every pair some allowed option is consistent.

    Args:
        solved: the class.
        evidence: for each pair the options that are allowed, one or more.
    """
    allowed = np.zeros((solved.pairs, solved.options), dtype=bool)
    for pair, options in enumerate(evidence):
        allowed[pair, list(options)] = True
    agrees = np.ones(len(solved.models), dtype=bool)
    HB = np.ones(solved.value_functions, dtype=bool)
    for pair in range(solved.pairs):
        if not allowed[pair].all():
            agrees &= allowed[pair, solved.models[:, pair]]
            HB &= solved.consistent[:, pair, allowed[pair]].any(axis=1)
    return EvidenceSpace(HM=solved.q_of_models(agrees), HB=HB, agrees=agrees)


def version_space(solved: SolvedClass, dataset: Iterable[Sequence[int]]) -> VersionSpace:
    """H_M(D) and H_B(D) for any D, functional or not, realizable or not.

    Raises:
        ValueError: if a transition names a state or action that does not exist.
    """
    n, k = solved.states, solved.actions
    transitions = sorted({checked_transition(t, n, k, solved.options) for t in dataset})
    agrees = np.ones(len(solved.models), dtype=bool)
    HB = np.ones(solved.value_functions, dtype=bool)
    for s, a, option in transitions:
        pair = s * k + a
        agrees &= solved.models[:, pair] == option
        HB &= solved.consistent[:, pair, option]
    return VersionSpace(
        dataset=tuple(transitions),
        HM=solved.q_of_models(agrees),
        HB=HB,
        agrees=agrees,
        functional=len({(s, a) for s, a, _ in transitions}) == len(transitions),
    )


@dataclass(frozen=True)
class DatasetSweep:
    """|H_M(D)| and |H_B(D)| for every functional D.

    A dataset's index has one digit for each pair, the first pair's the most significant: an option, or their number
    where the pair is not observed. Where options are successors, each digit has base n + 2.

    Attributes:
        HM: [dataset], |H_M(D)|; 0 exactly if D is not realizable.
        HB: [dataset], |H_B(D)|.
        outside: how many (q, D) have q in H_M(D) but not in H_B(D); part 1 says 0.
    """

    HM: Int32[np.ndarray, " dataset"]
    HB: Int32[np.ndarray, " dataset"]
    outside: int


def functional_datasets(solved: SolvedClass) -> int:
    """Each pair is unobserved, or has one of its options: (n + 2)^(n k) where these are successors."""
    return prod(count + 1 for count in solved.option_counts)


def sweep_steps(solved: SolvedClass) -> int:
    """How many (q, D) and (T, D) the sweep visits: its cost."""
    by_model = len(solved.models) * 2**solved.pairs
    options = solved.consistent.sum(axis=2) + 1
    return int(by_model + options.astype(float).prod(axis=1).sum())


def require_few_datasets(option_counts: Iterable[int]) -> int:
    """The number of functional datasets, if all of them can be gone through.

    Args:
        option_counts: how many options each pair has.

    Raises:
        SweepTooLargeError: past MAX_DATASETS.
    """
    datasets = prod(count + 1 for count in option_counts)
    if datasets > MAX_DATASETS:
        raise SweepTooLargeError(
            f"the class has {Decimal(datasets):.3g} functional datasets, about"
            f" {Decimal(datasets) * 20 / 10**9:.3g} GB to go through; accepted: at most {MAX_DATASETS:.3g}"
        )
    return datasets


def require_few_steps(solved: SolvedClass) -> int:
    """The cost of going through all functional datasets, if it is accepted.

    Raises:
        SweepTooLargeError: past MAX_STEPS.
    """
    steps = sweep_steps(solved)
    if steps > MAX_STEPS:
        raise SweepTooLargeError(
            f"the class has {Decimal(functional_datasets(solved)):.3g} functional datasets, {steps:.3g} steps"
            f" to go through; accepted: at most {MAX_STEPS:.3g}"
        )
    return steps


def sweep_datasets(solved: SolvedClass, progress: Progress = silent) -> DatasetSweep:
    """H_M and H_B for every functional dataset, realizable or not.

    Fiber by fiber: the datasets with q in H_B(D) are those made of consistent transitions; those with q in
    H_M(D) are the sub-datasets of the members of F(q). Each is marked with q when first met, so nothing is
    counted twice and no set is ever stored. The cost is |M| * 2^(n k) plus the sum over q of the product over
    pairs of (|B_q(s, a)| + 1).

    Raises:
        SweepTooLargeError: past MAX_DATASETS datasets or MAX_STEPS steps.
    """
    datasets = require_few_datasets(solved.option_counts)
    bases = np.array(solved.option_counts, dtype=np.int64) + 1
    steps = require_few_steps(solved)
    HM, HB = np.zeros(datasets, dtype=np.int32), np.zeros(datasets, dtype=np.int32)
    mark_M, mark_B = np.full(datasets, -1, dtype=np.int32), np.full(datasets, -1, dtype=np.int32)
    codes = np.empty(datasets, dtype=np.int32)
    fibers, outside, sweep = solved.value_functions, 0, kernel(_sweep, steps)
    members = solved.models[solved.fiber_order]
    part = max(1, fibers // 50)
    for start in range(0, fibers, part):
        stop = min(start + part, fibers)
        outside += sweep(
            *(start, stop, members, solved.fiber_start, solved.consistent),
            *(bases, HM, HB, mark_M, mark_B, codes),
        )
        progress(stop / fibers)
    return DatasetSweep(HM, HB, outside)


@compile_once()
@typing.no_type_check
def _sweep(start, stop, members, fiber_start, consistent, bases, HM, HB, mark_M, mark_B, codes):
    pairs = members.shape[1]
    weight = np.empty(pairs, dtype=np.int32)
    unobserved = np.int32(0)
    place = 1
    for p in range(pairs - 1, -1, -1):
        weight[p] = place
        unobserved += place * (bases[p] - 1)
        place *= bases[p]
    outside = 0
    for q in range(start, stop):
        codes[0] = unobserved
        count = 1
        for p in range(pairs):
            grown = count
            for option in range(bases[p] - 1):
                if consistent[q, p, option]:
                    shift = weight[p] * (option - (bases[p] - 1))
                    for i in range(count):
                        codes[grown] = codes[i] + shift
                        grown += 1
            count = grown
        for i in range(count):
            mark_B[codes[i]] = q
            HB[codes[i]] += 1
        for m in range(fiber_start[q], fiber_start[q + 1]):
            count = 1
            for p in range(pairs):
                shift = weight[p] * (np.int64(members[m, p]) - (bases[p] - 1))
                for i in range(count):
                    codes[count + i] = codes[i] + shift
                count *= 2
            for i in range(count):
                code = codes[i]
                if mark_M[code] != q:
                    mark_M[code] = q
                    HM[code] += 1
                    if mark_B[code] != q:
                        outside += 1
    return outside
