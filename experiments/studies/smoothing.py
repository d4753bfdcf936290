"""What models of PanFlute expect early on: a smoother reward, and smoother dynamics (paper, figure 4, left).

Nine pipes, high data, 10,000 environment steps: that is little, and is run as published at desk scale too.
How the models are asked is `experiments.runs.pan_flute_forecasts`. The perfect model expects what is true,
which is computed exactly and drawn beside the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.claims import Claim, Comparison, above, above_level
from experiments.analysis.statistics import mean_interval
from experiments.figures.forecasts import Expectation, draw_forecasts
from experiments.runs.forecast_table import Forecasts
from experiments.runs.scales import ScaleName
from experiments.runs.settings import RunSettings
from experiments.runs.stored_run import StoredRun
from experiments.studies.study import PlannedRun, Study, plan

SCALES: Mapping[ScaleName, str] = {
    "smoke": "3 pipes, 1,100 steps, 2 seeds: that everything runs.",
    "desk": "As the paper: 9 pipes, 10,000 steps, 30 seeds.",
    "paper": "As the paper: 9 pipes, 10,000 steps, 30 seeds.",
}
AGENTS = ("simple", "gaussian", "categorical")
MOST = 2 / 3
"""From this share of the ends on, but not all of them: "most" in the claim on transitions."""


def runs(scale: ScaleName) -> list[PlannedRun]:
    """An online run for each learned model, with forecasts at its end."""
    pipes, lanes, steps = (3, 2, 1_100) if scale == "smoke" else (9, 30, 10_000)
    return [
        plan(
            "smoothing", scale, priority=1, agent=agent, env="PanFlute", size=pipes, regime="high",
            lanes=lanes, steps=steps, forecasts=True,
        )
        for agent in AGENTS
    ]  # fmt: skip


class Smoothing(NamedTuple):
    """What a model expects.

    Attributes:
        agent: Whose model.
        pipes: How many there are.
        forecasts: By seed and active ends; None if the run has not finished.
    """

    agent: str
    pipes: int
    forecasts: Forecasts | None


def analyse(planned: Sequence[RunSettings], stored: Mapping[str, StoredRun]) -> list[Smoothing]:
    """The forecasts of each model."""
    found = []
    for settings in planned:
        run = stored.get(settings.digest)
        found.append(
            Smoothing(settings.agent, settings.size, None if run is None else run.forecasts)
        )
    return found


def reward_rises(found: list[Smoothing]) -> list[Comparison]:
    """By the simple and the Gaussian model: the slope of the expected reward over the bins without a true one."""
    return [
        above_level(
            f"{each.agent}, reward by active end",
            None if each.forecasts is None else _slopes(each.forecasts.reward[:, : each.pipes]),
            0.0,
        )
        for each in found
        if each.agent in ("simple", "gaussian")
    ]


def gaussian_smooths_more(found: list[Smoothing]) -> list[Comparison]:
    """Where most ends but not all are active next, the Gaussian model gives "all" more probability than the simple."""
    pipes = found[0].pipes
    gaussian, simple = (
        next(each.forecasts for each in found if each.agent == name)
        for name in ("gaussian", "simple")
    )
    return [
        above(
            f"{ends} of {pipes} active next",
            None if gaussian is None else gaussian.all_active[:, ends],
            None if simple is None else simple.all_active[:, ends],
        )
        for ends in range(pipes)
        if ends >= MOST * pipes
    ]


def _slopes(values: Float[np.ndarray, "seed ends"]) -> Float[np.ndarray, " seed"]:
    """By least squares over the bins that a seed has."""
    found = np.full(len(values), np.nan)
    for seed, row in enumerate(values):
        known = np.flatnonzero(~np.isnan(row))
        if len(known) > 1:
            found[seed] = np.polyfit(known, row[known], 1)[0]
    return found


def draw(found: list[Smoothing], path: Path) -> None:
    """Figure 4, left."""
    draw_forecasts(
        [Expectation(each.agent, each.forecasts) for each in found if each.forecasts], path
    )


def rows(found: list[Smoothing]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """By number of ends: the reward expected if so many are active now, that all are next, and the truth of each."""
    columns = (
        "agent", "ends", "seeds", "reward", "±", "true", "all next", "± ", "true ",
    )  # fmt: skip
    table: list[Sequence[object]] = []
    for each in found:
        if each.forecasts is None:
            table.append((each.agent, *[None] * (len(columns) - 1)))
            continue
        means = [mean_interval(values) for values in each.forecasts]
        _, reward, true_reward, _, active, truly = means
        table += [
            (
                each.agent, ends, int(reward.seeds[ends]),
                float(reward.estimate[ends]), float(reward.half_width[ends]),
                float(true_reward.estimate[ends]),
                float(active.estimate[ends]), float(active.half_width[ends]),
                float(truly.estimate[ends]),
            )
            for ends in range(each.pipes + 1)
        ]  # fmt: skip
    return columns, table


def words(found: list[Smoothing]) -> str:
    """What each model expects where two thirds of the ends are active."""
    told = []
    head = (
        "By the number of active pipe ends: left, the reward that each model expects, beside the true one, which is 0 "
        "until all are active; right, the probability that it gives to all ends being active next."
    )
    for each in found:
        if each.forecasts is None:
            continue
        ends = round(MOST * each.pipes)
        reward, active = (
            float(mean_interval(values[:, ends]).estimate)
            for values in (each.forecasts.reward, each.forecasts.all_active)
        )
        told.append(
            f"With {ends} of {each.pipes} ends active the {each.agent} model expects a reward of {reward:.2g}, and "
            f"with so many active next it gives all of them the probability {active:.2g}."
        )
    return " ".join([head, *told])


STUDY = Study(
    name="smoothing",
    title="What learned models of PanFlute expect after 10,000 steps",
    source="figure 4 (5 at ICML), left",
    scales=SCALES,
    runs=runs,
    analyse=analyse,
    draw=draw,
    rows=rows,
    words=words,
    claims=(
        Claim(
            "S-reward",
            "The reward that the simple and the Gaussian model expect rises with the number of active "
            "ends where the true one is zero",
            "section 4, figure 4 (5 at ICML)",
            reward_rises,
        ),
        Claim(
            "S-transition",
            "When most ends will be active next, the Gaussian model gives more probability to all of them "
            "than the simple model does",
            "section 4, figure 4 (5 at ICML)",
            gaussian_smooths_more,
        ),
    ),
)
