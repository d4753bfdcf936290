"""The built-in classes: the paper's example, the smallest witnesses, a growing gap, and counterexamples."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from theory.classes.factored import Structure, factored
from theory.classes.mdp_class import MDPClass, Rewards, cost_rewards, mdp_class, sparse_rewards
from theory.classes.option_gallery import (
    flute_event,
    noisy_factors,
    noisy_factors_product,
    push_tree_fails,
    unknown_rewards,
    unknown_rewards_and_ways,
)
from theory.classes.push_tree import (
    EXPERIENCE,
    TRUTH,
    push_tree,
    push_tree_independent,
    push_tree_tabular,
    push_tree_unrestricted,
)
from theory.classes.transition_class import (
    Transition,
    check_sizes,
    explicit,
    tabular,
)

GAMMA = Fraction(9, 10)
GENERIC_3X2 = ((3, -2), (1, -5), (-4, 7))
MAX_BINARY_FACTORS = 10


@dataclass(frozen=True)
class GalleryEntry:
    """A built-in class.

    Attributes:
        make: returns the class.
        about: one line on what it shows.
        dataset: a dataset that goes with it, if any; of a class with options (s, a, option number) for exact data.
        truth: the model that plays the true environment, `truth[s][a]`; the first of the class if empty.
        counterexample: whether it violates a side condition of part 3 on purpose.
    """

    make: Callable[[], MDPClass]
    about: str
    dataset: tuple[Transition, ...] = ()
    truth: tuple[tuple[int, ...], ...] = ()
    counterexample: bool = False


def named_rewards(name: str, states: int, actions: int) -> Rewards:
    """The reward table of a name: sparse, cost, or (3 x 2 only) generic.

    Raises:
        ValueError: if no class has these sizes, or there is no such name for them.
    """
    check_sizes(states, actions)
    if name == "sparse":
        return sparse_rewards(states, actions)
    if name == "cost":
        return cost_rewards(states, actions)
    if name == "generic" and (states, actions) == (3, 2):
        return tuple(tuple(Fraction(r) for r in row) for row in GENERIC_3X2)
    raise ValueError(
        f"rewards {name!r} for {states} x {actions}; accepted: sparse, cost, or for 3 x 2 generic"
    )


def tabular_class(states: int, actions: int, rewards: str) -> MDPClass:
    """Every map S x A -> S + {t}, gamma = 9/10."""
    table = named_rewards(rewards, states, actions)
    return MDPClass(tabular(states, actions), table, GAMMA, f"tabular-{states}x{actions}-{rewards}")


def smallest_witness() -> MDPClass:
    """Two states, one action, two models: the smallest class with a proper inclusion."""
    models = [[[0], [2]], [[1], [0]]]
    return mdp_class(explicit(models), [[-1], [-1]], "1/2", name="smallest-witness")


def smallest_decision() -> MDPClass:
    """Two states, two actions, two models: the smallest class in which H_M settles an action and H_B does not."""
    models = [[[0, 0], [0, 2]], [[1, 2], [2, 0]]]
    return mdp_class(explicit(models), [[-1, -1]] * 2, "1/2", name="smallest-decision")


def golden_discount() -> MDPClass:
    """Two models whose one gap closes where gamma^2 + gamma = 1: with D = {(1, a1) -> 0}, q1 needs V(0) = V(2) = 1.

    In T1 state 0 is worth the larger of 1 and gamma (1 + gamma).
    """
    models = [[[0, 3], [2, 0], [3, 3]], [[3, 1], [2, 2], [3, 3]]]
    return mdp_class(explicit(models), [[1, 0]] * 3, "1/2", name="golden-discount")


def binary_factors(count: int, variant: str = "") -> MDPClass:
    """`count` factors of two values; action i maps factor i by an unknown function; eating ends it at (1, ..., 1).

    Its gap grows without bound: with D = `binary_factors_dataset`, |H_M(D)| = 2^n and |H_B(D)| = 2^n (2^n - n).

    Args:
        count: n.
        variant: "joint": what becomes of a factor depends on all factors. "weighted": factor i earns 4^i at every step
            where it is 1, and nothing else earns, at a discount of 1/4. Either leaves no gap for realizable D.
    """
    if not 1 <= count <= MAX_BINARY_FACTORS:
        raise ValueError(f"binary-factors-{count}; accepted: 1 to {MAX_BINARY_FACTORS} factors")
    states = 2**count

    def parents(factor: int) -> tuple[int, ...]:
        return tuple(range(count)) if variant == "joint" else (factor,)

    moves: list[list[Structure]] = [
        [tuple(parents(f) if f == i else None for f in range(count))] for i in range(count)
    ]
    stay: list[Structure] = [(None,) * count]
    goal = states - 1
    transitions = factored([2] * count, [*moves, stay], fixed=[(goal, count, states)])
    rewards = [[int((s, a) == (goal, count)) for a in range(count + 1)] for s in range(states)]
    if variant == "weighted":
        values = product((0, 1), repeat=count)
        earned = [sum(4**i * value for i, value in enumerate(state)) for state in values]
        rewards = [[reward] * (count + 1) for reward in earned]
    state_names = [format(s, f"0{count}b") for s in range(states)]
    action_names = [f"set{i}" for i in range(count)] + ["eat"]
    return mdp_class(
        transitions,
        rewards,
        "1/4" if variant == "weighted" else GAMMA,
        name=f"binary-factors-{count}{variant and '-'}{variant}",
        state_names=state_names,
        action_names=action_names,
    )


def binary_factors_dataset(count: int) -> tuple[Transition, ...]:
    """From (0, ..., 0) action i was seen to set factor i, for each i."""
    return tuple((0, i, 1 << (count - 1 - i)) for i in range(count))


def binary_factors_truth(count: int) -> tuple[tuple[int, ...], ...]:
    """Action i sets factor i to 1."""
    goal = 2**count - 1
    return tuple(
        (*(s | 1 << (count - 1 - i) for i in range(count)), goal + 1 if s == goal else s)
        for s in range(2**count)
    )


def gamma_one() -> MDPClass:
    """At gamma = 1 with rewards that can sum to zero, part 3 fails; see `theory.classes.mdp_class.zero_sum_choice`."""
    return mdp_class(tabular(1, 2), [[-1, 0]], 1, name="gamma-one")


def non_functional() -> MDPClass:
    """One state, one action, no reward: a dataset with two successors of one pair breaks part 3."""
    return mdp_class(tabular(1, 1), [[0]], "1/2", name="non-functional")


def chain(states: int, actions: int) -> tuple[tuple[int, ...], ...]:
    """The last action goes one state on, and from the last state to the end; any other goes back to the first."""
    return tuple((0,) * (actions - 1) + (s + 1,) for s in range(states))


def _entries() -> dict[str, GalleryEntry]:
    entries = {
        f"tabular-{n}x{k}-{rewards}": GalleryEntry(
            lambda n=n, k=k, rewards=rewards: tabular_class(n, k, rewards),  # type: ignore[misc]
            f"every map, {rewards} rewards: part 3",
            truth=chain(n, k),
        )
        for n, k, rewards in (
            (2, 1, "cost"),
            (2, 2, "sparse"),
            (3, 2, "sparse"),
            (3, 2, "cost"),
            (3, 2, "generic"),
            (4, 2, "sparse"),
            (4, 2, "cost"),
        )
    }
    entries |= {
        "push-tree": GalleryEntry(
            push_tree, "each action changes at most one factor: the model pushes", EXPERIENCE, TRUTH
        ),
        "push-tree-independent": GalleryEntry(
            push_tree_independent, "independent factors: not enough to push", EXPERIENCE, TRUTH
        ),
        "push-tree-tabular": GalleryEntry(
            push_tree_tabular, "any nonterminal successor, the meal known", EXPERIENCE, TRUTH
        ),
        "push-tree-unrestricted": GalleryEntry(
            push_tree_unrestricted, "nothing known: nothing gained", EXPERIENCE, TRUTH
        ),
        "smallest-witness": GalleryEntry(
            smallest_witness, "the smallest proper inclusion: part 2", ((0, 0, 0),)
        ),
        "smallest-decision": GalleryEntry(
            smallest_decision, "the smallest in which H_M settles an action", ((0, 0, 0),)
        ),
        "golden-discount": GalleryEntry(
            golden_discount, "a proper inclusion up to the golden section alone", ((1, 1, 0),)
        ),
    }
    entries |= {
        f"binary-factors-{n}": GalleryEntry(
            lambda n=n: binary_factors(n),  # type: ignore[misc]
            "the gap grows as 2^n - n",
            binary_factors_dataset(n),
            binary_factors_truth(n),
        )
        for n in range(1, 6)
    }
    entries |= {
        "push-tree-fails": GalleryEntry(
            push_tree_fails,
            "pushing fails with an unknown probability: what is seen at one place tells of the other",
            ((0, 0, 2),),
            ((2, 0), (2, 0), (3, 0), (3, 0)),
        ),
        "noisy-factors": GalleryEntry(
            noisy_factors, "each factor moves by a law of its own: a gap", ((1, 0, 2),)
        ),
        "noisy-factors-product": GalleryEntry(
            noisy_factors_product, "all choices of the same laws: part 3", ((1, 0, 2),)
        ),
        "unknown-rewards": GalleryEntry(
            unknown_rewards, "rewards alone are unknown: values tell them, no gap", ((0, 0, 1),)
        ),
        "unknown-rewards-and-ways": GalleryEntry(
            unknown_rewards_and_ways,
            "the smallest gap with unknown rewards, in one state",
            ((0, 0, 0),),
        ),
        "flute-event": GalleryEntry(
            flute_event,
            "PanFlute of two pipes, its event of unknown probability",
            truth=tuple((0 if s & 2 else 2, 2) for s in range(8)),
        ),
        "gamma-one": GalleryEntry(
            gamma_one, "gamma = 1 and a zero sum: part 3 fails", ((0, 1, 0),), counterexample=True
        ),
        "non-functional": GalleryEntry(
            non_functional,
            "two successors of one pair: part 3 fails",
            ((0, 0, 0), (0, 0, 1)),
            counterexample=True,
        ),
    }
    return entries


GALLERY: dict[str, GalleryEntry] = _entries()


def gallery_class(name: str) -> MDPClass:
    """The built-in class of that name; tabular-NxK-REWARDS and binary-factors-N exist for other sizes too.

    binary-factors-N-joint and -weighted are its variants.

    Raises:
        ValueError: if there is none.
    """
    if name in GALLERY:
        return GALLERY[name].make()
    if match := re.fullmatch(r"tabular-([0-9]+)x([0-9]+)-(\w+)", name):
        return tabular_class(int(match[1]), int(match[2]), match[3])
    if match := re.fullmatch(r"binary-factors-([0-9]+)(?:-(joint|weighted))?", name):
        return binary_factors(int(match[1]), match[2] or "")
    raise ValueError(
        f"no class is called {reprlib.repr(name)}; accepted: a JSON file or one of {', '.join(GALLERY)}"
    )
