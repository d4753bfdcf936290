"""A run of an online agent in a folder of its own: measured, stored, and gone on with after any end.

The folder holds config.json (what is run), metrics.parquet (what was measured at each evaluation),
summary.json, figure.png, and checkpoint/state.safetensors, from which the other files follow: it
holds the state of the loop and everything measured so far. A run that was killed and is resumed
measures on a CPU, bit for bit, what it would have measured otherwise.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from deep import checkpoint
from deep.acceleration import Acceleration, keep_freed_memory, product_precision
from deep.online_loop import OnlineLoop
from deep.tensor_tree import tensors
from experiments.analysis.statistics import mean_interval
from experiments.figures.learning_curves import draw_learning_curve
from experiments.runs.settings import RunSettings
from experiments.storage.json_files import plain, write_json
from experiments.storage.parquet_table import versions, write_table
from experiments.storage.whole_files import require_folder

FINAL_EVALUATIONS = 10
"""The last evaluations of a lane, whose mean is its final performance."""
NAMES = ("config.json", "metrics.parquet", "summary.json", "figure.png")
CHECKPOINT = Path("checkpoint") / "state.safetensors"


class Measured(NamedTuple):
    """What was measured, a row for each evaluation.

    Attributes:
        step: When; environment steps of a lane.
        performance: Of the greedy policy; NaN once the lane has diverged.
        reward: Mean of a training step since the row before.
        episodes: Ended in training since then.
        q_loss: Mean of an update since then; NaN if there was none.
        model_loss: Likewise; 0 for a model that learns nothing.
    """

    step: Int[np.ndarray, " evaluation"]
    performance: Float[np.ndarray, "evaluation lane"]
    reward: Float[np.ndarray, "evaluation lane"]
    episodes: Float[np.ndarray, "evaluation lane"]
    q_loss: Float[np.ndarray, "evaluation lane"]
    model_loss: Float[np.ndarray, "evaluation lane"]


class Reference(NamedTuple):
    """Performance of the best and of the uniformly random policy, and halves of their intervals."""

    optimal: float
    optimal_half_width: float
    uniform: float
    uniform_half_width: float


class Moment(NamedTuple):
    """What is told while a run goes on.

    Attributes:
        steps: Of a lane, so far.
        speed: Steps of a lane in a second.
        measured: So far.
        evaluated: Whether the last row of it is new.
    """

    steps: int
    speed: float
    measured: Measured
    evaluated: bool

    @property
    def performance(self) -> float | None:
        """Of the last evaluation: mean over the lanes that have not diverged; None if there is none."""
        last = self.measured.performance[-1:]
        known = last[~np.isnan(last)]
        return float(known.mean()) if len(known) else None


@dataclass(frozen=True)
class Outcome:
    """How a call of `execute` ended.

    Attributes:
        steps: Of a lane, so far.
        finished: Whether these are all.
        measured: In this call and in those before.
        summary: What summary.json holds; None unless finished.
    """

    steps: int
    finished: bool
    measured: Measured
    summary: dict[str, Any] | None


class Run:
    """A loop with what it has measured."""

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        captured = settings.acceleration == "graph"
        how = Acceleration(
            compiled=captured or settings.acceleration == "compile", captured=captured
        )
        agent, protocol = settings.built_agent(), settings.protocol()
        self.loop = OnlineLoop(agent, protocol, settings.lanes(), how)
        nothing = np.zeros((0, len(settings.seeds)))
        self.measured = Measured(np.zeros(0, np.int64), *[nothing] * (len(Measured._fields) - 1))

    @property
    def steps(self) -> int:
        """So far, of a lane."""
        return self.loop.steps

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.steps == self.settings.steps

    def advance(self) -> bool:
        """Go on to the next copy to the target network or evaluation; whether there was one."""
        settings, loop = self.settings, self.loop
        period, interval = loop.protocol.target_period, settings.evaluation_interval
        left = (each - self.steps % each for each in (period, interval))
        loop.advance(min(*left, settings.steps - self.steps))
        due = self.finished or self.steps % interval == 0
        if due:
            self._evaluate()
        return due

    def _evaluate(self) -> None:
        before = int(self.measured.step[-1]) if len(self.measured.step) else 0
        performance = _numbers(self.loop.evaluate())
        failed = ~self.loop.finite().cpu().numpy() | ~np.isfinite(performance)
        if len(self.measured.step):
            failed |= np.isnan(self.measured.performance[-1])
        tally = self.loop.take_tally()
        protocol = self.loop.protocol
        updates = protocol.updates(self.steps) - protocol.updates(before)
        losses = (
            _numbers(loss) / updates if updates else np.nan * performance for loss in tally[2:]
        )
        row = (
            np.where(failed, np.nan, performance),
            _numbers(tally.reward) / (self.steps - before),
            _numbers(tally.episodes),
            *losses,
        )
        self.measured = Measured(
            np.append(self.measured.step, self.steps),
            *(np.vstack(pair) for pair in zip(self.measured[1:], row, strict=True)),
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Raises:
            ValueError: It cannot be written; the one before is then untouched.
        """
        state = {f"state.{name}": leaf for name, leaf in tensors(self.loop.state).items()}
        measured = {
            f"measured.{name}": torch.from_numpy(column)
            for name, column in self.measured._asdict().items()
        }
        checkpoint.save(path, state | measured, self.settings.stored())

    def load(self, path: Path) -> None:
        """Go back to a checkpoint.

        Raises:
            ValueError: It cannot be read, or is another run's.
        """
        held, stored = checkpoint.load(path)
        require_same(self.settings, stored, path)
        self.loop.load(_below("state.", held))
        columns = _below("measured.", held)
        self.measured = Measured(*(columns[name].numpy() for name in Measured._fields))


def execute(
    settings: RunSettings,
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 300.0,
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Moment], None] | None = None,
) -> Outcome:
    """Run, or go on with a run, until it is done or interrupted.

    Args:
        settings: What is run.
        out: Its folder.
        resume: Go on from the checkpoint in the folder; from the start if there is none yet.
        overwrite: Begin anew in a folder that holds a run.
        checkpoint_seconds: A checkpoint is written at the first evaluation after so many.
        interrupted: Asked between segments; if true, a checkpoint is written and the call ends.
        report: Told how far it is, after each segment.

    Raises:
        ValueError: The folder is not fit, holds another run, or cannot be written to; or the run
            needs more memory than there is.
    """
    require_memory(settings)
    if settings.device == "cpu":
        keep_freed_memory()
    run = Run(settings)
    prepare_folder(settings, out, resume=resume, overwrite=overwrite)
    path = out / CHECKPOINT
    if path.exists():
        run.load(path)
    start, first = time.monotonic(), run.steps
    saved = start
    with product_precision(settings.precision):
        while not run.finished and not interrupted():
            due = run.advance()
            now = time.monotonic()
            speed = (run.steps - first) / (now - start)
            if report:
                report(Moment(run.steps, speed, run.measured, due))
            if due and now - saved >= checkpoint_seconds and not run.finished:
                run.save(path)
                saved = time.monotonic()
    if run.steps > first:
        run.save(path)
    if not run.finished:
        return Outcome(run.steps, False, run.measured, None)
    taken = run.steps - first
    overall = taken / (time.monotonic() - start) if taken else None
    summary = _write_results(settings, run.measured, out, overall)
    return Outcome(run.steps, True, run.measured, summary)


def finished_summary(settings: RunSettings, out: Path) -> dict[str, Any] | None:
    """The summary of this run if the folder holds all its results, else None.

    Raises:
        ValueError: It holds another run.
    """
    if not all((out / name).exists() for name in NAMES):
        return None
    require_same(settings, _json(out / "config.json").get("settings"), out / "config.json")
    return _json(out / "summary.json")


def prepare_folder(settings: RunSettings, out: Path, *, resume: bool, overwrite: bool) -> None:
    """Make the folder and write config.json, or see that those there are this run's.

    Raises:
        ValueError: The folder is not fit, or is another run's.
    """
    if resume and overwrite:
        raise ValueError("--resume goes on with a run and --overwrite begins anew: give one")
    config = out / "config.json"
    if resume and out.is_dir():
        for part in out.glob(".mbgen-*"):  # left by a kill
            part.unlink()
        if config.exists():
            require_same(settings, _json(config).get("settings"), config)
            (out / CHECKPOINT).parent.mkdir(exist_ok=True)
            return
    require_folder(out, overwrite=overwrite)
    try:
        out.mkdir(exist_ok=True)
        for name in (CHECKPOINT, *NAMES):  # without its checkpoint a run just begins anew
            (out / name).unlink(missing_ok=True)
        write_json(config_of(settings), str(config))
        (out / CHECKPOINT).parent.mkdir(exist_ok=True)
    except OSError as error:
        raise ValueError(f"{out} cannot be written: {error.strerror}") from None


def config_of(settings: RunSettings) -> dict[str, Any]:
    """What config.json holds."""
    return {
        "settings": settings.stored(),
        "seeds": settings.seeds,
        "acceleration": settings.acceleration,
        "device": settings.device,
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def require_same(settings: RunSettings, stored: Any, where: Path) -> None:
    """Refuse what belongs to a run of other settings.

    Raises:
        ValueError: naming a setting, its stored and its given value.
    """
    given = settings.stored()
    if not isinstance(stored, dict) or stored.keys() != given.keys():
        raise ValueError(f"{where} holds no settings of a run; accepted: those that a run wrote")
    for name, value in given.items():
        if stored[name] != value:
            raise ValueError(f"{where} is of a run with {name} {stored[name]}, got {value}")


def memory_bytes(settings: RunSettings) -> dict[str, int]:
    """What a run holds on its device, from shapes; what passes through an update is estimated."""
    agent = settings.built_agent()
    lanes, features = len(settings.seeds), agent.model.environment.num_features
    networks = (agent.q_network, *agent.model.networks)
    parameters = 4 * lanes * sum(network.num_parameters for network in networks)
    units = sum(
        network.heads * (network.inputs + 2 * network.depth * network.width) for network in networks
    )
    return {
        "buffer": lanes * min(settings.buffer, settings.steps) * (2 * features + 6),
        "parameters": parameters + 4 * lanes * agent.q_network.num_parameters,
        "moments": 2 * parameters,
        # Gradients; and the layers of 320 transitions, forward and backward.
        "updates": parameters + 2 * 4 * lanes * 320 * units,
    }


def require_memory(settings: RunSettings) -> None:
    """Refuse a run that needs more memory than the device has.

    Raises:
        ValueError: naming both.
    """
    needed = sum(memory_bytes(settings).values())
    if settings.device == "cuda":
        there = torch.cuda.get_device_properties(0).total_memory
    else:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise ValueError(
            f"the run needs about {needed / 2**30:.1f} GiB and {settings.device} has "
            f"{there / 2**30:.1f}: fewer lanes or a smaller buffer need less"
        )


def reference_of(settings: RunSettings) -> Reference:
    """How well the best and the uniformly random policy do in the same evaluation."""
    from tabular import environment, reference_performance

    played = environment(settings.env, settings.size, spontaneous=settings.spontaneous)
    best = reference_performance(played, "optimal", samples=200)
    uniform = reference_performance(played, "uniform", samples=200)
    return Reference(best.value, best.half_width, uniform.value, uniform.half_width)


def summary_of(
    settings: RunSettings, measured: Measured, reference: Reference, speed: float | None
) -> dict[str, Any]:
    """What summary.json holds; `speed` in steps of a lane a second."""
    final = measured.performance[-FINAL_EVALUATIONS:].mean(axis=0)
    interval = mean_interval(final)
    diverged = np.isnan(measured.performance[-1])
    return {
        "agent": settings.agent,
        "env": settings.env,
        "size": settings.size,
        "regime": settings.regime,
        "steps": settings.steps,
        "evaluations": len(measured.step),
        "final_evaluations": min(FINAL_EVALUATIONS, len(measured.step)),
        "final_performance": final.tolist(),
        "mean": float(interval.estimate),
        "half_width": float(interval.half_width),
        "lanes": len(settings.seeds),
        "lanes_in_mean": int(interval.seeds),
        "diverged": [
            {
                "lane": int(lane),
                "seed": settings.seeds[lane],
                "step": _first_missing(measured, int(lane)),
            }
            for lane in np.flatnonzero(diverged)
        ],
        "reference": reference._asdict(),
        "steps_per_second": speed,
        "lane_steps_per_second": None if speed is None else speed * len(settings.seeds),
    }


def _write_results(
    settings: RunSettings, measured: Measured, out: Path, speed: float | None
) -> dict[str, Any]:
    evaluations, lanes = measured.performance.shape
    columns = {
        "lane": np.tile(np.arange(lanes), evaluations),
        "seed": np.tile(np.array(settings.seeds), evaluations),
        "step": np.repeat(measured.step, lanes),
    } | {
        name: np.ma.masked_invalid(column.ravel())  # null in the file
        for name, column in measured._asdict().items()
        if name != "step"
    }
    write_table(out / "metrics.parquet", columns, settings.stored())
    reference = reference_of(settings)
    draw_learning_curve(
        out / "figure.png",
        settings.title,
        measured.step,
        measured.performance.T,
        optimal=reference.optimal,
        uniform=reference.uniform,
    )
    summary: dict[str, Any] = plain(summary_of(settings, measured, reference, speed))
    write_json(summary, str(out / "summary.json"))
    return summary


def _numbers(tensor: Tensor) -> Float[np.ndarray, " lane"]:
    return tensor.double().cpu().numpy()


def _below(prefix: str, held: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in held.items()
        if name.startswith(prefix)
    }


def _first_missing(measured: Measured, lane: int) -> int:
    return int(measured.step[np.isnan(measured.performance[:, lane]).argmax()])


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}
