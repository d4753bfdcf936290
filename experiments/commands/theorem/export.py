"""Models for other programs: `mbgen theorem export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.commands.terminal import console
from experiments.commands.theorem.arguments import Class, Gamma, load, true_model
from experiments.storage.whole_files import require_writable, write_text, write_whole


def export(
    name: Class,
    /,
    *,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["drn", "prism", "dot", "npz"], tyro.conf.arg(metavar="drn|prism|dot|npz")
    ],
    out: Annotated[Path, tyro.conf.arg(metavar="PATH")],
    model: Annotated[int | None, tyro.conf.arg(metavar="I")] = None,
    start: int = 0,
    fold_discount: bool = False,
    gamma: Gamma = None,
) -> int:
    """Write a model of a class for Storm (drn), PRISM (prism), Graphviz (dot), or numpy and QuantEcon (npz).

    For PRISM there are four files beside each other: PATH with the suffixes .tra, .trew, .lab and .sta.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        format: Of which program.
        out: Where to write it.
        model: The index of the model; the gallery's own choice of a true one, else 0, unless given.
        start: The state that Storm and PRISM are to call initial.
        fold_discount: For Storm and PRISM, which know no discount: let every step end with probability 1 - gamma.
        gamma: Another discount than the class's own.
    """
    from theory.formats import arrays, dot, drn, explicit_model, prism

    if format in ("dot", "npz"):
        for option, given in (("--start", start), ("--fold-discount", fold_discount)):
            if given:
                raise ValueError(f"{option} is for Storm and PRISM; accepted: with drn or prism")
    problem = load(name, gamma)
    index = true_model(name, problem) if model is None else model
    require_writable(out)
    texts: dict[Path, str] = {}
    if format == "npz":
        import numpy as np

        contents = arrays.model_arrays(problem, index)

        def write_arrays(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **contents)  # type: ignore[arg-type]

        write_whole(out, write_arrays)
    elif format == "dot":
        texts = {out: dot.dot_text(problem, index)}
    else:
        listed = explicit_model.explicit_model(
            problem, index, fold_discount=fold_discount, start=start
        )
        if format == "drn":
            texts = {out: drn.drn_text(listed)}
        else:
            texts = {out.with_suffix(end): text for end, text in prism.prism_files(listed).items()}
    require_writable(*texts)
    for path, text in texts.items():
        write_text(path, text)
    console().print(f"model {index} of {problem.name}: {', '.join(map(str, texts or [out]))}")
    return 0
