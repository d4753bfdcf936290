"""H_M and H_B of one dataset, or of one piece of evidence, reported as exact q tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Int64

from theory.classes.mdp_class import MDPClass, QTable
from theory.classes.transition_class import (
    Trajectory,
    Transition,
    checked_trajectory,
    transitions_of,
)
from theory.criteria.evidence import named_pairs
from theory.criteria.policies import PoliciesLeft, policies_left
from theory.criteria.theorem import require_unique_solution
from theory.criteria.tolerance import ToleranceStep, tolerance_steps
from theory.criteria.value_equivalence import (
    ValueFunction,
    equivalent_steps,
    value_equivalent,
)
from theory.criteria.version_spaces import Evidence, EvidenceSpace, evidence_space, version_space
from theory.progress import Progress, silent
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass


@dataclass(frozen=True)
class Policies:
    """What each criterion leaves to choose."""

    HM: PoliciesLeft
    HB: PoliciesLeft


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """H_M and H_B of some data, as lists of exact q tables.

    Attributes:
        name: the class.
        functional: whether the data are exact: no pair has two successors, or more than one allowed option if any is
            ruled out.
        realizable: whether some model agrees with them.
        models_consistent: how many do.
        HM: H_M.
        HB: H_B.
        part1: whether H_M is a subset of H_B.
        part2: whether the data are realizable and H_M a proper subset; `strict` says the same.
        strict: see `part2`.
        equal: whether the two are equal.
        policies: the policies that H_M and H_B leave, where asked for.
        tolerance: |H_B^eps| as a step function of eps, where asked for.
    """

    name: str
    functional: bool
    realizable: bool
    models_consistent: int
    HM: tuple[QTable, ...]
    HB: tuple[QTable, ...]
    part1: bool
    part2: bool
    strict: bool
    equal: bool
    policies: Policies | None = None
    tolerance: tuple[ToleranceStep, ...] = ()


@dataclass(frozen=True)
class EquivalenceRow:
    """What value-equivalent models leave, K steps ahead; see `theory.criteria.value_equivalence`.

    Attributes:
        steps: K.
        models: how many models are value-equivalent under their own V*.
        own: |H_VE^K(D)| under their own V*.
        own_and_functions: under their own V* and every function of F; None without F.
        functions: under every function of F alone; None without F.
    """

    steps: int
    models: int
    own: int
    own_and_functions: int | None
    functions: int | None


@dataclass(frozen=True, kw_only=True)
class DatasetReport(DataReport):
    """Of one dataset D.

    Attributes:
        dataset: the transitions, sorted, without repetition.
        value_equivalence: a row for each K that was asked for.
    """

    dataset: tuple[Transition, ...]
    value_equivalence: tuple[EquivalenceRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EvidenceReport(DataReport):
    """Of one piece of evidence E.

    Attributes:
        evidence: (s, a, the options that are allowed), for the pairs that do not allow all.
    """

    evidence: tuple[tuple[int, int, tuple[int, ...]], ...]


def check_dataset(
    problem: MDPClass,
    dataset: Iterable[Sequence[int]],
    *,
    allow_zero_sum: bool = False,
    steps: int = 0,
    functions: Sequence[ValueFunction] = (),
    policies: bool = False,
    tolerance: bool = False,
    progress: Progress = silent,
) -> DatasetReport:
    """H_M(D) and H_B(D) for one dataset of any kind; it is said whether D is functional and realizable.

    Args:
        problem: the class.
        dataset: transitions (s, a, s'), or trajectories (s, a, s', a', s'', ...).
        allow_zero_sum: go on at gamma = 1 even if the Bellman equation may have several solutions.
        steps: how far ahead value-equivalent models are asked for, along the trajectories; 0 for not at all.
        functions: the set F of value functions for them; see `theory.criteria.value_equivalence`.
        policies: ask for the policies that are left, and their worst regret; see `theory.criteria.policies`.
        tolerance: ask for |H_B^eps(D)| by eps; see `theory.criteria.tolerance`.
        progress: told the fraction done.

    Raises:
        ValueError: if the dataset names what does not exist, or the class is refused.
        TooManyPoliciesError: if the policies would take too long to play.
    """
    problem.require_successors("a dataset of transitions")
    if not allow_zero_sum:
        require_unique_solution(problem)
    trajectories = [checked_trajectory(row, problem.states, problem.actions) for row in dataset]
    solved = solve(problem, lambda fraction: progress(fraction / 2))
    space = version_space(solved, chain.from_iterable(map(transitions_of, trajectories)))
    k = problem.actions
    required = [(s * k + a, (successor,)) for s, a, successor in space.dataset]
    left = _left(
        solved,
        space,
        required,
        functional=space.functional,
        policies=policies,
        tolerance=tolerance,
        progress=progress,
    )
    return DatasetReport(
        **vars(left),
        dataset=space.dataset,
        value_equivalence=_equivalence_rows(solved, trajectories, steps, functions),
    )


def check_evidence(
    problem: MDPClass,
    evidence: Evidence,
    *,
    allow_zero_sum: bool = False,
    policies: bool = False,
    tolerance: bool = False,
    progress: Progress = silent,
) -> EvidenceReport:
    """H_M(E) and H_B(E) for evidence as `checked_evidence` or `evidence_of_samples` make it.

    Args:
        problem: the class.
        evidence: for each pair the options that are allowed.
        allow_zero_sum: go on at gamma = 1 even if the Bellman equation may have several solutions.
        policies: ask for the policies that are left, and their worst regret; see `theory.criteria.policies`.
        tolerance: ask for |H_B^eps(E)| by eps; see `theory.criteria.tolerance`.
        progress: told the fraction done.

    Raises:
        ValueError: if the class is refused.
        TooManyPoliciesError: if the policies would take too long to play.
    """
    if not allow_zero_sum:
        require_unique_solution(problem)
    solved = solve(problem, lambda fraction: progress(fraction / 2))
    named = named_pairs(problem, evidence)
    left = _left(
        solved,
        evidence_space(solved, evidence),
        [(s * problem.actions + a, allowed) for s, a, allowed in named],
        functional=all(len(allowed) == 1 for _, _, allowed in named),
        policies=policies,
        tolerance=tolerance,
        progress=progress,
    )
    return EvidenceReport(**vars(left), evidence=named)


def _left(
    solved: SolvedClass,
    space: EvidenceSpace,
    required: Sequence[tuple[int, tuple[int, ...]]],
    *,
    functional: bool,
    policies: bool,
    tolerance: bool,
    progress: Progress,
) -> DataReport:
    played, steps = None, tuple[ToleranceStep, ...]()
    if policies:
        played = Policies(*policies_left(solved, space, lambda done: progress(0.5 + done / 4)))
    if tolerance:
        steps = tolerance_steps(solved, space.HM, required, lambda done: progress(0.75 + done / 4))
    progress(1.0)
    return DataReport(
        name=solved.problem.name,
        functional=functional,
        realizable=space.realizable,
        models_consistent=space.models_consistent,
        HM=tuple(solved.q_table(int(q)) for q in np.flatnonzero(space.HM)),
        HB=tuple(solved.q_table(int(q)) for q in np.flatnonzero(space.HB)),
        part1=space.included,
        part2=space.strict,
        strict=space.strict,
        equal=bool((space.HM == space.HB).all()),
        policies=played,
        tolerance=steps,
    )


def _equivalence_rows(
    solved: SolvedClass,
    trajectories: Sequence[Trajectory],
    steps: int,
    functions: Sequence[ValueFunction],
) -> tuple[EquivalenceRow, ...]:
    own = equivalent_steps(solved, trajectories, steps)
    both, alone = (
        equivalent_steps(solved, trajectories, steps, own_values=by_own, functions=functions)
        if functions
        else None
        for by_own in (True, False)
    )

    def left(horizon: Int64[np.ndarray, " model"] | None, K: int) -> int | None:
        return None if horizon is None else int(value_equivalent(solved, horizon, K).sum())

    return tuple(
        EquivalenceRow(
            steps=K,
            models=int((own >= K).sum()),
            own=int(value_equivalent(solved, own, K).sum()),
            own_and_functions=left(both, K),
            functions=left(alone, K),
        )
        for K in range(1, steps + 1)
    )
