"""The environments of the paper, batched."""

from deep.environments.button_grid import ButtonGrid, ButtonGridEvent, ButtonGridState
from deep.environments.environment import (
    Environment,
    Noise,
    Scopes,
    Step,
    Transition,
    at,
    select,
)
from deep.environments.grid import Grid
from deep.environments.open_grid import OpenGrid, OpenGridState
from deep.environments.pan_flute import PanFlute, PanFluteState
from deep.environments.proc_maze import ProcMaze, ProcMazeEvent, ProcMazeState
from deep.environments.registry import ENVIRONMENTS, make
from deep.environments.walled_maze import WalledMaze, WalledMazeState

__all__ = [
    "ENVIRONMENTS",
    "ButtonGrid",
    "ButtonGridEvent",
    "ButtonGridState",
    "Environment",
    "Grid",
    "Noise",
    "OpenGrid",
    "OpenGridState",
    "PanFlute",
    "PanFluteState",
    "ProcMaze",
    "ProcMazeEvent",
    "ProcMazeState",
    "Scopes",
    "Step",
    "Transition",
    "WalledMaze",
    "WalledMazeState",
    "at",
    "make",
    "select",
]
