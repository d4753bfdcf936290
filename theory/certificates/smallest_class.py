"""The smallest witness of part 2 over all classes: by (|S|, |A|, |M|, |D|) in lexicographic order.

Let M with D be a witness: T0 extends D, T1 has an optimal q1 in H_B(D) but not in H_M(D). Then T1
contradicts some transition of D, and {T0, T1} with that transition alone is a witness too. So the smallest number of
models is 2 and the smallest dataset has one transition, wherever there is a witness at all. If M with D is
decision-relevant in state s, then so is the class of T0 and, for each action that is optimal in s for T0, one model
whose q is in H_B(D) and has another action optimal in its place: k + 1 models at most; and D may be cut to one
transition for each of them that D contradicts. So k + 1 models and k transitions bound the search.

This holds whatever an option stands for: models may be deterministic with known rewards, or choose laws whose
probabilities are multiples of 1/d, or rewards, or both.

With one state and known rewards there is no witness: if V_q(0) is not 0, q(0, a) says how likely it is to stay, and a
T1 with that q extends D itself; if it is 0, then q = r is the optimal q of every model. The search goes through these
classes anyway.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import combinations, product
from math import comb
from operator import and_

import numpy as np
from jaxtyping import Bool

from theory.certificates.evidence_witness import EvidenceWitness, find_evidence_witness
from theory.certificates.hitting_sets import SearchEstimate, Tell, bitmasks, untold
from theory.certificates.witness import Witness, WitnessSearchTooLargeError, witness_of
from theory.classes.mdp_class import MDPClass
from theory.classes.options import Option, OptionClass, option_class
from theory.classes.transition_class import explicit, tabular
from theory.progress import Progress, silent
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

MAX_SOLVED = 50_000_000
MAX_CLASS = 5_000_000
SLOWER = 25  # times as long as a deterministic model takes one with laws


def search_classes(
    max_states: int,
    max_actions: int,
    reward_values: Sequence[Fraction],
    gamma: Fraction,
    *,
    decision_relevant: bool = False,
    denominator: int = 1,
    unknown_rewards: bool = False,
    evidence: bool = False,
    progress: Progress = silent,
    tell: Tell = untold,
) -> tuple[MDPClass, Witness | EvidenceWitness] | None:
    """The smallest witness over all classes, by (|S|, |A|, |M|, |D|) in lexicographic order; None if there is none.

    For each reward table the class of all choices is solved once, and every functional dataset of the size in question
    is asked for the models that make a witness with it.

    Args:
        max_states: the largest |S| to try.
        max_actions: the largest |A| to try.
        reward_values: the values that the rewards may have; all tables of them are tried, in this order.
        gamma: the discount, in (0, 1).
        decision_relevant: ask for a decision-relevant dataset.
        denominator: d, the laws being those whose probabilities are multiples of 1/d; 1 for successors.
        unknown_rewards: let models choose a reward at every pair, in place of one table for all of them.
        evidence: ask for evidence, which allows sets of options, in place of a dataset.
        progress: told the fraction of reward tables done, for each size anew.
        tell: told, for each size anew, how many reward tables are left, and how long they take.

    Raises:
        WitnessSearchTooLargeError: if a size is reached with more than MAX_SOLVED models over all reward tables, or
            MAX_CLASS in one; these are divided by SLOWER where there are options.
        ValueError: if gamma is outside (0, 1), the box or the list of reward values is empty, or evidence is to be
            decision-relevant.
    """
    if not 0 < gamma < 1:
        raise ValueError(f"gamma is {gamma}; accepted: a rational number in (0, 1)")
    if max_states < 1 or max_actions < 1 or not reward_values:
        raise ValueError(
            f"{max_states} states, {max_actions} actions and {len(reward_values)} reward values;"
            " accepted: 1 or more of each"
        )
    if evidence and decision_relevant:
        raise ValueError("evidence is to be decision-relevant; accepted: a proper inclusion")
    if denominator < 1:
        raise ValueError(f"the laws' denominator is {denominator}; accepted: 1 or more")
    reward_values = list(dict.fromkeys(reward_values))
    options = denominator > 1 or unknown_rewards
    most, most_in_one = (limit // (SLOWER if options else 1) for limit in (MAX_SOLVED, MAX_CLASS))
    for n, k in ((n, k) for n in range(1, max_states + 1) for k in range(1, max_actions + 1)):
        tables = 1 if unknown_rewards else len(reward_values) ** (n * k)
        laws = comb(denominator + n, n)
        each = (laws * (len(reward_values) if unknown_rewards else 1)) ** (n * k)
        total = tables * each
        if total > most or each > most_in_one:
            seconds = Decimal(total) / 10**6 * (SLOWER if options else 1)
            raise WitnessSearchTooLargeError(
                f"no smaller class has a witness, and those of {n} states and {k} actions have {tables} reward tables"
                f" and {Decimal(total):.3g} models in all, about {seconds:.3g} s;"
                f" accepted: at most {most:.3g} models, and {most_in_one:.3g} with the same rewards"
            )
        for size in range(2, (k + 1 if decision_relevant else 2) + 1):
            for transitions in range(1, size):
                what = f"classes of {n} states, {k} actions and {size} models, |D| = {transitions}"
                start = time.perf_counter()
                for done, problem in enumerate(
                    _whole_classes(n, k, reward_values, gamma, denominator, unknown_rewards)
                ):
                    progress(done / tables)
                    if done:
                        left = float(tables - done)
                        spent = time.perf_counter() - start
                        tell(SearchEstimate(what, left, spent / done * left))
                    solved = solve(problem)
                    shown = (
                        _with_evidence(solved)
                        if evidence
                        else _subclass(solved, size, transitions, decision_relevant)
                    )
                    if shown is not None:
                        return shown
    return None


def _whole_classes(
    states: int,
    actions: int,
    reward_values: Sequence[Fraction],
    gamma: Fraction,
    denominator: int,
    unknown_rewards: bool,
) -> Iterator[MDPClass]:
    """The class of all choices for each reward table, or the one of all rewards and laws."""
    pairs = states * actions
    if unknown_rewards:
        known = [(reward_values[0],) * pairs]
    else:
        known = list(product(reward_values, repeat=pairs))
    laws = [
        tuple((x, Fraction(weight, denominator)) for x, weight in enumerate(weights) if weight)
        for weights in product(range(denominator + 1), repeat=states + 1)
        if sum(weights) == denominator
    ]
    for entries in known:
        rewards = tuple(entries[s * actions : (s + 1) * actions] for s in range(states))
        if denominator == 1 and not unknown_rewards:
            yield MDPClass(tabular(states, actions), rewards, gamma)
            continue
        options = [
            [
                Option(r, law)
                for r in (reward_values if unknown_rewards else [reward])
                for law in laws
            ]
            for reward in entries
        ]
        yield MDPClass(OptionClass(states, actions, options), rewards, gamma)


def _with_evidence(solved: SolvedClass) -> tuple[MDPClass, EvidenceWitness] | None:
    """Two models of a solved class with evidence about one pair.

    T1 is ruled out at a pair, where another option is consistent with its q; T0 has another q, and is allowed.
    """
    for q, T1 in enumerate(solved.first_model):
        for pair, own in enumerate(solved.models[T1]):
            others = np.flatnonzero(solved.consistent[q, pair])
            others = others[others != own]
            allowed = (solved.models[:, pair] != own) & (solved.q_of_model != q)
            if len(others) and allowed.any():
                T0 = int(allowed.argmax())
                problem = _listed(solved, [T0, int(T1)], (pair, int(others[0])))
                found = find_evidence_witness(solve(problem))
                assert found is not None
                return problem, found
    return None


def _subclass(
    solved: SolvedClass, size: int, transitions: int, decision_relevant: bool
) -> tuple[MDPClass, Witness] | None:
    """`size` models of a solved class that have a witness of so many transitions.

    What is to be settled is a set for each q, as a bitmask: the q alone, or its optimal actions in a state. Models that
    extend D (inside) must have an element in common, and lose it by models that D contradicts though their q is
    consistent with it (outside).
    """
    if decision_relevant:
        labels = [(s, bitmasks(solved.greedy[:, s])) for s in range(solved.states)]
    else:
        labels = [(-1, [1 << q for q in range(solved.value_functions)])]
    for pairs in combinations(range(solved.pairs), transitions):
        for successors in product(range(solved.options), repeat=transitions):
            agrees = (solved.models[:, pairs] == successors).all(axis=1)
            HB = np.logical_and.reduce(solved.consistent[:, pairs, successors], axis=1)
            for state, label in labels:
                inside = _first_of_each(solved, label, agrees)
                outside = _first_of_each(solved, label, HB[solved.q_of_model] & ~agrees)
                for chosen in _settling(list(inside), list(outside), size):
                    models = [inside[mask] for mask in chosen[0]]
                    others = [outside[mask] for mask in chosen[1]]
                    common = reduce(and_, chosen[0])
                    action = (common & -common).bit_length() - 1
                    T1 = next(outside[mask] for mask in chosen[1] if not mask >> action & 1)
                    problem = _listed(solved, models + others)
                    found = witness_of(
                        solve(problem),
                        pairs,
                        0,
                        (models + others).index(T1),
                        (state, action) if decision_relevant else None,
                    )
                    return problem, found
    return None


def _listed(
    solved: SolvedClass, models: Sequence[int], beside: tuple[int, int] | None = None
) -> MDPClass:
    """The class of some models of a solved one, in this order, with their options and one (pair, option) beside."""
    problem, rows = solved.problem, solved.models[models]
    if problem.transitions.options is None:
        tables = rows.reshape(len(models), solved.states, -1).tolist()
        return MDPClass(explicit(tables), problem.rewards, problem.gamma, "smallest")
    used = [np.unique(column) for column in rows.T]
    if beside is not None:
        used[beside[0]] = np.union1d(used[beside[0]], [beside[1]])
    options = [
        [problem.transitions.options[pair][o] for o in numbers] for pair, numbers in enumerate(used)
    ]
    renumbered = np.stack(
        [np.searchsorted(numbers, column) for numbers, column in zip(used, rows.T, strict=True)],
        axis=1,
    )
    listed = option_class(solved.states, solved.actions, options, renumbered.tolist())
    return MDPClass(listed, problem.rewards, problem.gamma, "smallest")


def _first_of_each(
    solved: SolvedClass, label: list[int], among: Bool[np.ndarray, " model"]
) -> dict[int, int]:
    """For each label, the first model that has it among the given ones."""
    first: dict[int, int] = {}
    for model in np.flatnonzero(among):
        first.setdefault(label[solved.q_of_model[model]], int(model))
    return first


def _settling(
    inside: list[int], outside: list[int], size: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Choices of `size` labels of which those inside have an element in common and all together have none."""
    for kept in range(1, size):
        for ins, outs in product(combinations(inside, kept), combinations(outside, size - kept)):
            if (common := reduce(and_, ins)) and not reduce(and_, outs, common):
                yield ins, outs
