"""Square grids as bit boards: a set of cells is one integer, and a whole batch moves by a shift.

Row r, column c is bit r (g + 1) + c. The unused bit at the end of each row catches what is shifted
across the border, so that a move off the grid leaves the board: mask it with the cells that count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int, Int32, Shaped, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.random_streams import integers

NUM_ACTIONS = 5
"""Stay, up, left, down, right."""

MAX_SIZE = 7
"""The largest grid that fits in 64 bits."""


@dataclass(frozen=True)
class Grid:
    """The geometry of a grid of size x size cells; all methods are elementwise over any shape."""

    size: int

    def __post_init__(self) -> None:
        require_integer("grid_size", self.size, 1, MAX_SIZE)

    @property
    def num_cells(self) -> int:
        """The number of cells."""
        return self.size**2

    @property
    def board(self) -> int:
        """The set of all cells."""
        return self.set_of(range(self.num_cells))

    def set_of(self, cells: Iterable[int]) -> int:
        """The set of some distinct cells, by their numbers: row by row, from 0."""
        return sum(1 << cell + cell // self.size for cell in cells)

    @property
    def dtype(self) -> torch.dtype:
        """The narrowest type that holds a board and the row below it."""
        return torch.int32 if self.board.bit_length() + self.size + 1 < 32 else torch.int64

    def cell(self, index: Int[Tensor, "*lane"]) -> Int[Tensor, "*lane"]:
        """The set of one cell, by its number: row by row, from 0."""
        return torch.ones_like(index, dtype=self.dtype) << index + index // self.size

    def random_cell(self, drawn: Int32[Tensor, "*lane"]) -> Int[Tensor, "*lane"]:
        """A uniform cell from a random word, as a set of one."""
        return self.cell(integers(drawn, self.num_cells))

    def move(
        self, cell: Int[Tensor, "*lane"], action: Int[Tensor, "*lane"]
    ) -> Int[Tensor, "*lane"]:
        """Shift cells by actions; what leaves the grid leaves the board."""
        row = self.size + 1
        back = (action == 1) * row + (action == 2)
        forth = (action == 3) * row + (action == 4)
        return ((cell >> back) << forth).to(self.dtype)

    def targets(self, action: int) -> frozenset[int]:
        """Numbers of the cells in which a move can end where there are no walls; none of the action stay."""
        row, column = {1: (-1, 0), 2: (0, -1), 3: (1, 0), 4: (0, 1)}.get(action, (0, 0))
        last = self.size - 1
        return frozenset(
            self.size * min(max(r + row, 0), last) + min(max(c + column, 0), last)
            for r, c in (divmod(cell, self.size) for cell in range(self.num_cells) if action)
        )

    def neighbours(self, cell: Int[Tensor, "*lane"]) -> Int[Tensor, "*lane"]:
        """All cells one move away from a set of one cell or none, and bits outside the board."""
        row = self.size + 1
        return (cell * (2 + (1 << row))) | (cell >> 1) | (cell >> row)

    def features(self, *sets: Int[Tensor, "*lane"]) -> UInt8[Tensor, "*lane feature"]:
        """Membership in each set, laid out row, column, set, with the set varying fastest."""
        cell = torch.ones((), dtype=self.dtype, device=sets[0].device) << self._bits(sets[0].device)
        members = [(cells.unsqueeze(-1) & cell) != 0 for cells in sets]
        return torch.stack(members, -1).flatten(-2).to(torch.uint8)

    def sets(
        self, features: Shaped[Tensor, "*lane feature"], count: int
    ) -> Sequence[Int[Tensor, "*lane"]]:
        """The `count` sets with these features; the inverse of `features`."""
        channels = features.to(self.dtype).view(*features.shape[:-1], self.num_cells, count)
        members = channels << self._bits(features.device).unsqueeze(-1)
        return members.sum(-2, dtype=self.dtype).unbind(-1)

    def _bits(self, device: torch.device) -> Int[Tensor, "cell"]:
        index = torch.arange(self.num_cells, dtype=self.dtype, device=device)
        return index + index // self.size


def nth_cell(
    cells: Int[Tensor, "*lane"], n: Int[Tensor, "*lane"], most: int
) -> Int[Tensor, "*lane"]:
    """The n-th cell of each set, from 0, as a set of one; `n` is less than `most`."""
    left = n.to(cells.dtype)
    for _ in range(most - 1):
        # Subtracting 1 and keeping what is common removes the first cell; subtracting 0, nothing.
        cells = cells & (cells - left.clamp(0, 1))
        left = left - 1
    return cells & -cells
