"""Steps of learning by the kernels; `deep.adam` and `deep.q_learning` say what they do."""

from collections.abc import Sequence

import torch
from jaxtyping import Float32
from torch import Tensor

from deep.adam import BETA_1, BETA_2, EPSILON, WEIGHT_DECAY, Moments, count_step
from deep.kernels.operators import PackedPerceptron
from deep.q_learning import DISCOUNT, Transitions

_CONSTANTS = [BETA_1, BETA_2, EPSILON, WEIGHT_DECAY]


def adam_step(
    learned: Sequence[PackedPerceptron],
    parameters: Float32[Tensor, "lane all"],
    moments: Moments,
    gradients: Sequence[Float32[Tensor, "lane parameter"]],
    step_size: Float32[Tensor, "lane"] | float,
) -> None:
    """`deep.adam.adam_step` on a network, in place; the weights are rounded anew, in place too.

    Args:
        learned: The network's perceptrons.
        parameters: Their parameters, one block after the other.
        moments: Of the parameters.
        gradients: Of the perceptrons' parameters.
        step_size: Of each lane, or of all.
    """
    torch.ops.mbgen.adam(
        *(parameters, moments.first, moments.second, [each.packed for each in learned]),
        *(list(gradients), *_scales(moments, step_size), _CONSTANTS),
        [size for each in learned for size in each.sizes],
    )
    count_step(moments)


def td_step(
    q: PackedPerceptron,
    moments: Moments,
    target: PackedPerceptron,
    transitions: Transitions,
    step_size: Float32[Tensor, "lane"],
) -> Float32[Tensor, "lane"]:
    """A step of Adam on the TD loss, in place, as is the rounding of the weights; the loss before it."""
    loss: Tensor = torch.ops.mbgen.td_step(
        *(q.parameters, moments.first, moments.second, q.packed),
        *(target.parameters, target.packed, *transitions),
        *(*_scales(moments, step_size), _CONSTANTS, DISCOUNT, q.sizes),
    )
    count_step(moments)
    return loss


def _scales(moments: Moments, step_size: Tensor | float) -> tuple[Tensor, Tensor]:
    """Step sizes times the first correction, and the second."""
    first, second = moments.corrections
    return (step_size * first).expand(len(moments.first)).contiguous(), second
