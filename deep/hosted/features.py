"""Observations of a Gymnasium environment as 0/1 features.

The agents see 0/1 features alone. What is 0/1 already is taken as it is; a whole number from a small
range becomes one-hot, a feature for each value. Everything else is refused: how to round a
continuous observation is a decision about the task, which a wrapper of one's own says better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple
from jaxtyping import Int64, UInt8

MAX_VALUES = 256
"""Of a number that becomes one-hot, unless `Discrete` says how many there are."""

MAX_FEATURES = 16_384

_LARGEST = 2**62  # that a number may begin from

ACCEPTED = (
    "accepted: MultiBinary, Discrete, MultiDiscrete, Box of booleans or of whole numbers "
    f"with at most {MAX_VALUES} values each, and Dict or Tuple of these"
)


@dataclass(frozen=True)
class _Numbers:
    """A part of an observation: an array of whole numbers, each from a range of its own.

    Attributes:
        name: Where it is in the observation.
        find: Takes it out of the whole observation.
        low: The least of each, flat.
        count: Values of each, flat.
        flags: Whether the numbers, all 0 or 1, are the features; else each becomes one-hot.
    """

    name: str
    find: Callable[[Any], Any]
    low: np.ndarray
    count: np.ndarray
    flags: bool = False

    @property
    def num_features(self) -> int:
        return len(self.count) if self.flags else int(self.count.sum())

    def encode(self, observation: Any) -> UInt8[np.ndarray, " feature"]:
        found = self._found(observation)
        place = found - self.low
        wrong = (place < 0) | (place >= self.count)
        if wrong.any():
            raise self._strange(str(found[wrong][0]))
        if self.flags:
            return found.astype(np.uint8)
        features = np.zeros(self.num_features, np.uint8)
        features[np.cumsum(self.count) - self.count + place] = 1
        return features

    def _found(self, observation: Any) -> Int64[np.ndarray, " number"]:
        """Its numbers in an observation, which may be of anybody's making."""
        try:
            found = np.asarray(self.find(observation)).reshape(-1)
        except (TypeError, ValueError, LookupError):
            raise ValueError(f"the observation has no {self.name}, which its space has") from None
        if len(found) != len(self.low):
            raise self._strange(f"{len(found)} numbers, not {len(self.low)}")
        if found.dtype.kind not in "biuf":
            raise self._strange(repr(found[0]))
        with np.errstate(invalid="ignore"):
            whole = found.astype(np.int64)
        if (broken := whole != found).any():
            raise self._strange(str(found[broken][0]))
        return whole

    def _strange(self, what: str) -> ValueError:
        return ValueError(
            f"the observation's {self.name} holds {what}, which its space does not, or not with so many levels"
        )


@dataclass(frozen=True)
class Encoder:
    """Turns observations into features.

    Attributes:
        parts: One after the other.
    """

    parts: tuple[_Numbers, ...]

    @property
    def num_features(self) -> int:
        """Length of what `__call__` gives."""
        return sum(part.num_features for part in self.parts)

    def __call__(self, observation: Any) -> UInt8[np.ndarray, " feature"]:
        """The features of one observation.

        Raises:
            ValueError: It is none of the space.
        """
        return np.concatenate([part.encode(observation) for part in self.parts])


def encoder_of(
    space: Space[Any], *, keys: Sequence[str] = (), levels: int | None = None
) -> Encoder:
    """The encoder for observations of a space.

    Args:
        space: Of the observations.
        keys: Of a Dict, look at these alone; all if there are none.
        levels: Numbers of a Box run from its low to low + levels - 1, whatever the Box says: many
            declare bytes and use a few. Whoever steps outside is told.

    Raises:
        ValueError: Features of 0 and 1 cannot hold it; says what was found and what is accepted.
    """
    if keys:
        if not isinstance(space, Dict):
            raise ValueError(f"keys are of a Dict, and observations are {_shown(space)}")
        if unknown := [key for key in keys if key not in space.spaces]:
            raise ValueError(
                f"observations have no key {unknown[0]!r}; accepted: {', '.join(map(str, space.spaces))}"
            )
        space = Dict({key: space.spaces[key] for key in keys})
    encoder = Encoder(tuple(_parts(space, "", lambda observation: observation, levels)))
    if not 1 <= encoder.num_features <= MAX_FEATURES:
        raise ValueError(
            f"observations would be {encoder.num_features:,} features; accepted: 1 to {MAX_FEATURES:,} "
            "(fewer keys of a Dict, or fewer levels of its numbers)"
        )
    return encoder


def _parts(
    space: Space[Any], name: str, find: Callable[[Any], Any], levels: int | None
) -> list[_Numbers]:
    named = name or "value"
    match space:
        case MultiBinary():
            size = int(np.prod(space.shape))
            return [_Numbers(named, find, np.zeros(size, np.int64), np.full(size, 2), flags=True)]
        case Discrete():
            low, count = np.array([int(space.start)]), np.array([int(space.n)])
            return [_Numbers(named, find, low, count)]
        case MultiDiscrete():
            low = np.asarray(space.start, np.int64).reshape(-1)
            return [_Numbers(named, find, low, np.asarray(space.nvec, np.int64).reshape(-1))]
        case Box():
            return [_box(space, named, find, levels)]
        case Dict():
            return [
                part
                for key, inner in space.spaces.items()
                for part in _parts(inner, f"{name}.{key}" if name else key, _at(find, key), levels)
            ]
        case Tuple():
            return [
                part
                for index, inner in enumerate(space.spaces)
                for part in _parts(inner, f"{name}[{index}]", _at(find, index), levels)
            ]
        case _:
            raise ValueError(f"the observation's {named} is {_shown(space)}; {ACCEPTED}")


def _at(find: Callable[[Any], Any], key: Any) -> Callable[[Any], Any]:
    return lambda observation: find(observation)[key]


def _box(space: Box, name: str, find: Callable[[Any], Any], levels: int | None) -> _Numbers:
    if not (np.issubdtype(space.dtype, np.integer) or space.dtype == np.bool_):
        raise ValueError(f"the observation's {name} is {_shown(space)}; {ACCEPTED}")
    # In Python's integers, since the widest range has no number in int64.
    lows, highs = (np.asarray(end).reshape(-1).tolist() for end in (space.low, space.high))
    counts = [int(high) - int(least) + 1 for least, high in zip(lows, highs, strict=True)]
    if levels is not None:
        counts = [min(count, levels) for count in counts]
    if not all(1 <= count <= MAX_VALUES for count in counts) or max(map(int, lows)) > _LARGEST:
        raise ValueError(f"the observation's {name} is {_shown(space)}; {ACCEPTED}")
    low, count = np.array(lows, np.int64), np.array(counts)
    return _Numbers(name, find, low, count, flags=bool((low == 0).all() and (count == 2).all()))


def _shown(space: Space[Any]) -> str:
    """A space in a few words: a Box of many numbers prints them all."""
    if isinstance(space, Box):
        low, high = np.min(space.low), np.max(space.high)
        return f"Box({low}, {high}, {space.shape}, {space.dtype})"
    return type(space).__name__
