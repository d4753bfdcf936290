"""What runs took, and what others would take: time that a device was occupied, and schedules."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Sitting(NamedTuple):
    """A process that worked on a run.

    Attributes:
        device: Name of what it computed on.
        began: In seconds since some moment that all sittings share.
        seconds: How long it worked.
    """

    device: str
    began: float
    seconds: float


class Spent(NamedTuple):
    """What runs took on a device.

    Attributes:
        device: Its name.
        seconds: Of all processes, side by side or not.
        occupied: In which at least one of them worked.
    """

    device: str
    seconds: float
    occupied: float


def spent(sittings: Iterable[Sitting]) -> list[Spent]:
    """What was spent on each device, by its name."""
    by_device: dict[str, list[Sitting]] = {}
    for sitting in sittings:
        by_device.setdefault(sitting.device, []).append(sitting)
    return [
        Spent(device, sum(each.seconds for each in own), _occupied(own))
        for device, own in sorted(by_device.items())
    ]


def _occupied(sittings: Sequence[Sitting]) -> float:
    """Length of the union of the sittings' times."""
    total, until = 0.0, -float("inf")
    for sitting in sorted(sittings, key=lambda each: each.began):
        ended = sitting.began + sitting.seconds
        total += max(0.0, ended - max(sitting.began, until))
        until = max(until, ended)
    return total


def makespan(seconds: Iterable[float], places: int) -> float:
    """Time until all tasks are done, if each in turn goes to the first of so many places that is free.

    So a sweep places its runs; Graham (1969) shows that no order can end in less than half of that time.

    Raises:
        ValueError: There is no place.
    """
    if places < 1:
        raise ValueError(f"{places} places; accepted: 1 or more")
    free = [0.0] * places
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)
