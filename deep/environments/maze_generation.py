"""Mazes by randomized depth-first search, a batch at a time, in a fixed number of operations.

The search starts from a uniform cell, open and on a stack. The top of the stack expands into a
uniform one of its neighbours that are closed and touch exactly one open cell, which is opened and
pushed; a cell that cannot expand is popped. What is never opened is wall.

Neither stack nor popping is needed. A cell that cannot expand never will, so what is expanded next
is the cell opened last among those that can be. Call the *frontier* the closed cells that touch
exactly one open cell. Such a cell joins the frontier when its one open neighbour is opened, so the
cells that one opening adds are a *generation*, and the next cell is a uniform one of the latest
generation of which anything is left. A cell's generation is kept as a binary number, one bit board
for each digit.
"""

import torch
from jaxtyping import Int, Int32
from torch import Tensor

from deep.environments.grid import Grid, nth_cell

_CHOICES_A_WORD = 4
_FRACTION = 29


def most_open_cells(size: int) -> int:
    """No maze has more open cells than this.

    A maze of k open cells is a tree, so k - 1 of the 2 g (g - 1) borders between cells lie between
    open ones; each of the g^2 - k walls touches at most 4 of the others.
    """
    return (2 * size**2 + 2 * size - 1) // 3


def maze_words(size: int) -> int:
    """Random words that `random_maze` needs: for the first cell, and for the choices."""
    return 1 + -(-(most_open_cells(size) - 1) // _CHOICES_A_WORD)


def random_maze(
    grid: Grid, drawn: Int32[Tensor, "word *lane"]
) -> tuple[Int[Tensor, "*lane"], Int[Tensor, "*lane"]]:
    """Draw a maze for each lane from `maze_words` random words.

    A word serves as a fraction x in [0, 1) for four choices: of k candidates the one numbered
    floor(k x) is taken, and k x - floor(k x) is the fraction for the next choice. That is exact but
    for the 29 bits of the word: it changes the probability of four choices by less than a part in
    4 million, and that of a maze of any size by less than 2 parts in a million.

    Returns:
        The open cells, and how many they are.
    """
    new = opened = grid.random_cell(drawn[0])
    count = torch.ones_like(opened)
    untouched = opened ^ grid.board  # closed, and touching no open cell
    frontier = torch.zeros_like(opened)
    digits: list[Tensor] = []
    for generation in range(1, most_open_cells(grid.size)):
        around = grid.neighbours(new)
        added = around & untouched
        untouched = untouched ^ added
        frontier = (frontier ^ (around & frontier)) | added
        if generation.bit_length() > len(digits):
            digits.append(torch.zeros_like(opened))
        digits = [
            digit | added if generation >> place & 1 else digit
            for place, digit in enumerate(digits)
        ]
        candidates = _latest(frontier, digits)

        choice = generation - 1
        if choice % _CHOICES_A_WORD == 0:
            word = drawn[1 + choice // _CHOICES_A_WORD]
            x = (word & ((1 << _FRACTION) - 1)).to(grid.dtype)
        most = 4 if choice == 0 else 3  # a cell but the first has an open neighbour already
        scaled = x * _size_or_one(candidates, most)
        x = scaled & ((1 << _FRACTION) - 1)
        new = nth_cell(candidates, scaled >> _FRACTION, most)

        frontier, opened = frontier ^ new, opened | new
        count = count + new.clamp(max=1)
    return opened, count


def _latest(frontier: Int[Tensor, "*lane"], digits: list[Tensor]) -> Int[Tensor, "*lane"]:
    """The cells of the frontier whose generation, given by its binary digits, is the largest."""
    for digit in reversed(digits):
        later = frontier & digit
        none = later.clamp(max=1) - 1  # all ones where there is no such cell, else 0
        frontier = later | (frontier & none)
    return frontier


def _size_or_one(cells: Int[Tensor, "*lane"], most: int) -> Int[Tensor, "*lane"]:
    """The number of cells in each set, which is at most `most`; 1 for the empty set too."""
    size = torch.ones_like(cells)
    for _ in range(most - 1):
        cells = cells & (cells - 1)
        size = size + cells.clamp(max=1)
    return size
