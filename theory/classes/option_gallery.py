"""The built-in classes with options: chance, unknown rewards, and a spontaneous event of unknown probability."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

from theory.classes.mdp_class import MDPClass, mdp_class
from theory.classes.options import (
    Option,
    OptionClass,
    option,
    option_blocks,
    option_class,
    stochastic_factors,
)
from theory.classes.push_tree import EAT, PUSH, STANDING_WITH_FOOD, push_tree

FAILURES = (Fraction(0), Fraction(1, 10), Fraction(1, 2))
EVENTS = (Fraction(0), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2))


def push_tree_fails() -> MDPClass:
    """As `push-tree`, but that pushing fails: with one unknown probability, 0, 1/10 or 1/2, nothing happens.

    To give up, which ends the episode, takes the place of eating where there is nothing to eat; it earns 17/20 where
    there is food in sight behind the standing tree, so that there it matters how often pushing fails.
    """
    problem = push_tree()
    n, k = problem.states, problem.actions
    rewards = [list(row) for row in problem.rewards]
    rewards[STANDING_WITH_FOOD][EAT] = Fraction(17, 20)
    pushes = dict.fromkeys(
        tuple(table[s][PUSH] for s in range(n))
        for table in map(problem.transitions.table, range(problem.transitions.size))
    )
    assignments = [
        [
            option(rewards[s][PUSH], mixed({x: 1 - failure}, {s: failure}), n)
            for s, x in enumerate(successors)
        ]
        for successors, failure in product(pushes, FAILURES)
    ]
    gives_up = [[option(rewards[s][EAT], {n: 1}, n) for s in range(n)]]
    blocks = [
        ([s * k + PUSH for s in range(n)], assignments),
        ([s * k + EAT for s in range(n)], gives_up),
    ]
    return mdp_class(
        option_blocks(n, k, blocks),
        rewards,
        problem.gamma,
        name="push-tree-fails",
        state_names=problem.state_names,
        action_names=problem.action_names,
    )


def noisy_factors() -> MDPClass:
    """Two factors; to shake moves each by an unknown law that depends on its own value alone; to leave ends it.

    A law gives the value 1 with probability 1/2 or 9/10. Leaving earns 1 in (1,1), else 2/5.
    """
    laws = [(1 - p, p) for p in (Fraction(1, 2), Fraction(9, 10))]
    rewards = [[Fraction(0), Fraction(1) if s == 3 else Fraction(2, 5)] for s in range(4)]
    leaves = {s * 2 + 1: option(rewards[s][1], {4: 1}, 4) for s in range(4)}
    found = stochastic_factors(
        [2, 2], [[((0,), laws), ((1,), laws)], [None, None]], rewards, known=leaves
    )
    return mdp_class(
        found,
        rewards,
        Fraction(9, 10),
        name="noisy-factors",
        state_names=["(0,0)", "(0,1)", "(1,0)", "(1,1)"],
        action_names=["shake", "leave"],
    )


def noisy_factors_product() -> MDPClass:
    """The class of all choices of the options of `noisy-factors`."""
    problem = noisy_factors()
    every = OptionClass(problem.states, problem.actions, problem.pair_options)
    return replace(problem, transitions=every, name="noisy-factors-product")


def unknown_rewards() -> MDPClass:
    """Two places, of which one pays: to dig ends it, to walk leads to the other place.

    Where only rewards are unknown, any q tells them: r(s, a) is q(s, a) less gamma times the value of the known
    successor. So H_M = H_B for every such class, however structured, and all evidence.
    """
    dig = [option(0, {2: 1}, 2), option(1, {2: 1}, 2)]
    walks = [[option(0, {1: 1}, 2)], [option(0, {0: 1}, 2)]]
    models = [[1, 0, 0, 0], [0, 0, 1, 0]]
    return mdp_class(
        option_class(2, 2, [dig, walks[0], dig, walks[1]], models),
        [[0, 0], [0, 0]],
        Fraction(9, 10),
        name="unknown-rewards",
        state_names=["here", "there"],
        action_names=["dig", "walk"],
    )


def unknown_rewards_and_ways() -> MDPClass:
    """One state and two actions, whose rewards and ways on are unknown: the smallest gap with unknown rewards."""
    options = [
        [option(0, {0: 1}, 1), option(Fraction(1, 2), {1: 1}, 1)],
        [option(2, {1: 1}, 1), option(1, {1: 1}, 1)],
    ]
    return mdp_class(
        option_class(1, 2, options, [[0, 0], [1, 1]]),
        [[0, 0]],
        Fraction(1, 2),
        name="unknown-rewards-and-ways",
    )


def flute_event() -> MDPClass:
    """PanFlute of two pipes: the probability of its spontaneous event is 0, 1/8, 1/4 or 1/2, everywhere the same.

    A state says which cells are active: the one cell of the first pipe, the first and the last of the second. Action i
    activates the first cell of pipe i; activation moves up and leaves at the end; the event activates both last cells.
    Reward 1 in a state in which both last cells are active. (Paper, section 3; there the probability is 1/4.)
    """
    cells = list(product((0, 1), repeat=3))
    options: list[list[Option]] = []
    models: list[list[int]] = [[] for _ in EVENTS]
    rewards = [[int(bool(short and last))] * 2 for short, _, last in cells]
    for s, (_, first, _) in enumerate(cells):
        for action in (0, 1):
            moved = cells.index((int(action == 0), int(action == 1), first))
            struck = cells.index((1, int(action == 1), 1))
            possible = [
                option(rewards[s][0], mixed({moved: 1 - p}, {struck: p}), 8) for p in EVENTS
            ]
            distinct = list(dict.fromkeys(possible))
            options.append(distinct)
            for model, chosen in zip(models, possible, strict=True):
                model.append(distinct.index(chosen))
    return mdp_class(
        option_class(8, 2, options, models),
        rewards,
        Fraction(9, 10),
        name="flute-event",
        state_names=["".join(map(str, state)) for state in cells],
        action_names=["pipe0", "pipe1"],
    )


def mixed(*laws: dict[int, Fraction]) -> dict[int, Fraction]:
    """The sum of parts of a law."""
    law: dict[int, Fraction] = {}
    for part in laws:
        for x, p in part.items():
            law[x] = law.get(x, Fraction(0)) + p
    return law
