"""Real transitions among the imagined ones: is a little replay enough to repair a poor model?

The Gaussian latent model is poor on ProcMaze. The simple model is good there, and with real transitions
alone its agent is ER with the simple agent's step size and temperature, so that what imagining adds is
told apart from what they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, above
from experiments.figures.task_curves import draw_curves
from experiments.figures.variants import draw_variants
from experiments.runs.scales import ScaleName
from experiments.studies.ingredients import PRIORITY, ingredient_tasks, usual_run
from experiments.studies.study import PlannedRun, Study, plan

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "Simple model on ProcMaze 4, PanFlute 9 and OpenGrid 8, Gaussian model on ProcMaze 4; 29,000 updates, 5 seeds; "
        "the runs without real transitions are those of `online` and `unfactored`. ButtonGrid would need three times "
        "the steps, and is left to the paper's scale."
    ),
    "paper": "Both models on all environments at the tuned sizes, 1,000,000 updates, 30 seeds.",
}
SHARES = (0.05, 0.5, 1.0)


def runs(scale: ScaleName) -> list[PlannedRun]:
    """Each model with every share of real transitions, in high data."""
    found = []
    for env, size in ingredient_tasks(scale).items():
        for agent in ("simple", "gaussian"):
            if agent == "gaussian" and env != "ProcMaze" and scale != "paper":
                continue
            found.append(usual_run(scale, agent, env, size))
            found += [
                plan(
                    "mixture", scale, priority=PRIORITY, agent=agent, env=env, size=size,
                    regime="high", real_share=share,
                )
                for share in SHARES
            ]  # fmt: skip
    return found


def _compare(cells: Cells, agent: str, better: float, worse: float) -> list[Comparison]:
    found = []
    for size in cells.values("size", env="ProcMaze"):
        of = {"agent": agent, "env": "ProcMaze", "size": size, "regime": "high"}
        one, other = (cells.final(**of, real_share=share) for share in (better, worse))
        found.append(above(f"ProcMaze {size}", one, other))
    return found


def repairs(cells: Cells) -> list[Comparison]:
    """On ProcMaze the Gaussian model with 5 % real transitions ends above that with none."""
    return _compare(cells, "gaussian", 0.05, 0.0)


def imagining_helps(cells: Cells) -> list[Comparison]:
    """On ProcMaze the simple model's agent ends above itself with real transitions alone."""
    return _compare(cells, "simple", 0.0, 1.0)


def draw(cells: Cells, path: Path) -> None:
    """Final performance by model and share."""
    draw_variants(cells, path, "Real transitions among the imagined ones", usual="all imagined")


STUDY = Study(
    name="mixture",
    title="Real transitions among the imagined ones",
    source="ours",
    scales=SCALES,
    runs=runs,
    analyse=Cells,
    draw=draw,
    rows=Cells.table,
    words=Cells.in_words,
    curves=draw_curves,
    claims=(
        Claim(
            "X-repair",
            "On ProcMaze 5 % real transitions repair a poor model (the Gaussian one)",
            "ours, after Voelcker et al. (2024)",
            repairs,
        ),
        Claim(
            "X-imagined",
            "On ProcMaze the simple model's agent loses what it gained if all transitions are real",
            "ours",
            imagining_helps,
        ),
    ),
)
