"""The environments by name."""

from dataclasses import fields
from typing import Any

from deep.argument_checks import require_one_of
from deep.environments.button_grid import ButtonGrid
from deep.environments.environment import Environment
from deep.environments.open_grid import OpenGrid
from deep.environments.pan_flute import PanFlute
from deep.environments.proc_maze import ProcMaze

ENVIRONMENTS: dict[str, type[Environment[Any]]] = {
    "PanFlute": PanFlute,
    "ButtonGrid": ButtonGrid,
    "ProcMaze": ProcMaze,
    "OpenGrid": OpenGrid,
}


def make(name: str, **options: Any) -> Environment[Any]:
    """An environment by its name, in any case, and its settings.

    Raises:
        ValueError: The name or a setting is unknown, or a setting is out of range.
    """
    exact = {key.lower(): key for key in ENVIRONMENTS}.get(name.lower(), name)
    require_one_of("environment", exact, ENVIRONMENTS)
    kind = ENVIRONMENTS[exact]
    settings = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if unknown := sorted(set(options) - set(settings)):
        raise ValueError(
            f"{kind.__name__} has the options {', '.join(settings)}, got {unknown[0]!r}"
        )
    return kind(**options)
