"""One look for every picture: sizes, colours, fonts, and saving whole files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.storage.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Colour-blind safe (Okabe and Ito): the model-based quantity, the Bellman one, and accents.
MODEL = "#0072B2"
BELLMAN = "#D55E00"
ACCENT = "#009E73"
# The answers of part 2, apart from the two quantities and from the accents.
PROPER = "#AA3377"
EQUAL = "#6F7A88"
GREY = "#8A8F98"
INK = "#22262B"
PAPER = "#F3F5F7"

MAX_NAME = 40  # characters of a name in a title

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "svg.hashsalt": "mbgen",
}

CHANGING = {
    ".png": ("Software",),
    ".svg": ("Date",),
    ".pdf": ("CreationDate", "Creator", "Producer"),
}
"""What a file would say of its date and version; it is left out, so that the same figures give the same file."""


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of that size in inches, saved to the path when the block ends; no window, no global state.

    Raises:
        ValueError: if the path cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A name may be in a script that the font lacks: its letters are drawn as boxes.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        metadata = dict.fromkeys(CHANGING.get(path.suffix.lower(), ()))
        write_whole(path, lambda whole: figure.savefig(whole, metadata=metadata))


def short(name: str, most: int) -> str:
    """A name on one line, cut to at most so many characters.

    Draw it with `parse_math=False`: a dollar sign in a name is a dollar sign.
    """
    line = " ".join(name.split())
    return line if len(line) <= most else f"{line[: most - 1]}\u2026"


def whole_numbers(axis: Axis) -> None:
    """Ticks of an axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def plain_numbers(axes: Axes) -> None:
    """Ticks of a logarithmic vertical axis as 1, 10, 100 in place of powers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def shared_legend(figure: Figure, first: Sequence[str] = ()) -> None:
    """One legend to the right, for all panels of a figure.

    Args:
        figure: Whose panels label what they draw; what has the same label has the same look.
        first: Labels that stand first, in this order.
    """
    handles: dict[str, Artist] = {}
    for axes in figure.axes:
        found, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    ordered = [label for label in first if label in handles]
    ordered += [label for label in handles if label not in ordered]
    if ordered:
        chosen = [handles[label] for label in ordered]
        figure.legend(chosen, ordered, loc="outside right center")
