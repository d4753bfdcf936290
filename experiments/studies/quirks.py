"""Two quirks of the authors' code, on and off (docs/online.md): does what the paper shows hinge on them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analysis.cells import Cells
from experiments.analysis.claims import Claim, Comparison, above
from experiments.runs.scales import ScaleName
from experiments.studies.online import online_run
from experiments.studies.study import PlannedRun, plan
from experiments.studies.variants import ends_above, variants_study
from experiments.tasks import SIZES, TUNED_SIZES

SCALES: Mapping[ScaleName, str] = {
    "smoke": "ProcMaze 2, 100 updates: that everything runs.",
    "desk": (
        "ProcMaze 4, 29,000 updates, 5 seeds: the one environment in which both quirks have an effect; "
        "what is usual are the runs of `online`."
    ),
    "paper": "ProcMaze 4, 1,000,000 updates, 30 seeds.",
}
_STALE: dict[str, Any] = {"stale_reset_observation": True}
_CLIPPED: dict[str, Any] = {"clipped_logit_sampling": True}


def _size(scale: ScaleName) -> int:
    return SIZES["ProcMaze"][0] if scale == "smoke" else TUNED_SIZES["ProcMaze"]


def runs(scale: ScaleName) -> list[PlannedRun]:
    """ER and the simple model with each quirk that each of them has, and with both."""
    of: dict[str, Any] = {"env": "ProcMaze", "size": _size(scale), "regime": "high"}
    found = [online_run(scale, agent, **of, priority=4) for agent in ("er", "simple")]
    varied = [
        ("er", _STALE),
        ("simple", _STALE),
        ("simple", _CLIPPED),
        ("simple", _STALE | _CLIPPED),
    ]
    for agent, quirks in varied:
        found.append(plan("quirks", scale, priority=4, agent=agent, **of, **quirks))
    return found


def holds_with_quirks(cells: Cells) -> list[Comparison]:
    """With both quirks on, as the authors ran it, the simple model ends above ER."""
    simple = {"agent": "simple", **_STALE, **_CLIPPED}
    return ends_above(cells, "ProcMaze", simple, {"agent": "er", **_STALE})


def stale_resets_hurt(cells: Cells) -> list[Comparison]:
    """Without stale resets ER and the simple model end higher than with them."""
    (size,) = cells.values("size")
    of: dict[str, Any] = {"env": "ProcMaze", "size": size, "regime": "high"}
    return [
        above(agent, cells.final(agent=agent, **of), cells.final(agent=agent, **of, **_STALE))
        for agent in ("er", "simple")
    ]


STUDY = variants_study(
    name="quirks",
    title="Two quirks of the authors' code, on and off",
    source="ours",
    scales=SCALES,
    runs=runs,
    picture="Two quirks of the authors' code",
    usual="as the paper says",
    claims=(
        Claim(
            "Q-holds",
            "With both quirks on, the simple model beats ER on ProcMaze 4 as it does without them",
            "ours",
            holds_with_quirks,
        ),
        Claim(
            "Q-stale",
            "Stale observations after a reset hold ER and the simple model back",
            "ours",
            stale_resets_hurt,
        ),
    ),
)
