"""Figure 1: in a maze that was seen in part, which way each agent's greedy policy goes, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from experiments.figures.style import BELLMAN, GREY, INK, MODEL, PROPER, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 3
GOAL = 0
STAY, RIGHT = 0, 4
_DIRECTIONS = np.array([(0, 0), (0, -1), (-1, 0), (0, 1), (1, 0)])
"""To the right and down, of stay, up, left, down and right."""

_GOAL_COLOUR = "#D9DCE1"
_TINT = "#FCE3D1"  # behind what is wrong
_PITCH = SIZE + 0.8  # from one maze to the next, in cells
_SMALL = 0.3  # a cell of a basic layout, likewise
_ROUNDING = 1e-9  # of shares
_EDGE = 0.03  # for half of a line
_PANEL = (2.6, 1.36)  # inches
_LEAST_HEIGHT = 4.0  # panels, which the column of layouts needs
_NOTE: dict[str, Any] = {"fontsize": 8, "va": "center"}

Corner = tuple[float, float]
"""The upper left one, in cells."""


class Mazes(NamedTuple):
    """The layouts; cells are numbered row by row, and cell 0 is the goal.

    Attributes:
        basic: Where the walls are in the layouts that every dataset shows.
        walls: Where they are in the evaluation layouts.
        furthest: Of each evaluation layout, the cell furthest from the goal.
        best: Of each, the optimal actions in each cell: stay, up, left, down, right.
    """

    basic: Bool[np.ndarray, "basic cell"]
    walls: Bool[np.ndarray, "layout cell"]
    furthest: Int[np.ndarray, " layout"]
    best: Bool[np.ndarray, "layout cell action"]

    @property
    def decided(self) -> Bool[np.ndarray, "layout cell"]:
        """The cells of the evaluation layouts where an agent is asked: open, and not the goal."""
        asked: np.ndarray = ~self.walls & (np.arange(self.walls.shape[1]) != GOAL)
        return asked


class Panel(NamedTuple):
    """What the runs of one agent learned from one dataset.

    Attributes:
        agent: Its name; further lines explain it. An agent's panels are a column.
        dataset: The same of the dataset, whose panels are a row.
        frequency: The share of runs whose greedy action it is; NaN where no run has finished.
        fails: Whether the agent fails, by the paper's rule; None if that is not known yet.
        expected: Whether the paper says that it fails.
    """

    agent: str
    dataset: str
    frequency: Float[np.ndarray, "layout cell action"]
    fails: bool | None
    expected: bool


def draw_greedy_arrows(path: Path, title: str, mazes: Mazes, panels: Sequence[Panel]) -> None:
    """The layouts; beside them a panel for each agent and dataset; below, how to read it.

    The more frequent an action, the longer and bolder is its arrow; to stay is a dot. What is optimal is filled, what
    is not is hollow. A cell where more than half of the runs are wrong is tinted and crossed.

    Args:
        path: Where to; the suffix decides the format.
        title: Of the picture.
        mazes: The layouts.
        panels: Rows and columns are in the order of their first panels.

    Raises:
        ValueError: The picture cannot be written.
    """
    agents = list(dict.fromkeys(panel.agent for panel in panels))
    datasets = list(dict.fromkeys(panel.dataset for panel in panels))
    rows, columns = len(datasets), len(agents)
    widths, heights = [0.74, 0.58, *[1.0] * columns], [0.36, *[1.0] * rows, 0.52]
    height = max(sum(heights), _LEAST_HEIGHT)
    with picture(path, _PANEL[0] * sum(widths), _PANEL[1] * height + 0.3) as figure:
        figure.suptitle(title, x=0.008, ha="left", fontweight="bold")
        grid = figure.add_gridspec(
            rows + 2,
            columns + 2,
            width_ratios=widths,
            height_ratios=heights,
            wspace=0.05,
            hspace=0.02,
        )
        _draw_layouts(figure.add_subplot(grid[: rows + 1, 0]), mazes)
        for row, name in enumerate(datasets):
            _write(figure.add_subplot(grid[row + 1, 1]), name, y=0.75)
        for column, name in enumerate(agents):
            _write(figure.add_subplot(grid[0, column + 2]), name, y=0.9)
        for panel in panels:
            row, column = datasets.index(panel.dataset), agents.index(panel.agent)
            _draw_panel(figure.add_subplot(grid[row + 1, column + 2]), mazes, panel)
        _draw_key(figure.add_subplot(grid[rows + 1, :]))


def _draw_layouts(axes: Axes, mazes: Mazes) -> None:
    """The basic layouts as miniatures; below them the evaluation layouts with the way to the goal."""
    across, pitch = 4, SIZE * _SMALL + 0.3
    below = 1.4 + pitch * -(-len(mazes.basic) // across)
    _frame(axes, (0, across * pitch), (0, below + 0.9 + len(mazes.walls) * (SIZE + 0.4)))
    axes.text(0, 0, "Basic layouts", fontweight="bold", va="top")
    axes.annotate(
        "every transition, in each dataset", (0, 0), (0, -16), textcoords="offset points",
        fontsize=8, va="top",
    )  # fmt: skip
    for number, walls in enumerate(mazes.basic):
        row, column = divmod(number, across)
        _draw_maze(axes, (pitch * column, 1.1 + pitch * row), walls, _SMALL)
    axes.text(0, below, "Evaluation layouts", fontweight="bold", va="top")
    shown = mazes.best & mazes.decided[..., np.newaxis]
    for number, (walls, best) in enumerate(zip(mazes.walls, shown, strict=True)):
        corner = (0.0, below + 0.6 + number * (SIZE + 0.4))
        _draw_maze(axes, corner, walls)
        _draw_arrows(axes, corner, best.astype(float), best)
        axes.text(0.5, corner[1] + 0.5, "goal", fontsize=7.5, ha="center", va="center")
        row, column = divmod(int(mazes.furthest[number]), SIZE)
        axes.text(
            column + 0.5, corner[1] + row + 0.18, "far end", fontsize=6.5, ha="center", va="center"
        )


def _draw_panel(axes: Axes, mazes: Mazes, panel: Panel) -> None:
    """Every evaluation layout with its arrows, and above them the verdict."""
    count = len(mazes.walls)
    _frame(axes, (0, (count - 1) * _PITCH + SIZE), (-0.62, SIZE))
    frequency = np.where(mazes.decided[..., np.newaxis], panel.frequency, np.nan)
    marks = wrong_cells(frequency, mazes.best)
    for number, walls in enumerate(mazes.walls):
        corner = (number * _PITCH, 0.0)
        _draw_maze(axes, corner, walls, wrong=marks[number])
        _draw_arrows(axes, corner, frequency[number], mazes.best[number])
    surprising = panel.fails is (not panel.expected)
    axes.text(
        0, -0.2, verdict(panel), fontsize=9, fontweight="bold" if surprising else "normal",
        color=GREY if panel.fails is None else PROPER if surprising else INK,
    )  # fmt: skip


def wrong_cells(
    frequency: Float[np.ndarray, "layout cell action"], best: Bool[np.ndarray, "layout cell action"]
) -> Bool[np.ndarray, "layout cell"]:
    """The cells where more than half of the runs choose what is not optimal; none where no run has finished."""
    share = np.where(best, 0.0, np.nan_to_num(frequency)).sum(axis=-1)
    wrong: np.ndarray = share > 0.5 + _ROUNDING
    return wrong


def verdict(panel: Panel) -> str:
    """Whether the agent fails, beside what the paper says."""
    found, expected = (
        {None: "not finished", False: "succeeds", True: "fails"}[fails]
        for fails in (panel.fails, panel.expected)
    )
    return f"{found}, as in the paper" if found == expected else f"{found}; paper: {expected}"


def _draw_key(axes: Axes) -> None:
    """How to read a panel."""
    _frame(axes, (0, 31), (0, 2.2))
    stay, right = np.eye(len(_DIRECTIONS))[[STAY, RIGHT]]
    optimal = np.full(len(right), fill_value=True)
    for y, best, name in ((0.0, optimal, "optimal"), (1.1, ~optimal, "not optimal")):
        for place, share in enumerate((1.0, 0.5, 0.1)):
            _draw_cell(axes, (0.9 * place, y), share * right, best)
        axes.text(2.9, y + 0.5, f"{name}: in all runs, in half, in a tenth", **_NOTE)
    _draw_cell(axes, (12.4, 0.0), stay, ~optimal)
    axes.text(13.6, 0.5, "not optimal: to stay, in all runs", **_NOTE)
    _draw_square(axes, (12.4, 1.1), 1.0, _TINT)
    _draw_cross(axes, (12.4, 1.1))
    axes.text(13.6, 1.6, "more than half of the runs are wrong", **_NOTE)
    for y, colour, name in ((0.0, _GOAL_COLOUR, "goal"), (1.1, INK, "wall")):
        _draw_square(axes, (23.4, y), 1.0, colour)
        axes.text(24.6, y + 0.5, name, **_NOTE)


def _write(axes: Axes, name: str, y: float) -> None:
    """A name in bold, and below it the lines that explain it."""
    axes.set_axis_off()
    first, _, more = name.partition("\n")
    axes.text(0, y, first, fontweight="bold", va="top", transform=axes.transAxes)
    axes.annotate(more, (0, y), (0, -16), "axes fraction", "offset points", fontsize=8, va="top")


def _frame(axes: Axes, across: tuple[float, float], down: tuple[float, float]) -> None:
    """Cells for units, from the left and from the top, and nothing else."""
    axes.set(
        xlim=(across[0] - _EDGE, across[1] + _EDGE), ylim=(down[1] + _EDGE, down[0] - _EDGE),
        aspect="equal", anchor="NW",
    )  # fmt: skip
    axes.set_axis_off()


def _draw_maze(
    axes: Axes,
    corner: Corner,
    walls: Bool[np.ndarray, " cell"],
    side: float = 1.0,
    wrong: Bool[np.ndarray, " cell"] | None = None,
) -> None:
    """Walls and goal, and the marks of cells where most runs are wrong."""
    for number, wall in enumerate(walls):
        row, column = divmod(number, SIZE)
        at = (corner[0] + column * side, corner[1] + row * side)
        if wrong is not None and wrong[number]:
            _draw_square(axes, at, side, _TINT)
            _draw_cross(axes, at)
        else:
            _draw_square(
                axes, at, side, INK if wall else _GOAL_COLOUR if number == GOAL else "white"
            )


def _draw_square(axes: Axes, corner: Corner, side: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, side, side, facecolor=colour, edgecolor=GREY, linewidth=0.6))


def _draw_cross(axes: Axes, corner: Corner) -> None:
    """The mark of a cell, out of the way of its arrows."""
    ends = np.array([0.08, 0.24])
    for down in (ends, ends[::-1]):
        axes.plot(corner[0] + ends, corner[1] + down, color=INK, linewidth=1.2)


def _draw_arrows(
    axes: Axes,
    corner: Corner,
    frequency: Float[np.ndarray, "cell action"],
    best: Bool[np.ndarray, "cell action"],
) -> None:
    """The arrows of every cell that has frequencies."""
    for number in range(SIZE**2):
        row, column = divmod(number, SIZE)
        _draw_cell(axes, (corner[0] + column, corner[1] + row), frequency[number], best[number])


def _draw_cell(
    axes: Axes,
    corner: Corner,
    frequency: Float[np.ndarray, " action"],
    best: Bool[np.ndarray, " action"],
) -> None:
    """Arrows from the middle of a cell, and a dot for those that stay, around which they begin."""
    from matplotlib.patches import Circle, Polygon

    middle = np.array(corner) + 0.5
    dot = 0.2 * np.sqrt(np.nan_to_num(frequency[STAY]))
    for action, share in enumerate(frequency):
        if not share > 0:
            continue
        outline = middle + arrow(dot + 0.04, float(share), _DIRECTIONS[action])
        patch = (
            Circle(tuple(middle), dot) if action == STAY else Polygon(outline, joinstyle="miter")
        )
        colour = MODEL if best[action] else BELLMAN
        patch.set(facecolor=colour if best[action] else "white", edgecolor=colour, linewidth=1.0)
        axes.add_patch(patch)


def arrow(
    start: float, share: float, direction: Int[np.ndarray, " 2"]
) -> Float[np.ndarray, "corner 2"]:
    """The outline of the arrow of an action, in cells from the middle of its own.

    Args:
        start: How far from the middle it begins.
        share: Of the runs, from which its length and its weight follow.
        direction: A step to the right and down.
    """
    shaft, head = 0.02 + 0.06 * share, 0.07 + 0.11 * share
    neck = start + 0.18 * share
    tip = neck + 1.4 * head
    along = np.array([start, neck, neck, tip, neck, neck, start])
    aside = np.array([shaft, shaft, head, 0, -head, -shaft, -shaft])
    return np.outer(along, direction) + np.outer(aside, direction[::-1])
