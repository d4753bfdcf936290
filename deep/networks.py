"""Feedforward networks with a leading lane axis: one batched matrix product a layer for all lanes.

A network's parameters are one flat tensor `[lane, parameter]`: an optimizer step is then a few
operations over all layers at once, a target copy is one, and a lane is a row.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32, Int32
from torch import Tensor
from torch.nn.functional import elu

from deep.gated_network import GatedNetwork, GatedPerceptron
from deep.kernels.operators import PackedPerceptron, Sizes, pack
from deep.layers import ALIGNMENT, Precision, affine, truncated_normal
from deep.random_streams import Stream


class PlainPerceptron(NamedTuple):
    """A multilayer perceptron (ELU) in each lane.

    Attributes:
        weights: Of each layer, `[lane, in, out]`, in the precision of the products.
        biases: Of each layer, `[lane, 1, out]`, in that of everything else.
    """

    weights: tuple[Float[Tensor, "lane _ _"], ...]
    biases: tuple[Float[Tensor, "lane 1 _"], ...]

    def __call__(
        self, inputs: Float[Tensor, "lane batch feature"]
    ) -> Float[Tensor, "lane batch output"]:
        """Apply it to the batch of each lane."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            inputs = elu(affine(inputs, weight, bias))
        return affine(inputs, *last)


Perceptron = PlainPerceptron | PackedPerceptron | GatedPerceptron
Perceptrons = tuple[Perceptron, ...]


Packs = tuple[Int32[Tensor, "lane _"], ...]
"""Rounded weights of a network's perceptrons, for the kernels."""


class Network(NamedTuple):
    """Multilayer perceptrons (ELU) that read the same input, one for each entry of `outputs`.

    They share nothing but the input. Each has a block of its own among the parameters, all blocks
    of one size.

    Attributes:
        inputs: Features of the input.
        outputs: Of each perceptron.
        width: Units of a hidden layer.
        depth: Hidden layers, at least 1.
        precision: Of the products: float32 for "highest" and "high" (which lets a GPU use TF32,
            see `deep.acceleration`); for "bf16" factors and products are rounded to bfloat16.
            Parameters and all else are float32 always.
        kernels: Whether the kernels compute it; only "bf16" has them.
    """

    inputs: int
    outputs: tuple[int, ...]
    width: int = 200
    depth: int = 3
    precision: Precision = "highest"
    kernels: bool = False

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
        return used + -used % ALIGNMENT

    @property
    def num_parameters(self) -> int:
        """Of a lane."""
        return self.heads * self.block_size

    @property
    def step_factor(self) -> float:
        """Of the model's step size."""
        return 1.0

    @property
    def units(self) -> int:
        """Numbers that a row becomes on its way, counted before and after each activation."""
        return self.heads * (self.inputs + 2 * self.depth * self.width)

    def perceptrons(
        self, parameters: Float[Tensor, "lane parameter"], packed: Packs | None = None
    ) -> Perceptrons:
        """The perceptrons, ready to be applied.

        Weights of precision "bf16" are rounded here, once for every use; else all are views.

        Args:
            parameters: Of all.
            packed: What `pack` gives of them, where it was kept.
        """
        if self.packs:
            return self.packed_perceptrons(parameters, packed or self.pack(parameters))
        dtype = torch.bfloat16 if self.precision == "bf16" else parameters.dtype
        layers = [layer.unbind(1) for layer in self._layers(parameters)]
        made = []
        for size, own in zip(self.outputs, zip(*layers, strict=True), strict=True):
            weights, biases = list(own[: self.depth + 1]), list(own[self.depth + 1 :])
            used = weights[-1].flatten(1)[:, : self.width * size]
            weights[-1] = used.unflatten(1, (self.width, size))
            biases[-1] = biases[-1][:, :, :size]
            rounded = tuple(weight.to(dtype) for weight in weights)
            made.append(PlainPerceptron(rounded, tuple(biases)))
        return tuple(made)

    @property
    def packs(self) -> bool:
        """Whether kernels compute the network."""
        return self.kernels and self.precision == "bf16"

    def pack(self, parameters: Float[Tensor, "lane parameter"]) -> Packs:
        """The weights of each perceptron, rounded for the kernels."""
        return tuple(map(pack, self._blocks(parameters), self._sizes))

    def packed_perceptrons(
        self, parameters: Float[Tensor, "lane parameter"], packed: Packs
    ) -> tuple[PackedPerceptron, ...]:
        """The perceptrons as kernels compute them."""
        return tuple(map(PackedPerceptron, self._blocks(parameters), packed, self._sizes))

    @property
    def _sizes(self) -> list[Sizes]:
        room = max(self.outputs)
        return [(self.inputs, self.width, self.depth, size, room) for size in self.outputs]

    def _blocks(self, parameters: Float[Tensor, "lane parameter"]) -> tuple[Tensor, ...]:
        return parameters.view(-1, self.heads, self.block_size).unbind(1)

    def _layers(
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
        parameters = truncated_normal(stream, self.num_parameters)
        for index, layer in enumerate(self._layers(parameters)):
            layer.mul_(layer.shape[2] ** -0.5 if index <= self.depth else 0)
        used = sum(map(prod, self.shapes))
        parameters.view(-1, self.heads, self.block_size)[:, :, used:] = 0
        return parameters


AnyNetwork = Network | GatedNetwork
