"""Picture of a question: the test after each group with its bounds, and what the agents learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from experiments.analysis.statistics import Interval
from experiments.figures.agents import LOOKS
from experiments.figures.learning_curves import draw_interval
from experiments.figures.style import BELLMAN, EQUAL, GREY, INK, MODEL, picture, whole_numbers


def draw_question(
    path: Path,
    title: str,
    looks: Sequence[Mapping[str, Any]],
    margin: float | None,
    curves: Sequence[tuple[str, Int[np.ndarray, " evaluation"], Interval]],
) -> None:
    """Left, the difference of an agent and replay after each group; right, learning curves.

    Args:
        path: Where to.
        title: Of the picture.
        looks: Of each group: groups, agent, difference, low, high and bound; an end is None if there is none yet.
        margin: A difference that does not matter; None if each does.
        curves: Agent, steps, and the mean over all seeds at each.

    Raises:
        ValueError: The picture cannot be written.
    """
    with picture(path, 11.0, 4.6) as figure:
        test, learning = figure.subplots(1, 2)
        groups = np.array([look["groups"] for look in looks])
        difference = np.array([look["difference"] for look in looks])
        bound = np.array([look["bound"] for look in looks])
        agent = looks[-1]["agent"]
        if margin is not None:
            test.axhspan(-margin, margin, color=EQUAL, alpha=0.15, label="does not matter")
        test.axhline(0.0, color=GREY, linewidth=1.0)
        test.plot(groups, bound, color=MODEL, linestyle="--", label="beyond: the model is better")
        test.plot(groups, -bound, color=BELLMAN, linestyle="--", label="beyond: replay is")
        for look in looks:
            if look["low"] is not None and look["high"] is not None:
                test.plot([look["groups"]] * 2, [look["low"], look["high"]], color=INK, linewidth=1)
        test.plot(groups, difference, color=INK, marker="o", label=f"{agent} less er, and interval")
        whole_numbers(test.xaxis)
        test.set_title(title)
        test.set_xlabel("groups of seeds")
        test.set_ylabel("difference of final performance")
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "fontsize": 8}
        test.legend(ncol=2, **below)
        for name, step, mean in curves:
            shown = LOOKS[name]
            draw_interval(learning, step, mean, color=shown.colour, alpha=0.15)
            learning.plot(
                step, mean.estimate, color=shown.colour, linestyle=shown.line,
                label=f"{shown.label} ({int(mean.seeds.max())} seeds)",
            )  # fmt: skip
        learning.set_title("Performance as they learn")
        learning.set_xlabel("environment steps of a seed")
        learning.set_ylabel("performance of the greedy policy")
        learning.legend(ncol=3, **below)
