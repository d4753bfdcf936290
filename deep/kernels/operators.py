"""What torch has to know of the kernels: shapes, and derivatives."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float32, Int32
from torch import Tensor

Sizes = tuple[int, int, int, int, int]
"""Inputs, width, depth, outputs, and those that a block of parameters has room for."""


class PackedPerceptron(NamedTuple):
    """A perceptron whose weights are rounded and lie as the kernels read them.

    Attributes:
        parameters: Its block.
        packed: Its weights, two in a word.
        sizes: Of the network.
    """

    parameters: Float32[Tensor, "lane parameter"]
    packed: Int32[Tensor, "lane word"]
    sizes: Sizes

    def __call__(
        self, inputs: Float32[Tensor, "lane batch feature"]
    ) -> Float32[Tensor, "lane batch output"]:
        """Apply it to the batch of each lane."""
        apply: Callable[..., Tensor] = _Perceptron.apply
        return apply(inputs, self.parameters, self.packed, self.sizes)


class _Perceptron(torch.autograd.Function):
    """The kernel, with its derivative."""

    @staticmethod
    def forward(inputs: Tensor, parameters: Tensor, packed: Tensor, sizes: Sizes) -> Tensor:
        outputs: Tensor = torch.ops.mbgen.perceptron(inputs, parameters, packed, sizes)
        return outputs

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.sizes = inputs[3]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_inputs = ctx.needs_input_grad[0]
        of_parameters, back = torch.ops.mbgen.perceptron_backward(
            gradient, *ctx.saved_tensors, ctx.sizes, of_inputs
        )
        return back if of_inputs else None, of_parameters, None, None


def pack(parameters: Float32[Tensor, "lane parameter"], sizes: Sizes) -> Int32[Tensor, "lane word"]:
    """The weights of a perceptron, rounded."""
    packed: Tensor = torch.ops.mbgen.pack(parameters.detach(), sizes)
    return packed


def register() -> None:
    """Tell torch the shapes of results, once the library is loaded."""
    for name, shapes in (
        ("pack", _pack),
        ("perceptron", _perceptron),
        ("perceptron_backward", _perceptron_backward),
        ("adam", _adam),
        ("td_step", _td_step),
    ):
        torch.library.register_fake(f"mbgen::{name}", shapes)


def _pack(parameters: Tensor, sizes: Sizes) -> Tensor:
    inputs, width, depth, outputs, _ = sizes
    layers = pairwise([inputs, *[width] * depth, outputs])
    words = sum(-(-before // 2) * (after + -after % 16) for before, after in layers)
    return parameters.new_empty((len(parameters), words), dtype=torch.int32)


def _perceptron(inputs: Tensor, parameters: Tensor, packed: Tensor, sizes: Sizes) -> Tensor:
    return inputs.new_empty((*inputs.shape[:2], sizes[3]))


def _perceptron_backward(
    gradient: Tensor,
    inputs: Tensor,
    parameters: Tensor,
    packed: Tensor,
    sizes: Sizes,
    of_inputs: bool,
) -> tuple[Tensor, Tensor]:
    lanes, rows, features = inputs.shape
    back = inputs.new_empty((lanes, rows if of_inputs else 0, features))
    return parameters.new_empty(parameters.shape), back


def _adam(*arguments: Any) -> None:
    """It gives nothing."""


def _td_step(parameters: Tensor, *others: Any) -> Tensor:
    return parameters.new_empty(len(parameters))
