"""What torch has to know of the kernels: shapes, and derivatives."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float32, Int32
from torch import Tensor


class PackedPerceptron(NamedTuple):
    """A perceptron whose weights are rounded and lie as the kernels read them.

    Attributes:
        parameters: Its block.
        packed: Its weights, two in a word.
        sizes: Inputs, width, depth, outputs, and those that the block has room for.
    """

    parameters: Float32[Tensor, "lane parameter"]
    packed: Int32[Tensor, "lane word"]
    sizes: tuple[int, int, int, int, int]

    def __call__(
        self, inputs: Float32[Tensor, "lane batch feature"]
    ) -> Float32[Tensor, "lane batch output"]:
        """Apply it to the batch of each lane."""
        outputs: Tensor = _Apply.apply(inputs, self.parameters, self.packed, self.sizes)
        return outputs


class _Apply(torch.autograd.Function):
    """The kernel, with its derivative."""

    @staticmethod
    def forward(inputs: Tensor, parameters: Tensor, packed: Tensor, sizes: Any) -> Tensor:
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


def packed_perceptron(
    parameters: Float32[Tensor, "lane parameter"], sizes: tuple[int, int, int, int, int]
) -> PackedPerceptron:
    """Round the weights once, for every use."""
    packed = torch.ops.mbgen.pack(parameters.detach(), sizes)
    return PackedPerceptron(parameters, packed, sizes)


def td_gradient(
    q: PackedPerceptron, target: PackedPerceptron, transitions: Any, discount: float
) -> tuple[Float32[Tensor, "lane parameter"], Float32[Tensor, "lane"]]:
    """The gradient of the TD loss by the parameters of `q`, and the loss."""
    features, action, reward, continuation, next_features, weight = transitions
    return torch.ops.mbgen.td_gradient(
        *(q.parameters, q.packed, target.parameters, target.packed, q.sizes),
        *(features, action, reward, continuation, next_features, weight, discount),
    )


def register() -> None:
    """Tell torch shapes and derivatives, once the library is loaded."""
    register_fake = torch.library.register_fake

    @register_fake("mbgen::pack")
    def _(parameters: Tensor, sizes: Any) -> Tensor:
        words = sum(
            -(-inputs // 2) * (outputs + -outputs % 16)
            for inputs, outputs in _layers(*sizes)
        )
        return parameters.new_empty((len(parameters), words), dtype=torch.int32)

    @register_fake("mbgen::perceptron")
    def _(inputs: Tensor, parameters: Tensor, packed: Tensor, sizes: Any) -> Tensor:
        return inputs.new_empty((*inputs.shape[:2], sizes[3]))

    @register_fake("mbgen::perceptron_backward")
    def _(
        gradient: Tensor,
        inputs: Tensor,
        parameters: Tensor,
        packed: Tensor,
        sizes: Any,
        of_inputs: bool,
    ) -> tuple[Tensor, Tensor]:
        lanes, rows, features = inputs.shape
        back = inputs.new_empty((lanes, rows if of_inputs else 0, features))
        return parameters.new_empty(parameters.shape), back

    @register_fake("mbgen::td_gradient")
    def _(parameters: Tensor, *others: Any) -> tuple[Tensor, Tensor]:
        return parameters.new_empty(parameters.shape), parameters.new_empty(len(parameters))


def _layers(
    inputs: int, width: int, depth: int, outputs: int, room: int
) -> list[tuple[int, int]]:
    widths = [inputs, *[width] * depth, outputs]
    return list(zip(widths, widths[1:], strict=False))
