"""Which environment a subcommand is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from tabular import Environment

Name = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]


def readable(name: str, size: int, grid_size: int | None, spontaneous: bool) -> Environment[Any]:
    """The readable environment that the options mean.

    Raises:
        ValueError: The name is unknown, or an option is out of range or not of that environment.
    """
    from tabular import ButtonGrid, environment

    if grid_size is None:
        return environment(name, size, spontaneous=spontaneous)
    if name.lower() != "buttongrid":
        raise ValueError(f"grid_size is {grid_size}; accepted with ButtonGrid alone, not {name}")
    return ButtonGrid(size, grid_size, spontaneous=spontaneous)
