"""What the study of partly covered mazes runs: three agents on four datasets, and variants of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from experiments.runs.offline_settings import COVERAGES, TERMINAL_STEPS, OfflineSettings
from experiments.runs.scales import ScaleName
from experiments.studies.study import FIRST_SEED, PlannedRun

SCALES: Mapping[ScaleName, str] = {
    "smoke": "One dataset, 100 updates, 2 seeds: that everything runs.",
    "desk": (
        "All twelve arms, 20,000 updates, 30 seeds: in a pilot with 10 seeds the verdicts were settled between "
        "10,000 and 20,000 updates. The other terminal step with 5 seeds, and step sizes and temperatures a factor "
        "of 4 to both sides with 2 seeds each, 10,000 updates, by which the twelve were settled."
    ),
    "paper": "All twelve arms, both terminal steps and the variants, 1,000,000 updates, 30 seeds.",
}


class Arm(NamedTuple):
    """One of the three agents.

    Attributes:
        name: In ids and tables.
        label: In the figure.
        agent: "er", which on fixed data is DQN, or "simple".
        rollout_length: Steps of its rollouts.
        model_batch_size: Transitions that its model learns from in an update: as many for both lengths.
    """

    name: str
    label: str
    agent: str
    rollout_length: int
    model_batch_size: int

    @property
    def title(self) -> str:
        """The label on one line."""
        return self.label.replace("\n", " ")


ARMS = (
    Arm("dqn", "DQN", "er", 1, 32),
    Arm("1-step", "simple model,\n1-step rollouts", "simple", 1, 32),
    Arm("10-step", "simple model,\n10-step rollouts", "simple", 10, 32),
)
STEP_SIZE, TEMPERATURE = 1e-4, 1.0
VARIANTS = ((2.5e-5, 1.0), (4e-4, 1.0), (1e-4, 0.25), (1e-4, 4.0))
"""Step sizes and temperatures of the variants; DQN, which imagines nothing, has no temperature."""

_VARIANT_SEED = 7_000
"""Added to the scale's first seed."""


class Extent(NamedTuple):
    """How much is run.

    Attributes:
        updates: Of each lane of the twelve arms.
        seeds: Of these.
        others: Updates of each lane with the other terminal step, and of the variants.
        other_seeds: With the other terminal step.
        variant_seeds: Of each variant.
        interval: Updates between evaluations.
    """

    updates: int
    seeds: int
    others: int
    other_seeds: int
    variant_seeds: int
    interval: int


EXTENTS: Mapping[ScaleName, Extent] = {
    "smoke": Extent(100, 2, 100, 0, 0, 50),
    "desk": Extent(20_000, 30, 10_000, 5, 2, 1_000),
    "paper": Extent(1_000_000, 30, 1_000_000, 30, 30, 10_000),
}


def runs(scale: ScaleName) -> list[PlannedRun]:
    """The twelve arms; with the other terminal step; and the variants of each, as lanes of one run."""
    extent = EXTENTS[scale]
    coverages = COVERAGES if scale != "smoke" else ("path-to-goal",)
    first = FIRST_SEED[scale]
    found = []
    for coverage, arm in product(coverages, ARMS):
        usual = ((STEP_SIZE, TEMPERATURE),)
        found.append(_planned(extent, coverage, arm, usual, first, extent.seeds, priority=2))
        if extent.other_seeds:
            found.append(
                _planned(
                    extent, coverage, arm, usual, first, extent.other_seeds, priority=6,
                    terminal_step="from-goal",
                )
            )  # fmt: skip
        if extent.variant_seeds:
            pairs = tuple(pair for pair in VARIANTS if arm.agent != "er" or pair[1] == TEMPERATURE)
            found.append(
                _planned(
                    extent, coverage, arm, pairs, first + _VARIANT_SEED, extent.variant_seeds, priority=9
                )
            )  # fmt: skip
    return found


def _planned(
    extent: Extent,
    coverage: str,
    arm: Arm,
    pairs: Sequence[tuple[float, float]],
    first_seed: int,
    seeds: int,
    *,
    priority: int,
    terminal_step: str = "into-goal",
) -> PlannedRun:
    """Lanes are pairs times seeds, seeds fastest."""
    usual = terminal_step == TERMINAL_STEPS[0] and pairs == ((STEP_SIZE, TEMPERATURE),)
    settings = OfflineSettings(
        agent=arm.agent,
        coverage=coverage,  # type: ignore[arg-type]
        terminal_step=terminal_step,  # type: ignore[arg-type]
        steps=extent.updates if usual else extent.others,
        evaluation_interval=extent.interval,
        rollout_length=arm.rollout_length,
        model_batch_size=arm.model_batch_size,
        seeds=tuple(first_seed + seed for _ in pairs for seed in range(seeds)),
        step_sizes=tuple(step for step, _ in pairs for _ in range(seeds)),
        temperatures=tuple(warmth for _, warmth in pairs for _ in range(seeds)),
    )
    parts = [coverage, arm.name]
    parts += ["from-goal"] if terminal_step == "from-goal" else []
    parts += ["variants"] if len(pairs) > 1 else []
    return PlannedRun(f"maze-coverage/{'-'.join(parts)}", settings, priority)
