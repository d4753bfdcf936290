"""The environments of the paper and its introductory example, as exact rules."""

from typing import Any

from tabular.environments.button_grid import Button, ButtonGrid, ButtonGridState
from tabular.environments.open_grid import OpenGrid
from tabular.environments.pan_flute import PanFlute, PanFluteState
from tabular.environments.proc_maze import ProcMaze, ProcMazeState
from tabular.environments.push_tree import PushTree, PushTreeState
from tabular.environments.walled_maze import WalledMaze, WalledMazeState
from tabular.rule import Environment

__all__ = [
    "Button",
    "ButtonGrid",
    "ButtonGridState",
    "OpenGrid",
    "PanFlute",
    "PanFluteState",
    "ProcMaze",
    "ProcMazeState",
    "PushTree",
    "PushTreeState",
    "WalledMaze",
    "WalledMazeState",
    "environment",
]


def environment(name: str, size: int, *, spontaneous: bool = True) -> Environment[Any]:
    """An environment of section 3 or appendix C by name.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case.
        size: The number of pipes or buttons, or the size of the grid.
        spontaneous: Whether spontaneous transitions are on.

    Raises:
        ValueError: There is no such environment, or not of that size.
    """
    for kind in (PanFlute, ButtonGrid, ProcMaze, OpenGrid):
        if kind.__name__.lower() == name.lower():
            return kind(size, spontaneous=spontaneous)
    raise ValueError(
        f"there is no environment {name!r}; accepted: PanFlute, ButtonGrid, ProcMaze, OpenGrid"
    )
