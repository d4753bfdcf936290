"""Changes to certificates, and whether the verifier finds them out."""

import copy

from theory.certificates import verifier
from theory.certificates.certificate import certify, signed
from theory.certificates.witness import find_witness
from theory.classes.gallery import gallery_class
from theory.solving.solve import solve

DERIVED = ("statement", "sha256")


def made(name: str, find=find_witness):
    """The certificate of a witness of a class of the gallery."""
    solved = solve(gallery_class(name))
    return certify(solved, find(solved))


def resigned(document: dict) -> dict:
    """The document with its statement and digest made to fit the other fields."""
    return signed({key: value for key, value in document.items() if key not in DERIVED})


def rejected(document: object) -> bool:
    """Whether a document fails to verify, or is refused as no certificate, with a reason on one line."""
    try:
        reason = verifier.verify(document)
    except ValueError as error:
        reason = str(error)
    assert reason is None or (reason and "\n" not in reason)
    return reason is not None


def changes(value):
    """Other values in place of a part of a JSON document, each different from it."""
    if isinstance(value, bool):
        return [not value, int(value), str(value), None]
    if isinstance(value, int):
        return [
            value + 1,
            value - 1,
            -value - 1,
            10**30,
            float(value),
            str(value),
            bool(value),
            None,
            [value],
        ]
    if isinstance(value, str):
        return [
            value + "0",
            "-" + value,
            value[1:],
            value + " ",
            "1/3",
            "2/2",
            "1/0",
            "nan",
            "1e5",
            "0x1",
            None,
            [value],
        ]
    if isinstance(value, list):
        shuffled = [value[::-1]] if value != value[::-1] else []
        return [[], {}, None, [value], "x", value + value[-1:], [*value, []], value[:-1], *shuffled]
    return [[], {}, 0, "x"]


def mutations(document):
    """Every single change to a part of a document: leaves changed, elements deleted and duplicated, types changed."""
    paths = [((), document)]
    for path, value in paths:
        inside = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        paths += [((*path, key), part) for key, part in inside]
    for path, value in paths[1:]:
        for replacement in changes(value):
            if repr(replacement) == repr(value):
                continue
            changed = copy.deepcopy(document)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = replacement
            yield path, changed
    for key in document:
        yield key, {other: value for other, value in document.items() if other != key}
        yield key, {**document, f"{key}2": document[key]}
