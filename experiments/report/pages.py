"""From content to a page: templates that escape every string, with style and scripts inside the file."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from experiments.commands.terminal import cell


def render(template: str, **content: Any) -> str:
    """The page of a template in `assets`.

    Args:
        template: Its file name.
        content: What it shows; strings are escaped, and a name that is missing is an error.
    """
    return _environment().get_template(template).render(**content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("experiments.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "symbols": symbols}
    environment.globals["asset"] = _asset
    return environment


def symbols(text: str) -> Markup:
    """A statement with its symbols as they are printed: H_M with a small M below."""
    return Markup(re.sub(r"\bH_(\w)\b", r"H<sub>\1</sub>", str(escape(text))))


def _asset(name: str) -> Markup:
    """A style sheet or script of ours, as it is."""
    text = resources.files("experiments.report").joinpath("assets", name).read_text("utf-8")
    return Markup(text)
