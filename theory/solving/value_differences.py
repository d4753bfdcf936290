"""How much more one state may be worth than another, over all models of a part of a product class at once.

A part is a product too: some of the assignments of each block. Let each action a in x be answered by some action b in
y. In each model T of the part V(y) is at least what b is worth there, so that

    V_T(x) - V_T(y)  <=  u(x, y)  =  max over a, and what models of the part do at (x, a) and (y, b), of
                                     r(x, a) - r(y, b) + gamma * u(T(x, a), T(y, b)),        u(z, z) = 0,

where t is a state that leads to itself for nothing. For given answers this is the Bellman equation of a deterministic
MDP whose states are pairs of states, solved exactly by policy iteration like any other. Any answers give a bound; good
ones come from the game in which they minimize. What a block does in two states it does by one assignment: so states
that nothing tells apart are found equal, and others different, without going through the models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import Block
from theory.solving.policy_iteration import lasso_values

Comparison = tuple[int, int]

MAX_MOVES = 2_000_000
SWEEPS = 1_000


class DifferencesTooLargeError(ValueError):
    """There are too many pairs of states to compare."""


@dataclass(frozen=True)
class Differences:
    """Bounds on differences of values.

    Attributes:
        bound: u(x, y) for every pair of states that was asked for, or is needed to bound another.
        influence: for each block, how far its choices move the bounds, added up over the pairs.
    """

    bound: dict[Comparison, Fraction]
    influence: list[float]


def value_differences(
    problem: MDPClass,
    part: list[Block],
    wanted: Iterable[Comparison],
    check: Callable[[], None] = lambda: None,
) -> Differences:
    """u(x, y) for pairs of states, where t is state number n.

    Args:
        problem: a product class, gamma < 1.
        part: its blocks, each with the assignments that models of the part may choose.
        wanted: the pairs (x, y), x and y different.
        check: called now and then; what it raises ends the computation.

    Raises:
        DifferencesTooLargeError: past MAX_MOVES ways to go on from all pairs that are needed.
    """
    n, k = problem.states, problem.actions
    joint = JointChoices(problem, part)
    compared = list(dict.fromkeys(wanted))
    number: dict[Comparison, Any] = {here: i for i, here in enumerate(compared)}
    moves = 0
    for here in compared:  # it grows
        check()
        for a in range(k):
            for after in joint.ways((here[0], a), (here[1], a)):
                moves += 1
                if after[0] != after[1] and after not in number:
                    number[after] = len(number)
                    compared.append(after)
        if moves > MAX_MOVES:
            raise DifferencesTooLargeError(
                f"over {MAX_MOVES:.3g} ways to go on from pairs of states; accepted: fewer"
            )
    if not compared:
        return Differences({}, [0.0] * len(part))
    number |= {(x, x): -1 for x in range(n + 1)}
    every = range(k) if moves * k <= MAX_MOVES else ()
    game = _Game(problem.gamma)
    for here in compared:
        check()
        game.starts.append(len(game.answers))
        for a in range(k):
            game.answers.append(len(game.moves))
            for b in (a, *(b for b in every if b != a)):
                targets: list[Any] = [
                    number.get(after) for after in joint.ways((here[0], a), (here[1], b))
                ]
                if None not in targets:  # an answer asks for no more comparisons
                    game.moves.append(len(game.targets))
                    game.targets.extend(targets)
                    (block, _, earned), (other, _, spent) = (
                        joint.at(here[0], a),
                        joint.at(here[1], b),
                    )
                    game.earned.append(earned - spent)
                    game.blocks.append({block, other} - {-1})
    answered, backups = game.answered()
    influence = [0.0] * len(part)
    for answer in answered:
        for block in game.blocks[answer]:
            influence[block] += float(np.ptp(backups[game.reach(answer)]))
    solved = game.solved(answered, backups, check)
    return Differences(dict(zip(compared, solved, strict=True)), influence)


class JointChoices:
    """What the models of a part do at two pairs (s, a) together.

    Args:
        problem: a product class.
        part: its blocks, each with the assignments that models of the part may choose.
    """

    def __init__(self, problem: MDPClass, part: list[Block]) -> None:
        self._problem = problem
        self._place = {
            pair: (index, assignments[:, column].tolist())
            for index, (pairs, assignments) in enumerate(part)
            for column, pair in enumerate(pairs)
        }

    def at(self, state: int, action: int) -> tuple[int, list[int], Fraction]:
        """The block that says what an action does in a state, what each of its assignments says, and the reward."""
        if state == self._problem.states:
            return -1, [state], Fraction(0)
        place = self._place[state * self._problem.actions + action]
        return *place, self._problem.rewards[state][action]

    def ways(self, first: tuple[int, int], second: tuple[int, int]) -> list[Comparison]:
        """Where they may lead."""
        (block, xs, _), (other, ys, _) = self.at(*first), self.at(*second)
        if block == other:
            return sorted(set(zip(xs, ys, strict=True)))
        return sorted(product(set(xs), set(ys)))


@dataclass(frozen=True)
class _Game:
    """The game between actions and answers. Each list says where, in the next one, what belongs to an entry begins.

    Attributes:
        gamma: the discount.
        starts: for each pair of states, in `answers`: its actions.
        answers: for each action, in `moves`: the answers to it.
        moves: for each answer, in `targets`: where models may lead.
        targets: pairs of states; -1 is two equal ones, worth 0.
        earned: for each answer what the action earns more than it.
        blocks: for each answer the blocks that choose where it leads.
    """

    gamma: Fraction
    starts: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    earned: list[Fraction] = field(default_factory=list)
    blocks: list[set[int]] = field(default_factory=list)

    def answered(self) -> tuple[list[int], Float[np.ndarray, " target"]]:
        """For each action its best answer, and for each target what it is about worth, by value iteration."""
        largest, gamma = max(map(abs, self.earned)) or 1, float(self.gamma)
        lengths = np.diff([*self.moves, len(self.targets)])
        earned = np.repeat([float(r / largest) for r in self.earned], lengths)
        targets, u = np.array(self.targets), np.zeros(len(self.starts) + 1)  # the end comes last
        for _ in range(SWEEPS):
            before = u[:-1].copy()
            backups = earned + gamma * u[targets]
            worst = np.maximum.reduceat(backups, self.moves)
            u[:-1] = np.maximum.reduceat(np.minimum.reduceat(worst, self.answers), self.starts)
            scale = 1 + np.abs(u).max()
            if np.abs(u[:-1] - before).max() <= 1e-10 * scale:
                break
        best = np.repeat(
            np.minimum.reduceat(worst, self.answers), np.diff([*self.answers, len(worst)])
        )
        near = np.flatnonzero(worst <= best + 1e-8 * scale)  # the same action, if it is as good
        owner = np.searchsorted(self.answers, near, side="right")
        return near[np.unique(owner, return_index=True)[1]].tolist(), backups

    def reach(self, answer: int) -> range:
        """The targets of an answer."""
        last = answer + 1 == len(self.moves)
        return range(self.moves[answer], len(self.targets) if last else self.moves[answer + 1])

    def solved(
        self,
        answered: list[int],
        backups: Float[np.ndarray, " target"],
        check: Callable[[], None],
    ) -> list[Fraction]:
        """What each pair of states is worth exactly, given the answers: by policy iteration from rough values."""
        ways = [
            [(target, answer) for answer in answered[start:end] for target in self.reach(answer)]
            for start, end in zip(self.starts, [*self.starts[1:], len(answered)], strict=True)
        ]
        policy = [max(options, key=lambda way: backups[way[0]]) for options in ways]
        while True:
            check()
            value = lasso_values(
                [self.targets[target] % (len(ways) + 1) for target, _ in policy],
                [self.earned[answer] for _, answer in policy],
                self.gamma,
            )
            later = [self.gamma * v for v in value]
            improved = list(policy)
            for i, options in enumerate(ways):
                best = value[i]
                for target, answer in options:
                    backup = self.earned[answer] + later[self.targets[target]]
                    if backup > best:
                        best, improved[i] = backup, (target, answer)
            if improved == policy:
                return value[:-1]
            policy = improved
