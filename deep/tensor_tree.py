"""Trees of named tuples, whose leaves are tensors with dotted names."""

from typing import Any

from torch import Tensor


def tensors(tree: Any, prefix: str = "") -> dict[str, Tensor]:
    """The leaves by name, as `learner.q_moments.first`."""
    if isinstance(tree, Tensor):
        return {prefix: tree}
    found: dict[str, Tensor] = {}
    for name, branch in tree._asdict().items():
        found |= tensors(branch, f"{prefix}.{name}" if prefix else name)
    return found
