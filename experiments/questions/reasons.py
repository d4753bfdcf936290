"""Why a learned model helps, or does not: what was measured beside the answer, and what it supports.

Which reason stands out is a rule that was fixed before any question was asked, in `stands_out`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.analysis.learning_curves import GOOD_SHARE
from experiments.analysis.sequential_answer import Decision, Pair
from experiments.analysis.statistics import difference_interval
from experiments.questions.evidence import scores_of
from experiments.questions.ingredients import INGREDIENTS, known_structure, smallest_size
from experiments.questions.question import REPLAY, Question
from experiments.runs.gym_settings import GymSettings, env_arg_option
from experiments.runs.quality_table import HORIZONS, NOVELTY
from experiments.runs.stored_run import Measured, StoredRun

DIVERSE = 2.0
"""Times the parameters that a factored model needs, from which on an environment counts as factored."""

ACCURATE = 0.8
"""Probability of the whole next state, from which on a model counts as right; events keep it below 1."""

MOST_OF = 0.5
"""Of the model's lead, from which on what has it without a model explains it."""


class Reason(NamedTuple):
    """A possible ingredient of the answer.

    Attributes:
        name: In a word.
        what: It is, in words.
        finding: What was measured, in words.
        holds: Whether the ingredient is there; None if nothing was measured that tells.
        lead: What it leads replay by, if it is an agent.
    """

    name: str
    what: str
    finding: str
    holds: bool | None
    lead: float | None = None


def reasons(
    question: Question,
    decision: Decision,
    runs: Mapping[str, Sequence[StoredRun]],
    beside: Mapping[str, StoredRun | None],
    reference: Mapping[str, float],
) -> list[Reason]:
    """What is known of each ingredient.

    Args:
        question: What is asked.
        decision: What it came to.
        runs: Of the groups that were looked at, by agent.
        beside: The runs that can say why, by ingredient; None is one that has not finished.
        reference: Performance of the best and of the random policy, where known.
    """
    replay = np.concatenate([scores_of(run) for run in runs[REPLAY]])
    return [
        _room(replay, reference),
        factored(question),
        *(_ingredient(name, question, decision, replay, beside) for name in INGREDIENTS),
        _predicts(decision.agent, runs),
        _learned(decision.agent, runs),
    ]


def stands_out(found: Sequence[Reason], decision: Decision) -> str | None:
    """What the measurements support most, in words; None if nothing stands out.

    Of a model's lead: what has half of it or more without a model, the larger first; else that the model predicts
    recombined states; else that the perfect model leads too. Of no lead: that replay leaves no room; else that the
    perfect model does not help either; else that the model does not predict recombined states; else that nothing is
    factored.
    """
    by_name = {reason.name: reason for reason in found}
    if decision.answer == "model":
        lead = decision.pair.difference
        without = [by_name[name] for name in ("counterfactual", "more-updates", "settings")]
        shares = [(each.lead or 0.0) / lead if each.holds else 0.0 for each in without]
        most = int(np.argmax(shares))
        if shares[most] >= MOST_OF:
            told = INGREDIENTS[without[most].name].told
            return f"{told} has {min(shares[most], 1):.0%} of the lead, without a model"
        if by_name["predicts"].holds:
            return "the model predicts recombined states that it never saw"
        return "even an exact model leads replay" if by_name["perfect"].holds else None
    for name, said in (
        ("room", "replay leaves little to gain"),
        ("perfect", "an exact model does not help either"),
        ("predicts", "the model does not predict recombined states"),
        ("factored", "nothing is factored, so that there is little to recombine"),
    ):
        if by_name[name].holds is False:
            return said
    return None


def in_words(found: Sequence[Reason], decision: Decision) -> str:
    """Three sentences: what stands out, what is there, and what is not, or is open."""
    if decision.answer == "undecided":
        return "Nothing is decided, so that there is nothing to explain yet."
    first = stands_out(found, decision)
    there, missing, unknown = (
        "; ".join(reason.what for reason in found if reason.holds is holds)
        for holds in (True, False, None)
    )
    rest = [f"not there: {missing}"] if missing else []
    rest += [f"open: {unknown}"] if unknown else []
    third = "; ".join(rest) or "nothing is missing, and nothing open"
    return (
        f"{f'What stands out is that {first}' if first else 'No ingredient stands out'}. "
        f"{f'Measured and there: {there}' if there else 'Nothing that was measured is there'}. "
        f"{third[0].upper()}{third[1:]}."
    )


def _room(replay: Float[np.ndarray, " seed"], reference: Mapping[str, float]) -> Reason:
    name, what = "room", "replay leaves room"
    if reference.keys() != {"optimal", "uniform"} or reference["optimal"] <= reference["uniform"]:
        return Reason(name, what, "the best and the random policy are not both known", None)
    uniform = reference["uniform"]
    way = (replay.mean() - uniform) / (reference["optimal"] - uniform)
    finding = (
        f"er's score is {way:.0%} of the way from the random policy's to the best"
        if way >= 0
        else f"er's score is {uniform - replay.mean():.4g} below the random policy's"
    )
    return Reason(name, what, finding, bool(way < GOOD_SHARE))


def factored(question: Question) -> Reason:
    """Whether the environment is made of factors, as far as its smallest size tells."""
    name, what = "factored", "the environment is factored"
    settings = question.settings(REPLAY, 0)
    env = settings.env
    if isinstance(settings, GymSettings):
        asked = f"mbgen env scopes {shlex.quote(env)}{env_arg_option(settings.env_args)}"
        told = (
            f"not known here; {asked} --factors NAME=SIZE ... finds the scopes, from a table P or by "
            "exploring what is deterministic"
        )
        return Reason(name, what, told, None)
    structure = known_structure(env)
    if structure is None:
        told = f"too many states to go through; mbgen env scopes {env} takes the time"
        return Reason(name, what, told, None)
    times = structure.table_parameters / structure.factored_parameters
    return Reason(
        name,
        what,
        f"at size {smallest_size(env)} a table has {times:.3g} times the parameters of a factored model",
        times >= DIVERSE,
    )


def _ingredient(
    name: str,
    question: Question,
    decision: Decision,
    replay: Float[np.ndarray, " seed"],
    beside: Mapping[str, StoredRun | None],
) -> Reason:
    """Of an agent that has an ingredient: in the question, or beside it with seeds of its own."""
    what, agent, told = INGREDIENTS[name]
    if agent != REPLAY and agent in question.agents:
        pair = next(pair for pair in decision.pairs if pair.first == agent)
        holds = (pair.difference > 0) if pair.different else None
        return Reason(name, what, _told(pair), holds, pair.difference)
    run = beside.get(name)
    if run is None:
        why = "not run" if name in beside else "cannot be had here"
        return Reason(name, what, f"{told}: {why}", None)
    scores = scores_of(run)
    found = difference_interval(scores, replay)
    low, high, lead = float(found.low), float(found.high), float(found.estimate)
    finding = (
        f"{told} ends {abs(lead):.4g} {'above' if lead >= 0 else 'below'} er "
        f"(95 % interval {low:.4g} to {high:.4g}), by {len(scores)} seeds"
    )
    return Reason(name, what, finding, True if low > 0 else False if high < 0 else None, lead)


def _told(pair: Pair) -> str:
    sure = "told apart" if pair.different else "not told apart"
    return f"{pair.first} less {pair.second}: {pair.difference:.4g} ({pair.low:.4g} to {pair.high:.4g}), {sure}"


def _predicts(agent: str, runs: Mapping[str, Sequence[StoredRun]]) -> Reason:
    """Over all seeds, each test case counting alike."""
    name, what = "predicts", "the model predicts recombined states that it never saw"
    found = [run.model_quality for run in runs.get(agent, ()) if run.model_quality is not None]
    if not found:
        return Reason(name, what, f"what {agent} predicts is not measured here", None)
    cases = np.sum([each.cases.sum(axis=0) for each in found], axis=0)
    right = np.sum([np.nansum(each.cases * each.accuracy, axis=0) for each in found], axis=0)
    with np.errstate(invalid="ignore"):
        accuracy = right / cases  # horizon novelty
    told = [
        f"after {horizon} step{'s' if horizon > 1 else ''}: "
        + ", ".join(
            f"{accuracy[h, n]:.0%} of {int(cases[h, n]):,} {novelty}"
            for n, novelty in enumerate(NOVELTY)
            if cases[h, n]
        )
        for h, horizon in enumerate(HORIZONS)
        if cases[h].any()
    ]
    recombined = accuracy[HORIZONS.index(1), NOVELTY.index("recombined")]
    holds = bool(recombined >= ACCURATE) if np.isfinite(recombined) else None
    return Reason(name, what, f"{agent} has the whole state right {'; '.join(told)}", holds)


def _learned(agent: str, runs: Mapping[str, Sequence[StoredRun]]) -> Reason:
    name, what = "learns", "the model learns"
    losses = []
    for run in runs.get(agent, ()):
        if isinstance(run.measured, Measured) and run.settings.learned:
            rows = run.measured.model_loss[np.isfinite(run.measured.model_loss).any(axis=1)]
            if len(rows) > 1:
                losses.append([np.nanmean(rows[0]), np.nanmean(rows[-1])])
    if not losses:
        told = f"{agent} learns no model, or was not measured often enough"
        return Reason(name, what, told, None)
    first, last = np.mean(losses, axis=0)
    return Reason(
        name,
        what,
        f"the loss of {agent}'s model on what it has seen goes from {first:.3g} to {last:.3g}",
        bool(last < first),
    )
