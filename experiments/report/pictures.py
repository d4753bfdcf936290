"""Figures as part of a page: SVG with a title and a text for who cannot see it, whose names clash with no other's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
REFERENCE = re.compile(r"url\(#([^)]+)\)")


class Figure(NamedTuple):
    """A picture in a page.

    Attributes:
        name: Unique in the page.
        title: What it is.
        text: What is seen in it, in words.
        svg: The picture.
    """

    name: str
    title: str
    text: str
    svg: Markup


def figure(name: str, title: str, text: str, draw: Callable[[Path], None]) -> Figure:
    """Draw a picture and make it part of a page.

    Args:
        name: Unique in the page; letters, digits and hyphens.
        title: What it is.
        text: What is seen in it, in words.
        draw: Draws it to a path whose suffix says that it is an SVG.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        draw(path)
        root = ET.parse(path).getroot()
    return Figure(name, title, text, inline_svg(root, name, title))


def inline_svg(root: ET.Element, name: str, title: str) -> Markup:
    """An SVG as matplotlib writes it, fit to stand in a page beside others.

    Names of its parts begin with its own, so that they clash with no other's; what describes the file goes; the width
    is that of the page, but not wider than drawn; it is one image to a screen reader, and has a title.
    """
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key in ("href", f"{{{XLINK}}}href") and value.startswith("#"):
                element.set(key, f"#{name}-{value[1:]}")
            elif "url(#" in value:
                element.set(key, REFERENCE.sub(rf"url(#{name}-\1)", value))
        for definition in element.findall(f"{{{SVG}}}style"):
            element.remove(definition)  # it says of lines what the page's style sheet says too
    width = root.attrib.pop("width", "").removesuffix("pt")
    root.attrib.pop("height", None)
    root.set("style", f"max-width: {float(width) * 4 / 3:.0f}px" if width else "")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    told = ET.Element(f"{{{SVG}}}title", {"id": f"{name}-title"})
    told.text = title
    root.insert(0, told)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    # Names and labels were escaped when the tree was written, and are again here.
    return Markup(ET.tostring(root, encoding="unicode"))
