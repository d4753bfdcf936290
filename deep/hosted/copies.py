"""Copies of a Gymnasium environment that live side by side, a life that its seed and actions decide.

Every episode of every copy is reset with a seed of its own, which is a function of the copy's seed and
the episode's number. So the life of a copy does not depend on those beside it, and where an episode
stands can be found again from its number and the actions taken in it: that is what a checkpoint holds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from deep.hosted.features import Encoder


@contextmanager
def _own_code() -> Iterator[None]:
    """Code of the environment's own runs here: whatever it raises is told in one line."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split())
        raise ValueError(f"the environment failed with {type(error).__name__}: {said}") from error


Make = Callable[[], gymnasium.Env[Any, Any]]
SeedOf = Callable[[int, int], int]
"""The seed to reset copy i with for its episode j."""


class Episode(NamedTuple):
    """Where a copy is.

    Attributes:
        number: Of the episode; 0 is the first.
        actions: Taken in it so far.
    """

    number: int
    actions: Sequence[int]


class Stepped(NamedTuple):
    """What a step of every copy led to.

    Attributes:
        successor: What is seen after it, before any reset.
        reward: Of the step.
        terminated: The episode is over: nothing follows.
        truncated: The episode was cut, by a time limit for example: much would have followed.
        shown: What is acted on next: the successor, or the first of a new episode.
    """

    successor: UInt8[np.ndarray, "copy feature"]
    reward: Float32[np.ndarray, " copy"]
    terminated: Bool[np.ndarray, " copy"]
    truncated: Bool[np.ndarray, " copy"]
    shown: UInt8[np.ndarray, "copy feature"]


class Copies:
    """As many copies as there are seeds to begin with."""

    def __init__(self, make: Make, count: int, encoder: Encoder, seed_of: SeedOf) -> None:
        """Make the copies; `begin` starts their episodes.

        Args:
            make: Makes one.
            count: How many.
            encoder: Of their observations.
            seed_of: Seed of a copy's episode.
        """
        self._encoder, self._seed_of = encoder, seed_of
        self._copies = [make() for _ in range(count)]
        self._first_action = [int(getattr(copy.action_space, "start", 0)) for copy in self._copies]
        self._episode = np.zeros(count, np.int64)
        nothing = np.zeros(encoder.num_features, np.uint8)
        self._still = (nothing, 0.0, False, False, nothing)

    def begin(self, episodes: Int64[np.ndarray, " copy"]) -> UInt8[np.ndarray, "copy feature"]:
        """Start these episodes; what is seen first."""
        self._episode = episodes.copy()
        return np.stack([self._reset(copy) for copy in range(len(self._copies))])

    def begin_at(
        self, episodes: Sequence[Episode], seen: UInt8[np.ndarray, "copy feature"]
    ) -> dict[int, UInt8[np.ndarray, " feature"]]:
        """Go where these episodes stand, by taking their actions again.

        Args:
            episodes: Of each copy.
            seen: There.

        Returns:
            Where copies did not get there, because the environment does not repeat itself, their next episode has
            begun: what is seen first in it, by the copy's number.
        """
        self._episode = np.array([episode.number for episode in episodes], np.int64)
        found = [self._again(copy, episode) for copy, episode in enumerate(episodes)]
        astray = [
            copy for copy, shown in enumerate(found) if shown is None or (shown != seen[copy]).any()
        ]
        self._episode[astray] += 1
        return {copy: self._reset(copy) for copy in astray}

    def _again(self, copy: int, episode: Episode) -> UInt8[np.ndarray, " feature"] | None:
        """What is seen after an episode's actions; None where it ends before."""
        shown = self._reset(copy)
        for action in episode.actions:
            seen, _, terminated, truncated = self._take(copy, int(action))
            if terminated or truncated:
                return None
            shown = self._encoder(seen)
        return shown

    def step(
        self, actions: Int64[np.ndarray, " copy"], running: Bool[np.ndarray, " copy"] | None = None
    ) -> Stepped:
        """Act in every copy; those whose episode ends begin the next one.

        Args:
            actions: From 0 on, for each copy.
            running: Which copies act; those that do not stand still, and show nothing. All if None.
        """
        rows = [
            self._step(copy, int(action)) if running is None or running[copy] else self._still
            for copy, action in enumerate(actions)
        ]
        successor, reward, terminated, truncated, shown = zip(*rows, strict=True)
        return Stepped(
            np.stack(successor),
            np.array(reward, np.float32),
            np.array(terminated),
            np.array(truncated),
            np.stack(shown),
        )

    def _take(self, copy: int, action: int) -> tuple[Any, float, bool, bool]:
        with _own_code():
            seen, reward, terminated, truncated, _ = self._copies[copy].step(
                self._first_action[copy] + action
            )
            reward = float(reward)
        if not isfinite(reward):
            raise ValueError(f"the environment gave the reward {reward}; accepted: a finite number")
        return seen, reward, bool(terminated), bool(truncated)

    def _step(self, copy: int, action: int) -> tuple[Any, float, bool, bool, Any]:
        seen, reward, terminated, truncated = self._take(copy, action)
        successor = shown = self._encoder(seen)
        if terminated or truncated:
            self._episode[copy] += 1
            shown = self._reset(copy)
        return successor, reward, terminated, truncated, shown

    def _reset(self, copy: int) -> UInt8[np.ndarray, " feature"]:
        seed = self._seed_of(copy, int(self._episode[copy]))
        with _own_code():
            seen, _ = self._copies[copy].reset(seed=seed)
        return self._encoder(seen)
