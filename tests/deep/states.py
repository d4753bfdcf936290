"""What is learned and met, copied and compared to the bit."""

import torch

from deep.tensor_tree import tensors


def copied(tree):
    """Its tensors by their names, as they are now."""
    return {name: tensor.clone() for name, tensor in tensors(tree).items()}


def assert_same_bits(one, other):
    """Of two trees, or what was copied of them."""
    left, right = (each if isinstance(each, dict) else dict(tensors(each)) for each in (one, other))
    assert left.keys() == right.keys()
    assert not [name for name in left if not torch.equal(left[name], right[name])]
