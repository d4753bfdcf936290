"""The two models of a witness side by side, with curved arrows whose labels stand clear.

An action with chance has an arrow to each successor, which also says how likely it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from experiments.figures.state_ring import places_on_ring
from experiments.figures.style import ACCENT, GREY, INK, MAX_NAME, PAPER, picture, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from theory import MDPClass, Option
    from theory.certificates.witness import Witness
    from theory.classes.mdp_class import QTable
    from theory.classes.transition_class import Model


MAX_DRAWN_STATES = 5
RADIUS = 0.2  # of a node, where the ring of nodes has radius 1
MARGIN = 0.16  # around the curves, for labels that stand on the outermost
ROUNDS = 4  # in which labels give way to one another
FAR = np.array([[99.0, 99.0]])  # for a curve that is alone
Point = Float[np.ndarray, " 2"]
Points = Float[np.ndarray, "point 2"]


@dataclass(frozen=True)
class ArrowStyle:
    """How one kind of transition is drawn; `bend` and `turn` keep the kinds apart where they share their nodes."""

    colour: str
    width: float
    line: Any
    weight: str
    bend: float
    turn: float


ARROWS = {
    "other": ArrowStyle(GREY, 1.3, "-", "normal", 0.13, -0.6),
    "seen": ArrowStyle(ACCENT, 2.6, "-", "bold", 0.3, 0.6),
    "contradicted": ArrowStyle(ACCENT, 2.0, (0, (4, 2)), "bold", 0.3, 0.6),
}


@dataclass(frozen=True)
class Arrow:
    """A curved arrow between the rims of two nodes, or from a node to itself, and what it says.

    Attributes:
        curve: points along it, evenly in its parameter.
        text: its label.
        style: its look.
    """

    curve: Points
    text: str
    style: ArrowStyle


def require_drawable(problem: MDPClass) -> None:
    """Refuse a class whose witness would be no legible picture.

    Raises:
        ValueError: if it has too many states.
    """
    if problem.states > MAX_DRAWN_STATES:
        raise ValueError(
            f"{problem.name} has {problem.states} states; accepted for a picture:"
            f" {MAX_DRAWN_STATES} or fewer"
        )


def draw_witness(problem: MDPClass, witness: Witness, path: Path) -> None:
    """The two models of a witness side by side, with the transitions of D drawn in.

    Raises:
        ValueError: if there are too many states to draw, or the path cannot be written.
    """
    require_drawable(problem)
    models = (witness.T0, witness.T1)
    values = (witness.q0, witness.q1)
    titles = ("T0 agrees with D", "T1 contradicts D; its q* is Bellman-consistent with D")
    centres = places_on_ring(_links(problem, models), problem.states)
    drawings = [
        arrows(problem, model, q, witness.dataset, centres)
        for model, q in zip(models, values, strict=True)
    ]
    points = np.concatenate([arrow.curve for drawing in drawings for arrow in drawing])
    points = np.concatenate([points, centres - RADIUS, centres + RADIUS])
    lower, upper = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
    width, height = upper - lower
    with picture(path, 11.0, 5.4 * height / width + 0.9) as figure:
        panels = figure.subplots(1, 2)
        for axes, q, title in zip(panels, values, titles, strict=True):
            axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]), aspect="equal")
            axes.set_axis_off()
            axes.set_title(title)
            _draw_nodes(axes, problem, q, centres)
        figure.supxlabel(
            f"{short(problem.name, MAX_NAME)}, gamma = {short(str(problem.gamma), 16)}."
            "  Nodes: state and V*(s).  Edges: actions and q*(s, a)."
            "\nGreen: what D observes, dashed where the model contradicts it.",
            fontsize=9,
            parse_math=False,
        )
        # From here on the scale is settled, so that labels can be measured.
        figure.draw_without_rendering()
        for axes, drawing in zip(panels, drawings, strict=True):
            _draw_arrows(axes, drawing, centres)


def _links(problem: MDPClass, models: Iterable[Model]) -> Iterator[tuple[int, int]]:
    for model in models:
        for s, row in enumerate(problem.chosen(model)):
            for option in row:
                yield from ((s, successor) for successor, _ in option.law)


def arrows(
    problem: MDPClass,
    model: Model,
    q: QTable,
    dataset: Collection[tuple[int, int, int]],
    centres: Points,
) -> list[Arrow]:
    """The arrows of one model, and of what D observes otherwise; those between the same nodes share one."""
    lines: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    for s, row in enumerate(problem.chosen(model)):
        for a, option in enumerate(row):
            kind = "seen" if (s, a, model[s][a]) in dataset else "other"
            text = f"{_called(problem, s, a, option)}: {short(str(q[s][a]), 12)}"
            for successor, p in option.law:
                lines[s, successor, kind].append(text + _by(p))
    for s, a, choice in dataset:
        if model[s][a] != choice:
            option = problem.option_at(s, a, choice)
            for successor, p in option.law:
                lines[s, successor, "contradicted"].append(_called(problem, s, a, option) + _by(p))
    return [
        Arrow(_curve(centres[s], centres[t], ARROWS[kind]), "\n".join(text), ARROWS[kind])
        for (s, t, kind), text in lines.items()
    ]


def _called(problem: MDPClass, state: int, action: int, option: Option) -> str:
    """An action; with what it earns, where that is not known beforehand."""
    name = short(problem.action_name(action), 10)
    options = problem.options_at(state * problem.actions + action)
    known = len({other.reward for other in options}) == 1
    return name if known else f"{name} earning {short(str(option.reward), 8)}"


def _by(p: Fraction) -> str:
    return "" if p == 1 else f" by {short(str(p), 8)}"


def _curve(start: Point, end: Point, style: ArrowStyle) -> Points:
    """A Bezier curve: quadratic between the rims of two nodes, cubic for a loop on the outer side of one."""
    at = np.linspace(0, 1, 101)[:, None]
    if (start == end).all():
        outward = np.arctan2(start[1], start[0]) + style.turn
        sides = outward + np.array([0.5, -0.5])
        rim = start + RADIUS * np.stack([np.cos(sides), np.sin(sides)], axis=1)
        reach = 1.9 * RADIUS * np.array([np.cos(outward), np.sin(outward)])
        handles = rim + reach + 0.5 * (rim - rim[::-1])
        loop: Points = (
            (1 - at) ** 3 * rim[0]
            + 3 * (1 - at) ** 2 * at * handles[0]
            + 3 * (1 - at) * at**2 * handles[1]
            + at**3 * rim[1]
        )
        return loop
    across = np.array([end[1] - start[1], start[0] - end[0]])
    control = (start + end) / 2 + style.bend * across
    curve: Points = (1 - at) ** 2 * start + 2 * at * (1 - at) * control + at**2 * end
    drawn: Points = curve[
        (np.linalg.norm(curve - start, axis=1) >= RADIUS)
        & (np.linalg.norm(curve - end, axis=1) >= RADIUS)
    ]
    return drawn


def _draw_nodes(axes: Axes, problem: MDPClass, q: QTable, centres: Points) -> None:
    from matplotlib.patches import Circle

    for node, centre in enumerate(centres):
        axes.add_patch(Circle(tuple(centre), RADIUS, facecolor=PAPER, edgecolor=INK, zorder=3))
        name = short(problem.state_name(node), 9)
        value = short(str(max(q[node]) if node < problem.states else 0), 9)
        axes.text(
            centre[0],
            centre[1],
            f"{name}\n{value}",
            ha="center",
            va="center",
            fontsize=9 if max(len(name), len(value)) <= 7 else 7,
            zorder=4,
            parse_math=False,
        )


def _draw_arrows(axes: Axes, arrows: Sequence[Arrow], centres: Points) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    scale = axes.transData.transform([(0, 0), (1, 1)])
    texts = []
    for arrow in arrows:
        axes.add_patch(
            FancyArrowPatch(
                path=Outline(arrow.curve),
                arrowstyle="-|>",
                mutation_scale=13,
                color=arrow.style.colour,
                linewidth=arrow.style.width,
                linestyle=arrow.style.line,
            )
        )
        texts.append(
            axes.text(
                0,
                0,
                arrow.text,
                ha="center",
                va="center",
                fontsize=8,
                color=INK if arrow.style.colour == GREY else arrow.style.colour,
                fontweight=arrow.style.weight,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 0.8},
                zorder=5,
                parse_math=False,
                in_layout=False,
            )
        )
    halves = np.array([text.get_window_extent().size for text in texts]) / 2 / (scale[1] - scale[0])
    places = place_labels([arrow.curve for arrow in arrows], halves, centres)
    lower, upper = np.transpose([axes.get_xlim(), axes.get_ylim()])
    places = np.clip(places, lower + halves, upper - halves)
    for text, place in zip(texts, places, strict=True):
        text.set_position(tuple(place))


def place_labels(curves: Sequence[Points], halves: Points, centres: Points) -> Points:
    """For each curve the point on it where a label is farthest from all other curves, nodes and labels.

    Args:
        curves: points along each curve.
        halves: half of the width and of the height of each label.
        centres: of the nodes.
    """
    places = np.array([curve[len(curve) // 2] for curve in curves])
    # Each label gives way to the others as they stand; a few rounds settle them.
    for _ in range(ROUNDS):
        for own, curve in enumerate(curves):
            others = np.arange(len(curves)) != own
            candidates = curve[len(curve) // 8 : -len(curve) // 8]
            rivals = [line[::2] for line, other in zip(curves, others, strict=True) if other]
            room = np.min(
                [
                    _clearance(candidates, centres, halves[own]) - RADIUS,
                    _clearance(candidates, places[others], halves[own] + halves[others]),
                    _clearance(candidates, np.concatenate([*rivals, FAR]), halves[own]),
                ],
                axis=0,
            )
            places[own] = candidates[room.argmax()]
    return places


def _clearance(
    at: Points, points: Points, halves: Float[np.ndarray, "*points 2"]
) -> Float[np.ndarray, " at"]:
    """From boxes of that half size about each place, the distance to the nearest point; negative inside a box."""
    if not len(points):
        return np.full(len(at), np.inf)
    beyond = np.abs(at[:, None] - points) - halves
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=-1)
    nearest: Float[np.ndarray, " at"] = (outside + np.minimum(beyond.max(axis=-1), 0)).min(axis=1)
    return nearest
