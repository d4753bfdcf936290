"""How each agent looks in every picture: told apart by colour, by marker and by line, also in print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from experiments.figures.style import ACCENT, BELLMAN, MODEL, PROPER


class Look(NamedTuple):
    """Name in legends, colour, marker and line of matplotlib."""

    label: str
    colour: str
    marker: str
    line: str


LOOKS: Mapping[str, Look] = {
    "er": Look("ER", BELLMAN, "o", "-"),
    "simple": Look("simple model", MODEL, "s", "-"),
    "categorical": Look("categorical latent model", PROPER, "^", "-."),
    "gaussian": Look("Gaussian latent model", "#B8860B", "v", "--"),
    "perfect": Look("perfect model", ACCENT, "D", (0, (5, 1))),  # type: ignore[arg-type]
}
