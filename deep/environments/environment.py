"""What a batched environment is: pure functions over states of tensors, with randomness given.

A state is a named tuple of tensors that share any leading *lane* shape. Every function is a fixed
sequence of tensor operations on whole batches: no loop over lanes, nothing waits for the host, and
no shape depends on the data, so that a step can be captured in a CUDA graph or compiled.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import torch
from jaxtyping import Bool, Float32, Int, Int32, Int64, UInt8
from torch import Tensor

from deep.random_streams import Purpose, Stream, coin, heads, words

_TAILS = 2**31 - 1
"""For this word the coin of no event shows heads, but one of probability 1."""

State = TypeVar("State", bound=tuple[Tensor, ...])

LARGEST = 1_000
"""Size of an environment: pipes, or cells along a side."""


@dataclass(frozen=True)
class Noise(Generic[State]):
    """All that chance decides in a step.

    Attributes:
        words: Random words for the transition, `[word, *lane]`.
        fresh: For each lane the state that it starts from anew if its episode ends in this step;
            None: it does not start anew.
    """

    words: Int32[Tensor, "word *lane"]
    fresh: State | None


@dataclass(frozen=True)
class Transition(Generic[State]):
    """What a state and an action lead to; the successor of a terminal step means nothing."""

    successor: State
    reward: Float32[Tensor, "*lane"]
    terminal: Bool[Tensor, "*lane"]


@dataclass(frozen=True)
class Step(Generic[State]):
    """A transition, and the state to act on next.

    Attributes:
        next_state: Act on this one: the successor or, where the episode ended, a fresh state.
        successor: Store this one: the state before any reset.
        reward: Of the step.
        terminal: Whether the episode ended; then nothing is bootstrapped from the successor.
    """

    next_state: State
    successor: State
    reward: Float32[Tensor, "*lane"]
    terminal: Bool[Tensor, "*lane"]


@dataclass(frozen=True)
class Scopes:
    """What is known of an environment's structure: factors, and what each depends on.

    It holds of the usual course of a step from an ordinary state, which is deterministic; the rules of
    `tabular` declare the same.

    Attributes:
        factors: The features of each factor; each feature is in one.
        parents: By action and factor: the factors that the factor of the successor depends on.
    """

    factors: tuple[tuple[int, ...], ...]
    parents: tuple[tuple[frozenset[int], ...], ...]

    @property
    def factor_of_feature(self) -> tuple[int, ...]:
        """The factor of each feature."""
        owner = {f: k for k, features in enumerate(self.factors) for f in features}
        return tuple(owner[feature] for feature in range(len(owner)))


class Environment(ABC, Generic[State]):
    """A batched environment; subclasses are frozen dataclasses of its settings."""

    _heads: int

    def __post_init__(self) -> None:
        # Here, since compiled code would trace the arithmetic of fractions.
        object.__setattr__(self, "_heads", heads(self.event_probability))

    @property
    def event_probability(self) -> Fraction:
        """Chance of the spontaneous event in a step; 0 where there is none."""
        return Fraction(0)

    def event(self, drawn: Int32[Tensor, "*lane"]) -> Bool[Tensor, "*lane"]:
        """Whether the spontaneous event happens, by a random word for each lane."""
        return coin(drawn, self._heads)

    @property
    @abstractmethod
    def num_actions(self) -> int:
        """Actions are the integers 0 to num_actions - 1. What others do is not defined."""

    @property
    @abstractmethod
    def num_features(self) -> int:
        """The length of an observation."""

    @property
    @abstractmethod
    def episodic(self) -> bool:
        """Whether a step can be terminal."""

    @property
    @abstractmethod
    def reset_words(self) -> int:
        """Random words that a reset needs."""

    @property
    @abstractmethod
    def transition_words(self) -> int:
        """Random words that a transition needs."""

    @abstractmethod
    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> State:
        """Draw an initial state for each lane, from `reset_words` random words."""

    @abstractmethod
    def transition(
        self,
        state: State,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[State]:
        """Apply an action in each lane, with `transition_words` random words, and reset nothing."""

    @abstractmethod
    def observe(self, state: State) -> UInt8[Tensor, "*lane feature"]:
        """The 0/1 features that an agent sees."""

    @abstractmethod
    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> State:
        """The state that looks like this; the inverse of `observe`."""

    @property
    def scopes(self) -> Scopes | None:
        """What is known of its structure; None if nothing is."""
        return None

    def ordinary(self, state: State) -> Bool[Tensor, "*lane"]:
        """Whether a step goes on by the scopes, unless the spontaneous event happens; where scopes are known.

        No state that the environment does not have is ordinary.
        """
        raise NotImplementedError

    def event_shows(self, successor: State) -> Bool[Tensor, "*lane"]:
        """Whether a successor may be the spontaneous event's; where scopes are known."""
        raise NotImplementedError

    def usual(self, state: State, action: Int[Tensor, "*lane"]) -> Transition[State]:
        """A step in which the spontaneous event does not happen, unless it always does."""
        drawn = torch.full(
            (self.transition_words, *action.shape), _TAILS, dtype=torch.int32, device=action.device
        )
        return self.transition(state, action, drawn)

    def noise(self, seed: Int64[Tensor, "..."], step: Int[Tensor, "..."]) -> Noise[State]:
        """Draw what chance decides, for every pair of a seed and a step (broadcast).

        A reset can cost more than all the rest of a step (a maze is dozens of dependent
        operations), whether one lane needs it or all. So draw for many steps at once: seeds
        `[lane]` and steps `[time, 1]` give the noise of `time` steps, and `at(noise, t)` that of
        one. This is exact: an episode can end in every step, and there is a fresh state for each.
        """
        count = self.transition_words + self.reset_words * self.episodic
        drawn = words(Stream(seed, step, Purpose.ENVIRONMENT), count)
        fresh = self.reset(drawn[self.transition_words :]) if self.episodic else None
        drawn = drawn[: self.transition_words]
        if step.dim() > seed.dim():
            # Time first in memory: strides of what `at` takes out do not tell how many steps were
            # drawn, for which compiled code would be compiled again. Not `contiguous`, which leaves
            # a single word as it is.
            first = drawn.transpose(0, 1).clone(memory_format=torch.contiguous_format)
            drawn = first.transpose(0, 1)
        return Noise(drawn, fresh)

    def initial(self, seed: Int64[Tensor, "..."], episode: Int[Tensor, "..."]) -> State:
        """A first state for each seed, apart from those that `noise` holds.

        Args:
            seed: One for each lane.
            episode: Another number, another state; broadcast against `seed`.
        """
        return self.reset(words(Stream(seed, episode, Purpose.RESET), self.reset_words))

    def step(self, state: State, action: Int[Tensor, "*lane"], noise: Noise[State]) -> Step[State]:
        """Apply an action in each lane, and start anew where the episode ends."""
        done = self.transition(state, action, noise.words)
        next_state = done.successor
        if self.episodic and noise.fresh is not None:
            next_state = select(done.terminal, noise.fresh, done.successor)
        return Step(next_state, done.successor, done.reward, done.terminal)


def at(noise: Noise[State], time: int) -> Noise[State]:
    """The noise of one step, from noise that was drawn for many along a first axis."""
    fresh = noise.fresh
    if fresh is not None:
        fresh = type(fresh)(*(field[time] for field in fresh))
    return Noise(noise.words[:, time], fresh)


def select(condition: Bool[Tensor, "*lane"], chosen: State, other: State) -> State:
    """`torch.where` for states: in each lane one or the other, whole."""
    lanes = condition.dim()
    return type(chosen)(
        *(
            torch.where(condition.view(condition.shape + (1,) * (a.dim() - lanes)), a, b)
            for a, b in zip(chosen, other, strict=True)
        )
    )
