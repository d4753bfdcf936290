"""Pictures of states: `mbgen env render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from experiments.commands.env.arguments import Name, require_grid_size_of
from experiments.commands.terminal import console
from experiments.storage.whole_files import require_writable
from experiments.tasks import SIZE_NAMES

if TYPE_CHECKING:
    from deep.environments import Environment as BatchedEnvironment

Out = Annotated[Path, tyro.conf.arg(metavar="FILE.png|gif")]


def render(
    name: Name,
    /,
    *,
    out: Out,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    spontaneous_event: str | None = None,
    copies: int = 4,
    steps: int = 30,
    seed: int = 0,
) -> int:
    """Draw states side by side (PNG), or a film of them (GIF), under uniformly random actions.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case.
        out: The picture: FILE.png shows the last states, FILE.gif every step.
        size: Pipes, buttons, or grid size.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        spontaneous_event: The spontaneous event, where there is a choice: switch_on or redraw for
            ButtonGrid, goal or terminate for ProcMaze.
        copies: How many states are drawn side by side.
        steps: Random actions before the last state.
        seed: Copies are seeded seed, seed + 1, ...
    """
    from experiments.figures.environment_states import draw_states

    require_writable(out)
    if out.suffix.lower() not in (".png", ".gif"):
        raise ValueError(f"{out} is no picture's name; accepted: .png, .gif")
    for option, value, least, most in (("copies", copies, 1, 100), ("steps", steps, 0, 100_000)):
        if not least <= value <= most:
            raise ValueError(f"{option} is {value}; accepted: {least} to {most:,}")
    environment = _batched(name, size, grid_size, spontaneous, spontaneous_event)
    draw_states(environment, out, copies=copies, steps=steps, seed=seed)
    console().print(f"wrote {out}")
    return 0


def _batched(
    name: str,
    size: int | None,
    grid_size: int | None,
    spontaneous: bool,
    spontaneous_event: str | None,
) -> BatchedEnvironment[Any]:
    """The environment that the options of a command mean.

    Raises:
        ValueError: The name is unknown, or an option is unknown to it or out of range.
    """
    from deep.environments import make

    size_options = {key.lower(): option for key, option in SIZE_NAMES.items()}
    options: dict[str, object] = {"spontaneous": spontaneous}
    if size is not None:
        options[size_options.get(name.lower(), "size")] = size
    if grid_size is not None:
        require_grid_size_of(name, grid_size)
        options["grid_size"] = grid_size
    if spontaneous_event is not None and not spontaneous:
        raise ValueError(
            f"--spontaneous-event is {spontaneous_event}; accepted: none with --no-spontaneous"
        )
    if spontaneous_event is not None:
        options["spontaneous_event"] = spontaneous_event
    return make(name, **options)
