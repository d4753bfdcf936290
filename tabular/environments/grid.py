"""Square grids: cells are numbered row by row, and five actions stay or move by one cell."""

from functools import cache

import numpy as np

ACTION_NAMES = ("stay", "up", "left", "down", "right")
NUM_ACTIONS = len(ACTION_NAMES)

_STEPS = ((0, 0), (-1, 0), (0, -1), (1, 0), (0, 1))


def target(cell: int, action: int, size: int) -> int:
    """The cell that `action` leads to from `cell`; a move off the grid stays."""
    row, column = cell // size + _STEPS[action][0], cell % size + _STEPS[action][1]
    return row * size + column if 0 <= row < size and 0 <= column < size else cell


def neighbours(cell: int, size: int) -> tuple[int, ...]:
    """The cells one move away from `cell`."""
    reached = (target(cell, action, size) for action in range(1, NUM_ACTIONS))
    return tuple(other for other in reached if other != cell)


def cell_name(cell: int, size: int) -> str:
    """A cell's row and column, as people write them."""
    return f"({cell // size}, {cell % size})"


def one_hot(cell: int, length: int) -> tuple[int, ...]:
    """A vector of `length` features of which only number `cell` is 1."""
    return tuple(int(index == cell) for index in range(length))


def interleaved(*channels: tuple[int, ...]) -> tuple[int, ...]:
    """Features laid out row, column, channel, with the channel varying fastest."""
    return tuple(feature for features in zip(*channels, strict=True) for feature in features)


@cache
def symmetries(size: int) -> tuple[tuple[int, ...], ...]:
    """The rotations and reflections of the grid, each as the cell that every cell comes from."""
    cells = np.arange(size**2).reshape(size, size)
    turned = [np.rot90(side, turns) for side in (cells, cells.T) for turns in range(4)]
    return tuple(tuple(image.ravel().tolist()) for image in turned)
