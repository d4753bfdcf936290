"""The tasks of runs: an environment, its size, and how much data there is.

Names, sizes and regimes are plain data. The readable environment comes from `tabular`, the batched
one, which needs torch, from `deep`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import deep.environments as batched
    from tabular.rule import Environment as ReadableEnvironment

EnvironmentName = Literal["PanFlute", "ButtonGrid", "ProcMaze", "OpenGrid"]
ENVIRONMENTS: tuple[str, ...] = get_args(EnvironmentName)

SIZES: Mapping[str, tuple[int, ...]] = {
    "ProcMaze": (2, 3, 4, 5, 6),
    "ButtonGrid": (1, 2, 3, 4, 5, 6),
    "PanFlute": (3, 5, 7, 9, 11),
}
"""Of figure 3. Of the paper's axes its text names ProcMaze 4, ButtonGrid 1, 3 and 4, PanFlute 7 and 9."""

TUNED_SIZES: Mapping[str, int] = {"ProcMaze": 4, "ButtonGrid": 4, "PanFlute": 7}
"""Where the authors tuned step sizes and temperatures."""

SIZE_NAMES: Mapping[str, str] = {
    "PanFlute": "num_pipes",
    "ButtonGrid": "num_buttons",
    "ProcMaze": "grid_size",
    "OpenGrid": "grid_size",
}

EVENTS: Mapping[str, tuple[str, ...]] = {
    "ButtonGrid": ("switch_on", "redraw"),
    "ProcMaze": ("goal", "terminate"),
}
"""The forms that the spontaneous event has, the usual one first, where there are two."""


@dataclass(frozen=True)
class Regime:
    """How data and updates are dealt out (paper, section 4).

    Attributes:
        steps: Environment steps of a run at the paper's scale.
        updates_per_step: Updates after each environment step, once learning has started.
        evaluation_interval: Environment steps between evaluations.
    """

    steps: int
    updates_per_step: int
    evaluation_interval: int


RegimeName = Literal["high", "low"]
REGIMES: Mapping[str, Regime] = {
    "high": Regime(1_000_000, 1, 500),
    "low": Regime(100_000, 10, 50),
}


def environment_name(name: str) -> str:
    """The environment's name as it is written, from one in any case.

    Raises:
        ValueError: There is no such environment.
    """
    found = {known.lower(): known for known in ENVIRONMENTS}.get(name.lower())
    if found is None:
        raise ValueError(f"env must be one of {', '.join(ENVIRONMENTS)}, got {name!r}")
    return found


def readable_environment(
    name: str, size: int, *, spontaneous: bool = True, event: str | None = None
) -> ReadableEnvironment[Any]:
    """The environment as a readable rule with exact outcome distributions.

    Args:
        name: One of `ENVIRONMENTS`.
        size: Pipes, buttons, or grid size.
        spontaneous: Whether spontaneous transitions are on.
        event: The form of the spontaneous event, one of `EVENTS`; None is the usual one.

    Raises:
        ValueError: The environment has no such size or event.
    """
    from tabular import environment

    plain = environment(name, size, spontaneous=spontaneous)
    if event is None:
        return plain
    _require_event(name, event, spontaneous)
    return replace(plain, spontaneous_event=event)  # type: ignore[type-var]


def batched_environment(
    name: str, size: int, *, spontaneous: bool = True, event: str | None = None
) -> batched.Environment[Any]:
    """The environment for many lanes at once; arguments and errors as of :func:`readable_environment`."""
    from deep.environments import make

    options: dict[str, Any] = {SIZE_NAMES[name]: size, "spontaneous": spontaneous}
    if event is not None:
        _require_event(name, event, spontaneous)
        options["spontaneous_event"] = event
    return make(name, **options)


def _require_event(name: str, event: str, spontaneous: bool) -> None:
    if not spontaneous:
        raise ValueError(f"the event is {event!r}; accepted: none where no event is spontaneous")
    known = EVENTS.get(name, ())
    if event not in known:
        accepted = ", ".join(known) or "none, since it has one form"
        raise ValueError(f"the event of {name} is {event!r}; accepted: {accepted}")
