"""Why a learned model helps, or does not: what was measured beside the answer, and what it supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.analysis.sequential import Decision, Pair
from experiments.questions.question import Question
from experiments.runs.run_folder import Measured, StoredRun
from experiments.tasks import SIZES, readable_environment

OPEN_GRID_SIZE = 4
MOST_STATES = 5_000
"""Gone through to find scopes, which takes a second or two."""

_DIVERSE = 2.0  # times the parameters that a factored model needs, from which on an environment counts as factored


class Reason(NamedTuple):
    """A possible ingredient of the answer.

    Attributes:
        what: It is.
        finding: What was measured, in words.
        holds: Whether the ingredient is there; None if nothing was measured that tells.
    """

    what: str
    finding: str
    holds: bool | None


def reasons(
    question: Question, decision: Decision, runs: Mapping[str, Sequence[StoredRun]]
) -> list[Reason]:
    """What is known of each ingredient."""
    return [_factored(question), _perfect(question, decision), _learned(decision.agent, runs)]


def in_words(found: Sequence[Reason], decision: Decision) -> str:
    """Which ingredient the measurements support, or that none stands out."""
    there = [reason.what for reason in found if reason.holds]
    if decision.answer == "undecided":
        return "Nothing is decided, so that there is nothing to explain yet."
    if decision.answer == "model":
        if not there:
            return "No ingredient that was measured stands out."
        return f"The measurements speak for: {'; '.join(there)}."
    missing = [reason.what for reason in found if reason.holds is False]
    if not missing:
        return "No ingredient that was measured is missing."
    return f"What is missing, of what was measured: {'; '.join(missing)}."


def _factored(question: Question) -> Reason:
    what = "the environment is factored"
    if question.gymnasium:
        return Reason(what, "the scopes of an environment of Gymnasium cannot be read off", None)
    from tabular import enumerate_factors, factored_structure

    name = question.settings(question.agents[0], 0).env
    size = min(SIZES.get(name, (OPEN_GRID_SIZE,)))
    rule = readable_environment(name, size)
    try:
        structure = factored_structure(enumerate_factors(rule, max_states=MOST_STATES))
    except ValueError:
        return Reason(
            what, f"too many states to go through; mbgen env scopes {name} takes the time", None
        )
    times = structure.table_parameters / structure.factored_parameters
    return Reason(
        what,
        f"at size {size} a table has {times:.3g} times the parameters of a factored model",
        times >= _DIVERSE,
    )


def _perfect(question: Question, decision: Decision) -> Reason:
    what = "the perfect model helps"
    if "perfect" not in question.agents:
        return Reason(what, "not asked; --agents er simple perfect asks it", None)
    pair = next(pair for pair in decision.pairs if pair.first == "perfect")
    return Reason(what, _told(pair), (pair.difference > 0) if pair.different else None)


def _told(pair: Pair) -> str:
    sure = "told apart" if pair.different else "not told apart"
    return f"{pair.first} less {pair.second}: {pair.difference:.4g} ({pair.low:.4g} to {pair.high:.4g}), {sure}"


def _learned(agent: str, runs: Mapping[str, Sequence[StoredRun]]) -> Reason:
    what = "the model learns"
    losses = []
    for run in runs.get(agent, ()):
        if isinstance(run.measured, Measured) and run.settings.learned:
            rows = run.measured.model_loss[np.isfinite(run.measured.model_loss).any(axis=1)]
            if len(rows) > 1:
                losses.append([np.nanmean(rows[0]), np.nanmean(rows[-1])])
    if not losses:
        return Reason(what, f"{agent} learns no model, or was not measured often enough", None)
    first, last = np.mean(losses, axis=0)
    return Reason(
        what,
        f"the loss of {agent}'s model on what it has seen goes from {first:.3g} to {last:.3g}",
        bool(last < first),
    )
