"""Trees of tuples, whose leaves are tensors with dotted names."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def tensors(tree: Any, prefix: str = "") -> dict[str, Tensor]:
    """The leaves by name, as `learner.q_moments.first` or `learner.model.0`.

    A tuple that calls itself `derived` follows from the others and is left out.
    """
    if isinstance(tree, Tensor):
        return {prefix: tree}
    if tree is None or getattr(tree, "derived", False):
        return {}
    found: dict[str, Tensor] = {}
    names = getattr(tree, "_fields", range(len(tree)))
    for name, branch in zip(names, tree, strict=True):
        found |= tensors(branch, f"{prefix}.{name}" if prefix else str(name))
    return found


def fill(tree: Any, values: Mapping[str, Tensor], prefix: str = "") -> None:
    """Copy values into the leaves, which keep their places.

    Args:
        tree: A tree of tuples of tensors.
        values: As `tensors(tree, prefix)` names them.
        prefix: Of the names.

    Raises:
        ValueError: One is missing, too much, or of another shape or type; nothing is then changed.
    """
    places = tensors(tree, prefix)
    if unknown := sorted(places.keys() ^ values.keys()):
        raise ValueError(f"the state of this run and the one to load differ in {unknown[0]!r}")
    for name, place in places.items():
        value = values[name]
        if value.shape != place.shape or value.dtype != place.dtype:
            raise ValueError(
                f"{name} must be {place.dtype} of shape {tuple(place.shape)}, "
                f"got {value.dtype} of shape {tuple(value.shape)}"
            )
    for name, place in places.items():
        place.copy_(values[name])
