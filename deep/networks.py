"""Feedforward networks with a leading lane axis: one batched matrix product a layer for all lanes.

A network's parameters are one flat tensor `[lane, parameter]`: an optimizer step is then a few
operations over all layers at once, a target copy is one, and a lane is a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, prod, sqrt
from typing import Literal, get_args

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torch.nn.functional import elu

from deep.random_streams import uniform, words

Precision = Literal["highest", "high", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

_TRUNCATION = 2.0  # standard deviations
_ALIGNMENT = 16  # numbers: a lane's parameters begin where a vector register can load them


@dataclass(frozen=True)
class Network:
    """Multilayer perceptrons (ELU) that read the same input, one for each entry of `outputs`.

    They share nothing but the input. Held together, their first layers are one product and each
    further hidden layer is one batched product.

    Attributes:
        inputs: Features of the input.
        outputs: Of each perceptron.
        width: Units of a hidden layer.
        depth: Hidden layers, at least 1.
        precision: Of the products: float32 for "highest" and "high" (which lets a GPU use TF32,
            see `deep.acceleration`), bfloat16 with float32 sums for "bf16". Parameters are
            float32 always.
    """

    inputs: int
    outputs: tuple[int, ...]
    width: int = 200
    depth: int = 3
    precision: Precision = "highest"

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of a lane's parameters in order: weights `[..., in, out]`, then biases; the last ones end the list."""
        heads, width = len(self.outputs), self.width
        hidden = [(heads, width, width)] * (self.depth - 1)
        weights = [(self.inputs, heads * width), *hidden, *((width, n) for n in self.outputs)]
        biases = [(1, heads * width), *[(heads, 1, width)] * (self.depth - 1)]
        return (*weights, *biases, *((1, n) for n in self.outputs))

    @property
    def num_parameters(self) -> int:
        """Of a lane, with what pads them to a multiple of 16."""
        used = sum(map(prod, self.shapes))
        return used + -used % _ALIGNMENT

    def products(self, batch: int) -> int:
        """Floating-point operations of the matrix products of one forward pass of one lane."""
        weights = self.shapes[: self.depth + len(self.outputs)]
        return 2 * batch * sum(map(prod, weights))

    def layers(self, parameters: Float[Tensor, "lane parameter"]) -> list[Float[Tensor, "..."]]:
        """The parameters as views of the given shapes, each with a leading lane axis."""
        sizes = [prod(shape) for shape in self.shapes]
        parts = parameters.split([*sizes, self.num_parameters - sum(sizes)], dim=1)
        return [part.view(-1, *shape) for part, shape in zip(parts, self.shapes, strict=False)]

    def initial(
        self, seed: Int64[Tensor, "lane"], purpose: int, stream: int = 0
    ) -> Float32[Tensor, "lane parameter"]:
        """Weights from a normal truncated at two standard deviations, std 1/sqrt(fan in); biases 0.

        Args:
            seed: One for each lane.
            purpose: Of the random words.
            stream: Another number, other weights: a model of several networks counts them.
        """
        step = torch.tensor(stream, device=seed.device)
        drawn = words(seed, step, purpose, self.num_parameters).movedim(0, 1)
        # Computed in float64, so that every device rounds to the same float32.
        inside = (uniform(drawn).double() * 2 - 1 + 2.0**-24) * erf(_TRUNCATION / sqrt(2))
        parameters = torch.erfinv(inside).mul(sqrt(2)).float()
        weights = self.depth + len(self.outputs)
        for index, layer in enumerate(self.layers(parameters)):
            layer.mul_(layer.shape[-2] ** -0.5 if index < weights else 0)
        parameters[:, sum(map(prod, self.shapes)) :] = 0
        return parameters

    def __call__(
        self,
        parameters: Float[Tensor, "lane parameter"],
        inputs: Float[Tensor, "lane batch feature"],
    ) -> list[Float[Tensor, "lane batch _"]]:
        """Apply every perceptron to the batch of each lane; returns the output of each."""
        layers = self.layers(parameters)
        heads, depth = len(self.outputs), self.depth
        weights, biases = layers[: depth + heads], layers[depth + heads :]
        lanes, batch, _ = inputs.shape
        first = elu(self._affine(biases[0], inputs, weights[0]))
        # From one wide layer to a batch of lanes x heads, which the further layers are.
        hidden = first.view(lanes, batch, heads, self.width).transpose(1, 2).flatten(0, 1)
        for weight, bias in zip(weights[1:depth], biases[1:depth], strict=True):
            hidden = elu(self._affine(bias.flatten(0, 1), hidden, weight.flatten(0, 1)))
        split = hidden.view(lanes, heads, batch, self.width).unbind(1)
        last = zip(biases[depth:], split, weights[depth:], strict=True)
        return [self._affine(bias, x, weight) for bias, x, weight in last]

    def _affine(self, bias: Tensor, inputs: Tensor, weight: Tensor) -> Tensor:
        if self.precision == "bf16":
            return torch.bmm(inputs.bfloat16(), weight.bfloat16()).float() + bias
        return torch.baddbmm(bias, inputs, weight)


def total_parameters(networks: Sequence[Network]) -> int:
    """Parameters of a lane of several networks, held in one tensor."""
    return sum(network.num_parameters for network in networks)


def split_parameters(
    networks: Sequence[Network], parameters: Float[Tensor, "lane parameter"]
) -> tuple[Float[Tensor, "lane _"], ...]:
    """The parameters of each of several networks, from the one tensor that holds them in order."""
    parts: tuple[Tensor, ...] = parameters.split([n.num_parameters for n in networks], dim=1)
    return parts
