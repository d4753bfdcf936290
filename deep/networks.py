"""Feedforward networks with a leading lane axis: one batched matrix product a layer for all lanes.

A network's parameters are one flat tensor `[lane, parameter]`: an optimizer step is then a few
operations over all layers at once, a target copy is one, and a lane is a row.
"""

from itertools import pairwise
from math import erf, prod, sqrt
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn.functional import elu

from deep.random_streams import Stream, uniform, words

Precision = Literal["highest", "high", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

_TRUNCATION = 2.0  # standard deviations
_ALIGNMENT = 16  # numbers: a lane's parameters begin where a vector register can load them


class Network(NamedTuple):
    """Multilayer perceptrons (ELU) that read the same input, one for each entry of `outputs`.

    They share nothing but the input. Each has a block of its own among the parameters, all blocks
    of one size, so that lanes and perceptrons together are one batch of matrix products.

    Attributes:
        inputs: Features of the input.
        outputs: Of each perceptron.
        width: Units of a hidden layer.
        depth: Hidden layers, at least 1.
        precision: Of the products: float32 for "highest" and "high" (which lets a GPU use TF32,
            see `deep.acceleration`); for "bf16" factors and products are rounded to bfloat16.
            Parameters and all else are float32 always.
    """

    inputs: int
    outputs: tuple[int, ...]
    width: int = 200
    depth: int = 3
    precision: Precision = "highest"

    @property
    def heads(self) -> int:
        """How many perceptrons."""
        return len(self.outputs)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Of a block: the weights `(in, out)` of each layer, then the biases `(1, out)`.

        The last layer has room for the widest perceptron; a narrower one uses the first numbers.
        """
        widths = [self.inputs, *[self.width] * self.depth, max(self.outputs)]
        return [*pairwise(widths), *((1, width) for width in widths[1:])]

    @property
    def block_size(self) -> int:
        """Parameters of a perceptron, with what pads them to a multiple of 16."""
        used = sum(map(prod, self.shapes))
        return used + -used % _ALIGNMENT

    @property
    def num_parameters(self) -> int:
        """Of a lane."""
        return self.heads * self.block_size

    def layers(
        self, parameters: Float[Tensor, "lane parameter"]
    ) -> list[Float[Tensor, "lane head _ _"]]:
        """The parameters as views of the given shapes."""
        blocks = parameters.view(-1, self.heads, self.block_size)
        sizes = [prod(shape) for shape in self.shapes]
        parts = blocks.split([*sizes, self.block_size - sum(sizes)], dim=2)
        return [part.unflatten(2, shape) for part, shape in zip(parts, self.shapes, strict=False)]

    def initial(self, stream: Stream) -> Float32[Tensor, "lane parameter"]:
        """Weights from a normal truncated at two standard deviations, std 1/sqrt(fan in); biases 0.

        Args:
            stream: Of the random words that decide: seeds `[lane]` and one step.
        """
        drawn = words(stream, self.num_parameters).movedim(0, 1)
        # Computed in float64, so that every device rounds to the same float32.
        inside = (uniform(drawn).double() * 2 - 1 + 2.0**-24) * erf(_TRUNCATION / sqrt(2))
        parameters = torch.erfinv(inside).mul(sqrt(2)).float().contiguous()
        for index, layer in enumerate(self.layers(parameters)):
            layer.mul_(layer.shape[2] ** -0.5 if index <= self.depth else 0)
        used = sum(map(prod, self.shapes))
        parameters.view(-1, self.heads, self.block_size)[:, :, used:] = 0
        return parameters

    def __call__(
        self,
        parameters: Float[Tensor, "lane parameter"],
        inputs: Float[Tensor, "lane batch feature"],
    ) -> list[Float[Tensor, "lane batch _"]]:
        """Apply every perceptron to the batch of each lane; returns the output of each."""
        layers = self.layers(parameters)
        *weights, last_weight = layers[: self.depth + 1]
        *biases, last_bias = layers[self.depth + 1 :]
        hidden = inputs.unsqueeze(1).expand(-1, self.heads, -1, -1).flatten(0, 1)
        for weight, bias in zip(weights, biases, strict=True):
            hidden = elu(self._affine(hidden, weight.flatten(0, 1), bias.flatten(0, 1)))
        outputs = []
        for head, last in enumerate(hidden.unflatten(0, (-1, self.heads)).unbind(1)):
            size = self.outputs[head]
            weight = last_weight[:, head].flatten(1)[:, : self.width * size]
            bias = last_bias[:, head, :, :size]
            outputs.append(self._affine(last, weight.unflatten(1, (self.width, size)), bias))
        return outputs

    def _affine(self, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        # Not baddbmm: it would copy the bias over the whole batch first, while compiled code adds
        # it and applies the activation in one pass.
        if self.precision == "bf16":
            return torch.bmm(inputs.bfloat16(), weight.bfloat16()).float() + bias
        return torch.bmm(inputs, weight) + bias
