"""Q-learning with a target network (DQN; Mnih et al., 2015), from transitions real or imagined."""

from typing import NamedTuple

from jaxtyping import Float, Float32, Int32, Int64
from torch import Tensor

from deep.networks import Perceptron
from deep.random_streams import categorical

DISCOUNT = 0.9


class Transitions(NamedTuple):
    """What a Q update consumes.

    Attributes:
        features: What the Q-network reads of the state.
        action: Taken in it.
        reward: Of the step.
        continuation: 1 - terminal, or the probability that the episode goes on.
        next_features: Of the successor.
        weight: Of the transition's loss.
    """

    features: Float32[Tensor, "lane batch feature"]
    action: Int64[Tensor, "lane batch"]
    reward: Float32[Tensor, "lane batch"]
    continuation: Float32[Tensor, "lane batch"]
    next_features: Float32[Tensor, "lane batch feature"]
    weight: Float32[Tensor, "lane batch"]


def td_target(target: Perceptron, transitions: Transitions) -> Float32[Tensor, "lane batch"]:
    """Reward + gamma * continuation * max over actions of the target network's Q(successor, action)."""
    best = target(transitions.next_features).amax(-1)
    return transitions.reward + DISCOUNT * transitions.continuation * best


def td_error(
    q: Perceptron, target: Float32[Tensor, "lane batch"], transitions: Transitions
) -> Float[Tensor, "lane batch"]:
    """What Q says of the action that was taken, less the target."""
    return q(transitions.features).gather(2, transitions.action.unsqueeze(2)).squeeze(2) - target


def td_loss(
    q: Perceptron, target: Float32[Tensor, "lane batch"], transitions: Transitions
) -> Float[Tensor, "lane"]:
    """The weighted squared one-step error, mean over the batch (not over the sum of the weights)."""
    return (transitions.weight * td_error(q, target, transitions).square()).mean(1)


def softmax_action(
    q: Float32[Tensor, "lane *batch action"],
    temperature: Float32[Tensor, "lane"],
    drawn: Int32[Tensor, "lane *batch"],
) -> Int64[Tensor, "lane *batch"]:
    """Draw actions in proportion to exp(q / temperature)."""
    divisor = temperature.view(-1, *[1] * (q.dim() - 1))
    return categorical(q / divisor, drawn)
