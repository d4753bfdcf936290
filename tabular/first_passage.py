"""When a policy would first succeed if nothing happened by itself.

In ButtonGrid, ProcMaze and OpenGrid the spontaneous event strikes whatever the agent does, and the
moves themselves are not random. So all that a policy decides is the law of T, the number of steps
until it stands on the goal, or has all buttons on, without an event. An event at a geometric time
is put on top of T afterwards (`tabular.optimal_performance`).

One dynamic program serves all three games and two policies. Let u_k(c, j) be the probability that T
is at least k from cell c with j, which is the number of the goal's cell, or the set of buttons that
are on as a bit mask. Then u_0 = 1, and u_(k+1)(c, j) = 0 where (c, j) is a success and otherwise

    the mean over actions of u_k(c', j')    for the uniform policy,
    the least over actions                  for the best one,

with c' the next cell, and j' = j but for the bit of a button that is entered. The least is the best
for every k at once, since without an event nothing is random: u is 0 or 1, and the shortest way has
the least u_k for all k.
"""

import typing
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from tabular.compiled import compile_once
from tabular.environments.button_grid import ButtonGrid
from tabular.environments.grid import NUM_ACTIONS, symmetries, target
from tabular.environments.maze_generation import (
    MAX_MAZES,
    estimated_mazes,
    maze_classes,
    random_maze,
)
from tabular.environments.open_grid import OpenGrid
from tabular.environments.proc_maze import ProcMaze
from tabular.progress import Progress, silent

Policy = Literal["optimal", "uniform"]

_MAX_STATES = 300_000_000
"""Button layouts with their settings; if there are more, layouts are sampled."""

_BETWEEN_REPORTS = 1_000_000_000
"""Values that are computed between two reports of progress: about a second."""


@dataclass(frozen=True, eq=False)
class Worlds:
    """Worlds of one game, to be averaged over.

    Attributes:
        weights: The probability of each world.
        targets: The cell that each action leads to.
        entered: The bit that entering a cell flips, 0 where there is no button.
        success: Whether the cell c with j is a success.
        start: The probability of each first cell; 0 for cells that are never visited.
        setting: The probability of each first j.
        exact: Whether the worlds are all there are, and not a sample.
    """

    weights: Float[np.ndarray, " world"]
    targets: Int[np.ndarray, "world cell action"]
    entered: Int[np.ndarray, "world cell"]
    success: Bool[np.ndarray, "cell setting"]
    start: Float[np.ndarray, "world cell"]
    setting: Float[np.ndarray, "world setting"]
    exact: bool


def survival(
    worlds: Worlds, policy: Policy, horizon: int, report: Progress = silent
) -> Float[np.ndarray, "world horizon"]:
    """The probability that T is at least k, in each world and for k = 0, ..., horizon - 1."""
    count, cells, actions = worlds.targets.shape
    together = max(1, _BETWEEN_REPORTS // (cells * worlds.success.shape[1] * actions * horizon))
    survivors = np.zeros((count, horizon))
    for first in range(0, count, together):
        part = slice(first, first + together)
        survivors[part] = _survival(
            worlds.targets[part],
            worlds.entered[part],
            worlds.success,
            worlds.start[part],
            worlds.setting[part],
            horizon,
            policy == "optimal",
        )
        report(min(1.0, (first + together) / count))
    return survivors


def worlds_of(environment: ButtonGrid | ProcMaze | OpenGrid, *, samples: int, seed: int) -> Worlds:
    """All worlds of a game up to rotation and reflection, or `samples` of them if too many.

    Raises:
        ValueError: A single world is too large.
    """
    generator = np.random.default_rng(seed)
    match environment:
        case ButtonGrid():
            return _button_worlds(environment, samples, generator)
        case ProcMaze():
            return _maze_worlds(environment, samples, generator)
        case OpenGrid():
            return _open_world(environment)


def _button_worlds(environment: ButtonGrid, samples: int, generator: np.random.Generator) -> Worlds:
    size, buttons = environment.grid_size, environment.num_buttons
    cells, settings = size**2, 1 << buttons
    if cells * settings > 10_000_000:
        raise ValueError(
            f"{environment} has {cells * settings:,} states in a single layout; "
            "at most 10,000,000 are solved"
        )
    exact = comb(cells, buttons) * cells * settings <= _MAX_STATES
    if exact:
        chosen = np.array(list(combinations(range(cells), buttons)))
        bits = np.array([1 << cell for cell in range(cells)], dtype=object if cells > 62 else int)
        images = bits[np.array(symmetries(size))][:, chosen].sum(axis=2)
        _, first, counts = np.unique(images.min(axis=0), return_index=True, return_counts=True)
        weights, chosen = counts / len(chosen), chosen[first]
    else:
        drawn = [generator.choice(cells, buttons, replace=False) for _ in range(samples)]
        chosen, weights = np.array(drawn), np.full(samples, 1 / samples)
    entered = np.zeros((len(chosen), cells), dtype=np.int64)
    np.put_along_axis(entered, chosen, 1 << np.arange(buttons), axis=1)
    return Worlds(
        weights,
        _targets(size, np.zeros((len(chosen), cells), dtype=bool)),
        entered,
        np.tile(np.arange(settings) == settings - 1, (cells, 1)),
        np.full((len(chosen), cells), 1 / cells),
        np.tile(np.eye(1, settings), (len(chosen), 1)),
        exact,
    )


def _maze_worlds(environment: ProcMaze, samples: int, generator: np.random.Generator) -> Worlds:
    size = environment.grid_size
    exact = estimated_mazes(size) <= MAX_MAZES
    if exact:
        classes = maze_classes(size)
        walls = np.array(list(classes))
        weights = np.array([float(probability) for probability in classes.values()])
    else:
        walls = np.array([random_maze(size, generator) for _ in range(samples)])
        weights = np.full(samples, 1 / samples)
    uniform = ~walls / (~walls).sum(axis=1, keepdims=True)
    return Worlds(
        weights,
        _targets(size, walls),
        np.zeros(walls.shape, dtype=np.int64),
        np.eye(size**2, dtype=bool),
        uniform,
        uniform,
        exact,
    )


def _open_world(environment: OpenGrid) -> Worlds:
    size, cells = environment.grid_size, environment.grid_size**2
    return Worlds(
        np.ones(1),
        _targets(size, np.zeros((1, cells), dtype=bool)),
        np.zeros((1, cells), dtype=np.int64),
        np.arange(cells)[:, None] == environment.goal,
        np.full((1, cells), 1 / cells),
        np.ones((1, 1)),
        exact=True,
    )


def _targets(
    size: int, walls: Bool[np.ndarray, "world cell"]
) -> Int[np.ndarray, "world cell action"]:
    """Where each action leads if nobody enters a wall."""
    cells = range(size**2)
    ahead = np.array(
        [[target(cell, action, size) for action in range(NUM_ACTIONS)] for cell in cells]
    )
    return np.where(walls[:, ahead], np.arange(size**2)[:, None], ahead)


@compile_once()
@typing.no_type_check
def _survival(targets, entered, success, start, setting, horizon, best):
    worlds, cells, actions = targets.shape
    settings = success.shape[1]
    scale = 1.0 if best else 1.0 / actions
    survivors = np.zeros((worlds, horizon))
    for world in range(worlds):
        now = np.ones((cells, settings))
        later = np.zeros((cells, settings))
        flipped = np.zeros((cells, settings))  # now, as it looks to who enters a button's cell
        for k in range(horizon):
            total = 0.0
            for j in range(settings):
                if setting[world, j] > 0.0:
                    for cell in range(cells):
                        total += start[world, cell] * setting[world, j] * now[cell, j]
            if total == 0.0:
                break
            survivors[world, k] = total
            for cell in range(cells):
                if entered[world, cell] > 0:
                    for j in range(settings):
                        flipped[cell, j] = now[cell, j ^ entered[world, cell]]
            for cell in range(cells):
                if start[world, cell] == 0.0:
                    continue
                for j in range(settings):
                    later[cell, j] = now[cell, j]  # to stay is one of the actions
                for action in range(1, actions):
                    ahead = targets[world, cell, action]
                    toggles = ahead != cell and entered[world, ahead] > 0
                    seen = flipped if toggles else now
                    if best:
                        for j in range(settings):
                            later[cell, j] = min(later[cell, j], seen[ahead, j])
                    else:
                        for j in range(settings):
                            later[cell, j] += seen[ahead, j]
                for j in range(settings):
                    later[cell, j] *= 0.0 if success[cell, j] else scale
            now, later = later, now
    return survivors
