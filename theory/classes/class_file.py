"""Classes and datasets read from JSON, every number exactly.

    {"states": 3, "actions": 2, "gamma": "9/10",
     "rewards": [[0, 0], [0, 0], [0, 1]],
     "transitions": "tabular"}

`transitions` is one of

- "tabular": every map S x A -> S + {t};
- {"tabular": {"successors": [...], "fixed": [[s, a, s'], ...]}}: every map into the given successors, some pairs fixed;
- {"models": [[[s', one for each action], one for each state], one for each model]}: an explicit list;
- {"factored": {"sizes": [...], "actions": [...], "fixed": [[s, a, s'], ...]}}: states made of factors, the last one
  varying fastest. Each action is a list of alternative structures; a structure has for each factor the list of its
  parents, or "same" for a factor that the action leaves as it is.
- {"options": [[[OPTION, ...] for each action] for each state]}: every choice of one option at each pair; with "models":
  [[option number, one for each pair s * actions + a], ...] these alone. An OPTION is a successor, or
  {"reward": NUMBER, "next": {"SUCCESSOR": NUMBER, ...}}: probabilities that add to 1, and a reward, which is the
  class's own where it is left out; "t" names the terminal state too. See `theory.classes.options`.

Models of other programs are classes too: a file `.drn` (Storm) or `.tra` (PRISM) holds the class of its one model;
{"imported": [FILE, ...], "gamma": "9/10"} the class of several with the same rewards; and {"P": TABLE, "gamma": "9/10"}
that of Gymnasium's table P.

The terminal state is the index `states`. Numbers are integers, "p/q" strings and decimals, 0.9 being 9/10.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any, NoReturn

from theory.classes.factored import Structure, factored
from theory.classes.gallery import GALLERY, gallery_class
from theory.classes.mdp_class import (
    MAX_DIGITS,
    TERMINAL_NAME,
    MDPClass,
    Rewards,
    exact,
    mdp_class,
)
from theory.classes.options import Option, OptionClass, option, option_class
from theory.classes.transition_class import (
    TransitionClass,
    checked_trajectory,
    explicit,
    tabular,
)
from theory.formats.drn import parse_drn
from theory.formats.explicit_model import ExplicitModel, class_from_models, read_text
from theory.formats.gymnasium_table import gymnasium_model
from theory.formats.prism import read_prism


class DecimalText(str):
    """A number of a JSON file in its own digits: a string to `exact`, but no name."""

    __slots__ = ()


REQUIRED = ("states", "actions", "gamma", "rewards", "transitions")
OPTIONAL = ("state_names", "action_names")
MODEL_SUFFIXES = (".drn", ".tra")
SUFFIXES = (".json", *MODEL_SUFFIXES)


def load_class(name_or_path: str, gamma: object = None) -> MDPClass:
    """A class of the gallery, or the class in a file.

    Args:
        name_or_path: its name; or a JSON file, or a model in Storm's format DRN or PRISM's explicit files (.tra).
        gamma: another discount than its own.

    Raises:
        ValueError: if there is no such class or file, or the file does not hold a class.
    """
    path = Path(name_or_path)
    discount = None if gamma is None else exact(gamma, "gamma")
    if name_or_path in GALLERY or not (path.suffix in SUFFIXES or path.is_file()):
        problem = gallery_class(name_or_path)
    elif path.suffix in MODEL_SUFFIXES:
        with _naming(path):
            return class_from_models([_read_model(path)], discount, path.stem)
    else:
        document = read_json(path)
        with _naming(path):
            for key, read in (("imported", _imported), ("P", _gymnasium)):
                if isinstance(document, dict) and key in document:
                    entries = _object(document, "a class", (key,), ("gamma",))
                    own = exact(entries["gamma"], "gamma") if "gamma" in entries else None
                    return class_from_models(read(entries[key], path), discount or own, path.stem)
            problem = parse_class(document, name=path.stem)
    return problem if discount is None else replace(problem, gamma=discount)


def _imported(files: object, path: Path) -> list[ExplicitModel]:
    """Models in files of their own, which are looked for beside this one."""
    models = []
    for file in _list(files, "imported"):
        if type(file) is not str:
            raise ValueError(f"imported holds {reprlib.repr(file)}; accepted: names of files")
        with _naming(Path(file)):
            models.append(_read_model(path.parent / file))
    if not models:
        raise ValueError("imported is empty; accepted: one file or more")
    return models


def _gymnasium(table: object, _: Path) -> list[ExplicitModel]:
    return [gymnasium_model(table)]


def _read_model(path: Path) -> ExplicitModel:
    if path.suffix not in MODEL_SUFFIXES:
        raise ValueError(f"no model's name; accepted: {', '.join(MODEL_SUFFIXES)}")
    return read_prism(path) if path.suffix == ".tra" else parse_drn(read_text(path))


def load_dataset(path: Path, problem: MDPClass) -> tuple[tuple[int, ...], ...]:
    """A dataset [[s, a, s'], ...] for a class; a row that goes on, [s, a, s', a', s'', ...], is a trajectory.

    Raises:
        ValueError: if the file holds anything else, or names a state or action that the class does not have.
    """
    document = read_json(path)
    with _naming(path):
        return tuple(
            checked_trajectory(_list(row, f"transition {i}"), problem.states, problem.actions)
            for i, row in enumerate(_list(document, "a dataset"))
        )


def load_evidence(path: Path) -> list[list[Any]]:
    """Evidence [[s, a, [allowed option, ...]], ...], as `theory.criteria.evidence.checked_evidence` checks it.

    Raises:
        ValueError: if the file holds no list of lists.
    """
    document = read_json(path)
    with _naming(path):
        return [_list(row, f"row {i}") for i, row in enumerate(_list(document, "evidence"))]


def load_samples(path: Path) -> list[list[Any]]:
    """Samples [[s, a, reward, s'], ...], every reward exact.

    Raises:
        ValueError: if the file holds anything else.
    """
    document = read_json(path)
    with _naming(path):
        rows = [_list(row, f"sample {i}") for i, row in enumerate(_list(document, "samples"))]
        return [
            [*row[:2], exact(row[2], "a reward"), *row[3:]] if len(row) > 2 else row for row in rows
        ]


def load_value_functions(path: Path, problem: MDPClass) -> tuple[tuple[Fraction, ...], ...]:
    """Value functions [[V(s), one for each state], ...] for a class, every number exactly.

    Raises:
        ValueError: if the file holds anything else, or none.
    """
    document = read_json(path)
    with _naming(path):
        rows = [_list(row, f"value function {i}") for i, row in enumerate(_list(document, "F"))]
        if not rows or any(len(row) != problem.states for row in rows):
            raise ValueError(
                f"{len(rows)} value functions of {sorted({len(row) for row in rows})} entries;"
                f" accepted: one or more, each with {problem.states} entries (states)"
            )
        return tuple(tuple(exact(entry, "a value") for entry in row) for row in rows)


def load_rewards(path: Path, states: int, actions: int) -> Rewards:
    """A reward table [[r, one for each action], one for each state].

    Raises:
        ValueError: if the file holds anything else.
    """
    document = read_json(path)
    with _naming(path):
        return _rewards(document, states, actions)


def load_reward_family(path: Path, problem: MDPClass) -> dict[str, Rewards]:
    """Reward tables [TABLE, ...] for a class, called by their places: "reward 0", ....

    Raises:
        ValueError: if the file holds anything else, or none.
    """
    document = read_json(path)
    with _naming(path):
        tables = _list(document, "a family of rewards")
        if not tables:
            raise ValueError("a family of rewards is empty; accepted: one reward table or more")
        return {
            f"reward {i}": _rewards(table, problem.states, problem.actions)
            for i, table in enumerate(tables)
        }


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file before what is said about its contents."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_json(path: Path) -> Any:
    """The contents of a JSON file; decimals stay text, so that they are exact.

    Raises:
        ValueError: if it cannot be read or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(
            text,
            parse_int=_parse_int,
            parse_float=DecimalText,
            parse_constant=_refuse,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse_class(document: object, name: str = "") -> MDPClass:
    """The class that a JSON document describes; see the module's docstring for the form.

    Raises:
        ValueError: naming the entry that is wrong and what is accepted there.
    """
    entries = _object(document, "a class", REQUIRED, OPTIONAL)
    states = _integer(entries["states"], "states", 1)
    actions = _integer(entries["actions"], "actions", 1)
    names = {key: _names(entries.get(key, []), key) for key in OPTIONAL}
    rewards = _rewards(entries["rewards"], states, actions)
    described = entries["transitions"]
    if isinstance(described, dict) and "options" in described:
        transitions: TransitionClass = _options(described, rewards)
    else:
        transitions = _transitions(described, states, actions)
    return mdp_class(transitions, rewards, entries["gamma"], name=name, **names)


def _transitions(document: object, states: int, actions: int) -> TransitionClass:
    if document == "tabular":
        return tabular(states, actions)
    if not isinstance(document, dict) or len(document) != 1:
        raise ValueError(f"transitions is {reprlib.repr(document)}; accepted: {_KINDS}")
    [(kind, content)] = document.items()
    if kind == "tabular":
        entries = _object(content, "transitions.tabular", (), ("successors", "fixed"))
        successors = entries.get("successors")
        if successors is not None:
            successors = _integers(successors, "successors")
        return tabular(states, actions, successors=successors, fixed=_fixed(entries))
    if kind == "models":
        models = [
            _table(model, f"model {i}", states, actions)
            for i, model in enumerate(_list(content, "models"))
        ]
        return explicit([[_integers(row, "a row of a model") for row in m] for m in models])
    if kind == "factored":
        entries = _object(content, "transitions.factored", ("sizes", "actions"), ("fixed",))
        sizes = _integers(entries["sizes"], "sizes")
        structures = [
            [_structure(s) for s in _list(alternatives, "an action's structures")]
            for alternatives in _list(entries["actions"], "transitions.factored.actions")
        ]
        if prod(sizes) != states or len(structures) != actions:
            raise ValueError(
                f"factors of sizes {sizes} with {len(structures)} actions;"
                f" accepted: sizes whose product is {states}, and {actions} actions"
            )
        return factored(sizes, structures, fixed=_fixed(entries))
    raise ValueError(f"transitions is {reprlib.repr(document)}; accepted: {_KINDS}")


_KINDS = '"tabular", or an object with the one key "tabular", "models", "factored" or "options"'


def _options(document: dict[str, Any], rewards: Rewards) -> OptionClass:
    entries = _object(document, "transitions", ("options",), ("models",))
    states, actions = len(rewards), len(rewards[0])
    table = _table(entries["options"], "options", states, actions)
    options = []
    for s, row in enumerate(table):
        for a, choices in enumerate(row):
            where = f"of state {s}, action {a}"
            listed = _list(choices, f"the options {where}")
            options.append([_option(entry, where, states, rewards[s][a]) for entry in listed])
    if "models" not in entries:
        return option_class(states, actions, options)
    models = [
        _integers(row, f"model {i}") for i, row in enumerate(_list(entries["models"], "models"))
    ]
    return option_class(states, actions, options, models)


def _option(document: object, where: str, states: int, own_reward: Fraction) -> Option:
    what = f"an option {where}"
    if not isinstance(document, dict):
        return option(own_reward, {_integer(document, what, 0): 1}, states)
    entries = _object(document, what, ("next",), ("reward",))
    law: dict[int, Fraction] = {}
    if not isinstance(entries["next"], dict):
        raise ValueError(
            f"next {where} is {reprlib.repr(entries['next'])}; accepted: an object of probabilities by successor"
        )
    for name, probability in entries["next"].items():
        successor = states if name == TERMINAL_NAME else _numbered(name, where, states)
        if successor in law:
            raise ValueError(f"next {where} gives successor {successor} twice; accepted: once")
        law[successor] = exact(probability, f"a probability {where}")
    try:
        reward = exact(entries.get("reward", own_reward), "a reward")
        return option(reward, law, states)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _numbered(name: str, where: str, states: int) -> int:
    if name.isascii() and name.isdecimal() and str(int(name)) == name and int(name) <= states:
        return int(name)
    raise ValueError(
        f"next {where} names the successor {reprlib.repr(name)}; accepted: 0 to {states}, or {TERMINAL_NAME}"
    )


def _structure(document: object) -> Structure:
    return tuple(
        None if parents == "same" else tuple(_integers(parents, 'parents (a list, or "same")'))
        for parents in _list(document, "a structure")
    )


def _fixed(entries: dict[str, Any]) -> list[list[int]]:
    return [
        _integers(row, "a fixed transition") for row in _list(entries.get("fixed", []), "fixed")
    ]


def _rewards(document: object, states: int, actions: int) -> Rewards:
    table = _table(document, "rewards", states, actions)
    return tuple(tuple(exact(entry, "a reward") for entry in row) for row in table)


def _object(
    document: object, what: str, required: Iterable[str], optional: Iterable[str]
) -> dict[str, Any]:
    required, optional = list(required), list(optional)
    accepted = f"keys {', '.join(required + optional)}"
    if not isinstance(document, dict):
        raise ValueError(
            f"{what} is {reprlib.repr(document)}; accepted: a JSON object with {accepted}"
        )
    for key in document:
        if key not in required + optional:
            raise ValueError(f"{what} has the unknown key {key!r}; accepted: {accepted}")
    for key in required:
        if key not in document:
            raise ValueError(f"{what} lacks the key {key!r}; accepted: {accepted}")
    return document


def _list(document: object, what: str) -> list[Any]:
    if not isinstance(document, list):
        raise ValueError(f"{what} is {reprlib.repr(document)}; accepted: a list")
    return document


def _table(document: object, what: str, states: int, actions: int) -> list[list[Any]]:
    rows = [_list(row, f"a row of {what}") for row in _list(document, what)]
    if len(rows) != states or any(len(row) != actions for row in rows):
        lengths = sorted({len(row) for row in rows})
        raise ValueError(
            f"{what} has {len(rows)} rows of lengths {lengths};"
            f" accepted: {states} rows (states) of {actions} entries (actions)"
        )
    return rows


def _integers(document: object, what: str) -> list[int]:
    return [_integer(entry, f"an entry of {what}", 0) for entry in _list(document, what)]


def _integer(document: object, what: str, least: int) -> int:
    if isinstance(document, bool) or not isinstance(document, int) or document < least:
        raise ValueError(
            f"{what} is {reprlib.repr(document)}; accepted: an integer of at least {least}"
        )
    return document


def _names(document: object, what: str) -> list[str]:
    names = _list(document, what)
    for name in names:
        if type(name) is not str or not name.isprintable():
            raise ValueError(
                f"a name in {what} is {reprlib.repr(name)}; accepted: printable strings"
            )
    return names


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits; accepted: at most {MAX_DIGITS}")
    return int(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"the number {constant}; accepted: integers, p/q strings and decimals")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for key, value in pairs:
        if key in entries:
            raise ValueError(f"an object has the key {reprlib.repr(key)} twice; accepted: once")
        entries[key] = value
    return entries
