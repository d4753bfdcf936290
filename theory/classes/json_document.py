"""JSON documents read exactly: every number in its own digits, and what is wrong in one line.

What is `checked_...` is returned as it is, or refused by a ValueError that names it and says what is accepted.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from theory.classes.mdp_class import MAX_DIGITS
from theory.formats.explicit_model import read_text


class DecimalText(str):
    """A number of a JSON file in its own digits: a string to `exact`, but no name."""

    __slots__ = ()


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


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file before what is said about its contents."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """The contents of a JSON file, which is named in what is said about them."""
    document = read_json(path)
    with naming(path):
        yield document


def checked_object(
    document: object, what: str, required: Iterable[str], optional: Iterable[str]
) -> dict[str, Any]:
    """An object with all the required keys, and no others but the optional ones."""
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


def checked_list(document: object, what: str) -> list[Any]:
    """A list of anything."""
    if not isinstance(document, list):
        raise ValueError(f"{what} is {reprlib.repr(document)}; accepted: a list")
    return document


def checked_rows(document: object, what: str, row: str) -> list[list[Any]]:
    """A list of lists, each called by its place."""
    return [
        checked_list(entry, f"{row} {i}") for i, entry in enumerate(checked_list(document, what))
    ]


def checked_table(document: object, what: str, states: int, actions: int) -> list[list[Any]]:
    """An entry for each action in a row for each state."""
    rows = [checked_list(row, f"a row of {what}") for row in checked_list(document, what)]
    if len(rows) != states or any(len(row) != actions for row in rows):
        lengths = sorted({len(row) for row in rows})
        raise ValueError(
            f"{what} has {len(rows)} rows of lengths {lengths};"
            f" accepted: {states} rows (states) of {actions} entries (actions)"
        )
    return rows


def checked_integers(document: object, what: str) -> list[int]:
    """A list of integers of at least 0."""
    return [
        checked_integer(entry, f"an entry of {what}", 0) for entry in checked_list(document, what)
    ]


def checked_integer(document: object, what: str, least: int) -> int:
    """An integer that is not too small."""
    if isinstance(document, bool) or not isinstance(document, int) or document < least:
        raise ValueError(
            f"{what} is {reprlib.repr(document)}; accepted: an integer of at least {least}"
        )
    return document


def checked_names(document: object, what: str) -> list[str]:
    """A list of printable strings."""
    names = checked_list(document, what)
    for name in names:
        if type(name) is not str or not name.isprintable():
            raise ValueError(
                f"a name in {what} is {reprlib.repr(name)}; accepted: printable strings"
            )
    return names
