"""Randomized depth-first search, the way ProcMaze draws its mazes: at random, and exactly.

Start from a uniform cell, open and on a stack. Take the top cell; it can expand into the walls
beside it that touch no open cell but itself. If there are any, open one uniformly and push it; else
pop. Stop at an empty stack. What was not opened is wall, so the open cells form a tree.

The exact enumeration follows all histories side by side and merges those that have the same
future. A cell that cannot expand never will (open cells stay open), so such cells are dropped from
anywhere in the stack; and a history may be rotated or reflected, so only starts that differ by more
than a symmetry of the square are followed.
"""

from collections import defaultdict
from fractions import Fraction
from functools import cache

import numpy as np

from tabular.environments.grid import neighbours, symmetries

Walls = tuple[bool, ...]
"""For each cell, whether it is a wall."""

MAX_MAZES = 1_000_000
"""More are not enumerated."""

_ESTIMATED_ABOVE = 4
_COUNTLESS = 1e290  # mazes, where a float has no number for them


def random_maze(size: int, generator: np.random.Generator) -> Walls:
    """A maze of `size` x `size` cells drawn by randomized depth-first search."""
    around = _neighbourhoods(size)
    start = int(generator.integers(size**2))
    opened, stack = 1 << start, [start]
    while stack:
        choices = _expandable(opened, stack[-1], around)
        if choices:
            chosen = choices[int(generator.integers(len(choices)))]
            opened |= 1 << chosen
            stack.append(chosen)
        else:
            stack.pop()
    return _walls(opened, size)


@cache
def maze_distribution(size: int) -> dict[Walls, Fraction]:
    """The exact probability of every maze of `size` x `size` cells.

    Raises:
        ValueError: There are more than a million mazes, by `estimated_mazes`.
    """
    distribution: dict[Walls, Fraction] = {}
    for walls, probability in maze_classes(size).items():
        images = {tuple(walls[cell] for cell in symmetry) for symmetry in symmetries(size)}
        distribution |= dict.fromkeys(images, probability / len(images))
    return distribution


@cache
def maze_classes(size: int) -> dict[Walls, Fraction]:
    """One maze of each class under rotation and reflection, with the probability of its class.

    Raises:
        ValueError: There are more than a million mazes, by `estimated_mazes`.
    """
    if size > _ESTIMATED_ABOVE and (estimate := estimated_mazes(size)) > MAX_MAZES:
        raise ValueError(
            f"grid_size {size} has about {estimate:.0e} mazes; at most {MAX_MAZES:,} are enumerated"
        )
    around = _neighbourhoods(size)
    histories: defaultdict[tuple[int, tuple[int, ...]], Fraction] = defaultdict(Fraction)
    for cell in range(size**2):
        start = min(symmetry[cell] for symmetry in symmetries(size))
        histories[1 << start, (start,)] += Fraction(1, size**2)
    finished: defaultdict[int, Fraction] = defaultdict(Fraction)
    while histories:
        longer: defaultdict[tuple[int, tuple[int, ...]], Fraction] = defaultdict(Fraction)
        for (opened, stack), probability in histories.items():
            live = tuple(cell for cell in stack if _expandable(opened, cell, around))
            if not live:
                finished[opened] += probability
                continue
            choices = _expandable(opened, live[-1], around)
            for chosen in choices:
                longer[opened | 1 << chosen, (*live, chosen)] += probability / len(choices)
        histories = longer
    classes: defaultdict[Walls, Fraction] = defaultdict(Fraction)
    for opened, probability in finished.items():
        walls = _walls(opened, size)
        images = (tuple(walls[cell] for cell in symmetry) for symmetry in symmetries(size))
        classes[min(images)] += probability
    return dict(classes)


def estimated_mazes(size: int) -> float:
    """How many mazes there are: counted up to size 4, and beyond it about as many.

    Their number is nearly exponential in the number of cells, at the rate counted at size 4;
    1e290 stands for what is beyond.
    """
    counted = len(maze_distribution(min(size, _ESTIMATED_ABOVE)))
    try:
        return float(counted ** (max(size / _ESTIMATED_ABOVE, 1) ** 2))
    except OverflowError:
        return _COUNTLESS


def _neighbourhoods(size: int) -> list[tuple[tuple[int, ...], int]]:
    """The neighbours of each cell, as a tuple and as a bit mask."""
    around = [neighbours(cell, size) for cell in range(size**2)]
    return [(cells, sum(1 << cell for cell in cells)) for cells in around]


def _expandable(opened: int, cell: int, around: list[tuple[tuple[int, ...], int]]) -> list[int]:
    """The walls beside `cell` that touch exactly one open cell; `opened` is a bit mask."""
    return [
        other
        for other in around[cell][0]
        if not opened >> other & 1 and (around[other][1] & opened).bit_count() == 1
    ]


def _walls(opened: int, size: int) -> Walls:
    return tuple(not opened >> cell & 1 for cell in range(size**2))
