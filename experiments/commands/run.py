"""One agent in one environment, learning online in many lanes: `mbgen run`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.commands.arguments import Json
from experiments.commands.terminal import cell, console, facts, progress
from experiments.interrupts import asked_to_stop
from experiments.runs.gym_settings import env_arguments, gym_settings, is_gym
from experiments.runs.lane_settings import require_integer, require_one_of
from experiments.runs.run_folder import finished_summary
from experiments.runs.scales import EXTENTS, SCALES
from experiments.runs.settings import run_settings
from experiments.runs.stored_settings import Settings, read_settings
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import REGIMES

if TYPE_CHECKING:
    from experiments.runs.execution import Moment


_GYMNASIUMS_ALONE = ("env_arg", "keys", "levels", "evaluation_episodes", "evaluation_steps")
_PAPERS_ALONE = (
    "clipped_logit_sampling", "stale_reset_observation", "spontaneous", "event", "counterfactual",
    "model_quality", "structured", "gate_price", "gate_noise", "value_steps",
)  # fmt: skip


@dataclass(frozen=True)
class What:
    """What is run: either a file of settings, or an agent, an environment, its size and a regime.

    Attributes:
        settings: JSON file of a run's settings, as its config.json or a sweep has them; then nothing
            else of this is given.
        agent: er, simple, categorical, gaussian or perfect.
        env: PanFlute, ButtonGrid, ProcMaze or OpenGrid, in any case; or any environment of Gymnasium,
            gym:ID, or gym:MODULE:ID where a module registers it. Its observations must be features of
            0 and 1 or small whole numbers.
        size: Pipes, buttons, or grid size; not with gym:ID.
        env_arg: With gym:ID: KEY=VALUE for each argument that the environment is made with.
        keys: With gym:ID: look at these keys of a Dict observation alone.
        levels: With gym:ID: values of each number in a Box observation, where the Box declares more.
        evaluation_episodes: With gym:ID: episodes of an evaluation in each lane; 10 if not given.
        evaluation_steps: With gym:ID: the most steps of such an episode; 1,000 if not given.
        regime: high (one update a step) or low (ten).
        scale: smoke (seconds), desk (minutes to an hour), paper (the default).
        lanes: Independent runs side by side; 30 at the scale paper, 5 at desk, 2 at smoke.
        seed: Seed of the first lane, 0 if not given; the next ones count up.
        steps: Environment steps of each lane; by the scale and the regime if not given.
        step_size: Step size of the Q-network; the tuned one if not given (on OpenGrid, where none
            was tuned, ProcMaze's).
        temperature: Temperature of the softmax behaviour; the tuned one if not given.
        precision: Of products: highest, high or bf16; auto, the default, is the fastest on this machine.
        rollout_length: Steps of a rollout, a divisor of 320; 10 if not given, and 1 for er.
        model_batch_size: Replayed transitions that a learned model learns from in an update; 32 if not given.
        buffer: Transitions that a lane remembers; 100,000 if not given.
        clipped_logit_sampling: A quirk of the authors' code, in the simple model.
        stale_reset_observation: A quirk of the authors' code, in episodic environments.
        spontaneous: Whether spontaneous transitions are on; they are if not given.
        event: The second form of the spontaneous event: redraw in ButtonGrid, terminate in ProcMaze.
        real_share: Of the 320 transitions of a Q update, the share that is replayed beside a learned
            model's; 0 if not given.
        updates_per_step: Updates after each environment step, a divisor of 100, in place of the regime's.
        prioritized: er draws transitions by priority.
        counterfactual: er recombines transitions factor by factor, by known scopes.
        structured: The simple model predicts each feature from a learned few others.
        gate_price: With structured: of each of these few, from 0 to 1 nats a transition; 0.003 if not given.
        gate_noise: With structured: whether they are chosen with noise in learning; they are if not given.
        value_steps: A latent model learns from trajectories of so many steps, 1 to 10, rewards, ends and values alone.
        model_quality: At the end measure what a learned model gets right, of states seen and new.
    """

    settings: Path | None = None
    agent: str | None = None
    env: str | None = None
    size: int | None = None
    env_arg: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    levels: int | None = None
    evaluation_episodes: int | None = None
    evaluation_steps: int | None = None
    regime: str | None = None
    scale: str | None = None
    lanes: int | None = None
    seed: int | None = None
    steps: int | None = None
    step_size: float | None = None
    temperature: float | None = None
    precision: str | None = None
    rollout_length: int | None = None
    model_batch_size: int | None = None
    buffer: int | None = None
    clipped_logit_sampling: bool | None = None
    stale_reset_observation: bool | None = None
    spontaneous: bool | None = None
    event: str | None = None
    real_share: float | None = None
    updates_per_step: int | None = None
    prioritized: bool | None = None
    counterfactual: bool | None = None
    structured: bool | None = None
    gate_price: float | None = None
    gate_noise: bool | None = None
    value_steps: int | None = None
    model_quality: bool | None = None

    def resolved(self) -> Settings:
        """The settings, with what is left open filled in.

        Raises:
            ValueError: Something is missing, unknown or out of range.
        """
        given = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        if self.settings is not None:
            if others := [_option(name) for name in given if name != "settings"]:
                raise ValueError(f"--settings says all that is run, but {others[0]} is given too")
            return read_settings(self.settings)
        gymnasium = self.env is not None and is_gym(self.env)
        for name in ("size", *_PAPERS_ALONE) if gymnasium else _GYMNASIUMS_ALONE:
            if name in given:
                whose = "is of the paper's environments" if gymnasium else "goes with --env gym:ID"
                raise ValueError(f"{_option(name)} {whose}, got --env {self.env}")
        needed = ("agent", "env", "regime") if gymnasium else ("agent", "env", "size", "regime")
        if missing := [_option(name) for name in needed if name not in given]:
            raise ValueError(f"what is to be run? {', '.join(missing)} missing; or give --settings")
        scale = given.pop("scale", "paper")
        require_one_of("scale", scale, SCALES)
        require_one_of("regime", self.regime, REGIMES)
        usual = EXTENTS[scale][given["regime"]]
        if gymnasium:
            given["env_args"] = env_arguments(given.pop("env_arg", ()))
            given["keys"] = ",".join(given.pop("keys", ()))
            lanes = given.pop("lanes", usual.lanes)
            seed = given.pop("seed", 0)
            return gym_settings(lanes=lanes, seed=seed, given={"steps": usual.steps} | given)
        return run_settings(**{"lanes": usual.lanes, "steps": usual.steps} | given)


def run(
    what: What,
    *,
    out: Path,
    device: str = "auto",
    acceleration: str = "auto",
    threads: int | None = None,
    checkpoint_minutes: float = 5.0,
    tensorboard: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    json: Json = None,
) -> int:
    """An agent learns online in many lanes at once; its learning curve, and checkpoints to go on from.

    Exit status 130 if interrupted, after a checkpoint: the same command with --resume goes on.

    Args:
        what: What is run.
        out: Folder of the results.
        device: cpu, cuda, or auto: a GPU if there is one; a run gone on with stays where it began.
        acceleration: auto, none, compile, kernels or graph; auto compiles on a CPU what is long enough to
            pay, with kernels for bf16 if the processor suits them.
        threads: Threads of the CPU; torch's own choice if not given.
        checkpoint_minutes: Between checkpoints, which are written at evaluations; 0 is at each.
        tensorboard: Also write the curves for TensorBoard, into the folder.
        resume: Go on with the run in the folder.
        overwrite: Replace the run in the folder.
        json: Write the summary as JSON; "-" is standard output.
    """
    if not 0 <= checkpoint_minutes < math.inf:
        raise ValueError(f"checkpoint_minutes is {checkpoint_minutes}; accepted: 0 or more")
    if tensorboard and find_spec("tensorboard") is None:
        raise ValueError("--tensorboard needs tensorboard, which is not installed")
    settings = what.resolved()
    require_writable(json)
    screen = console(json)
    if resume and not overwrite and (summary := finished_summary(settings, out)):
        screen.print(f"The run in {out} is complete: {settings.steps:,} steps.")
        write_json(summary, json)
        return 0
    with asked_to_stop() as interrupted:
        _use_threads(threads)
        from experiments.runs.execution import execute
        from experiments.runs.machine import memory_bytes

        screen.print(
            facts(f"mbgen run: {settings.title}", _before(settings, memory_bytes(settings)))
        )
        with (
            progress("starting") as show,
            _tensorboard(out / "tensorboard" if tensorboard else None) as recorded,
        ):

            def report(moment: Moment) -> None:
                text = f"{moment.speed:,.0f} steps/s, performance {cell(moment.performance)}"
                show(moment.steps / settings.steps, text)
                recorded(moment)

            outcome = execute(
                settings,
                out,
                device=device,
                acceleration=acceleration,
                resume=resume,
                overwrite=overwrite,
                checkpoint_seconds=60 * checkpoint_minutes,
                interrupted=interrupted,
                report=report,
            )
    if outcome.restarted:
        print(
            f"mbgen: lanes {', '.join(map(str, outcome.restarted))} began a new episode: the "
            "environment does not repeat itself for the same seed and actions",
            file=sys.stderr,
        )
    if outcome.summary is None:
        print(
            f"mbgen: interrupted after {outcome.steps:,} of {settings.steps:,} steps; "
            "--resume goes on",
            file=sys.stderr,
        )
        return 130
    screen.print(facts("Final performance", _after(outcome.summary)))
    for lane in outcome.summary["diverged"]:
        print(
            f"mbgen: lane {lane['lane']} (seed {lane['seed']}) diverged: no performance from "
            f"step {lane['step']} on",
            file=sys.stderr,
        )
    write_json(outcome.summary, json)
    return 0


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        require_integer("threads", threads, 1, 4096)
        import torch

        torch.set_num_threads(threads)


def _before(settings: Settings, memory: dict[str, int]) -> list[tuple[str, object]]:
    parts = ", ".join(f"{name} {size / 2**20:,.0f}" for name, size in memory.items())
    return [
        ("lanes", len(settings.seeds)),
        ("steps of a lane", settings.steps),
        ("updates of a lane", settings.updates),
        ("step size", _range(settings.step_sizes)),
        ("temperature", _range(settings.temperatures)),
        ("memory, about", f"{sum(memory.values()) / 2**20:,.0f} MiB: {parts}"),
    ]


def _range(values: tuple[float, ...]) -> object:
    low, high = min(values), max(values)
    return low if low == high else f"{cell(low)} to {cell(high)}"


def _after(summary: dict[str, Any]) -> list[tuple[str, object]]:
    reference, place = summary["reference"], summary["provenance"]["place"]
    width = summary["half_width"]
    interval = "" if width is None else f" ± {cell(width)}"
    return [
        (f"mean of {summary['lanes_in_mean']} lanes", f"{cell(summary['mean'])}{interval}"),
        ("optimal", reference["optimal"]),
        ("uniformly random", reference["uniform"]),
        ("diverged lanes", len(summary["diverged"])),
        ("on", f"{place['device_name']}, {place['precision']}, {place['acceleration']}"),
        ("steps a second, all lanes", summary["lane_steps_per_second"]),
    ]


@contextmanager
def _tensorboard(folder: Path | None) -> Iterator[Callable[[Moment], None]]:
    """Each evaluation as scalars in that folder; a resumed run hides what it measures again."""
    if folder is None:
        yield lambda _: None
        return
    from torch.utils.tensorboard import SummaryWriter

    writer: SummaryWriter | None = None

    def record(moment: Moment) -> None:
        nonlocal writer
        if writer is None:
            writer = SummaryWriter(folder, purge_step=moment.steps)
        if moment.evaluated:
            for name, column in moment.measured._asdict().items():
                if name != "step":
                    for lane, value in enumerate(column[-1]):
                        writer.add_scalar(f"{name}/lane {lane}", value, moment.steps)

    try:
        yield record
    finally:
        if writer is not None:
            writer.close()
