"""Adam with a step size for each lane and a weight decay apart from it."""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

BETA_1, BETA_2 = 0.9, 0.99
EPSILON = 1e-5
WEIGHT_DECAY = 1e-6


class Moments(NamedTuple):
    """What Adam remembers: running means of the gradient and of its square, and the steps so far."""

    first: Float32[Tensor, "lane parameter"]
    second: Float32[Tensor, "lane parameter"]
    steps: Int64[Tensor, ""]


def no_moments(parameters: Float32[Tensor, "lane parameter"]) -> Moments:
    """The moments before the first step."""
    steps = torch.zeros((), dtype=torch.int64, device=parameters.device)
    return Moments(torch.zeros_like(parameters), torch.zeros_like(parameters), steps)


def adam_step(
    parameters: Float32[Tensor, "lane parameter"],
    moments: Moments,
    gradient: Float32[Tensor, "lane parameter"],
    step_size: Float32[Tensor, "lane 1"],
) -> None:
    """One step of Adam (Kingma and Ba, 2015), in place.

    The decay of 1e-6 a step is decoupled (Loshchilov and Hutter, 2019) and, unlike in torch's
    AdamW, not multiplied by the step size.
    """
    moments.steps.add_(1)
    moments.first.lerp_(gradient, 1 - BETA_1)
    moments.second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
    # The means begin at 0, and are that much too small.
    steps = moments.steps.double()
    first = step_size / (1 - BETA_1**steps).float()
    second = (1 - BETA_2**steps).rsqrt().float()
    parameters.mul_(1 - WEIGHT_DECAY).sub_(
        first * moments.first / (moments.second.sqrt() * second + EPSILON)
    )
