"""An environment of Gymnasium, to be explored: its observations as hashable values, and as numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple
from gymnasium.wrappers import TimeLimit


class ExplorableGame:
    """A Gymnasium environment without its time limit, as `tabular.exploration.Explorable`.

    Attributes:
        num_actions: Actions are the integers from 0 to num_actions - 1.
    """

    def __init__(self, game: gymnasium.Env[Any, Any]) -> None:
        """Take an environment, which is then this one's own.

        Raises:
            ValueError: Its actions are not Discrete.
        """
        if not isinstance(game.action_space, Discrete):
            raise ValueError(f"its action space is {game.action_space}; accepted: Discrete")
        self.num_actions = int(game.action_space.n)
        self._first_action = int(game.action_space.start)
        self._game = _without_time_limit(game)

    def reset(self, seed: int) -> Hashable:
        """Start an episode; what is observed first."""
        with _own_code():
            return hashable(self._game.reset(seed=seed)[0])

    def step(self, action: int) -> tuple[Hashable | None, float]:
        """Act: what is observed then, or None at the end of the episode, and the reward.

        Raises:
            ValueError: The environment cuts the episode short by its own code, or fails.
        """
        with _own_code():
            seen, reward, terminated, truncated, _ = self._game.step(self._first_action + action)
            following, gained = None if terminated else hashable(seen), float(reward)
        if truncated and not terminated:
            raise ValueError(
                "its own code truncates an episode, which no table can say; accepted: a time limit "
                "given as max_episode_steps"
            )
        return following, gained

    def copy(self) -> ExplorableGame:
        """Another one in the same state."""
        with _own_code("copying it"):
            return ExplorableGame(deepcopy(self._game))

    def reseed(self, generator: np.random.Generator) -> None:
        """Draw what is random from this generator from now on, if from Gymnasium's `np_random`."""
        self._game.unwrapped.np_random = generator


def hashable(observation: Any) -> Hashable:
    """An observation as a value that equals another's where they are the same."""
    match observation:
        case Mapping():
            return tuple(hashable(observation[key]) for key in sorted(observation))
        case tuple() | list():
            return tuple(map(hashable, observation))
        case np.ndarray() | np.generic():
            return hashable(observation.tolist())
    found: Hashable = observation
    hash(found)
    return found


def numbers_of(space: Space[Any], observations: tuple[Hashable, ...]) -> tuple[list[int], int]:
    """Observations numbered by all the whole numbers they consist of, the last one fastest.

    Args:
        space: Of the observations.
        observations: As `hashable` gives them.

    Returns:
        The number of each, and how many numbers there are.

    Raises:
        ValueError: They consist of other things, or one is not in the space.
    """
    ranges = list(_ranges(space))
    numbers = []
    for observation in observations:
        number = 0
        for value, (low, count) in zip(_flat(observation), ranges, strict=True):
            if not low <= value < low + count:
                raise ValueError(
                    f"an observation holds {value}; its space has {low} to {low + count - 1}"
                )
            number = number * count + value - low
        numbers.append(number)
    return numbers, prod(count for _, count in ranges)


def _ranges(space: Space[Any]) -> Iterator[tuple[int, int]]:
    """The least value and the number of values of each whole number in an observation."""
    match space:
        case Discrete():
            yield int(space.start), int(space.n)
        case MultiDiscrete():
            yield from zip(
                space.start.reshape(-1).tolist(), space.nvec.reshape(-1).tolist(), strict=True
            )
        case MultiBinary():
            yield from [(0, 2)] * int(np.prod(space.shape))
        case Box() if np.issubdtype(space.dtype, np.integer) or space.dtype == np.bool_:
            for low, high in zip(space.low.reshape(-1), space.high.reshape(-1), strict=True):
                yield int(low), int(high) - int(low) + 1
        case Dict():
            for key in sorted(space.spaces):
                yield from _ranges(space.spaces[key])
        case Tuple():
            for inner in space.spaces:
                yield from _ranges(inner)
        case _:
            raise ValueError(
                f"its observations hold a {type(space).__name__}, and factors are made of whole "
                "numbers; accepted: Discrete, MultiDiscrete, MultiBinary, Box of whole numbers, and "
                "Dict or Tuple of these"
            )


def _flat(value: Any) -> Iterator[int]:
    if not isinstance(value, tuple):
        yield int(value)
        return
    for part in value:
        yield from _flat(part)


def _without_time_limit(game: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    if isinstance(game, TimeLimit):
        return _without_time_limit(game.env)
    if isinstance(game, gymnasium.Wrapper):
        game.env = _without_time_limit(game.env)
    return game


@contextmanager
def _own_code(what: str = "its own code") -> Iterator[None]:
    """Code of the environment's own runs here: whatever it raises is told in one line."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{what} failed with {type(error).__name__}: {said}") from error
