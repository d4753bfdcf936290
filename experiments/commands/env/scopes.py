"""What each factor depends on: `mbgen env scopes`."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.commands.arguments import Json, Picture
from experiments.commands.env.arguments import (
    Name,
    is_gymnasiums,
    readable,
    require_options_of,
)
from experiments.commands.known_dynamics import dynamics_of, factor_sizes, factored_table
from experiments.commands.terminal import console, facts, require_picture, table
from experiments.runs.gym_settings import env_arguments
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import environment_name

if TYPE_CHECKING:
    from tabular import FactoredRule, FactoredStructure, Scope


def scopes(
    name: Name,
    /,
    *,
    size: int | None = None,
    grid_size: int | None = None,
    spontaneous: bool = True,
    env_arg: tuple[str, ...] = (),
    factors: tuple[str, ...] = (),
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
            and factors(state), or is called (with the size, if one is given) to make such a rule; or
            gym:ID for an environment of Gymnasium that keeps a table P of its dynamics, or is
            deterministic and can be explored by copies (gym:MODULE:ID where a module registers it).
        size: Pipes, buttons, or grid size.
        grid_size: ButtonGrid's grid, if it is not 5.
        spontaneous: Whether spontaneous transitions are on.
        env_arg: With gym:ID: KEY=VALUE for each argument that the environment is made with.
        factors: With gym:ID: NAME=SIZE for each factor that its states are numbered by, the last one
            changing fastest.
        context: A factor; its own scope is then also shown for each of its values.
        max_states: Refuse what has more states.
        out: Draw the dynamic Bayesian network.
        json: Write the scopes as JSON; "-" is standard output.
    """
    from tabular import context_scopes, enumerate_factors, factored_structure

    require_options_of(
        name,
        papers={
            "size": size,
            "grid-size": grid_size,
            "no-spontaneous": None if spontaneous else True,
        },
        gymnasiums={"env-arg": env_arg, "factors": factors},
    )
    require_picture(out)
    require_writable(json)
    source = None
    if is_gymnasiums(name):
        sizes, arguments = factor_sizes(factors), env_arguments(env_arg)
        known = dynamics_of(name, arguments, max_states)
        if not sizes:
            _, count = known.numbering()
            raise ValueError(
                f"{name} needs --factors NAME=SIZE ..., sizes whose product is its {count:,} numbers "
                "of states"
            )
        rule: FactoredRule[Any] = factored_table(name, arguments, known, sizes)
        source = known.source
    else:
        rule = _rule(name, size, grid_size, spontaneous)
    if context is not None and context not in rule.factor_names:
        raise ValueError(f"context is {context!r}; accepted: {', '.join(rule.factor_names)}")
    with _own_code(_file_of(name)):
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
    if source is not None:
        screen.print(f"dynamics: {source}")
    if out is not None:
        from experiments.figures.factor_network import draw_network

        draw_network(str(rule), structure, out)
    write_json(_structure_json(rule, source, structure, contexts), json)
    return int(any(scope.declared_holds is False for scope in structure.scopes))


def _rule(
    name: str, size: int | None, grid_size: int | None, spontaneous: bool
) -> FactoredRule[Any]:
    """An environment by name, or a rule from somebody's own file."""
    from tabular import FactoredRule

    if ":" not in name:
        if name.endswith(".py"):
            raise ValueError(f"{name} names no rule; accepted: FILE.py:RULE")
        if size is None:
            raise ValueError(f"{environment_name(name)} needs --size")
        return readable(name, size, grid_size, spontaneous)
    for option, given in (
        ("--grid-size", grid_size is not None),
        ("--no-spontaneous", not spontaneous),
    ):
        if given:
            raise ValueError(f"{option} is of the paper's environments, got {name}")
    file, attribute = _file_of(name), name.rpartition(":")[2]
    if not Path(file).is_file():
        raise ValueError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    with _own_code(file, alone=True):
        spec.loader.exec_module(module)
    rule = getattr(module, attribute, None)
    arguments = () if size is None else (size,)
    if isinstance(rule, type) or (callable(rule) and not isinstance(rule, FactoredRule)):
        try:
            inspect.signature(rule).bind(*arguments)
        except TypeError as error:
            raise ValueError(f"{name} cannot be called with {arguments}: {error}") from None
        with _own_code(file, alone=True):
            rule = rule(*arguments)
    elif arguments:
        raise ValueError(f"--size is for what makes a rule; {name} is called by nothing")
    if not isinstance(rule, FactoredRule):
        raise ValueError(
            f"{name} is no rule; accepted: an object with num_actions, factor_names, "
            "initial_distribution, outcomes and factors"
        )
    return rule


def _file_of(name: str) -> str:
    return name.rpartition(":")[0]


@contextmanager
def _own_code(file: str, *, alone: bool = False) -> Iterator[None]:
    """Code of somebody's own file runs here, `alone` or called by ours: what goes wrong in it is told in one line."""
    try:
        yield
    except Exception as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).resolve() == Path(file).resolve()
        ]
        if not lines and not alone:
            raise
        place = f"{file}, line {lines[-1]}," if lines else file
        said = " ".join(str(error).split())
        raise ValueError(f"{place} failed with {type(error).__name__}: {said}") from error


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
            undeclared = any(
                scope.declared is None
                for scope in structure.scopes
                if scope.cause == cause and scope.output in selves
            )
            verdict = "-" if undeclared else "yes"
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
    rule: FactoredRule[Any],
    source: str | None,
    structure: FactoredStructure,
    contexts: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "environment": str(rule),
        "dynamics": source,
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
