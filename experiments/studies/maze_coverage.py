"""Learning from fixed data that cover a maze in part: replay, one-step and ten-step rollouts (paper, section 2).

Every dataset holds all transitions of the eight basic layouts, and of the two evaluation layouts all, those
along the path to the goal, those in the furthest cell, or none. Each update of the Q-network consumes 320
transitions, whoever they come from. The paper's own settings (its appendix E) are not to be had: step size
and temperature are a guess that pilots found to settle, and the variants of this study tell what hinges on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.analysis.claims import Claim, Comparison, above_level, both, either, majority
from experiments.analysis.statistics import CONFIDENCE, mean_interval
from experiments.figures.coverage_curves import CoverageCurve, draw_coverage_curves
from experiments.figures.greedy_arrows import Mazes, Panel, draw_greedy_arrows
from experiments.runs.offline_settings import COVERAGES, TERMINAL_STEPS, OfflineSettings
from experiments.runs.stored_run import OfflineMeasured, StoredRun
from experiments.studies.maze_coverage_runs import ARMS, SCALES, STEP_SIZE, TEMPERATURE, Arm, runs
from experiments.studies.study import Study

FAILURES = {
    ("path-to-goal", "dqn"), ("single-cell", "dqn"), ("single-cell", "1-step"),
    *(("no-evaluation", arm.name) for arm in ARMS),
}  # fmt: skip
"""What the paper predicts, and found: where an agent fails; in all else it succeeds."""

_ACTIONS = 5  # stay, up, left, down, right


class Reading(NamedTuple):
    """What one agent learned from one dataset, in all seeds of one step size, temperature and terminal step.

    Attributes:
        coverage: Of the dataset.
        arm: The agent.
        terminal_step: Of the maze.
        step_size: Of the Q-network.
        temperature: Of the behaviour in rollouts.
        seeds: How many are planned.
        measured: Of these seeds; None if the run has not finished.
    """

    coverage: str
    arm: Arm
    terminal_step: str
    step_size: float
    temperature: float
    seeds: int
    measured: OfflineMeasured | None

    @property
    def usual(self) -> bool:
        """Whether it is one of the twelve of figure 1."""
        return (self.terminal_step, self.step_size, self.temperature) == (
            TERMINAL_STEPS[0], STEP_SIZE, TEMPERATURE,
        )  # fmt: skip

    @property
    def variant(self) -> str:
        """In words, what is not as in the twelve."""
        parts = []
        if self.terminal_step != TERMINAL_STEPS[0]:
            parts.append(f"terminal step {self.terminal_step}")
        if self.step_size != STEP_SIZE:
            parts.append(f"step size {self.step_size:g}")
        if self.temperature != TEMPERATURE:
            parts.append(f"temperature {self.temperature:g}")
        return ", ".join(parts)

    @property
    def expected_to_fail(self) -> bool:
        """Whether the paper says that it fails."""
        return (self.coverage, self.arm.name) in FAILURES

    def correct(self) -> Float[np.ndarray, "evaluation decision"]:
        """Share of seeds whose greedy action is the best, in each cell where one is asked for.

        A seed that diverged is wrong.
        """
        assert self.measured is not None
        chosen = self.measured.greedy_action[:, :, mazes().decided].astype(float)
        best = mazes().best[mazes().decided].argmax(1)
        known = ~np.isnan(self.measured.performance)[:, :, None]
        shares: np.ndarray = ((chosen == best) & known).mean(axis=1)
        return shares

    def fails(self) -> Bool[np.ndarray, " evaluation"]:
        """By the paper's rule: whether in some cell the majority of seeds is wrong."""
        return np.asarray((self.correct() < 0.5).any(axis=1))

    @property
    def settled(self) -> int | None:
        """Updates since which the verdict has been what it is in the end; None if the run has not finished."""
        if self.measured is None:
            return None
        changed = np.flatnonzero(self.fails() != self.fails()[-1])
        return int(self.measured.step[changed[-1] + 1 if len(changed) else 0])


@cache
def mazes() -> Mazes:
    """The layouts of `tabular`, and the one best action in each cell of the evaluation layouts: along the path."""
    from tabular.environments.walled_maze import (
        SIZE,
        basic_layouts,
        evaluation_layouts,
        path_to_goal,
    )

    evaluation = evaluation_layouts()
    best = np.zeros((len(evaluation), SIZE**2, _ACTIONS), dtype=bool)
    ways = {-SIZE: 1, -1: 2, SIZE: 3, 1: 4}
    for layout, walls in enumerate(evaluation):
        path = path_to_goal(walls)
        for cell, following in pairwise(path):
            best[layout, cell, ways[following - cell]] = True
    furthest = np.array([path_to_goal(walls)[0] for walls in evaluation])
    return Mazes(np.array(basic_layouts()), np.array(evaluation), furthest, best)


def analyse(planned: Sequence[OfflineSettings], stored: Mapping[str, StoredRun]) -> list[Reading]:
    """A reading for each dataset, agent and variant."""
    return [
        reading
        for settings in planned
        for reading in _readings(settings, stored.get(settings.digest))
    ]


def _readings(settings: OfflineSettings, run: StoredRun | None) -> Iterator[Reading]:
    length = settings.rollout_length
    arm = next(a for a in ARMS if (a.agent, a.rollout_length) == (settings.agent, length))
    pairs = list(zip(settings.step_sizes, settings.temperatures, strict=True))
    for pair in dict.fromkeys(pairs):
        lanes = [lane for lane, other in enumerate(pairs) if other == pair]
        measured = None
        if run is not None:
            step, *fields = run.measured
            measured = OfflineMeasured(step, *(field[:, lanes] for field in fields))
        yield Reading(settings.coverage, arm, settings.terminal_step, *pair, len(lanes), measured)


def _prediction(coverage: str, arm: Arm) -> Callable[[list[Reading]], list[Comparison]]:
    """That in every cell most seeds are right or, where the paper says so, that in some cell most are wrong.

    The intervals of the cells' shares are exact, and hold all together (Bonferroni).
    """
    fails = (coverage, arm.name) in FAILURES

    def compare(found: list[Reading]) -> list[Comparison]:
        label = "wrong in some cell" if fails else "right in the worst cell"
        for reading in found:
            if reading.usual and (reading.coverage, reading.arm) == (coverage, arm):
                if reading.measured is None:
                    return [Comparison(label)]
                cells = _majorities(reading, fails)
                return [either(label, *cells) if fails else both(label, *cells)]
        return []

    return compare


def _majorities(reading: Reading, fails: bool) -> list[Comparison]:
    """For each cell, how far the share of seeds that are right, or wrong, is above one half."""
    shares = reading.correct()[-1]
    counts = np.rint((1 - shares if fails else shares) * reading.seeds).astype(int)
    confidence = 1 - (1 - CONFIDENCE) / len(counts)
    return [majority("", int(count), reading.seeds, confidence) for count in counts]


PREDICTED = 0.99
"""Share of the transitions in the evaluation layouts that a model is to predict."""


def model_predicts(found: list[Reading]) -> list[Comparison]:
    """By dataset and length: the share of transitions whose next cell is the model's likeliest, above 99 %."""
    return [
        above_level(
            f"{reading.coverage}, {reading.arm.name}",
            None if reading.measured is None else reading.measured.next_cell[-1],
            PREDICTED,
        )
        for reading in found
        if reading.usual and reading.arm.agent == "simple"
    ]


def draw(found: list[Reading], path: Path) -> None:
    """Figure 1."""
    panels = []
    for reading in found:
        if not reading.usual:
            continue
        frequency: np.ndarray = np.full(mazes().best.shape, np.nan)
        fails = None
        if reading.measured is not None:
            chosen = reading.measured.greedy_action[-1]
            frequency = np.stack([(chosen == a).mean(axis=0) for a in range(_ACTIONS)], axis=-1)
            fails = bool(reading.fails()[-1])
        panels.append(
            Panel(
                reading.arm.label, reading.coverage.title().replace("-To-", "-to-"),
                frequency, fails, reading.expected_to_fail,
            )
        )  # fmt: skip
    draw_greedy_arrows(path, "Greedy actions after learning from fixed data", mazes(), panels)


def curves(found: list[Reading], path: Path) -> None:
    """Along training: seeds that are right in the worst cell, and next cells that the model predicts."""
    draw_coverage_curves(
        [
            CoverageCurve(
                reading.coverage, reading.arm.name, reading.measured.step,
                reading.correct().min(axis=1), mean_interval(reading.measured.next_cell.T),
            )
            for reading in found
            if reading.usual and reading.measured is not None
        ],
        path,
    )  # fmt: skip


def rows(found: list[Reading]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """By dataset and agent, the twelve first and their variants after them.

    Columns: the share of seeds that are right in the worst cell; the outcome by the paper's rule, here and in the
    paper; the update since which it is so; the share of next cells that the model predicts, and their probability.
    """
    columns = (
        "data", "agent", "variant", "seeds", "worst cell", "outcome", "paper", "settled at",
        "predicted", "probability",
    )  # fmt: skip
    table: list[Sequence[object]] = []
    ordered = sorted(
        found, key=lambda r: (COVERAGES.index(r.coverage), ARMS.index(r.arm), not r.usual)
    )
    for reading in ordered:
        head = (reading.coverage, reading.arm.name, reading.variant, reading.seeds)
        paper = _outcome(reading.expected_to_fail)
        measured = reading.measured
        if measured is None:
            table.append((*head, None, None, paper, None, None, None))
            continue
        predicted = [
            float(mean_interval(share[-1]).estimate) if reading.arm.agent == "simple" else None
            for share in (measured.next_cell, measured.next_cell_probability)
        ]
        outcome = _outcome(bool(reading.fails()[-1]))
        worst = float(reading.correct()[-1].min())
        table.append((*head, worst, outcome, paper, reading.settled, *predicted))
    return columns, table


def _outcome(fails: bool) -> str:
    return "fails" if fails else "succeeds"


def words(found: list[Reading]) -> str:
    """What each of the twelve does, with the share of seeds that are right in its worst cell."""
    told = []
    for reading in found:
        if not reading.usual or reading.measured is None:
            continue
        worst = float(reading.correct()[-1].min())
        what = f"{reading.coverage}, {reading.arm.title}"
        outcome = _outcome(bool(reading.fails()[-1]))
        told.append(f"{what}: {outcome}, {worst:.0%} right in the worst cell")
    return (
        "Which way the greedy policies of all seeds go, for each dataset and agent: blue arrows where it is the right "
        "way, orange ones where it is not. Left, the layouts of the maze. "
        f"{'; '.join(told) or 'Nothing has finished'}."
    )


STUDY = Study(
    name="maze-coverage",
    title="What replay and rollouts make of partly covered mazes",
    source="figure 1 (2 at ICML)",
    scales=SCALES,
    runs=runs,
    analyse=analyse,
    draw=draw,
    rows=rows,
    words=words,
    curves=curves,
    claims=(
        *(
            Claim(
                f"M-{coverage}-{arm.name}",
                f"On {coverage} data, {arm.title}: {_outcome((coverage, arm.name) in FAILURES)}",
                "section 2, figure 1 (2 at ICML)",
                _prediction(coverage, arm),
            )
            for coverage, arm in product(COVERAGES, ARMS)
        ),
        Claim(
            "M-model",
            "In the evaluation layouts the model predicts the agent's next cell for 99 % of the transitions",
            "section 2, footnote 3",
            model_predicts,
        ),
    ),
)
