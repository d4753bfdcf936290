"""Factored classes: states made of factors, each of which an action maps by an unknown function of some factors.

An unknown function has a value for each *context*, the values that its arguments can take; a model chooses these values
one by one. So what an action does in two states is chosen independently unless the two have a context in common, at
first hand or by way of other states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from math import prod

import numpy as np
from jaxtyping import Integer

from theory.classes.transition_class import (
    MAX_MAP_ENTRIES,
    ProductClass,
    check_sizes,
    distinct_rows,
    fixed_successors,
    successor_dtype,
)

Parents = tuple[int, ...] | None
Structure = tuple[Parents, ...]


def factored(
    sizes: Sequence[int],
    actions: Sequence[Sequence[Structure]],
    *,
    fixed: Iterable[Sequence[int]] = (),
) -> ProductClass:
    """States made of factors; each action maps each factor by an unknown function of that factor's parents.

    State numbers are mixed radix over the factors, the last factor varying fastest: with sizes (2, 2)
    the states 0, 1, 2, 3 are (0,0), (0,1), (1,0), (1,1).

    Args:
        sizes: the number of values of each factor.
        actions: for each action its alternative structures, of which a model follows one; a structure gives for each
            factor its parents, or None for a factor that the action leaves as it is.
        fixed: transitions (s, a, s') that every model shares, whatever the factors would say; s' may be terminal.

    What an action does in states that have no unknown in common is chosen independently: each such group of states is a
    block, and all that is known about an action is one more. An action with alternatives is a single block.

    Raises:
        ValueError: on a size below 1, a parent that is no factor, or an action with too many maps to list.
    """
    if not sizes or any(size < 1 for size in sizes):
        raise ValueError(
            f"factor sizes are {list(sizes)}; accepted: one or more integers of at least 1"
        )
    states = prod(sizes)
    check_sizes(states, len(actions))
    known = fixed_successors(fixed, states, len(actions))
    blocks = []
    for a, structures in enumerate(actions):
        if not structures:
            raise ValueError(f"action {a} has no structure; accepted: one or more")
        for structure in structures:
            _check_structure(sizes, a, structure)
        fixed_here = {p // len(actions): x for p, x in known.items() if p % len(actions) == a}
        for group, maps in _action_blocks(sizes, a, structures, fixed_here):
            rows = maps.astype(successor_dtype(states))
            blocks.append(([s * len(actions) + a for s in group], rows))
    return ProductClass(states, len(actions), sorted(blocks, key=lambda block: block[0][0]))


def _check_structure(sizes: Sequence[int], action: int, structure: Structure) -> None:
    """Refuse a structure that does not say of each factor which factors it depends on."""
    if len(structure) != len(sizes):
        raise ValueError(
            f"action {action} gives parents for {len(structure)} factors; accepted: one entry for each of {len(sizes)}"
        )
    for f, parents in enumerate(structure):
        named = set(parents or ())
        if not named <= set(range(len(sizes))) or len(named) != len(parents or ()):
            raise ValueError(
                f"parents {list(parents or ())} of factor {f} under action {action};"
                f" accepted: distinct factors 0 to {len(sizes) - 1}"
            )


def _action_blocks(
    sizes: Sequence[int], action: int, structures: Sequence[Structure], known: dict[int, int]
) -> Iterator[tuple[list[int], Integer[np.ndarray, "_map _state"]]]:
    """The blocks of an action: some states each, with the distinct maps of them."""
    values = np.array(list(product(*map(range, sizes))))  # [state, factor]
    if len(structures) > 1:
        maps = np.concatenate([_factored_maps(sizes, action, s, values) for s in structures])
        for state, successor in known.items():
            maps[:, state] = successor
        yield list(range(len(values))), distinct_rows(maps)
        return
    settled = dict(known)
    for group in _independent_groups(sizes, structures[0], values, known):
        maps = distinct_rows(_factored_maps(sizes, action, structures[0], values[group]))
        if len(maps) == 1:
            settled |= zip(group, maps[0].tolist(), strict=True)
        else:
            yield group, maps
    if settled:
        yield sorted(settled), np.array([[settled[state] for state in sorted(settled)]])


def _independent_groups(
    sizes: Sequence[int],
    structure: Structure,
    values: Integer[np.ndarray, "state factor"],
    known: Iterable[int],
) -> list[list[int]]:
    """The states that are not known, where those with a context of some unknown function in common are together."""
    free = np.array(sorted(set(range(len(values))) - set(known)), dtype=int)
    contexts = [
        np.unique(values[free][:, list(parents)], axis=0, return_inverse=True)[1].reshape(-1)
        for size, parents in zip(sizes, structure, strict=True)
        if parents is not None and size > 1
    ]
    label, before = np.arange(len(free)), None
    while before is None or (label != before).any():
        before = label
        for context in contexts:
            least = np.full(len(free), len(free))
            np.minimum.at(least, context, label)
            label = least[context]
    return [free[label == first].tolist() for first in np.unique(label)]


def _factored_maps(
    sizes: Sequence[int],
    action: int,
    structure: Structure,
    values: Integer[np.ndarray, "state factor"],
) -> Integer[np.ndarray, "map state"]:
    """Every map of some states, given by their factors, that follows one structure."""
    strides = [prod(sizes[f + 1 :]) for f in range(len(sizes))]
    tables = []
    count = 1
    for f, parents in enumerate(structure):
        if parents is None:
            tables.append(values[None, :, f] * strides[f])
            continue
        _, context = np.unique(values[:, list(parents)], axis=0, return_inverse=True)
        contexts = int(context.max()) + 1
        count *= sizes[f] ** contexts
        if count * len(values) > MAX_MAP_ENTRIES:
            raise ValueError(
                f"action {action} has {Decimal(count):.3g} maps of {len(values)} states or more;"
                f" accepted: at most {MAX_MAP_ENTRIES} successors in all"
            )
        choices = np.array(list(product(range(sizes[f]), repeat=contexts)), dtype=int)
        tables.append(choices[:, context.reshape(-1)] * strides[f])
    total = np.zeros((1, len(values)), dtype=int)
    for table in tables:
        total = (total[:, None, :] + table[None, :, :]).reshape(-1, len(values))
    return total
