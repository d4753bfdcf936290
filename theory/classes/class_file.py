"""Classes read from JSON, every number exactly.

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

import reprlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

from theory.classes.factored import Structure, factored
from theory.classes.gallery import GALLERY, gallery_class
from theory.classes.json_document import (
    checked_integer,
    checked_integers,
    checked_list,
    checked_names,
    checked_object,
    checked_table,
    naming,
    reading,
)
from theory.classes.mdp_class import TERMINAL_NAME, MDPClass, Rewards, exact, mdp_class
from theory.classes.options import Option, OptionClass, option, option_class
from theory.classes.transition_class import TransitionClass, explicit, tabular
from theory.formats.drn import parse_drn
from theory.formats.explicit_model import ExplicitModel, class_from_models, read_text
from theory.formats.gymnasium_table import gymnasium_model
from theory.formats.prism import read_prism

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
        with naming(path):
            return class_from_models([_read_model(path)], discount, path.stem)
    else:
        with reading(path) as document:
            for key, read in MODELS.items():
                if isinstance(document, dict) and key in document:
                    entries = checked_object(document, "a class", (key,), ("gamma",))
                    if discount is None and "gamma" in entries:
                        discount = exact(entries["gamma"], "gamma")
                    return class_from_models(read(entries[key], path), discount, path.stem)
            problem = parse_class(document, name=path.stem)
    return problem if discount is None else replace(problem, gamma=discount)


def _imported(files: object, path: Path) -> list[ExplicitModel]:
    """Models in files of their own, which are looked for beside this one."""
    models = []
    for file in checked_list(files, "imported"):
        if type(file) is not str:
            raise ValueError(f"imported holds {reprlib.repr(file)}; accepted: names of files")
        with naming(Path(file)):
            models.append(_read_model(path.parent / file))
    if not models:
        raise ValueError("imported is empty; accepted: one file or more")
    return models


MODELS: dict[str, Callable[[Any, Path], list[ExplicitModel]]] = {
    "imported": _imported,
    "P": lambda table, _: [gymnasium_model(table)],
}
"""How models of other programs are read, by the key of a document that names or holds them."""


def _read_model(path: Path) -> ExplicitModel:
    if path.suffix not in MODEL_SUFFIXES:
        raise ValueError(f"no model's name; accepted: {', '.join(MODEL_SUFFIXES)}")
    return read_prism(path) if path.suffix == ".tra" else parse_drn(read_text(path))


def parse_class(document: object, name: str = "") -> MDPClass:
    """The class that a JSON document describes; see the module's docstring for the form.

    Raises:
        ValueError: naming the entry that is wrong and what is accepted there.
    """
    entries = checked_object(document, "a class", REQUIRED, OPTIONAL)
    states = checked_integer(entries["states"], "states", 1)
    actions = checked_integer(entries["actions"], "actions", 1)
    names = {key: checked_names(entries.get(key, []), key) for key in OPTIONAL}
    rewards = checked_rewards(entries["rewards"], states, actions)
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
        entries = checked_object(content, "transitions.tabular", (), ("successors", "fixed"))
        successors = entries.get("successors")
        if successors is not None:
            successors = checked_integers(successors, "successors")
        return tabular(states, actions, successors=successors, fixed=_fixed(entries))
    if kind == "models":
        models = [
            checked_table(model, f"model {i}", states, actions)
            for i, model in enumerate(checked_list(content, "models"))
        ]
        return explicit([[checked_integers(row, "a row of a model") for row in m] for m in models])
    if kind == "factored":
        entries = checked_object(content, "transitions.factored", ("sizes", "actions"), ("fixed",))
        sizes = checked_integers(entries["sizes"], "sizes")
        structures = [
            [_structure(s) for s in checked_list(alternatives, "an action's structures")]
            for alternatives in checked_list(entries["actions"], "transitions.factored.actions")
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
    entries = checked_object(document, "transitions", ("options",), ("models",))
    states, actions = len(rewards), len(rewards[0])
    table = checked_table(entries["options"], "options", states, actions)
    options = []
    for s, row in enumerate(table):
        for a, choices in enumerate(row):
            where = f"of state {s}, action {a}"
            listed = checked_list(choices, f"the options {where}")
            options.append([_option(entry, where, states, rewards[s][a]) for entry in listed])
    if "models" not in entries:
        return option_class(states, actions, options)
    models = [
        checked_integers(row, f"model {i}")
        for i, row in enumerate(checked_list(entries["models"], "models"))
    ]
    return option_class(states, actions, options, models)


def _option(document: object, where: str, states: int, own_reward: Fraction) -> Option:
    what = f"an option {where}"
    if not isinstance(document, dict):
        return option(own_reward, {checked_integer(document, what, 0): 1}, states)
    entries = checked_object(document, what, ("next",), ("reward",))
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
        None
        if parents == "same"
        else tuple(checked_integers(parents, 'parents (a list, or "same")'))
        for parents in checked_list(document, "a structure")
    )


def _fixed(entries: dict[str, Any]) -> list[list[int]]:
    return [
        checked_integers(row, "a fixed transition")
        for row in checked_list(entries.get("fixed", []), "fixed")
    ]


def checked_rewards(document: object, states: int, actions: int) -> Rewards:
    """A reward table, every number exactly."""
    table = checked_table(document, "rewards", states, actions)
    return tuple(tuple(exact(entry, "a reward") for entry in row) for row in table)
