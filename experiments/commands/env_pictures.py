"""The environments: what there is, and pictures of their states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable, write_whole

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from deep.environments import Environment

Name = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
Out = Annotated[Path, tyro.conf.arg(metavar="FILE.png|gif")]

SIZE_OPTIONS = {
    "PanFlute": "num_pipes",
    "ButtonGrid": "num_buttons",
    "ProcMaze": "grid_size",
    "OpenGrid": "grid_size",
}
"""What is meant by the size of an environment."""

_GAP = 16  # pixels between states
_FRAME_MILLISECONDS = 220


def list_environments(*, json: Json = None) -> int:
    """The environments at their usual sizes, with all their settings.

    Args:
        json: Write the list as JSON; "-" is standard output.
    """
    from dataclasses import asdict

    from deep.environments import ENVIRONMENTS

    require_writable(json)
    listed = []
    for name, kind in ENVIRONMENTS.items():
        environment = kind()
        listed.append(
            {
                "name": name,
                "size": SIZE_OPTIONS[name],
                "settings": asdict(environment),  # type: ignore[call-overload]
                "actions": environment.num_actions,
                "features": environment.num_features,
                "episodic": environment.episodic,
                "gymnasium": f"deep:mbgen/{name}-v0",
            }
        )
    rows = [
        (
            row["name"],
            ", ".join(f"{key}={value}" for key, value in row["settings"].items()),
            row["actions"],
            row["features"],
            row["episodic"],
            row["gymnasium"],
        )
        for row in listed
    ]
    columns = ("name", "settings", "actions", "features", "episodic", "Gymnasium id")
    console(json).print(table("Environments", columns, rows))
    write_json(listed, json)
    return 0


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
    require_writable(out)
    if out.suffix.lower() not in (".png", ".gif"):
        raise ValueError(f"{out} is no picture's name; accepted: .png, .gif")
    for option, value, least in (("copies", copies, 1), ("steps", steps, 0)):
        if value < least:
            raise ValueError(f"{option} is {value}; accepted: {least} or more")
    environment = sized(name, size, grid_size, spontaneous, spontaneous_event)
    film = out.suffix.lower() == ".gif"
    images = _film(environment, copies, steps, seed, every=film)

    def write(path: Path) -> None:
        if film:
            images[0].save(
                path,
                save_all=True,
                append_images=images[1:],
                duration=_FRAME_MILLISECONDS,
                loop=0,
            )
        else:
            images[-1].save(path, optimize=True)

    write_whole(out, write)
    console().print(f"wrote {out}")
    return 0


def sized(
    name: str,
    size: int | None,
    grid_size: int | None,
    spontaneous: bool,
    spontaneous_event: str | None,
) -> Environment[Any]:
    """The environment that the options of a command mean.

    Raises:
        ValueError: The name is unknown, or an option is unknown to it or out of range.
    """
    from deep.environments import make

    size_options = {key.lower(): option for key, option in SIZE_OPTIONS.items()}
    options: dict[str, object] = {"spontaneous": spontaneous}
    if size is not None:
        options[size_options.get(name.lower(), "size")] = size
    if grid_size is not None:
        options["grid_size"] = grid_size
    if spontaneous_event is not None:
        options["spontaneous_event"] = spontaneous_event
    return make(name, **options)


def _film(
    environment: Environment[Any], copies: int, steps: int, seed: int, *, every: bool
) -> list[Image]:
    """A picture of all copies after every step, or after the last alone."""
    import torch

    from deep.random_streams import Purpose, integers, words

    seeds = torch.arange(copies) + seed
    state = environment.initial(seeds, torch.tensor(0))
    images = []
    for time in range(steps + 1):
        if every or time == steps:
            images.append(_side_by_side(environment, state))
        now = torch.tensor(time)
        action = integers(words(seeds, now, Purpose.ACTION, 1)[0], environment.num_actions)
        state = environment.step(state, action, environment.noise(seeds, now)).next_state
    return images


def _side_by_side(environment: Environment[Any], state: Any) -> Image:
    import numpy as np
    from PIL import Image

    from deep.rendering import picture

    lanes = [type(state)(*fields) for fields in zip(*state, strict=True)]
    pictures: list[np.ndarray] = [picture(environment, lane) for lane in lanes]
    height = pictures[0].shape[0]
    gap = np.full((height, _GAP, 3), 255, dtype=np.uint8)
    row = [gap]
    for drawn in pictures:
        row += [drawn, gap]
    return Image.fromarray(
        np.pad(np.hstack(row), ((_GAP, _GAP), (0, 0), (0, 0)), constant_values=255)
    )
