"""Which environment a subcommand is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from experiments.runs.gym_settings import PREFIX

if TYPE_CHECKING:
    from tabular import Environment

Name = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]


def is_gymnasiums(name: str) -> bool:
    """Whether an environment of Gymnasium is meant: "gym:ID". Other names may hold a colon too."""
    return name.startswith(PREFIX)


def require_options_of(
    name: str, *, papers: Mapping[str, object], gymnasiums: Mapping[str, object]
) -> None:
    """Refuse options that the environment does not have; None and () are options not given.

    Args:
        name: The environment.
        papers: Options of the paper's environments alone.
        gymnasiums: Options of Gymnasium's environments alone.

    Raises:
        ValueError: One is given that is of the others.
    """
    others, whose = (gymnasiums, "goes with gym:ID")
    if is_gymnasiums(name):
        others, whose = (papers, "is of the paper's environments")
    for option, value in others.items():
        if value not in (None, ()):
            raise ValueError(f"--{option} {whose}, got {name}")


def require_grid_size_of(name: str, grid_size: int) -> None:
    """Refuse a grid size of what has none beside its size."""
    if name.lower() != "buttongrid":
        raise ValueError(f"grid_size is {grid_size}; accepted with ButtonGrid alone, not {name}")


def readable(name: str, size: int, grid_size: int | None, spontaneous: bool) -> Environment[Any]:
    """The readable environment that the options mean.

    Raises:
        ValueError: The name is unknown, or an option is out of range or not of that environment.
    """
    from tabular import ButtonGrid, environment

    if grid_size is None:
        return environment(name, size, spontaneous=spontaneous)
    require_grid_size_of(name, grid_size)
    return ButtonGrid(size, grid_size, spontaneous=spontaneous)
