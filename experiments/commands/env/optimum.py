"""How well an environment can be played: `mbgen env optimum`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.commands.arguments import Json
from experiments.commands.env.arguments import Name, readable
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import SIZES

if TYPE_CHECKING:
    from tabular import Performance


def optimum(
    name: Name,
    /,
    *,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    horizon: int = 100,
    samples: int = 2000,
    seed: int = 0,
    json: Json = None,
) -> int:
    """The best and the uniformly random performance of an evaluation, and the best long-run rate.

    The performance is the mean reward a step in a continuing environment, the undiscounted return
    in an episodic one.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid.
        size: Pipes, buttons, or grid size; by default every size of the online experiment.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        horizon: The most steps of an evaluation.
        samples: How many layouts to draw where they are too many to go through.
        seed: Of that draw.
        json: Write the figures as JSON; "-" is standard output.
    """
    from tabular import ButtonGrid, PanFlute, optimal_rate, reference_performance

    require_writable(json)
    sizes = _sizes(name) if size is None else (size,)
    if not sizes:
        readable(name, 1, grid_size, spontaneous)
        raise ValueError(f"{name} needs --size: it is no part of the online experiment")
    found: list[tuple[int, Performance, Performance, float | None]] = []
    with progress(f"{name}") as report:
        for done, each in enumerate(sizes):
            played = readable(name, each, grid_size, spontaneous)
            best, random = (
                reference_performance(played, policy, horizon=horizon, samples=samples, seed=seed)
                for policy in ("optimal", "uniform")
            )
            rate = None
            if isinstance(played, PanFlute | ButtonGrid) and not best.half_width:
                rate = optimal_rate(played)
            found.append((each, best, random, rate))
            report((done + 1) / len(sizes))
    screen = console(json)
    title, unit = type(found[0][1].environment).__name__, found[0][1].unit
    screen.print(
        table(
            f"{title}: {unit} of an evaluation of {horizon} steps",
            ("size", "optimal", "±", "uniform", "±", "best long-run rate", "method"),
            [
                (
                    each,
                    f"{best.value:.5f}",
                    best.half_width,
                    f"{random.value:.5f}",
                    random.half_width,
                    None if rate is None else f"{rate:.5f}",
                    best.method,
                )
                for each, best, random, rate in found
            ],
        )
    )
    write_json(
        [
            {
                "environment": type(best.environment).__name__,
                "size": each,
                "options": best.environment,
                "unit": best.unit,
                "horizon": horizon,
                "method": best.method,
                "optimal": {"value": best.value, "half_width": best.half_width},
                "uniform": {"value": random.value, "half_width": random.half_width},
                "optimal_rate": rate,
            }
            for each, best, random, rate in found
        ],
        json,
    )
    return 0


def _sizes(name: str) -> tuple[int, ...]:
    """The sizes of figure 3; none for an environment that is no part of it."""
    return {env.lower(): sizes for env, sizes in SIZES.items()}.get(name.lower(), ())
