"""Prioritized replay: transitions that surprised are replayed more often (Schaul et al., 2016).

Transition i of a lane is drawn with probability p_i / sum of p, where p_i = |TD error|^0.6 as it was when the
transition was last replayed. Its loss weighs (least p of the batch / p_i)^0.4, which takes back a part of
the bias. Priorities are whole numbers, in units of 2^-20: so their sums are exact, the same on every device
in whatever order they are added up, and a draw has the probability that it should have.

Departures from the paper: 0.4 is not raised to 1 in the course of a run, and no constant is added to errors,
since an error of 0 has a priority of one unit.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

EXPONENT = 0.6
CORRECTION = 0.4
UNIT = 2.0**-20
MOST = 2**30
"""Units: the priority of an error of about 100,000; larger ones count as much."""

_HALF_WORD = 31


class Priorities(NamedTuple):
    """Of the transitions in a replay buffer.

    Attributes:
        units: Of the transition in each place; 0 where nothing is stored.
        highest: That a transition ever had, and 1 at least. New ones get it, so that each is soon replayed.
    """

    units: Int32[Tensor, "lane capacity"]
    highest: Int32[Tensor, "lane"]

    def store(self, place: Int64[Tensor, "1"]) -> None:
        """Give the new transition in a place of each lane the highest priority; in place."""
        self.units.index_copy_(1, place, self.highest.unsqueeze(1))

    def draw(self, drawn: Int32[Tensor, "lane batch"]) -> Int64[Tensor, "lane batch"]:
        """Places in proportion to their priorities, with replacement, by a random word each.

        One running sum over the buffer, and a search in it: the time is that of reading the buffer's
        priorities once. No place's probability differs from its share by more than 2^-31.
        """
        cumulated = self.units.cumsum(1)
        total = cumulated[:, -1:]
        # floor(word * total / 2^31) by parts, since the product can have more than 63 bits.
        word = (drawn.long() & (2**32 - 1)) >> 1
        low = total & (2**_HALF_WORD - 1)
        aimed = word * (total >> _HALF_WORD) + ((word * low) >> _HALF_WORD)
        return torch.searchsorted(
            cumulated, aimed.clone(memory_format=torch.contiguous_format), right=True
        )

    def weights(self, place: Int64[Tensor, "lane batch"]) -> Float32[Tensor, "lane batch"]:
        """Of the losses of transitions that were drawn; the largest of a batch is 1."""
        units = self.units.gather(1, place).float()
        return (units.amin(1, keepdim=True) / units) ** CORRECTION

    def update(
        self, place: Int64[Tensor, "lane batch"], error: Float32[Tensor, "lane batch"]
    ) -> None:
        """Take the TD errors of what was replayed; in place. An error that is no number counts as 0."""
        size = (error.abs().nan_to_num(nan=0.0) ** EXPONENT / UNIT).clamp(1, MOST).int()
        self.units.scatter_(1, place, size)
        self.highest.copy_(torch.maximum(self.highest, size.amax(1)))

    def clear(self) -> None:
        """Forget all; in place."""
        self.units.zero_()
        self.highest.fill_(round(1 / UNIT))


def no_priorities(lanes: int, capacity: int, device: torch.device | str = "cpu") -> Priorities:
    """Of a buffer that holds nothing yet."""
    units = torch.zeros(lanes, capacity, dtype=torch.int32, device=device)
    made = Priorities(units, units.new_zeros(lanes))
    made.clear()
    return made
