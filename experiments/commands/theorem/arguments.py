"""Which class a subcommand is about, and what else several of them are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from theory import Allowance, MDPClass

Class = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="CLASS")]
Gamma = Annotated[str | None, tyro.conf.arg(metavar="P/Q")]


def load(name: str, gamma: str | None) -> MDPClass:
    """A class of the gallery, of a file, or of a Gymnasium environment.

    Raises:
        ValueError: with one line, if it is none of these.
    """
    from theory import from_gymnasium, load_class

    if not name.startswith("gym:"):
        return load_class(name, gamma)
    import gymnasium

    environment = name.removeprefix("gym:")
    try:
        table = getattr(gymnasium.make(environment).unwrapped, "P", None)
    except gymnasium.error.Error as error:
        raise ValueError(f"{name} cannot be made: {error}") from None
    if table is None:
        raise ValueError(f"{name} has no table P; accepted: environments that have one")
    if gamma is None:
        raise ValueError(f"{name} has no discount of its own; accepted: one given by --gamma P/Q")
    return from_gymnasium(table, gamma, name=environment)


def true_model(name: str, problem: MDPClass) -> int:
    """The index of the model that the gallery calls true; 0 if it names none."""
    from theory import GALLERY

    known = GALLERY[name].truth if name in GALLERY else ()
    return problem.transitions.index(known) if known else 0


def allowance_of(allow: Literal["support", "likelihood"], threshold: str | None) -> Allowance:
    """What --allow and --threshold say together.

    Raises:
        ValueError: if they do not go together.
    """
    from theory import Allowance, exact

    return Allowance(allow, None if threshold is None else exact(threshold, "threshold"))
