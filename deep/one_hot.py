"""One-hot features, without a look at the data."""

import torch
from jaxtyping import Float32, Int64
from torch import Tensor


def one_hot(index: Int64[Tensor, "*shape"], count: int) -> Float32[Tensor, "*shape count"]:
    """1 at the index, 0 elsewhere; an index out of range gives zeros.

    Torch's own asks a CPU for the least and the greatest index first, and waits for the answer.
    """
    return (index.unsqueeze(-1) == torch.arange(count, device=index.device)).float()
