"""What a question is: plain data in one file of its folder, and the runs that it asks for.

    question.json     what is asked, and once the pilot has run, what was fixed before the first look
    pilot/AGENT       short runs, for seconds and spread
    group-NN/AGENT    the runs, a lane for each seed, as every run's folder has them
    why/INGREDIENT    runs beside the question, once it is decided, that say why
    logs/             of the runs' processes
    answer.json       the answer so far, with all looks
    answer.html       the same as a page

No agent shares a seed with another, so that no score depends on one of another agent.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.analysis.sequential import Design
from experiments.runs.gym_settings import GymSettings, env_arg_option, gym_settings, is_gym
from experiments.runs.lane_settings import LEARNED, require_integer, require_one_of
from experiments.runs.scales import steps_for
from experiments.runs.settings import AGENTS, RunSettings, run_settings
from experiments.storage.folder_lock import LOCK
from experiments.storage.json_files import read_json, write_json
from experiments.storage.whole_files import names_in
from experiments.studies.study import PlannedRun

QUESTION, ANSWER, PAGE = "question.json", "answer.json", "answer.html"

REPLAY = "er"
MOST_GROUPS = 20
FIRST_SEED = 100_000_000
"""Of questions; no study, pilot or tuning has seeds so large."""

_SPAN = 1_000_000  # seeds of each agent; the pilot's are the last of them
_QUESTION_SPAN = 10 * _SPAN
_PILOT_INTERVALS = 2


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which agents, where, with how much data.

    Attributes:
        agents: Replay, "er", first; then the others.
        env: An environment of the paper, or "gym:ID".
        size: Pipes, buttons, or grid size; None with Gymnasium.
        regime: "high" or "low".
        steps: Environment steps of each seed.
        seeds: Of each agent in a group.
        alpha: Probability of a false answer, at most.
        margin: A difference below it does not matter; None leaves it to the pilot.
        seed: Questions of two seeds share no seed of an agent.
        more: Further settings, by name.

    Raises:
        ValueError: Something is missing, unknown or out of range.
    """

    agents: tuple[str, ...]
    env: str
    size: int | None
    regime: str
    steps: int
    seeds: int
    alpha: float = 0.05
    margin: float | None = None
    seed: int = 0
    more: Mapping[str, Any]

    def __post_init__(self) -> None:
        for agent in self.agents:
            require_one_of("agent", agent, AGENTS)
        if len(set(self.agents)) != len(self.agents):
            raise ValueError(f"agents are {', '.join(self.agents)}; accepted: each of them once")
        if self.agents[:1] != (REPLAY,) or len(self.agents) < 2:
            raise ValueError(
                f"agents are {', '.join(self.agents)}; accepted: {REPLAY} and one or more of "
                f"{', '.join(agent for agent in AGENTS if agent != REPLAY)}"
            )
        require_integer("seeds", self.seeds, 2, 1_000)
        require_integer("seed", self.seed, 0, 1_000_000)
        Design(1, self.alpha, self.margin)
        for agent in self.agents:
            self.settings(agent, 0)

    @property
    def gymnasium(self) -> bool:
        """Whether the environment is one of Gymnasium."""
        return is_gym(self.env)

    @property
    def models(self) -> tuple[str, ...]:
        """The agents that the answer is about: those that learn a model, or all but replay if there are none."""
        return tuple(a for a in self.agents if a in LEARNED) or self.agents[1:]

    @property
    def title(self) -> str:
        """The task in words."""
        return self.settings(self.agents[0], 0).task_title

    def settings(
        self,
        agent: str,
        group: int,
        *,
        pilot: bool = False,
        beside: int | None = None,
        **others: Any,
    ) -> RunSettings | GymSettings:
        """Of an agent's run.

        Args:
            agent: Its name.
            group: From 0 on.
            pilot: Whether it is the pilot's.
            beside: Number of an agent that is no part of the question, but run beside it.
            others: Further settings, by name.
        """
        place = self.agents.index(agent) if beside is None else len(AGENTS) + beside
        offset = _SPAN - self.seeds if pilot else group * self.seeds
        seed = FIRST_SEED + self.seed * _QUESTION_SPAN + place * _SPAN + offset
        common: dict[str, Any] = {
            "agent": agent, "env": self.env, "regime": self.regime, "steps": self.steps,
            **self.more, **others,
        }  # fmt: skip
        if self.gymnasium:
            full: RunSettings | GymSettings = gym_settings(
                lanes=self.seeds, seed=seed, given=common
            )
        else:
            if self.size is None:
                raise ValueError(
                    f"size is missing; accepted: pipes, buttons or grid size of {self.env}"
                )
            if agent in LEARNED and not pilot:
                common["model_quality"] = True
            full = run_settings(lanes=self.seeds, seed=seed, size=self.size, **common)
        if not pilot:
            return full
        short = steps_for(self.regime, 0) + _PILOT_INTERVALS * full.evaluation_interval
        values = full.stored() | {"steps": min(short, full.steps)}
        return type(full).from_stored({k: v for k, v in values.items() if k != "kind"})

    def pilot(self) -> list[PlannedRun]:
        """Short runs of each agent."""
        return [PlannedRun(f"pilot/{a}", self.settings(a, 0, pilot=True)) for a in self.agents]

    def group(self, group: int) -> list[PlannedRun]:
        """The runs of a group, an agent each."""
        return [
            PlannedRun(f"group-{group + 1:02}/{a}", self.settings(a, group), group)
            for a in self.agents
        ]

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"agents": list(self.agents), "more": dict(self.more)}


@dataclass(frozen=True)
class Plan:
    """What was fixed before the first look.

    Attributes:
        groups: Looks, at most.
        margin: A difference below it does not matter; None if each does, and agents cannot be equivalent.
        group_seconds: That a group takes on this machine, estimated.
        spread: Standard deviation of a seed's score in the pilot.
    """

    groups: int
    margin: float | None
    group_seconds: float | None
    spread: float | None

    def design(self, alpha: float, seed: int) -> Design:
        """Of the test."""
        return Design(self.groups, alpha, self.margin, seed)


def begin(out: Path, question: Question) -> Plan | None:
    """Write down the question in its folder, or find it there; returns the plan if it was made already.

    Raises:
        ValueError: The folder holds another question, or something else.
    """
    path = out / QUESTION
    if not path.exists():
        strange = names_in(out) - {LOCK}
        if strange:
            raise ValueError(
                f"{out} holds {min(strange)}; accepted: a new folder, or a question's own"
            )
        write_json({"question": question.stored(), "plan": None}, str(path))
        return None
    found = read_json(path)
    if found.keys() != {"question", "plan"} or not isinstance(found["question"], dict):
        raise ValueError(f"{path} is no question; accepted: what mbgen ask wrote")
    for name, value in question.stored().items():
        other = found["question"].get(name)
        if other != value:
            raise ValueError(
                f"{out} holds the question with {name} {_shown(other)}, got {_shown(value)}; "
                "accepted: the same question, or another folder"
            )
    if found["plan"] is None:
        return None
    try:
        plan = Plan(**found["plan"])
        require_integer("groups", plan.groups, 1, MOST_GROUPS)
        plan.design(question.alpha, question.seed)
    except (TypeError, ValueError):
        raise ValueError(f"{path} is no question; accepted: what mbgen ask wrote") from None
    return plan


def keep_plan(out: Path, question: Question, plan: Plan) -> None:
    """Write the plan beside the question."""
    write_json({"question": question.stored(), "plan": asdict(plan)}, str(out / QUESTION))


def command(question: Question, plan: Plan) -> list[str]:
    """The command line that asks the same, as planned: the command, and a piece for each option."""
    more = dict(question.more)
    pieces = ["mbgen ask", f"--env {shlex.quote(question.env)}"]
    pieces += [f"--size {question.size}"] if question.size is not None else []
    if given := env_arg_option(more.pop("env_args", "{}")):
        pieces.append(given.strip())
    if keys := more.pop("keys", ""):
        pieces.append(f"--keys {shlex.join(keys.split(','))}")
    pieces += [f"--{name.replace('_', '-')} {value}" for name, value in more.items()]
    pieces += [f"--margin {plan.margin!r}"] if plan.margin is not None else []
    return [
        *pieces,
        f"--agents {' '.join(question.agents)}", f"--regime {question.regime}", f"--steps {question.steps}",
        f"--seeds {question.seeds}", f"--groups {plan.groups}", f"--alpha {question.alpha}",
        f"--seed {question.seed}", "--out again",
    ]  # fmt: skip


def groups_within(seconds: float, group_seconds: float) -> int:
    """Groups that a time suffices for.

    Raises:
        ValueError: Not for one.
    """
    groups = math.floor(seconds / group_seconds)
    if groups < 1:
        raise ValueError(
            f"the budget leaves {seconds:.0f} s after the pilot, and one group takes about {group_seconds:.0f} s; "
            "accepted: time for one group or more, or a smaller --scale or --steps"
        )
    return min(groups, MOST_GROUPS)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
