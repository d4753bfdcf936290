"""What networks of every kind are made of: their precision, affine layers of all lanes at once, initial weights."""

from math import erf, sqrt
from typing import Literal, get_args

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from deep.random_streams import MAX_WORDS, Stream, uniform, words

Precision = Literal["highest", "high", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

ALIGNMENT = 16
"""Numbers: parameters begin where a vector register can load them."""

_TRUNCATION = 2.0  # standard deviations


def affine(
    inputs: Float[Tensor, "lane batch in"],
    weight: Float[Tensor, "lane in out"],
    bias: Float[Tensor, "lane 1 out"],
) -> Float[Tensor, "lane batch out"]:
    """A layer in each lane: one batched matrix product, in the precision of the weights."""
    # Not baddbmm: it would copy the bias over the whole batch first, while compiled code adds it and
    # applies the activation in one pass.
    return torch.bmm(inputs.to(weight.dtype), weight).to(bias.dtype) + bias


def truncated_normal(stream: Stream, count: int) -> Float32[Tensor, "lane number"]:
    """Numbers from a standard normal truncated at two standard deviations.

    Args:
        stream: Of the random words that decide: seeds `[lane]` and one step.
        count: Of each lane.
    """
    if count > MAX_WORDS:
        raise ValueError(
            f"a network may have {MAX_WORDS:,} parameters, got {count:,}; fewer features or a smaller size have fewer"
        )
    drawn = words(stream, count).movedim(0, 1)
    # Computed in float64, so that every device rounds to the same float32.
    inside = (uniform(drawn).double() * 2 - 1 + 2.0**-24) * erf(_TRUNCATION / sqrt(2))
    return torch.erfinv(inside).mul(sqrt(2)).float().contiguous()
