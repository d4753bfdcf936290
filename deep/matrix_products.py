"""The matrix products of an update, from their shapes, and what arithmetic they take.

Everything else (activations, likelihoods, random words, Adam) is bound by memory, not by
arithmetic, and is left out. Backpropagation multiplies once more for the weights of every layer,
and once more for its input, except where nothing that is learned lies before the input.
"""

from functools import singledispatch
from itertools import pairwise
from typing import NamedTuple

from deep.agent import Agent
from deep.gated_network import GatedNetwork
from deep.models import (
    TRANSITIONS,
    DecodingModel,
    LatentModel,
    LearnedModel,
    Model,
    PerfectModel,
    Replay,
    SimpleModel,
    StructuredModel,
    ValueEquivalentModel,
)
from deep.networks import Network


class Product(NamedTuple):
    """A matrix product of one lane, `[row, inner] x [inner, column]`."""

    rows: int
    inner: int
    columns: int

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.rows * self.inner * self.columns


Products = list[Product]


def update_products(agent: Agent) -> Products:
    """The products of an update, of one lane.

    Those of the model's loss, forward and backward; of rollouts, with the behaviour's choices in them; of the
    target network; and of the Q-network's loss, forward and backward.

    Raises:
        ValueError: The agent replays by priority, or mixes real transitions in, whose products are others.
    """
    if agent.prioritized or (isinstance(agent.model, LearnedModel) and agent.model.real_share):
        raise ValueError(
            "products are known of agents that neither replay by priority nor mix, got one that does"
        )
    q = agent.q_network
    learned = _forward(q, TRANSITIONS) + _learning(q, TRANSITIONS)
    return _loss(agent.model, q) + _rollouts(agent.model, q) + learned


def flops(products: Products) -> int:
    """Multiplications and additions of all of them, of one lane."""
    return sum(product.flops for product in products)


def _layers(network: Network) -> list[tuple[int, int]]:
    """Inputs and outputs of each product of a forward pass, perceptron by perceptron."""
    hidden = [network.width] * network.depth
    return [
        layer for size in network.outputs for layer in pairwise([network.inputs, *hidden, size])
    ]


def _forward(network: Network, rows: int) -> Products:
    return [Product(rows, i, o) for i, o in _layers(network)]


def _learning(network: Network, rows: int, *, through: bool = False) -> Products:
    """Forward and backward; `through` whether the input's gradient is wanted too."""
    layers = _layers(network)
    first = network.depth + 1  # layers of a perceptron, of which only the first may do without
    weights = [Product(i, rows, o) for i, o in layers]
    inputs = [
        Product(rows, o, i) for place, (i, o) in enumerate(layers) if through or place % first
    ]
    return _forward(network, rows) + weights + inputs


def _gated_layers(network: GatedNetwork) -> list[tuple[int, int]]:
    """Inputs and outputs likewise: a first layer for all features together, then those of each."""
    features, width = network.features, network.width
    first = (features + network.others, features * width)
    return [first, *[(width, width)] * features, *[(width, 1)] * features]


@singledispatch
def _loss(model: Model, q: Network) -> Products:  # noqa: ARG001
    raise TypeError(f"the products of {type(model).__name__} are not known")


@singledispatch
def _rollouts(model: Model, q: Network) -> Products:  # noqa: ARG001
    raise TypeError(f"the products of {type(model).__name__} are not known")


@_loss.register(Replay)
@_loss.register(PerfectModel)
def _(model: Model, q: Network) -> Products:  # noqa: ARG001
    return []


@_loss.register
def _(model: SimpleModel, q: Network) -> Products:  # noqa: ARG001
    return _learning(model.network, model.model_batch_size)


@_loss.register
def _(model: StructuredModel, q: Network) -> Products:  # noqa: ARG001
    rows, layers = model.model_batch_size, _gated_layers(model.gated_network)
    gated = [Product(rows, i, o) for i, o in layers] + [Product(i, rows, o) for i, o in layers]
    gated += [Product(rows, o, i) for i, o in layers[1:]]
    return _learning(model.network, rows) + gated


@_loss.register
def _(model: DecodingModel, q: Network) -> Products:  # noqa: ARG001
    """The encoder reads both observations; the others read a latent that it is learned by."""
    encoder, *others = model.networks
    rows = model.model_batch_size
    return _learning(encoder, 2 * rows) + [
        product for network in others for product in _learning(network, rows, through=True)
    ]


@_loss.register
def _(model: ValueEquivalentModel, q: Network) -> Products:
    """Latents along trajectories are learned through; those of what was met, and their values, are not."""
    encoder, dynamics, outcome = model.stepping_networks
    rows = model.model_batch_size
    every = model.value_steps * rows
    unrolled = model.value_steps * _learning(dynamics, rows, through=True)
    value = _forward(q, every) + [Product(every, o, i) for i, o in _layers(q)]
    learned = _learning(encoder, rows) + unrolled + _learning(outcome, every, through=True) + value
    return learned + _forward(encoder, every) + _forward(q, every)


@_rollouts.register
def _(model: Replay, q: Network) -> Products:  # noqa: ARG001
    return []


@_rollouts.register
def _(model: PerfectModel, q: Network) -> Products:
    return model.rollout_length * _forward(q, model.starts)


@_rollouts.register
def _(model: SimpleModel, q: Network) -> Products:
    rows = model.starts
    *outcome, following = model.network.outputs
    step = _forward(q, rows) + _forward(model.network._replace(outputs=(following,)), rows)
    once = _forward(model.network._replace(outputs=tuple(outcome)), TRANSITIONS)
    return model.rollout_length * step + once


@_rollouts.register
def _(model: StructuredModel, q: Network) -> Products:
    rows = model.starts
    gated = [Product(rows, i, o) for i, o in _gated_layers(model.gated_network)]
    step = _forward(q, rows) + gated
    return model.rollout_length * step + _forward(model.network, TRANSITIONS)


@_rollouts.register
def _(model: LatentModel, q: Network) -> Products:
    rows = model.starts
    encoder, dynamics, outcome = model.stepping_networks
    step = _forward(q, rows) + _forward(dynamics, rows)
    steps = _forward(encoder, rows) + model.rollout_length * step
    return steps + _forward(outcome, TRANSITIONS)
