"""Negative log-likelihoods that models minimize, without what no parameter changes."""

from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from deep.replay_buffer import Replayed


def outcome_loss(
    reward: Float[Tensor, "lane batch"],
    continuation: Float[Tensor, "lane batch"],
    batch: Replayed,
) -> Float[Tensor, "lane batch"]:
    """Of the reward, by a Gaussian of unit variance, and of the episode going on, by a Bernoulli.

    Args:
        reward: The predicted mean.
        continuation: The predicted logit.
        batch: What happened.
    """
    error = 0.5 * (reward - batch.reward).square()
    goes_on = 1 - batch.terminal.float()
    return error + cross_entropy(continuation, goes_on, reduction="none")


def features_loss(
    logits: Float[Tensor, "lane batch feature"],
    features: UInt8[Tensor, "lane batch feature"],
    terminal: Bool[Tensor, "lane batch"],
) -> Float32[Tensor, "lane batch"]:
    """Of 0/1 features, by independent Bernoullis; 0 for terminal transitions."""
    loss = cross_entropy(logits, features.float(), reduction="none").sum(2)
    return loss * (1 - terminal.float())
