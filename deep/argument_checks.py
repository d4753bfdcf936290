"""Checks of arguments: one line that names the argument, the value, and what is accepted."""

from collections.abc import Collection


def require_integer(name: str, value: object, low: int, high: int | None = None) -> None:
    """Raise ValueError unless `value` is an integer from `low` to `high` (None: without end)."""
    if type(value) is not int or value < low or (high is not None and value > high):
        accepted = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be an integer {accepted}, got {value!r}")


def require_share(name: str, value: object) -> None:
    """Raise ValueError unless `value` is a number from 0 to 1."""
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}")


def require_switch(name: str, value: object) -> None:
    """Raise ValueError unless `value` is True or False."""
    if type(value) is not bool:
        raise ValueError(f"{name} must be True or False, got {value!r}")


def require_one_of(name: str, value: object, accepted: Collection[object]) -> None:
    """Raise ValueError unless `value` is one of those accepted."""
    if value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(str, accepted))}, got {value!r}")
