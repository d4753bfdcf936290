"""The pictures of `mbgen theorem`: gaps by dataset size, identifiability curves, witnesses, strata of the discount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figures import (
    ACCENT,
    BELLMAN,
    GREY,
    INK,
    MODEL,
    PAPER,
    picture,
    plain_numbers,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

    from theory import Identifiability, MDPClass, TheoremReport
    from theory.discount_strata import DiscountStrata
    from theory.mdp_class import QTable
    from theory.witness import Model, Witness


def draw_sizes(report: TheoremReport, path: Path) -> None:
    """|H_M(D)| and |H_B(D)| by |D|, averaged over the datasets of each size.

    Raises:
        ValueError: if the datasets were not gone through, or the path cannot be written.
    """
    if not report.by_size:
        raise ValueError(
            f"{report.name} has too many datasets to draw their sizes; accepted: fewer pairs"
        )
    sizes = [row.size for row in report.by_size]
    with picture(path, 6.4, 4.0) as figure:
        axes = figure.subplots()
        curves = (
            (
                "Bellman equation alone, $|H_B(D)|$",
                [r.mean_HB for r in report.by_size],
                BELLMAN,
                "s-",
            ),
            ("model class, $|H_M(D)|$", [r.mean_HM for r in report.by_size], MODEL, "o--"),
        )
        for label, means, colour, line in curves:
            axes.plot(sizes, means, line, color=colour, label=label)
        positive = min(mean for _, means, _, _ in curves for mean in means) > 0
        axes.set_yscale(
            "log" if positive else "symlog", **({} if positive else {"linthresh": 1e-2})
        )
        plain_numbers(axes)
        axes.set(
            xlabel="transitions observed, |D|",
            ylabel="optimal q left open (mean)",
            title=f"{report.name}, gamma = {report.gamma}",
        )
        whole_numbers(axes.xaxis)
        axes.legend()


def draw_identifiability(curves: Identifiability, path: Path) -> None:
    """What is left open, and how often optimal behaviour is settled, by the number of observed pairs.

    Raises:
        ValueError: if the path cannot be written.
    """
    observed = [row.observed for row in curves.rows]
    criteria = (
        ("Bellman equation alone, $H_B$", [r.bellman for r in curves.rows], BELLMAN, "s-"),
        ("model class, $H_M$", [r.model for r in curves.rows], MODEL, "o--"),
    )
    with picture(path, 10.0, 4.0) as figure:
        left, right = figure.subplots(1, 2)
        for label, rows, colour, line in criteria:
            left.plot(observed, [r.hypotheses for r in rows], line, color=colour, label=label)
            right.plot(observed, [r.policy for r in rows], line, color=colour, label=label)
            actions = [sum(r.state_action) / len(r.state_action) for r in rows]
            right.plot(observed, actions, ":", color=colour, linewidth=1.2)
        right.plot([], [], ":", color=GREY, label="dotted: one state's action, mean over states")
        left.set_yscale("log")
        plain_numbers(left)
        left.set(ylabel="optimal q left open (mean)", title=curves.name)
        right.set(ylabel="share of sets that settle it", title="an optimal policy is settled")
        for axes in (left, right):
            axes.set_xlabel("state-action pairs observed")
            whole_numbers(axes.xaxis)
        left.legend()
        right.legend(handles=right.get_lines()[-1:], loc="lower right")


def draw_witness(problem: MDPClass, witness: Witness, path: Path) -> None:
    """The two models of a witness side by side, with the transitions of D drawn in.

    Raises:
        ValueError: if there are too many states to draw, or the path cannot be written.
    """
    if problem.states > MAX_DRAWN_STATES:
        raise ValueError(
            f"{problem.name} has {problem.states} states; accepted for a picture: {MAX_DRAWN_STATES}"
        )
    with picture(path, 11.0, 5.6) as figure:
        for axes, model, q, title in zip(
            figure.subplots(1, 2),
            (witness.T0, witness.T1),
            (witness.q0, witness.q1),
            (
                "T0 agrees with D",
                "T1 contradicts D, but its q* satisfies the Bellman equation on D",
            ),
            strict=True,
        ):
            _draw_model(axes, problem, model, q, witness.dataset)
            axes.set_title(title)
        figure.supxlabel(
            f"{problem.name}, gamma = {problem.gamma}.  Nodes: state and V*(s).  Edges: actions and q*(s, a)."
            "  Green: the transitions of D, dashed where the model contradicts them.",
            fontsize=9,
        )


MAX_LABELLED = 12


def draw_strata(strata: DiscountStrata, path: Path) -> None:
    """|H_Q| along gamma: segments over the open intervals, dots at the exact values where the structure changes.

    Raises:
        ValueError: if the path cannot be written.
    """
    with picture(path, 8.0, 4.2) as figure:
        axes = figure.subplots()
        for stratum in strata.strata:
            colour = BELLMAN if stratum.strict else MODEL
            ends = [stratum.lower.approximation, stratum.upper.approximation]
            height = stratum.value_functions
            if stratum.kind == "interval":
                axes.plot(ends, [height] * 2, color=colour, linewidth=2.5, solid_capstyle="butt")
            else:
                axes.plot(ends[:1], [height], "o", color=colour, markersize=6, zorder=3)
        for number in strata.breakpoints[:MAX_LABELLED]:
            axes.axvline(number.approximation, color=GREY, linewidth=0.8, linestyle=":")
            axes.annotate(
                number.closed_form or f"{number.approximation:.4f}...",
                (number.approximation, 0.01),
                xycoords=("data", "axes fraction"),
                rotation=90,
                ha="right",
                va="bottom",
                fontsize=8,
            )
        for colour, label in (
            (BELLMAN, "a proper inclusion exists (part 2)"),
            (MODEL, "H_M(D) = H_B(D) for every realizable D"),
        ):
            axes.plot([], [], color=colour, linewidth=2.5, label=label)
        axes.set(
            xlim=(0, 1),
            xlabel="discount gamma",
            ylabel="distinct optimal q, $|H_Q|$",
            title=f"{strata.name}: where in gamma the structure changes",
        )
        axes.margins(y=0.25)
        whole_numbers(axes.yaxis)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


MAX_DRAWN_STATES = 8
RADIUS = 0.16  # of a node, where the ring of nodes has radius 1


def _draw_model(
    axes: Axes,
    problem: MDPClass,
    model: Model,
    q: QTable,
    dataset: Collection[tuple[int, int, int]],
) -> None:
    from matplotlib.patches import Circle

    n = problem.states
    # Clockwise from the upper left, so that the terminal state comes last.
    angles = [0.75 * pi - 2 * pi * node / (n + 1) for node in range(n + 1)]
    nodes = [
        Circle((cos(angle), sin(angle)), RADIUS, facecolor=PAPER, edgecolor=INK, zorder=3)
        for angle in angles
    ]
    for node, circle in enumerate(nodes):
        axes.add_patch(circle)
        value = max(q[node]) if node < n else 0
        text = f"{problem.state_name(node)}\n{value}"
        axes.text(
            cos(angles[node]),
            sin(angles[node]),
            text,
            ha="center",
            va="center",
            fontsize=9,
            zorder=4,
        )
    arrows: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    for s, row in enumerate(model):
        for a, successor in enumerate(row):
            kind = "seen" if (s, a, successor) in dataset else "other"
            arrows[s, successor, kind].append(f"{problem.action_name(a)}: {q[s][a]}")
    for s, a, successor in dataset:
        if model[s][a] != successor:
            arrows[s, successor, "contradicted"].append(problem.action_name(a))
    for (s, successor, kind), labels in arrows.items():
        style = ARROWS[kind]
        text = "\n".join(labels)
        if s == successor:
            _draw_loop(axes, angles[s], text, style)
        else:
            _draw_arrow(axes, nodes[s], nodes[successor], text, style)
    axes.set(xlim=(-1.7, 1.7), ylim=(-1.3, 1.6), aspect="equal")
    axes.set_axis_off()


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
    "other": ArrowStyle(GREY, 1.3, "-", "normal", 0.16, -0.55),
    "seen": ArrowStyle(ACCENT, 2.6, "-", "bold", 0.34, 0.55),
    "contradicted": ArrowStyle(ACCENT, 2.0, (0, (4, 2)), "bold", 0.34, 0.55),
}


def _draw_arrow(axes: Axes, start: Circle, end: Circle, text: str, style: ArrowStyle) -> None:
    """A curved arrow from node to node."""
    from matplotlib.patches import FancyArrowPatch

    (x0, y0), (x1, y1) = start.center, end.center
    axes.add_patch(
        FancyArrowPatch(
            (x0, y0),
            (x1, y1),
            patchA=start,
            patchB=end,
            connectionstyle=f"arc3,rad={style.bend}",
            **_line(style),
        )
    )
    # The text stands on the curve (a quadratic Bezier), nearer to its start.
    at = 0.27
    control = (x0 + x1 + 2 * style.bend * (y1 - y0)) / 2, (y0 + y1 - 2 * style.bend * (x1 - x0)) / 2
    x, y = (
        (1 - at) ** 2 * a + 2 * at * (1 - at) * c + at**2 * b
        for a, b, c in zip((x0, y0), (x1, y1), control, strict=True)
    )
    _draw_text(axes, x, y, text, style)


def _draw_loop(axes: Axes, angle: float, text: str, style: ArrowStyle) -> None:
    """A loop on the outer side of the node at an angle of the ring."""
    from matplotlib.patches import FancyArrowPatch

    outward = angle + style.turn
    ends = [
        (cos(angle) + RADIUS * cos(outward + side), sin(angle) + RADIUS * sin(outward + side))
        for side in (0.5, -0.5)
    ]
    axes.add_patch(
        FancyArrowPatch(
            *ends, connectionstyle="arc3,rad=-2.4", shrinkA=0, shrinkB=0, **_line(style)
        )
    )
    reach = 3.1 * RADIUS
    x, y = cos(angle) + reach * cos(outward), sin(angle) + reach * sin(outward)
    _draw_text(axes, x, y, text, style)


def _line(style: ArrowStyle) -> dict[str, Any]:
    return {
        "arrowstyle": "-|>",
        "mutation_scale": 13,
        "color": style.colour,
        "linewidth": style.width,
        "linestyle": style.line,
    }


def _draw_text(axes: Axes, x: float, y: float, text: str, style: ArrowStyle) -> None:
    axes.text(
        *(x, y, text),
        ha="center",
        va="center",
        fontsize=8,
        color=INK if style.colour == GREY else style.colour,
        fontweight=style.weight,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 0.8},
        zorder=5,
    )
