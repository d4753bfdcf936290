"""The paper's introductory example: does having seen the tree fall make pushing it attractive where there is food?

The state says whether the tree has fallen and whether there is food across the stream. Reward 1 comes for eating at
(1, 1) alone, where the fallen tree is a bridge to the food. The agent has once pushed the tree at (0, 0), where there
is no food, and has once eaten at (1, 1). What may it conclude about pushing at (0, 1)?

The four classes below share this one definition. They differ in what is known beforehand about how the actions move
the two factors. (Paper, introduction.)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from theory.classes.factored import Structure, factored
from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import (
    Transition,
    TransitionClass,
    tabular,
)

FACTORS = (2, 2)  # tree fallen, food across the stream
STATES = tuple(product((0, 1), (0, 1)))
ACTIONS = ("push", "eat")
PUSH, EAT = 0, 1
FALLEN_WITH_FOOD = STATES.index((1, 1))
STANDING_WITH_FOOD = STATES.index((0, 1))
TERMINAL = len(STATES)

MEAL: Transition = (FALLEN_WITH_FOOD, EAT, TERMINAL)
EXPERIENCE: tuple[Transition, ...] = (
    (STATES.index((0, 0)), PUSH, STATES.index((1, 0))),
    MEAL,
)

# What is really so: pushing fells the tree and leaves the food in place; eating without food in reach does nothing.
TRUTH = tuple(
    (
        STATES.index((1, food)),
        TERMINAL if (fallen, food) == (1, 1) else STATES.index((fallen, food)),
    )
    for fallen, food in STATES
)

# Each factor keeps to itself; or, more narrowly, one factor changes by itself and the other stays.
INDEPENDENT: tuple[Structure, ...] = (((0,), (1,)),)
ONE_FACTOR_CHANGES: tuple[Structure, ...] = (((0,), None), (None, (1,)))


def push_tree() -> MDPClass:
    """Each action changes at most one factor, as a function of that factor alone; the meal is known. 49 models."""
    return _named("push-tree", factored(FACTORS, [ONE_FACTOR_CHANGES] * 2, fixed=[MEAL]))


def push_tree_independent() -> MDPClass:
    """The factors evolve independently; the meal is known. 256 models."""
    return _named("push-tree-independent", factored(FACTORS, [INDEPENDENT] * 2, fixed=[MEAL]))


def push_tree_tabular() -> MDPClass:
    """Any nonterminal successor anywhere; the meal is known. 16,384 models."""
    return _named("push-tree-tabular", tabular(4, 2, successors=range(4), fixed=[MEAL]))


def push_tree_unrestricted() -> MDPClass:
    """Every map, the terminal state included, and nothing known beforehand. 390,625 models."""
    return _named("push-tree-unrestricted", tabular(4, 2))


def _named(name: str, transitions: TransitionClass) -> MDPClass:
    rewards = tuple(
        tuple(Fraction((s, a) == (FALLEN_WITH_FOOD, EAT)) for a in (PUSH, EAT))
        for s in range(len(STATES))
    )
    names = tuple(f"({fallen},{food})" for fallen, food in STATES)
    return MDPClass(transitions, rewards, Fraction(9, 10), name, names, ACTIONS)
