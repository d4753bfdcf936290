"""A table of an environment's dynamics, found by taking every action in every state.

A deterministic environment that can be copied is gone through breadth first from its first states:
copies act, and go on from where they came to. What is known of a state is its observation. Whether
that is all there is to it cannot be proved by trying, only refuted, so whatever is ever seen of a state
and action is held against the rest:

- walks of uniformly random actions come first, many steps from a reset;
- every action is taken by two copies in each state, the second with another random state;
- whoever comes to a state that is known already takes one more action there.

Where two disagree, chance or something that is not observed has a part, and there is no table.
"""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from tabular.progress import Progress, silent
from tabular.transition_table import Table

RESETS = 1_000
WALKS, WALK_STEPS = 10, 1_000

_LONGEST = 60
"""The characters of an observation in a message."""


@runtime_checkable
class Explorable(Protocol):
    """An environment whose observations are hashable, in some state of it."""

    def reset(self, seed: int) -> Hashable:
        """Start an episode; what is observed first."""

    def step(self, action: int) -> tuple[Hashable | None, float]:
        """Act: what is observed then, or None at the end of the episode, and the reward."""

    def copy(self) -> "Explorable":
        """Another one in the same state."""

    def reseed(self, generator: np.random.Generator) -> None:
        """Draw what is random from this generator from now on."""


class Exploration(NamedTuple):
    """What was found.

    Attributes:
        states: The observation of each state.
        table: See `tabular.transition_table`; states are numbered as in `states`.
        initial: Of `RESETS` resets, the share that began in each state.
    """

    states: tuple[Hashable, ...]
    table: Table
    initial: tuple[float, ...]


class _Outcome(NamedTuple):
    following: Hashable | None
    reward: float


def explored(
    environment: Explorable,
    num_actions: int,
    *,
    max_states: int = 20_000,
    report: Progress = silent,
) -> Exploration:
    """Go through all states that are reached from the first states of `RESETS` resets.

    Args:
        environment: What is explored; it is reset and acted in.
        num_actions: Actions are the integers from 0 to num_actions - 1.
        max_states: The most states to go through.
        report: Is told what share of the states known so far has been gone through.

    Raises:
        ValueError: A state and action led to different things, or there are more than `max_states`
            states.
    """
    taken: dict[tuple[Hashable, int], _Outcome] = {}
    random = np.random.default_rng(0)

    def take(acting: Explorable, state: Hashable, action: int) -> _Outcome:
        found = _Outcome(*acting.step(action))
        before = taken.setdefault((state, action), found)
        if before != found:
            raise ValueError(
                f"action {action} in {_shown(state)} {_difference(before, found)}: chance, or "
                "something that is not observed, has a part in it"
            )
        return found

    def some_action() -> int:
        return int(random.integers(num_actions))

    for seed in range(WALKS):
        walked: Hashable | None = environment.reset(seed)
        for _ in range(WALK_STEPS):
            walked = take(environment, walked, some_action()).following
            if walked is None:
                break
    first: Counter[Hashable] = Counter()
    held: dict[Hashable, Explorable] = {}
    for seed in range(RESETS):
        state = environment.reset(seed)
        if state not in first:
            held[state] = environment.copy()
        first[state] += 1
        take(environment, state, some_action())
    states = list(first)
    number = {state: position for position, state in enumerate(states)}
    for position, state in enumerate(states):  # grows while it is read
        here = held.pop(state)
        for action in range(num_actions):
            for other_chance in (False, True):
                acting = here.copy()
                if other_chance:
                    acting.reseed(random)
                following = take(acting, state, action).following
                if following in number:
                    take(acting, following, some_action())
                elif following is not None:
                    number[following] = len(states)
                    states.append(following)
                    held[following] = acting
        if len(states) > max_states:
            raise ValueError(
                f"it has more than {max_states:,} states: {len(states):,} were reached from "
                f"{position + 1:,} of them"
            )
        report((position + 1) / len(states))
    table = {
        number[state]: {
            action: [_entry(taken[state, action], number)] for action in range(num_actions)
        }
        for state in states
    }
    return Exploration(tuple(states), table, tuple(first[state] / RESETS for state in states))


def _entry(found: _Outcome, number: dict[Hashable, int]) -> tuple[float, int, float, bool]:
    if found.following is None:
        return 1.0, 0, found.reward, True
    return 1.0, number[found.following], found.reward, False


def _difference(one: _Outcome, other: _Outcome) -> str:
    if one.reward != other.reward:
        return f"got the reward {one.reward:g}, and another time {other.reward:g}"
    if one.following is None:
        return "ended the episode, and another time did not"
    if other.following is None:
        return "did not end the episode, and another time did"
    return f"led to {_parted('observation', one.following, other.following)}"


def _parted(where: str, one: Hashable, other: Hashable) -> str:
    """Where two observations first differ."""
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        place = next(k for k, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
        return _parted(f"{where}[{place}]", one[place], other[place])
    return f"{where} = {_shown(one)}, and another time {_shown(other)}"


def _shown(value: Hashable) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
