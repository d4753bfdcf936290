"""What a run on fixed data is, in the walled maze of section 2: plain data, as `experiments.runs.settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from experiments.runs.lane_settings import LaneSettings, require_one_of

CoverageName = Literal["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
COVERAGES: tuple[str, ...] = get_args(CoverageName)

TerminalStepName = Literal["into-goal", "from-goal"]
TERMINAL_STEPS: tuple[str, ...] = get_args(TerminalStepName)

OFFLINE_AGENTS = ("er", "simple")


@dataclass(frozen=True, kw_only=True)
class OfflineSettings(LaneSettings):
    """One agent that learns from a dataset of the walled maze, the same in every lane.

    Attributes:
        agent: "er", which is DQN on the dataset, or "simple".
        steps: Updates of each lane.
        coverage: What the dataset holds of the evaluation layouts, see `COVERAGES`.
        terminal_step: Whether an episode ends by the step into the goal or by the one from it.
    """

    kind: ClassVar[str] = "offline"
    env: ClassVar[str] = "WalledMaze"

    coverage: CoverageName
    terminal_step: TerminalStepName = "into-goal"
    evaluation_interval: int = 1_000

    def __post_init__(self) -> None:
        require_one_of("agent", self.agent, OFFLINE_AGENTS)
        require_one_of("coverage", self.coverage, COVERAGES)
        require_one_of("terminal_step", self.terminal_step, TERMINAL_STEPS)
        super().__post_init__()

    @property
    def updates(self) -> int:
        """Updates of a lane in the whole run."""
        return self.steps

    @property
    def capacity(self) -> int:
        """Transitions in a dataset, at most."""
        return 512

    @property
    def title(self) -> str:
        """What a run is called in tables and pictures."""
        learns = "er" if self.agent == "er" else f"{self.agent}, rollouts of {self.rollout_length},"
        return f"{learns} on {self.coverage} data of the walled maze, terminal step {self.terminal_step}"
