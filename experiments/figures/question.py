"""Pictures of a question: the test after each group with its bounds, and what the agents learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from experiments.analysis.statistics import Interval
from experiments.figures.agents import LOOKS
from experiments.figures.intervals import draw_interval
from experiments.figures.style import BELLMAN, EQUAL, GREY, INK, MODEL, picture, whole_numbers

_BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncol": 2, "fontsize": 9}
_OFFSET = 0.12  # of a group, between a difference and its interval


def draw_looks(path: Path, looks: Sequence[Mapping[str, Any]], margin: float | None) -> None:
    """The difference of an agent and replay after each group, its interval, and what it must exceed.

    Args:
        path: Where to.
        looks: Of each group: groups, agent, difference, low, high, statistic and bound; an end is None if there is
            none yet, a bound if there is none for one agent.
        margin: A difference that does not matter; None if each does.

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 7.0, 4.6) as figure:
        axes = figure.subplots()
        groups = np.array([look["groups"] for look in looks])
        bounds = [look["bound"] for look in looks]
        (agent,) = (
            agents
            if len(agents := {look["agent"] for look in looks}) == 1
            else ["the agent of the answer"]
        )
        if margin is not None:
            axes.axhspan(-margin, margin, color=EQUAL, alpha=0.15, label="does not matter")
        axes.axhline(0.0, color=GREY, linewidth=1.0)
        sides = ((1, MODEL, "model"), (-1, BELLMAN, "replay")) if None not in bounds else ()
        for sign, colour, said in sides:
            axes.plot(
                groups, sign * np.array(bounds), color=colour, linestyle="--", marker="_", markersize=12,
                label=f"beyond: {said} is better",
            )  # fmt: skip
        for look in looks:
            if look["low"] is not None and look["high"] is not None:
                place = look["groups"] + _OFFSET
                axes.plot([place] * 2, [look["low"], look["high"]], color=INK, linewidth=1.2)
        difference = [look["difference"] for look in looks]
        axes.plot(
            groups, difference, color=INK, marker="o", label=f"{agent} less er, interval beside it"
        )
        whole_numbers(axes.xaxis)
        axes.set_xlim(0.5, max(len(looks), 2) + 0.5)
        axes.set_title("The test after each group")
        axes.set_xlabel("groups of seeds")
        axes.set_ylabel("difference of final performance")
        axes.legend(**_BELOW)


def draw_learning(
    path: Path,
    curves: Sequence[tuple[str, Int[np.ndarray, " evaluation"], Interval]],
    reference: Mapping[str, float],
) -> None:
    """Performance of each agent as it learns, with intervals, and the best and the random policy where known.

    Args:
        path: Where to.
        curves: Agent, steps, and the mean over all seeds at each.
        reference: Performance by name: "optimal" and "uniform".

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 7.0, 4.6) as figure:
        axes = figure.subplots()
        for name, line, label in (("optimal", "--", "the best"), ("uniform", ":", "random")):
            if name in reference:
                axes.axhline(
                    reference[name], color=GREY, linestyle=line, linewidth=1.2, label=label
                )
        for name, step, mean in curves:
            shown = LOOKS[name]
            draw_interval(axes, step, mean, color=shown.colour, alpha=0.15)
            axes.plot(
                step, mean.estimate, color=shown.colour, linestyle=shown.line,
                label=f"{shown.label} ({int(mean.seeds.max())} seeds)",
            )  # fmt: skip
        axes.set_title("Performance as they learn")
        axes.set_xlabel("environment steps of a seed")
        axes.set_ylabel("performance of the greedy policy")
        axes.legend(**_BELOW)
