"""Adam with a step size for each lane and a weight decay apart from it."""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

BETA_1, BETA_2 = 0.9, 0.99
EPSILON = 1e-5
WEIGHT_DECAY = 1e-6


class Moments(NamedTuple):
    """What Adam remembers.

    Attributes:
        first: Running mean of the gradient.
        second: Running mean of its square.
        steps: Steps so far.
        corrections: Of the next step, for means that began at 0: 1 / (1 - beta_1^t) and
            1 / sqrt(1 - beta_2^t). Kept, since compiled code would otherwise raise to the power
            for every single parameter.
    """

    first: Float32[Tensor, "lane parameter"]
    second: Float32[Tensor, "lane parameter"]
    steps: Int64[Tensor, ""]
    corrections: Float32[Tensor, "2"]


def no_moments(parameters: Float32[Tensor, "lane parameter"]) -> Moments:
    """The moments before the first step."""
    steps = torch.zeros((), dtype=torch.int64, device=parameters.device)
    first, second = torch.zeros_like(parameters), torch.zeros_like(parameters)
    return Moments(first, second, steps, _corrections(steps))


def forget(moments: Moments) -> None:
    """Go back to before the first step, in place."""
    for place, value in zip(moments, no_moments(moments.first), strict=True):
        place.copy_(value)


def adam_step(
    parameters: Float32[Tensor, "lane parameter"],
    moments: Moments,
    gradient: Float32[Tensor, "lane parameter"],
    step_size: Float32[Tensor, "lane 1"] | float,
) -> None:
    """One step of Adam (Kingma and Ba, 2015), in place.

    The decay of 1e-6 a step is decoupled (Loshchilov and Hutter, 2019) and, unlike in torch's
    AdamW, not multiplied by the step size.
    """
    moments.first.lerp_(gradient, 1 - BETA_1)
    moments.second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
    first, second = moments.corrections
    deviation = moments.second.sqrt() * second + EPSILON
    change = step_size * first * moments.first / deviation
    # Not a factor of 1 - 1e-6: the nearest float32 would decay by 1.013e-6.
    parameters.sub_(change.add_(parameters, alpha=WEIGHT_DECAY))
    count_step(moments)


def count_step(moments: Moments) -> None:
    """A step was made, in place."""
    moments.steps.add_(1)
    moments.corrections.copy_(_corrections(moments.steps))


def _corrections(steps: Int64[Tensor, ""]) -> Float32[Tensor, "2"]:
    t = steps.double() + 1
    return torch.stack((1 / (1 - BETA_1**t), (1 - BETA_2**t).rsqrt())).float()
