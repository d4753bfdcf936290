"""The replay buffer: the last transitions of every lane, one stored in each step."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Int, Int32, Int64, UInt8
from torch import Tensor

from deep.priorities import Priorities, no_priorities
from deep.random_streams import integers

MAX_ACTIONS = 256
"""An action is stored in a byte."""


class Dataset(NamedTuple):
    """Transitions in some order; the next observation of a terminal one means nothing."""

    observation: UInt8[Tensor, "transition feature"]
    action: Int64[Tensor, "transition"]
    reward: Float32[Tensor, "transition"]
    terminal: Bool[Tensor, "transition"]
    next_observation: UInt8[Tensor, "transition feature"]


class Replayed(NamedTuple):
    """Transitions as they were stored; the next observation of a terminal one means nothing.

    Attributes:
        follows: Of trajectories: whether a step is the first, or was stored right after the one before it. None where
            they are no trajectories.
    """

    observation: UInt8[Tensor, "lane batch feature"]
    action: Int64[Tensor, "lane batch"]
    reward: Float32[Tensor, "lane batch"]
    terminal: Bool[Tensor, "lane batch"]
    next_observation: UInt8[Tensor, "lane batch feature"]
    follows: Bool[Tensor, "lane batch"] | None = None

    @property
    def transitions(self) -> tuple[Tensor, ...]:
        """Their parts, `[lane, batch, ...]`."""
        return self[:5]

    def first(self, count: int) -> "Replayed":
        """The first `count` transitions of each lane."""
        return Replayed(*(field[:, :count] for field in self.transitions))


class ReplayBuffer(NamedTuple):
    """A ring of transitions for each lane; a 0/1 feature takes a byte.

    Attributes:
        stored: Transitions stored so far in each lane, also those since overwritten: one number
            for all lanes, or in a fixed buffer one for each.
        priorities: By which they are replayed; None if all are alike.
    """

    observation: UInt8[Tensor, "lane capacity feature"]
    action: UInt8[Tensor, "lane capacity"]
    reward: Float32[Tensor, "lane capacity"]
    terminal: Bool[Tensor, "lane capacity"]
    next_observation: UInt8[Tensor, "lane capacity feature"]
    stored: Int64[Tensor, "*lane"]
    priorities: Priorities | None = None

    @property
    def rings(self) -> tuple[Tensor, ...]:
        """The parts of the transitions, `[lane, capacity, ...]`."""
        return self[:5]

    def store(
        self,
        observation: UInt8[Tensor, "lane feature"],
        action: Int[Tensor, "lane"],
        reward: Float32[Tensor, "lane"],
        terminal: Bool[Tensor, "lane"],
        next_observation: UInt8[Tensor, "lane feature"],
    ) -> None:
        """Store a transition of each lane, in place, where need be over the oldest.

        Not in a fixed buffer.
        """
        place = (self.stored % self.action.shape[1]).view(1)
        new = (observation, action.to(self.action.dtype), reward, terminal, next_observation)
        for ring, value in zip(self.rings, new, strict=True):
            ring.index_copy_(1, place, value.unsqueeze(1))
        if self.priorities is not None:
            self.priorities.store(place)
        self.stored.add_(1)

    def sample(self, drawn: Int32[Tensor, "lane batch"]) -> Replayed:
        """Uniform with replacement, by a random word for each transition; the buffer must hold one."""
        return self.at(self.places(drawn))

    def places(self, drawn: Int32[Tensor, "lane batch"]) -> Int64[Tensor, "lane batch"]:
        """Where what `sample` draws lies, for `at`."""
        capacity = self.action.shape[1]
        return integers(drawn, self.stored.clamp(max=capacity).unsqueeze(-1))

    def trajectories(self, first: Int64[Tensor, "lane batch"], steps: int) -> Replayed:
        """The transitions in these places with those that were stored after them, time first.

        Where nothing was stored after it, the last one is repeated, and does not follow. Whether a step begins where
        the one before it led is not looked at.
        """
        capacity = self.action.shape[1]
        left = (self.stored.unsqueeze(-1) - 1 - first) % capacity
        after = [(first + left.clamp(max=time)) % capacity for time in range(steps)]
        follows = [left >= time for time in range(steps)]
        return self.at(torch.cat(after, 1))._replace(follows=torch.cat(follows, 1))

    def at(self, index: Int64[Tensor, "lane batch"]) -> Replayed:
        """The transitions in these places."""
        lanes, capacity = self.action.shape
        row = (index + torch.arange(lanes, device=index.device).unsqueeze(1) * capacity).flatten()
        observation, action, reward, terminal, next_observation = (
            ring.flatten(0, 1).index_select(0, row).view(*index.shape, *ring.shape[2:])
            for ring in self.rings
        )
        return Replayed(observation, action.long(), reward, terminal, next_observation)

    def clear(self) -> None:
        """Forget all; in place."""
        self.stored.zero_()
        if self.priorities is not None:
            self.priorities.clear()


def empty_buffer(
    lanes: int,
    capacity: int,
    num_features: int,
    device: torch.device | str = "cpu",
    *,
    prioritized: bool = False,
) -> ReplayBuffer:
    """A buffer that holds nothing yet.

    It takes 2 * num_features + 6 bytes a lane and transition; 4 more with priorities.
    """

    def ring(dtype: torch.dtype, *shape: int) -> Tensor:
        return torch.zeros(lanes, capacity, *shape, dtype=dtype, device=device)

    return ReplayBuffer(
        observation=ring(torch.uint8, num_features),
        action=ring(torch.uint8),
        reward=ring(torch.float32),
        terminal=ring(torch.bool),
        next_observation=ring(torch.uint8, num_features),
        stored=torch.zeros((), dtype=torch.int64, device=device),
        priorities=no_priorities(lanes, capacity, device) if prioritized else None,
    )


def fixed_buffer(datasets: Sequence[Dataset], device: torch.device | str = "cpu") -> ReplayBuffer:
    """A buffer that holds a dataset in each lane, to learn from and not to store in.

    Args:
        datasets: One for each lane, of any sizes.
        device: Where the buffer is.

    Raises:
        ValueError: There is no dataset, one is empty, or they differ in the number of features; or parts of one
            differ in length, or a feature or an action is no whole number of 0 to 255.
    """
    sizes = [len(data.action) for data in datasets]
    widths = sorted({data.observation.shape[1] for data in datasets})
    if not sizes or not all(sizes):
        raise ValueError(f"each lane needs at least one transition, got datasets of {sizes}")
    if len(widths) > 1:
        raise ValueError(f"all datasets must have as many features, got {widths}")
    buffer = empty_buffer(len(datasets), max(sizes), widths[0], device)
    for lane, data in enumerate(datasets):
        lengths = sorted({len(part) for part in data})
        if len(lengths) > 1:
            raise ValueError(f"the parts of dataset {lane} must be of one length, got {lengths}")
        for name, values in (
            ("features", data.observation),
            ("features", data.next_observation),
            ("actions", data.action),
        ):
            wrong = values[(values < 0) | (values > 255) | (values != values.long())]
            if len(wrong):
                raise ValueError(
                    f"{name} of dataset {lane} must be whole numbers of 0 to 255, got {wrong[0].item():g}"
                )
        for ring, values in zip(buffer.rings, data, strict=True):
            ring[lane, : len(values)] = values
    return buffer._replace(stored=torch.tensor(sizes, device=device))
