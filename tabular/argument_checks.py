"""Checks of arguments: one line that names the argument, what is accepted, and the value."""

from collections.abc import Collection, Sequence


def require_positive_integer(name: str, value: int, most: int | None = None) -> None:
    """Raise ValueError unless `value` is an integer of at least 1, and at most `most`."""
    too_many = most is not None and isinstance(value, int) and value > most
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or too_many:
        accepted = "of at least 1" if most is None else f"from 1 to {most}"
        raise ValueError(f"{name} must be an integer {accepted}, got {value!r}")


def require_one_of(name: str, value: object, accepted: Collection[object]) -> None:
    """Raise ValueError unless `value` is one of those accepted."""
    if value not in accepted:
        raise ValueError(f"{name} must be one of {accepted}, got {value!r}")


def require_distinct(what: str, names: Sequence[str]) -> None:
    """Raise ValueError if two of the names are the same."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two {what}s are called {twice[0]!r}; accepted: each name once")
