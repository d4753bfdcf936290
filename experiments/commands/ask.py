"""Would a learned model help here? One question, decided by as few seeds as it takes: `mbgen ask`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.analysis.sequential_power import can_decide
from experiments.commands.arguments import Json, budget_seconds
from experiments.commands.ask_output import show_answer, show_plan, write_page
from experiments.commands.sweep_progress import shown_progress, tell_failed
from experiments.commands.terminal import console
from experiments.interrupts import asked_to_stop
from experiments.questions.asking import Asking, group_seconds
from experiments.questions.evidence import is_finished, read_pilot, seconds_of
from experiments.questions.question import (
    ANSWER,
    MOST_GROUPS,
    QUESTION,
    Plan,
    Question,
    begin,
    groups_within,
    keep_plan,
)
from experiments.runs.gym_settings import env_arguments, is_gym
from experiments.runs.lane_settings import DEVICES, require_integer, require_one_of
from experiments.runs.run_folder import state_of
from experiments.runs.scales import EXTENTS, SCALES
from experiments.storage.folder_lock import lock
from experiments.storage.json_files import plain, write_json
from experiments.storage.whole_files import require_writable
from experiments.studies.study import PlannedRun
from experiments.sweep.local import Ended, carry_out
from experiments.sweep.manifest import MANIFEST, add_to_manifest
from experiments.sweep.plan import done_by_folder, lay_out_all, tasks_of
from experiments.sweep.rooms import EXECUTORS, room_on_cores
from experiments.sweep.run_log import LOGS
from experiments.sweep.slurm import USUAL, SlurmOptions, require_slurm, submit
from experiments.tasks import REGIMES, environment_name

GROUPS, SEEDS = 6, 5
"""Thirty seeds of each agent at most, as the paper has, where no budget says otherwise."""

RETRIES = 1


def ask(
    *,
    env: str,
    out: Path,
    size: int | None = None,
    agents: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = ("er", "simple"),
    regime: str = "high",
    scale: str = "desk",
    steps: int | None = None,
    seeds: int = SEEDS,
    groups: int | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    budget: str | None = None,
    env_arg: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
    levels: int | None = None,
    step_size: float | None = None,
    temperature: float | None = None,
    seed: int = 0,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    cluster: SlurmOptions = USUAL,
    json: Json = None,
) -> int:
    """Would a learned model help here? Groups of seeds are run until that is decided, or the budget is spent.

    A short pilot measures what runs cost. After each group of seeds a test looks whether the question is decided;
    it may look so often without answering falsely more often than alpha. Ctrl-C writes checkpoints, and the same
    command goes on. Exit status 0 if it is decided, 1 if not, 130 if interrupted.

    Args:
        env: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case; or any environment of Gymnasium, gym:ID, or
            gym:MODULE:ID where a module registers it.
        out: Folder of the question, with its runs.
        size: Pipes, buttons, or grid size; not with gym:ID.
        agents: er, and one or more of simple, categorical, gaussian and perfect. The answer is about those that learn a
            model; perfect beside them says why.
        regime: high (one update a step) or low (ten).
        scale: How long each seed learns: smoke, desk or paper.
        steps: Environment steps of each seed, in place of the scale's.
        seeds: Of each agent in a group.
        groups: Of seeds, at most; as many as the budget allows, or 6 without one.
        margin: A difference that does not matter; a tenth of the way from random to best if not given, where these are
            known, else none, and then nothing is called equivalent.
        alpha: Probability of a false answer, at most.
        budget: Time for all: seconds, or like 90m, 2h. With Slurm, of all processes together.
        env_arg: With gym:ID: KEY=VALUE for each argument that the environment is made with.
        keys: With gym:ID: look at these keys of a Dict observation alone.
        levels: With gym:ID: values of each number in a Box observation, where the Box declares more.
        step_size: Step size of all Q-networks; of each agent the tuned one if not given.
        temperature: Temperature of all behaviours; likewise.
        seed: Of the question: all seeds and exchanges follow from it.
        executor: local, or slurm: submit the pilot or the next groups and leave; the same command later looks, and
            goes on.
        workers: Runs side by side, each with one thread; as many as there are cores if not given.
        device: Where runs compute: cpu, cuda, or auto, a GPU if there is one.
        cluster: What to ask Slurm for, with --executor slurm.
        json: Write the answer as JSON; "-" is standard output.
    """
    began = time.monotonic()
    require_one_of("scale", scale, SCALES)
    require_one_of("regime", regime, REGIMES)
    require_one_of("executor", executor, EXECUTORS)
    require_one_of("device", device, DEVICES)
    if groups is not None:
        require_integer("groups", groups, 1, MOST_GROUPS)
    if executor != "slurm" and cluster != USUAL:
        raise ValueError(f"options for Slurm are given, but the executor is {executor}")
    seconds, room = budget_seconds(budget), room_on_cores(workers)
    require_writable(json)
    more = _more(
        env, size, env_arg, keys, {"levels": levels, "step_size": step_size, "temperature": temperature}
    )  # fmt: skip
    env = env if is_gym(env) else environment_name(env)
    question = Question(
        agents=tuple(agent.lower() for agent in agents), env=env, size=size, regime=regime,
        steps=EXTENTS[scale][regime].steps if steps is None else steps,
        seeds=seeds, alpha=alpha, margin=margin, seed=seed, more=more,
    )  # fmt: skip
    screen = console(json)
    if not (out / QUESTION).exists():
        _require_environment(question)
        if executor == "slurm":
            require_slurm()
    with lock(out):
        plan = begin(out, question)
        _require_groups(groups, plan, out)
        with asked_to_stop() as interrupted, shown_progress() as (report, tell):

            def carry(
                runs: Sequence[PlannedRun], stop: Callable[[], bool], limit: float | None
            ) -> Ended:
                add_to_manifest(out / MANIFEST, [*question.pilot(), *runs])
                lay_out_all(runs, out, renew=False)
                return carry_out(
                    tasks_of(runs, out, device), out / LOGS, done=done_by_folder(runs),
                    rooms=(room,), retries=RETRIES, budget=limit,
                    interrupted=lambda: interrupted() or stop(), report=report, tell=tell,
                )  # fmt: skip

            def left() -> float | None:
                return None if seconds is None else seconds - (time.monotonic() - began)

            waits = False
            if plan is None and executor == "slurm":
                waits = not all(is_finished(run, out) for run in question.pilot())
                if waits:
                    plan = Plan(groups or GROUPS, margin, None, None)
                else:
                    spent = seconds_of(question.pilot(), out)
                    rest = None if seconds is None else seconds - spent
                    plan = _planned(question, out, groups, rest, 0.0, workers=1)
                    keep_plan(out, question, plan)
            elif plan is None:
                start = time.monotonic()
                _require_done(carry(question.pilot(), lambda: False, left()), out)
                taken = time.monotonic() - start
                plan = _planned(question, out, groups, left(), taken, room.runs)
                keep_plan(out, question, plan)
            show_plan(screen, question, plan)
            asking = Asking(question, plan, out, lambda look: tell(look.told(plan)))
            _require_version(asking)
            ended = beside = None
            if executor == "slurm":
                runs = question.pilot() if waits else _next_runs(asking, seconds)
                _submit(asking, runs, cluster, device)
            else:
                ended = asking.ask(carry, left())
                beside = None if interrupted() else asking.explain(carry, left())
    content = plain(asking.answer())
    write_json(content, str(out / ANSWER))
    show_answer(screen, content)
    write_page(asking, content)
    write_json(content, json)
    return _status(ended, beside, asking, out)


def _more(
    env: str,
    size: int | None,
    env_arg: tuple[str, ...],
    keys: tuple[str, ...],
    others: dict[str, Any],
) -> dict[str, Any]:
    """Further settings of the runs, by name."""
    given = {name: value for name, value in others.items() if value is not None}
    if is_gym(env):
        if size is not None:
            raise ValueError(f"--size is of the paper's environments, got --env {env}")
        return {"env_args": env_arguments(env_arg), "keys": ",".join(keys)} | given
    for name, value in (("--env-arg", env_arg), ("--keys", keys), ("--levels", others["levels"])):
        if value:
            raise ValueError(f"{name} goes with --env gym:ID, got --env {env}")
    return given


def _require_groups(groups: int | None, plan: Plan | None, out: Path) -> None:
    """Refuse fewer groups than were planned before the first look, and tell where the plan has fewer than are given."""
    if plan is None or groups is None or groups == plan.groups:
        return
    if groups < plan.groups:
        raise ValueError(
            f"groups is {groups}, and the question in {out} was planned with {plan.groups}; "
            "accepted: as planned, or another folder"
        )
    print(
        f"mbgen: the question in {out} was planned with {plan.groups} groups at most, and keeps to it",
        file=sys.stderr,
    )


def _require_environment(question: Question) -> None:
    """Refuse an environment of Gymnasium that is none, or that agents cannot see or act in, before anything runs."""
    if question.gymnasium:
        from experiments.runs.assembly import gym_task
        from experiments.runs.gym_settings import GymSettings

        for agent in question.agents:
            settings = question.settings(agent, 0)
            assert isinstance(settings, GymSettings)
            gym_task(settings)


def _require_done(ended: Ended, out: Path) -> None:
    """Go on only when the pilot is complete."""
    if ended.failed:
        tell_failed(ended.failed, out / LOGS)
        raise ValueError(f"{ended.failed[0].id} failed; {out / LOGS} says why")
    if ended.reason == "interrupted":
        raise KeyboardInterrupt
    if ended.left:
        raise ValueError(f"{ended.reason} before the pilot was complete; accepted: more time")


def _planned(
    question: Question,
    out: Path,
    groups: int | None,
    left: float | None,
    taken: float,
    workers: int,
) -> Plan:
    pilot = read_pilot(question, out)
    if not pilot.paid:
        print(
            "mbgen: no agent was paid anything in the pilot; if it stays so, nothing tells them apart",
            file=sys.stderr,
        )
    each = group_seconds(pilot, taken, workers)
    most = (groups or GROUPS) if left is None else groups_within(left, each)
    most = min(most, groups or most)
    if not can_decide(most, question.alpha, question.seeds):
        print(
            f"mbgen: {most} group{'s' * (most > 1)} of {question.seeds} seeds may never tell agents apart at alpha "
            f"{question.alpha:g}, however much they differ; more seeds or groups would",
            file=sys.stderr,
        )
    margin = pilot.margin if question.margin is None else question.margin
    return Plan(most, margin, each, pilot.spread)


def _require_version(asking: Asking) -> None:
    for run in [*asking.planned(), *asking.beside()]:
        if state_of(asking.out / run.id, run.settings) == "older version":
            raise ValueError(
                f"{asking.out / run.id} is of an older results version; accepted: a new folder"
            )


def _next_runs(asking: Asking, seconds: float | None) -> list[PlannedRun]:
    """Of the first group that is not complete, and the one after it; once it is decided, those that say why.

    Args:
        asking: The question.
        seconds: That all its processes may take together; beyond that nothing is run to say why.
    """
    if not asking.over:
        first = len(asking.looks)
        groups = range(first, min(first + 2, asking.plan.groups))
        return [run for group in groups for run in asking.question.group(group)]
    made = [*asking.question.pilot(), *asking.planned()]
    if seconds is not None and seconds_of(made, asking.out) >= seconds:
        return []
    return asking.beside()


def _submit(asking: Asking, runs: Sequence[PlannedRun], cluster: SlurmOptions, device: str) -> None:
    if not runs:
        return
    known = [*asking.question.pilot(), *asking.planned(), *runs]
    add_to_manifest(asking.out / MANIFEST, known)
    lay_out_all(runs, asking.out, renew=False)
    logs = asking.out / LOGS
    tasks = tasks_of(runs, asking.out, device)
    found = submit(tasks, logs, cluster, done=done_by_folder(runs), retries=RETRIES)
    print(
        f"mbgen: {len(found.missing)} runs submitted, {len(found.queued)} on their way; "
        "the same command looks again",
        file=sys.stderr,
    )
    tell_failed(found.failed, logs)


def _status(ended: Ended | None, beside: Ended | None, asking: Asking, out: Path) -> int:
    for each in (ended, beside):
        if each is not None and each.failed:
            tell_failed(each.failed, out / LOGS)
    cut = beside if asking.decided else ended
    if cut is not None and cut.reason is not None and (asking.decided or not asking.over):
        print(f"mbgen: {cut.reason}; the same command goes on", file=sys.stderr)
        if cut.reason == "interrupted":
            return 130
    return 0 if asking.decided else 1
