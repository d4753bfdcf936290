"""Pictures of states, in the manner of the paper's figure 2, and the same as text.

A picture is drawn from what the agent observes, so that it shows everything that the agent sees and
nothing else.
"""

from functools import singledispatch
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from deep.environments import ButtonGrid, Environment, OpenGrid, PanFlute, ProcMaze

_CELL = 48  # pixels

_WALL = (43, 45, 58)
_FLOOR = (246, 243, 236)
_JOINT = (229, 225, 215)
_GOAL = (98, 178, 130)
_AGENT = (242, 140, 40)
_BOARD = (146, 153, 166)
_TILE = (176, 183, 194)
_BUTTON_OFF = (20, 20, 26)
_BUTTON_ON = (255, 255, 255)
_PAPER = (255, 255, 255)
_PIPE = (224, 227, 232)
_SILENT = (248, 249, 251)

Picture = UInt8[np.ndarray, "height width 3"]
Features = UInt8[np.ndarray, "feature"]
Colour = tuple[int, int, int]


def picture(environment: Environment[Any], state: tuple[Tensor, ...]) -> Picture:
    """The state of one lane (without lane axes) as an array of pixels, height x width x 3."""
    return _draw(environment, environment.observe(state).cpu().numpy()).pixels()


def ansi(environment: Environment[Any], state: tuple[Tensor, ...]) -> str:
    """The state of one lane (without lane axes) as lines of text.

    Grids: A agent, G goal, # wall, o and * a button off and on; two signs where two things share a
    cell. PanFlute: the pipes side by side, the last cells on top.
    """
    return _write(environment, environment.observe(state).cpu().numpy())


class _Canvas:
    """Cells of `_CELL` pixels that take shapes with smooth edges; units are cells, y points down."""

    def __init__(self, width: float, height: float, background: Colour) -> None:
        shape = (round(height * _CELL), round(width * _CELL))
        self._image = np.full((*shape, 3), background, dtype=np.float64)
        self._y, self._x = (np.indices(shape) + 0.5) / _CELL

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self._fill(np.hypot(self._x - x, self._y - y) - radius, colour)

    def box(
        self, x: float, y: float, width: float, height: float, rounding: float, colour: Colour
    ) -> None:
        """A rectangle with rounded corners around its middle (x, y)."""
        beyond_x = np.abs(self._x - x) - width / 2 + rounding
        beyond_y = np.abs(self._y - y) - height / 2 + rounding
        outside = np.hypot(np.maximum(beyond_x, 0), np.maximum(beyond_y, 0))
        self._fill(outside + np.minimum(np.maximum(beyond_x, beyond_y), 0) - rounding, colour)

    def pixels(self) -> Picture:
        return self._image.round().astype(np.uint8)

    def _fill(self, distance: Float[np.ndarray, "height width"], colour: Colour) -> None:
        """Paint where the signed distance from the shape's edge is negative."""
        cover = np.clip(0.5 - distance * _CELL, 0, 1)[..., np.newaxis]
        self._image += cover * (np.array(colour) - self._image)


@singledispatch
def _draw(environment: Environment[Any], features: Features) -> _Canvas:  # noqa: ARG001
    raise TypeError(f"there is no picture of {type(environment).__name__}")


@singledispatch
def _write(environment: Environment[Any], features: Features) -> str:  # noqa: ARG001
    raise TypeError(f"there is no text for {type(environment).__name__}")


@_draw.register
def _(environment: ProcMaze, features: Features) -> _Canvas:
    agent, goal, wall, _ = _channels(features, environment.grid_size, 4)
    return _draw_maze(agent, goal, wall)


@_draw.register
def _(environment: OpenGrid, features: Features) -> _Canvas:
    (agent,) = _channels(features, environment.grid_size, 1)
    return _draw_maze(agent, _last_cell(agent), np.zeros_like(agent))


@_draw.register
def _(environment: ButtonGrid, features: Features) -> _Canvas:
    agent, on, off = _channels(features, environment.grid_size, 3)
    canvas = _framed(len(agent), _BOARD)
    for row, column in np.ndindex(agent.shape):
        x, y = column + 0.75, row + 0.75
        canvas.box(x, y, 0.94, 0.94, 0.08, _TILE)
        if on[row, column] or off[row, column]:
            canvas.disc(x, y, 0.38, _BUTTON_OFF)
        if on[row, column]:
            canvas.disc(x, y, 0.35, _BUTTON_ON)
        if agent[row, column]:
            canvas.disc(x, y, 0.27, _AGENT)
    return canvas


@_draw.register
def _(environment: PanFlute, features: Features) -> _Canvas:
    n = environment.num_pipes
    canvas = _Canvas(n + 0.5, n + 0.5, _PAPER)
    cells = iter(features)
    for pipe in range(n):
        x = pipe + 0.75
        canvas.box(x, n - 0.25 - pipe / 2, 0.86, pipe + 1.0, 0.4, _PIPE)
        for cell in range(pipe + 1):
            canvas.disc(x, n - 0.25 - cell, 0.31, _AGENT if next(cells) else _SILENT)
    return canvas


@_write.register
def _(environment: ProcMaze, features: Features) -> str:
    agent, goal, wall, _ = _channels(features, environment.grid_size, 4)
    return _write_grid({"A": agent, "G": goal, "#": wall})


@_write.register
def _(environment: OpenGrid, features: Features) -> str:
    (agent,) = _channels(features, environment.grid_size, 1)
    return _write_grid({"A": agent, "G": _last_cell(agent)})


@_write.register
def _(environment: ButtonGrid, features: Features) -> str:
    agent, on, off = _channels(features, environment.grid_size, 3)
    return _write_grid({"A": agent, "*": on, "o": off})


@_write.register
def _(environment: PanFlute, features: Features) -> str:
    n = environment.num_pipes
    signs = [[" "] * n for _ in range(n)]
    for active, pipe, cell in zip(features, *np.tril_indices(n), strict=True):
        signs[n - 1 - cell][pipe] = "*" if active else "."
    return "\n".join(" ".join(row).rstrip() for row in signs)


def _draw_maze(
    agent: Bool[np.ndarray, "row column"],
    goal: Bool[np.ndarray, "row column"],
    wall: Bool[np.ndarray, "row column"],
) -> _Canvas:
    canvas = _framed(len(agent), _WALL)
    for row, column in np.ndindex(agent.shape):
        x, y = column + 0.75, row + 0.75
        if not wall[row, column]:
            canvas.box(x, y, 1.0, 1.0, 0.0, _JOINT)
            canvas.box(x, y, 0.97, 0.97, 0.03, _FLOOR)
        if goal[row, column]:
            canvas.box(x, y, 0.78, 0.78, 0.14, _GOAL)
        if agent[row, column]:
            canvas.disc(x, y, 0.29, _AGENT)
    return canvas


def _framed(size: int, colour: Colour) -> _Canvas:
    """A canvas for a grid with a quarter of a cell around it."""
    return _Canvas(size + 0.5, size + 0.5, colour)


def _write_grid(things: dict[str, Bool[np.ndarray, "row column"]]) -> str:
    rows, columns = next(iter(things.values())).shape
    return "\n".join(
        " ".join(
            "".join(sign for sign, there in things.items() if there[row, column]).ljust(2, ".")
            for column in range(columns)
        )
        for row in range(rows)
    )


def _channels(features: Features, size: int, count: int) -> Bool[np.ndarray, "channel row column"]:
    return np.moveaxis(features.reshape(size, size, count), -1, 0).astype(bool)


def _last_cell(grid: Bool[np.ndarray, "row column"]) -> Bool[np.ndarray, "row column"]:
    last = np.zeros_like(grid)
    last[-1, -1] = True
    return last
