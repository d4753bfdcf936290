"""Networks that predict each feature from a few others: the L0 norm of gates on their inputs is learned.

After Louizos, Welling and Kingma (2018). A gate is hard concrete: with noise s is the logistic function of
(log u - log(1 - u) + l) / beta, for uniform u and the gate's logit l, and the gate is s (zeta - gamma) + gamma, cut off
at 0 and 1. It is 0 or 1 with positive probability, and its probability of not being 0 is sigmoid(l - beta log(-gamma /
zeta)), whose sum is the penalty. Without noise s is sigmoid(l).
"""

from math import log, prod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor
from torch.nn.functional import elu

from deep.layers import ALIGNMENT, Precision, affine, truncated_normal
from deep.random_streams import Stream, uniform

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1
STEP_FACTOR = 5.0
LOGIT_SCALE = 2.0
"""A gate's logit is so many times its parameter: a step of Adam moves it by 2e-3 at most."""

INITIAL_LOGIT = 1.0
"""Of every gate: all of them are open at first."""


class GatedPerceptron(NamedTuple):
    """In each lane a small multilayer perceptron (ELU) for each feature, that reads the others through gates.

    Attributes:
        weights: Of the first layer without gates, `[lane, in, feature * unit]`, and of the other two, `[lane *
            feature, in, out]`.
        biases: Of each layer.
        logits: Of the gates: the first feature is read, the second one predicted.
        read: The first layer behind its gates, in the precision of the products.
    """

    weights: tuple[Float[Tensor, "_ _ _"], ...]
    biases: tuple[Float[Tensor, "_ 1 _"], ...]
    logits: Float[Tensor, "lane feature feature"]
    read: Float[Tensor, "lane in units"]

    def __call__(
        self, inputs: Float[Tensor, "lane batch in"]
    ) -> Float[Tensor, "lane batch feature"]:
        """A number for each feature, from all features and what is read beside them."""
        lanes, features = len(inputs), self.logits.shape[1]
        hidden = elu(affine(inputs, self.read, self.biases[0]))
        apart = hidden.unflatten(2, (features, -1)).transpose(1, 2).flatten(0, 1)
        apart = elu(affine(apart, self.weights[1], self.biases[1]))
        out = affine(apart, self.weights[2], self.biases[2])
        return out.view(lanes, features, -1).transpose(1, 2)

    def with_noise(self, drawn: Int32[Tensor, "gate lane"]) -> "GatedPerceptron":
        """The same with gates as chance has them, by a random word for each of them."""
        u = uniform(drawn) + 2.0**-25  # never 0 or 1
        noise = (torch.log(u) - torch.log1p(-u)).movedim(0, 1).view_as(self.logits)
        return self.gated((noise + self.logits) / BETA)

    def gated(self, logits: Float[Tensor, "lane feature feature"]) -> "GatedPerceptron":
        """The same with gates stretched from the logistic function of these numbers."""
        first, features = self.weights[0], logits.shape[1]
        weight = first[:, :features].unflatten(2, (features, -1))
        gate = stretched(logits).unsqueeze(3)
        behind = torch.cat(((weight * gate).flatten(2), first[:, features:]), 1)
        return self._replace(read=behind.to(self.read.dtype))

    def expected_open(self) -> Float[Tensor, "lane"]:
        """How many gates are not 0, in the mean over their noise."""
        return (self.logits - BETA * log(-GAMMA / ZETA)).sigmoid().sum((1, 2))

    @property
    def open(self) -> Bool[Tensor, "lane feature feature"]:
        """Whether each gate is more than 0 without noise."""
        return stretched(self.logits) > 0


def stretched(
    logits: Float[Tensor, "lane feature feature"],
) -> Float[Tensor, "lane feature feature"]:
    """The logistic function, stretched beyond 0 and 1 and cut off there."""
    return (logits.sigmoid() * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


class GatedNetwork(NamedTuple):
    """A gated perceptron, whose parameters are one flat tensor `[lane, parameter]`.

    Attributes:
        features: That are read and predicted.
        others: Numbers that every feature's perceptron reads beside them, without a gate.
        width: Units of each of the two hidden layers of a feature.
        precision: Of the products, as in `deep.networks.Network`.
    """

    features: int
    others: int
    width: int = 32
    precision: Precision = "highest"

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the gates' logits; of the weights of each layer, then the biases."""
        features, width = self.features, self.width
        return [
            (features, features),
            (features + self.others, features * width),
            (features, width, width),
            (features, width, 1),
            (1, features * width),
            (features, 1, width),
            (features, 1, 1),
        ]

    @property
    def num_parameters(self) -> int:
        """Of a lane, with what pads them to a multiple of 16."""
        used = sum(map(prod, self.shapes))
        return used + -used % ALIGNMENT

    @property
    def step_factor(self) -> float:
        """Of the model's step size: small networks move their function less in a step."""
        return STEP_FACTOR

    @property
    def units(self) -> int:
        """Numbers that a row becomes on its way, counted before and after each activation."""
        return self.features + self.others + 4 * self.features * self.width

    def perceptrons(
        self,
        parameters: Float[Tensor, "lane parameter"],
        packed: tuple[Tensor, ...] | None = None,  # noqa: ARG002
    ) -> tuple[GatedPerceptron]:
        """The perceptron, ready to be applied, its gates without noise.

        Args:
            parameters: Of all.
            packed: Not looked at; kernels do not compute it.
        """
        dtype = torch.bfloat16 if self.precision == "bf16" else parameters.dtype
        gates, first, *others = self._parts(parameters)
        second, third, bias, *biases = others
        weights = (first, *(each.flatten(0, 1).to(dtype) for each in (second, third)))
        offsets = (bias, *(each.flatten(0, 1) for each in biases))
        logits = gates * LOGIT_SCALE
        return (GatedPerceptron(weights, offsets, logits, first.to(dtype)).gated(logits),)

    def _parts(self, parameters: Float[Tensor, "lane parameter"]) -> list[Tensor]:
        sizes = [prod(shape) for shape in self.shapes]
        parts = parameters.split([*sizes, self.num_parameters - sum(sizes)], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=False)]

    def initial(self, stream: Stream) -> Float32[Tensor, "lane parameter"]:
        """Weights as in `deep.networks.Network`, all gates alike, biases 0.

        Args:
            stream: Of the random words that decide: seeds `[lane]` and one step.
        """
        parameters = truncated_normal(stream, self.num_parameters)
        gates, first, second, third, *biases = self._parts(parameters)
        gates.fill_(INITIAL_LOGIT / LOGIT_SCALE)
        for weight in (first, second, third):
            weight.mul_(weight.shape[-2] ** -0.5)
        for bias in biases:
            bias.zero_()
        parameters[:, sum(map(prod, self.shapes)) :] = 0
        return parameters
