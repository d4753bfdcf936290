"""Trees of tuples, whose leaves are tensors with dotted names."""

from typing import Any

from torch import Tensor


def tensors(tree: Any, prefix: str = "") -> dict[str, Tensor]:
    """The leaves by name, as `learner.q_moments.first` or `learner.model.0`."""
    if isinstance(tree, Tensor):
        return {prefix: tree}
    found: dict[str, Tensor] = {}
    names = getattr(tree, "_fields", range(len(tree)))
    for name, branch in zip(names, tree, strict=True):
        found |= tensors(branch, f"{prefix}.{name}" if prefix else str(name))
    return found
