"""How well an environment can be played: `mbgen env optimum`."""

from __future__ import annotations

import json as json_text
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from experiments.commands.arguments import Json
from experiments.commands.env.arguments import (
    Name,
    is_gymnasiums,
    readable,
    require_options_of,
)
from experiments.commands.known_dynamics import dynamics_of, evaluation_horizon
from experiments.commands.terminal import console, progress, table
from experiments.runs.gym_settings import env_arguments, shown_arguments
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import SIZES

if TYPE_CHECKING:
    from tabular import Performance


class _Played(NamedTuple):
    """An environment and how well it can be played."""

    name: str
    size: int | None
    options: object
    best: Performance
    random: Performance
    rate: float | None
    source: str | None = None


def optimum(
    name: Name,
    /,
    *,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    env_arg: tuple[str, ...] = (),
    horizon: int | None = None,
    samples: int | None = None,
    seed: int | None = None,
    json: Json = None,
) -> int:
    """The best and the uniformly random performance of an evaluation, and the best long-run rate.

    The performance is the mean reward a step in a continuing environment, the undiscounted return
    in an episodic one.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid; or gym:ID for an environment of Gymnasium that
            keeps a table P of its dynamics, or is deterministic and can be explored by copies
            (gym:MODULE:ID where a module registers it).
        size: Pipes, buttons, or grid size; by default every size of the online experiment.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        env_arg: With gym:ID: KEY=VALUE for each argument that the environment is made with.
        horizon: The most steps of an evaluation; 100 if not given. With gym:ID 1,000, and never more than
            the environment's own time limit.
        samples: How many layouts to draw where they are too many to go through; 2,000 if not given.
        seed: Of that draw; 0 if not given.
        json: Write the figures as JSON; "-" is standard output.
    """
    require_writable(json)
    require_options_of(
        name,
        papers={
            "size": size,
            "grid-size": grid_size,
            "no-spontaneous": None if spontaneous else True,
            "samples": samples,
            "seed": seed,
        },
        gymnasiums={"env-arg": env_arg},
    )
    arguments = env_arguments(env_arg)
    if is_gymnasiums(name):
        found = [_by_its_table(name, arguments, horizon)]
    else:
        found = _of_the_paper(name, size, grid_size, spontaneous, horizon, samples, seed)
    title, first = found[0].name + shown_arguments(arguments), found[0].best
    console(json).print(
        table(
            f"{title}: {first.unit} of an evaluation of {first.horizon} steps",
            ("size", "optimal", "±", "uniform", "±", "best long-run rate", "method"),
            [
                (
                    played.size,
                    f"{played.best.value:.5f}",
                    played.best.half_width,
                    f"{played.random.value:.5f}",
                    played.random.half_width,
                    None if played.rate is None else f"{played.rate:.5f}",
                    played.best.method,
                )
                for played in found
            ],
        )
    )
    if (source := found[0].source) is not None:
        console(json).print(f"dynamics: {source}")
    write_json(
        [
            {
                "environment": played.name,
                "size": played.size,
                "options": played.options,
                "dynamics": played.source,
                "unit": played.best.unit,
                "horizon": played.best.horizon,
                "method": played.best.method,
                "optimal": {"value": played.best.value, "half_width": played.best.half_width},
                "uniform": {"value": played.random.value, "half_width": played.random.half_width},
                "optimal_rate": played.rate,
            }
            for played in found
        ],
        json,
    )
    return 0


def _of_the_paper(
    name: str,
    size: int | None,
    grid_size: int | None,
    spontaneous: bool,
    horizon: int | None,
    samples: int | None,
    seed: int | None,
) -> list[_Played]:
    from tabular import ButtonGrid, PanFlute, optimal_rate, reference_performance
    from tabular.progress import part_of

    sizes = _sizes(name) if size is None else (size,)
    if not sizes:
        readable(name, 1, grid_size, spontaneous)
        raise ValueError(f"{name} needs --size: it is no part of the online experiment")
    found = []
    with progress(name) as report:
        for done, each in enumerate(sizes):
            played = readable(name, each, grid_size, spontaneous)
            performance = partial(
                reference_performance,
                played,
                horizon=100 if horizon is None else horizon,
                samples=2_000 if samples is None else samples,
                seed=0 if seed is None else seed,
            )
            first, second = (part_of(report, 2 * done + half, 2 * len(sizes)) for half in (0, 1))
            best = performance("optimal", report=first)
            random = performance("uniform", report=second)
            rate = None
            if isinstance(played, PanFlute | ButtonGrid) and not best.half_width:
                rate = optimal_rate(played)
            found.append(_Played(type(played).__name__, each, played, best, random, rate))
    return found


def _by_its_table(name: str, arguments: str, horizon: int | None) -> _Played:
    from tabular import optimal_rate, reference_performance
    from tabular.transition_table import TableRule

    known = dynamics_of(name, arguments)
    rule = TableRule(known.table, known.initial, name=name)
    steps = evaluation_horizon(known, horizon)
    best, random = (
        reference_performance(rule, policy, horizon=steps) for policy in ("optimal", "uniform")
    )
    rate = None
    if best.unit == "reward a step":
        with suppress(ArithmeticError):  # it differs from state to state
            rate = optimal_rate(rule)
    return _Played(name, None, json_text.loads(arguments), best, random, rate, known.source)


def _sizes(name: str) -> tuple[int, ...]:
    """The sizes of figure 3; none for an environment that is no part of it."""
    return {env.lower(): sizes for env, sizes in SIZES.items()}.get(name.lower(), ())
