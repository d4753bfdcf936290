"""Theorem 1 by hand, in a browser: `mbgen theorem explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.terminal import console, waiting
from experiments.storage.whole_files import require_writable, write_text


def explore(
    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="CLASS")],
    /,
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="FILE.html")],
) -> int:
    """A page on which one observes transitions of a class, and sees what H_M and H_B leave open.

    Needs the extra `report`.

    Args:
        name: A class of the gallery, or a JSON file, of at most 5,000 models and 8 states.
        out: The page: one HTML file that needs no network.
    """
    from experiments.report.explorer import explorer_content, require_explorable
    from experiments.report.pages import render
    from theory import GALLERY, load_class

    problem = load_class(name)
    if out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{out} is no page's name; accepted: .html")
    require_explorable(problem)
    require_writable(out)
    example = GALLERY[name].dataset if name in GALLERY else ()
    with waiting(f"solving {problem.name}"):
        page = render("explore.html", explored=[explorer_content(problem, example)])
    write_text(out, page)
    console().print(f"{out}: {problem.name}, {problem.transitions.size:,} models")
    return 0
