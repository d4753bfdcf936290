"""What is checked, in what order: tasks that need a process of their own, those most in doubt first."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

STAGES = ("parity", "sync", "speed")
WAYS = ("capture", "graph", "compile", "eager")
"""How the loop runs, most in doubt first: captured in CUDA graphs as it is, or compiled; compiled alone; neither."""

PRECISIONS = ("highest", "high", "bf16")
AGENTS = ("er", "simple", "perfect", "gaussian", "categorical")
ENVIRONMENTS = ("PanFlute", "ButtonGrid", "ProcMaze", "OpenGrid")
TURN = "turn"
"""What a process prints before it measures speed, for which the device must be its own."""


class Case(NamedTuple):
    """One finding to be made.

    Attributes:
        stage: "parity", "sync" or "speed".
        name: What it is about, in words that tell it from the stage's other cases.
    """

    stage: str
    name: str


@dataclass(frozen=True)
class Task:
    """What one process does: the cases of one agent and way, or of draws and environments.

    Attributes:
        cases: What is to be found, in this order.
        agent: Whose; None for the random draws and the environments.
        way: How the loop runs.
        precision: Of the products whose speed is measured.
        lanes: How many learn at once where speed is measured.
    """

    cases: tuple[Case, ...]
    agent: str | None = None
    way: str = "eager"
    precision: str = "highest"
    lanes: int = 0

    def without(self, found: Collection[Case]) -> Task:
        """The task, less what was found already."""
        return replace(self, cases=tuple(case for case in self.cases if case not in found))

    def text(self) -> str:
        """As JSON, for the process that does it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """The task that `text` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields | {"cases": tuple(Case(*case) for case in fields["cases"])})


def waves(
    agents: Sequence[str],
    ways: Sequence[str],
    precisions: Sequence[str],
    lanes: Sequence[int],
    stages: Collection[str] = STAGES,
) -> Iterator[list[Task]]:
    """Tasks that may go on side by side, wave by wave, those that tell most first.

    Draws, environments and every agent captured; then the other ways; then, by the way that should be fastest, other
    precisions and other numbers of lanes.
    """
    standard, *looser = precisions
    first, *others = lanes
    alike = [Task(tuple(Case("parity", name) for name in ("draws", *ENVIRONMENTS)))]
    before = alike if "parity" in stages else []
    for way in WAYS:
        if way in ways:
            yield before + [_task(agent, way, standard, first, stages) for agent in agents]
            before = []
    if "speed" in stages:
        best = next(way for way in ("graph", "compile", "capture", "eager") if way in ways)
        for precision, count in [(p, first) for p in looser] + [(standard, n) for n in others]:
            yield [_task(agent, best, precision, count, ("speed",)) for agent in agents]


def _task(agent: str, way: str, precision: str, lanes: int, stages: Collection[str]) -> Task:
    names = {
        "parity": f"{agent} {way}",
        "sync": f"{agent} {way}",
        "speed": f"{agent} {way} {precision} {lanes} lanes",
    }
    cases = tuple(Case(stage, names[stage]) for stage in STAGES if stage in stages)
    return Task(cases, agent, way, precision, lanes)
