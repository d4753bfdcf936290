"""The environments of the paper, as rules with exact outcome distributions."""

from tabular.environments.button_grid import Button, ButtonGrid, ButtonGridState
from tabular.environments.open_grid import OpenGrid
from tabular.environments.pan_flute import PanFlute, PanFluteState
from tabular.environments.proc_maze import ProcMaze, ProcMazeState
from tabular.environments.walled_maze import WalledMaze, WalledMazeState

__all__ = [
    "Button",
    "ButtonGrid",
    "ButtonGridState",
    "OpenGrid",
    "PanFlute",
    "PanFluteState",
    "ProcMaze",
    "ProcMazeState",
    "WalledMaze",
    "WalledMazeState",
]
