"""Mazes by randomized depth-first search, a batch at a time, in a fixed number of operations.

The search starts from a uniform cell, open and on a stack. The top of the stack expands into a
uniform one of its neighbours that are closed and touch exactly one open cell, which is opened and
pushed; a cell that cannot expand is popped. What is never opened is wall.

Two facts make it a few operations on bit boards. First, which closed cells touch no, one or more
open cells changes only around a cell that was just opened. Second, every opened cell touches exactly
one cell that was open before, so that the open cells form a tree without further adjacencies, and
the parent of the top of the stack is the only neighbour that is on the stack: the stack can be a
*set*.
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


def search_steps(size: int) -> int:
    """Steps of the search after which every maze is finished.

    With k open cells it expands k - 1 times, and before the last time it pops at most k - 2 cells.
    """
    return max(2 * most_open_cells(size) - 3, 0)


def maze_words(size: int) -> int:
    """Random words that `random_maze` needs."""
    return 1 + -(-search_steps(size) // _CHOICES_A_WORD)


def random_maze(
    grid: Grid, drawn: Int32[Tensor, "word *lane"]
) -> tuple[Int[Tensor, "*lane"], Int[Tensor, "*lane"]]:
    """Draw a maze for each lane from `maze_words` random words.

    A word serves as a fraction x in [0, 1) for four choices: of k candidates the one numbered
    floor(k x) is taken, and k x - floor(k x) is the fraction for the next choice. That is exact but
    for the 29 bits of the word: it changes the probability of four choices by less than a part in
    4 million, and that of a maze of any size by less than 3 parts in a million.

    Returns:
        The open cells, and how many they are.
    """
    opened = top = stack = grid.random_cell(drawn[0])
    count = torch.ones_like(opened)
    # Closed cells that touch at most one open cell, and those of them that touch exactly one.
    available = opened ^ grid.board
    frontier = torch.zeros_like(opened)
    just_opened = -count  # whether the top is new: all ones or 0, like `popped`
    for step in range(search_steps(grid.size)):
        if step % _CHOICES_A_WORD == 0:
            word = drawn[1 + step // _CHOICES_A_WORD]
            x = (word & ((1 << _FRACTION) - 1)).to(grid.dtype)
        around = grid.neighbours(top)
        touched = around & just_opened
        frontier, available = frontier ^ (touched & available), available ^ (touched & frontier)
        candidates = around & frontier
        most = 4 if step == 0 else 3  # every top but the first has a parent
        scaled = x * _size_or_one(candidates, most)
        x = scaled & ((1 << _FRACTION) - 1)
        new = nth_cell(candidates, scaled >> _FRACTION, most)
        opened, frontier, available = opened | new, frontier ^ new, available ^ new
        expanded = new.clamp(max=1)
        count = count + expanded
        just_opened, popped = -expanded, expanded - 1
        parent = around & stack
        stack = (stack ^ (top & popped)) | new
        top = new | (parent & popped)
    return opened, count


def _size_or_one(cells: Int[Tensor, "*lane"], most: int) -> Int[Tensor, "*lane"]:
    """The number of cells in each set, which is at most `most`; 1 for the empty set too."""
    size = torch.ones_like(cells)
    for _ in range(most - 1):
        cells = cells & (cells - 1)
        size = size + cells.clamp(max=1)
    return size
