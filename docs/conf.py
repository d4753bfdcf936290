"""How the documentation is built: `make docs`. It asks for nothing on a network."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.cli import MBGEN, Group, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
GENERATED = Path(__file__).parent / "_generated"
"""The page of the commands, the report and the pages of questions, made anew in each build."""
SITE = GENERATED / "site"
SITE.mkdir(parents=True, exist_ok=True)  # Sphinx looks for it before anything is made

project = "mbgen"
author = copyright = "The mbgen authors"
version = release = metadata.version("mbgen")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "mbgen"
html_extra_path = ["_generated/site"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# Commands stand in blocks without a language, and output in `text`.
highlight_language = "none"
# The docstrings are plain text with code between backticks.
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False


def plain_text(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Keep what a docstring says from being read as markup: |M|, q*, H_."""
    code = re.compile(r"(``?[^`]+``?)")
    for number, line in enumerate(lines):
        pieces = code.split(line)
        pieces[::2] = [re.sub(r"([*|]|(?<=\w)_(?=\W|$))", r"\\\1", piece) for piece in pieces[::2]]
        # A single letter with a full stop would begin a list.
        lines[number] = re.sub(r"(: +)(\w)\.$", r"\1\2\\.", "".join(pieces))
    if what == "property":
        lines.insert(0, "")  # else what stands before a colon would be read as its type


def without_aliases(
    app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out the fields of named tuples, which their class describes already."""
    return (getattr(thing, "__doc__", None) or "").startswith("Alias for field number") or None


def make_pages(app: Sphinx) -> None:
    """The report and the pages of questions, from the results that are there, and the commands."""
    if main(["report", "--results", str(RESULTS), "--out", str(SITE / "report")]) != 0:
        raise RuntimeError("mbgen report failed")
    for answer in sorted(RESULTS.glob("ask/*/answer.html")):
        (SITE / "questions").mkdir(exist_ok=True)
        shutil.copy(answer, SITE / "questions" / f"{answer.parent.name}.html")
    page = "\n".join(["# Every command\n", *command_pages(MBGEN, "mbgen")])
    (GENERATED / "commands.md").write_text(page, encoding="utf-8")


def command_pages(group: Group, path: str) -> Iterator[str]:
    """A part for each command: its function's docstring, whose arguments are its options."""
    for name, member in group.members.items():
        if isinstance(member, Group):
            yield from command_pages(member, f"{path} {name}")
        elif member.study is None:
            place = member.place.replace(":", ".")
            yield f"## `{path} {name}`\n\n```{{eval-rst}}\n.. autofunction:: experiments.{place}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", make_pages)
    app.connect("autodoc-process-docstring", plain_text, priority=100)
    app.connect("autodoc-skip-member", without_aliases)
