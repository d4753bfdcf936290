"""States of a batched environment side by side, and films of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.storage.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from deep.environments import Environment

_GAP = 16  # pixels between states
_FRAME_MILLISECONDS = 220


def draw_states(
    environment: Environment[Any], path: Path, *, copies: int, steps: int, seed: int
) -> None:
    """What uniformly random actions lead to: a GIF shows every step, another picture the last states.

    Args:
        environment: Whose states.
        path: The picture.
        copies: How many are drawn side by side.
        steps: Random actions before the last state.
        seed: Of the first copy; the others count up.

    Raises:
        ValueError: The path cannot be written.
    """
    animated = path.suffix.lower() == ".gif"
    images = _images(environment, copies, steps, seed, every=animated)

    def write(whole: Path) -> None:
        if animated:
            images[0].save(
                whole,
                save_all=True,
                append_images=images[1:],
                duration=_FRAME_MILLISECONDS,
                loop=0,
            )
        else:
            images[-1].save(whole, optimize=True)

    write_whole(path, write)


def _images(
    environment: Environment[Any], copies: int, steps: int, seed: int, *, every: bool
) -> list[Image]:
    """A picture of all copies after every step, or after the last alone."""
    import torch

    from deep.random_streams import Purpose, Stream, integers, words

    seeds = torch.arange(copies) + seed
    state = environment.initial(seeds, torch.tensor(0))
    images = []
    for time in range(steps + 1):
        if every or time == steps:
            images.append(_side_by_side(environment, state))
        now = torch.tensor(time)
        action = integers(words(Stream(seeds, now, Purpose.ACTION), 1)[0], environment.num_actions)
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
