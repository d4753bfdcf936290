"""The environments: what there is, pictures of their states, what they are made of, how well they can be played."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import console, facts, progress, require_picture, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import SIZE_NAMES, SIZES

if TYPE_CHECKING:
    from deep.environments import Environment as BatchedEnvironment
    from tabular import Environment, FactoredRule, FactoredStructure, Performance, Scope

Name = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
Out = Annotated[Path, tyro.conf.arg(metavar="FILE.png|gif")]


def list_environments(*, json: Json = None) -> int:
    """The environments at their usual sizes, with all their settings.

    Args:
        json: Write the list as JSON; "-" is standard output.
    """
    from dataclasses import asdict

    from deep.environments import ENVIRONMENTS

    require_writable(json)
    listed = []
    for name, kind in ENVIRONMENTS.items():
        environment = kind()
        listed.append(
            {
                "name": name,
                "size": SIZE_NAMES[name],
                "settings": asdict(environment),  # type: ignore[call-overload]
                "actions": environment.num_actions,
                "features": environment.num_features,
                "episodic": environment.episodic,
                "gymnasium": f"deep:mbgen/{name}-v0",
            }
        )
    rows = [
        (
            row["name"],
            ", ".join(f"{key}={value}" for key, value in row["settings"].items()),
            row["actions"],
            row["features"],
            row["episodic"],
            row["gymnasium"],
        )
        for row in listed
    ]
    columns = ("name", "settings", "actions", "features", "episodic", "Gymnasium id")
    console(json).print(table("Environments", columns, rows))
    write_json(listed, json)
    return 0


def render(
    name: Name,
    /,
    *,
    out: Out,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    spontaneous_event: str | None = None,
    copies: int = 4,
    steps: int = 30,
    seed: int = 0,
) -> int:
    """Draw states side by side (PNG), or a film of them (GIF), under uniformly random actions.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case.
        out: The picture: FILE.png shows the last states, FILE.gif every step.
        size: Pipes, buttons, or grid size.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        spontaneous_event: The spontaneous event, where there is a choice: switch_on or redraw for
            ButtonGrid, goal or terminate for ProcMaze.
        copies: How many states are drawn side by side.
        steps: Random actions before the last state.
        seed: Copies are seeded seed, seed + 1, ...
    """
    from experiments.figures.environment_states import draw_states

    require_writable(out)
    if out.suffix.lower() not in (".png", ".gif"):
        raise ValueError(f"{out} is no picture's name; accepted: .png, .gif")
    for option, value, least, most in (("copies", copies, 1, 100), ("steps", steps, 0, 100_000)):
        if not least <= value <= most:
            raise ValueError(f"{option} is {value}; accepted: {least} to {most:,}")
    environment = _batched(name, size, grid_size, spontaneous, spontaneous_event)
    draw_states(environment, out, copies=copies, steps=steps, seed=seed)
    console().print(f"wrote {out}")
    return 0


def scopes(
    name: Name,
    /,
    *,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    context: str | None = None,
    max_states: int = 20_000,
    out: Picture = None,
    json: Json = None,
) -> int:
    """What each factor of the next state depends on, exactly, and what a factored model saves.

    All reachable states are gone through. Exit status 1 if a declared scope leaves out a factor
    that matters.

    Args:
        name: PanFlute, ButtonGrid, ProcMaze or OpenGrid; or FILE.py:RULE for a rule of your own,
            which has num_actions, factor_names, initial_distribution(), outcomes(state, action)
            and factors(state), or is called (with the size, if one is given) to make such a rule.
        size: Pipes, buttons, or grid size.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        context: A factor; its own scope is then also shown for each of its values.
        max_states: Refuse what has more states.
        out: Draw the dynamic Bayesian network.
        json: Write the scopes as JSON; "-" is standard output.
    """
    from tabular import context_scopes, enumerate_factors, factored_structure

    rule = _rule(name, size, grid_size, spontaneous)
    if context is not None and context not in rule.factor_names:
        raise ValueError(f"context is {context!r}; accepted: {', '.join(rule.factor_names)}")
    require_picture(out)
    require_writable(json)
    enumeration = enumerate_factors(rule, max_states=max_states)
    structure = factored_structure(enumeration)
    screen = console(json)
    columns = ("cause", "of the next state", "actions", "depends on", "as declared")
    screen.print(table(f"{rule}: smallest scopes", columns, _scope_rows(structure)))
    contexts = []
    if context is not None:
        for cause in structure.causes:
            if context in structure.parents(context, [cause]):
                found = context_scopes(enumeration, context, context, cause=cause)
                contexts += _contexts(cause, found)
        screen.print(
            table(
                f"given the value of {context}, the next one depends on",
                ("cause", context, "action", "depends on"),
                [
                    (
                        row["cause"],
                        str(row["value"]),
                        str(row["action"]),
                        _listed(row["smallest"][0]),
                    )
                    for row in contexts
                ],
            )
        )
    screen.print(facts("In numbers", _facts(structure)))
    if out is not None:
        from experiments.figures.factor_network import draw_network

        draw_network(str(rule), structure, out)
    write_json(_structure_json(rule, structure, contexts), json)
    return int(any(scope.declared_holds is False for scope in structure.scopes))


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
        _readable(name, 1, grid_size, spontaneous)
        raise ValueError(f"{name} needs --size: it is no part of the online experiment")
    found: list[tuple[int, Performance, Performance, float | None]] = []
    with progress(f"{name}") as report:
        for done, each in enumerate(sizes):
            played = _readable(name, each, grid_size, spontaneous)
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


def _batched(
    name: str,
    size: int | None,
    grid_size: int | None,
    spontaneous: bool,
    spontaneous_event: str | None,
) -> BatchedEnvironment[Any]:
    """The environment that the options of a command mean.

    Raises:
        ValueError: The name is unknown, or an option is unknown to it or out of range.
    """
    from deep.environments import make

    size_options = {key.lower(): option for key, option in SIZE_NAMES.items()}
    options: dict[str, object] = {"spontaneous": spontaneous}
    if size is not None:
        options[size_options.get(name.lower(), "size")] = size
    if grid_size is not None:
        options["grid_size"] = grid_size
    if spontaneous_event is not None:
        options["spontaneous_event"] = spontaneous_event
    return make(name, **options)


def _sizes(name: str) -> tuple[int, ...]:
    """The sizes of figure 3; none for an environment that is no part of it."""
    return {env.lower(): sizes for env, sizes in SIZES.items()}.get(name.lower(), ())


def _readable(name: str, size: int, grid_size: int | None, spontaneous: bool) -> Environment[Any]:
    from tabular import ButtonGrid, environment

    if grid_size is None:
        return environment(name, size, spontaneous=spontaneous)
    if name.lower() != "buttongrid":
        raise ValueError(f"grid_size is {grid_size}; accepted with ButtonGrid alone, not {name}")
    return ButtonGrid(size, grid_size, spontaneous=spontaneous)


def _rule(
    name: str, size: int | None, grid_size: int | None, spontaneous: bool
) -> FactoredRule[Any]:
    """An environment by name, or a rule from somebody's own file."""
    from tabular import FactoredRule

    if ":" not in name:
        if size is None:
            raise ValueError(f"{name} needs --size")
        return _readable(name, size, grid_size, spontaneous)
    file, _, attribute = name.rpartition(":")
    if not Path(file).is_file():
        raise ValueError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rule = getattr(module, attribute, None)
    if isinstance(rule, type) or (callable(rule) and not isinstance(rule, FactoredRule)):
        rule = rule() if size is None else rule(size)
    if not isinstance(rule, FactoredRule):
        raise ValueError(
            f"{name} is no rule; accepted: an object with num_actions, factor_names, "
            "initial_distribution, outcomes and factors"
        )
    return rule


def _scope_rows(structure: FactoredStructure) -> list[tuple[object, ...]]:
    """A row for each cause, output and scope; outputs that depend on themselves alone share one."""
    rows: list[tuple[object, ...]] = []
    for cause in (*structure.causes, None):
        selves: list[str] = []
        for output in dict.fromkeys(
            scope.output for scope in structure.scopes if scope.cause == cause
        ):
            found = [s for s in structure.scopes if (s.cause, s.output) == (cause, output)]
            if all(
                scope.chosen == {output} and scope.declared_holds is not False for scope in found
            ):
                selves.append(output)
                continue
            for shown in dict.fromkeys(scope.chosen for scope in found):
                same = [scope for scope in found if scope.chosen == shown]
                actions = ", ".join(str(scope.action) for scope in same)
                all_actions = len(same) == structure.num_actions
                rows.append(
                    (
                        cause or "all together",
                        output,
                        "all" if all_actions else actions,
                        _listed(shown),
                        _verdict(same),
                    )
                )
        if selves:
            verdict = "yes" if cause else "-"
            rows.append((cause or "all together", ", ".join(selves), "all", "itself", verdict))
    return rows


def _verdict(found: Iterable[Scope]) -> str:
    if any(scope.declared_holds is False for scope in found):
        return "NO"
    if any(scope.declared is None for scope in found):
        return "-"
    if all(scope.declared in scope.smallest for scope in found):
        return "yes"
    return "yes, but fewer do"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _contexts(
    cause: str, found: Mapping[tuple[int, Any], tuple[frozenset[str], ...]]
) -> list[dict[str, Any]]:
    ordered = sorted(found.items(), key=lambda entry: (str(entry[0][1]), entry[0][0]))
    return [
        {"cause": cause, "value": value, "action": action, "smallest": [sorted(s) for s in sets]}
        for (action, value), sets in ordered
    ]


def _facts(structure: FactoredStructure) -> list[tuple[str, object]]:
    saved = structure.table_parameters / max(structure.factored_parameters, 1)
    return [
        ("reachable states", structure.num_states),
        ("actions", structure.num_actions),
        ("factors", len(structure.factor_names)),
        ("factored structure", structure.has_factored_structure),
        ("factors still dependent given", ", ".join(sorted(structure.dependent)) or "-"),
        ("parameters of a table", structure.table_parameters),
        ("parameters of a factored model", structure.factored_parameters),
        ("table / factored", saved),
    ]


def _structure_json(
    rule: FactoredRule[Any], structure: FactoredStructure, contexts: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "environment": str(rule),
        "states": structure.num_states,
        "actions": structure.num_actions,
        "factors": dict(zip(structure.factor_names, structure.values, strict=True)),
        "causes": structure.causes,
        "dependent_causes": sorted(structure.dependent),
        "factored_structure": structure.has_factored_structure,
        "table_parameters": structure.table_parameters,
        "factored_parameters": structure.factored_parameters,
        "scopes": [
            {
                "cause": scope.cause,
                "output": scope.output,
                "action": scope.action,
                "smallest": [sorted(names) for names in scope.smallest],
                "declared": None if scope.declared is None else sorted(scope.declared),
                "declared_holds": scope.declared_holds,
            }
            for scope in structure.scopes
        ],
        "contexts": contexts,
    }
