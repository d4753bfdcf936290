"""What a question runs once it is decided, to say why: agents that have an ingredient of the answer, and no other.

Each has one group of seeds of its own. They stand beside the test, and do not take part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.questions.question import REPLAY, Question
from experiments.runs.gym_settings import GymSettings
from experiments.studies.study import PlannedRun
from experiments.tasks import SIZES, readable_environment

if TYPE_CHECKING:
    from tabular.factored import FactoredStructure

TIMES_UPDATES = 10
OPEN_GRID_SIZE = 4
MOST_STATES = 5_000
"""Gone through to find scopes, which takes some seconds."""


class Ingredient(NamedTuple):
    """An agent that has one ingredient.

    Attributes:
        what: It shows, if it beats replay.
        agent: Its name.
        told: What it is, in words.
    """

    what: str
    agent: str
    told: str


INGREDIENTS: Mapping[str, Ingredient] = {
    "counterfactual": Ingredient(
        "coverage helps, without a model", REPLAY, "er on transitions recombined factor by factor"
    ),
    "perfect": Ingredient("the perfect model helps", "perfect", "perfect"),
    "more-updates": Ingredient(
        "more replay helps", REPLAY, f"er with {TIMES_UPDATES} times the updates"
    ),
    "settings": Ingredient(
        "the model's step size and temperature help, without a model",
        REPLAY,
        "er with the step size and temperature of the first agent with a model",
    ),
}
"""By the folder of its run. New ones come last, since the place decides the seeds."""


def explaining_runs(question: Question) -> dict[str, PlannedRun]:
    """The runs that can be made here, by ingredient."""
    found = {}
    for place, name in enumerate(INGREDIENTS):
        more = _settings(question, name)
        if more is not None:
            settings = question.settings(INGREDIENTS[name].agent, 0, beside=place, **more)
            found[name] = PlannedRun(f"why/{name}", settings, priority=place)
    return found


def _settings(question: Question, name: str) -> dict[str, Any] | None:
    """Of the ingredient's agent, beyond the usual ones; None if it cannot be had here."""
    usual = question.settings(REPLAY, 0)
    if name == "more-updates":
        return {"updates_per_step": TIMES_UPDATES * usual.replay_ratio}
    if name == "settings":
        model = next(agent for agent in question.agents if agent != REPLAY)
        others = question.settings(model, 0)
        pair = {"step_size": others.step_sizes[0], "temperature": others.temperatures[0]}
        same = pair == {"step_size": usual.step_sizes[0], "temperature": usual.temperatures[0]}
        return None if same else pair
    if name == "perfect":
        return {} if name not in question.agents and _has_perfect_model(question) else None
    return {"counterfactual": True} if _has_factors(question) else None


def _has_factors(question: Question) -> bool:
    """Whether there is something to recombine by scopes that are known, or may be."""
    if question.gymnasium:
        return False
    structure = known_structure(question.settings(REPLAY, 0).env)
    return structure is None or structure.has_factored_structure


def _has_perfect_model(question: Question) -> bool:
    if not question.gymnasium:
        return True
    from experiments.runs.assembly import gym_task

    settings = question.settings(REPLAY, 0)
    assert isinstance(settings, GymSettings)
    return gym_task(settings).table is not None


@cache
def known_structure(env: str) -> FactoredStructure | None:
    """Scopes of an environment of the paper, at its smallest size; None if it has too many states to go through."""
    from tabular import enumerate_factors, factored_structure

    rule = readable_environment(env, smallest_size(env))
    try:
        return factored_structure(enumerate_factors(rule, max_states=MOST_STATES))
    except ValueError:
        return None


def smallest_size(env: str) -> int:
    """Of an environment of the paper, where scopes are looked for."""
    return min(SIZES.get(env, (OPEN_GRID_SIZE,)))
