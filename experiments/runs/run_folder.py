"""The folder of a run: what it holds, in one place; `stored_run` reads what was measured. It needs no torch.

    config.json       what is run; where it runs; who worked on it, and how long
    metrics.parquet   what was measured at each evaluation, as of the last checkpoint
    greedy_action.parquet   on fixed data: the greedy action in each evaluation cell, at each evaluation
    forecasts.parquet   where asked for: what the model expects in the end, by active pipe ends
    model_quality.parquet   where asked for: what the model gets right in the end, of seen and of new states
    learned_scopes.parquet   likewise, of a structured model: what it reads
    progress.json     how far it is, and how fast; gone once it is finished
    summary.json      final performance; its presence says that the run is finished
    figure.png        the learning curve
    checkpoint/       from which a run that was cut short goes on

Every file is whole or absent. config.json and metrics.parquet carry the settings both, and readers
refuse a folder in which they differ. Whoever writes holds a lock that ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from experiments.runs.forecast_table import FORECASTS
from experiments.runs.quality_table import (
    LEARNED_SCOPES,
    MODEL_QUALITY,
)
from experiments.runs.stored_settings import Settings, stored_settings
from experiments.storage.folder_lock import LOCK, is_locked
from experiments.storage.json_files import read_json, write_json
from experiments.storage.provenance import RESULTS_VERSION
from experiments.storage.whole_files import PART, names_in, require_folder

CONFIG, METRICS, SUMMARY = "config.json", "metrics.parquet", "summary.json"
PROGRESS, FIGURE = "progress.json", "figure.png"
GREEDY = "greedy_action.parquet"
CHECKPOINT = Path("checkpoint") / "state.safetensors"
_MEASURED_APART = (GREEDY, FORECASTS, MODEL_QUALITY, LEARNED_SCOPES)


def require_fit(out: Path, settings: Settings, *, resume: bool, overwrite: bool) -> bool:
    """See that a run may begin or go on in the folder; nothing is written.

    Args:
        out: The folder.
        settings: What is to be run there.
        resume: Whether to go on with what is there.
        overwrite: Whether to begin anew in place of what is there.

    Returns:
        Whether the run has begun there, and is to be gone on with.

    Raises:
        ValueError: The folder holds something else, or what is there may not be touched.
    """
    if resume and overwrite:
        raise ValueError("--resume goes on with a run and --overwrite begins anew: give one")
    if resume and (out / CONFIG).exists():
        require_same(settings, read_config(out)["settings"], out / CONFIG)
        return True
    untouched = out.is_dir() and names_in(out) == {LOCK}
    if not untouched:
        require_folder(out, overwrite=overwrite)
    return False


def lay_out(out: Path, settings: Settings) -> None:
    """Write the config.json of a run that is to begin, without the files of one that was here."""
    try:
        clear_parts(out)
        for name in (CHECKPOINT, CONFIG, METRICS, SUMMARY, PROGRESS, FIGURE, *_MEASURED_APART):
            (out / name).unlink(missing_ok=True)
        (out / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
        write_config(out, settings, None, [])
    except OSError as error:
        raise ValueError(f"{out} cannot be written: {error.strerror}") from None


def clear_parts(out: Path) -> None:
    """Remove what a killed process had half written."""
    for part in out.glob(f"{PART}*"):
        part.unlink(missing_ok=True)


def write_config(
    out: Path,
    settings: Settings,
    place: Mapping[str, Any] | None,
    sittings: list[dict[str, Any]],
) -> None:
    """Write config.json.

    Args:
        out: The run's folder.
        settings: What is run.
        place: Where it runs; None before it has begun.
        sittings: Each process that worked on it: its provenance, its first step, and its seconds.
    """
    content = {
        "settings": settings.stored(),
        "digest": settings.digest,
        "place": place,
        "sittings": sittings,
    }
    write_json(content, str(out / CONFIG))


def read_config(out: Path) -> dict[str, Any]:
    """The content of config.json.

    Raises:
        ValueError: There is none, or it is no run's.
    """
    return _written(out / CONFIG, "config", _is_config)


def read_summary(out: Path) -> dict[str, Any]:
    """The content of summary.json.

    Raises:
        ValueError: There is none, or it is no run's.
    """
    return _written(out / SUMMARY, "summary", _is_summary)


def _written(path: Path, what: str, is_one: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    found = read_json(path)
    if not is_one(found):
        raise ValueError(f"{path} is no {what} of a run; accepted: what mbgen wrote")
    return found


def _is_config(found: dict[str, Any]) -> bool:
    sittings = found.get("sittings")
    return (
        {"settings", "digest", "place"} <= found.keys()
        and isinstance(sittings, list)
        and all(isinstance(each, dict) and "results_version" in each for each in sittings)
    )


def _is_summary(found: dict[str, Any]) -> bool:
    seconds = found.get("seconds")
    took = isinstance(seconds, (int, float)) and seconds > 0
    return took and isinstance(found.get("reference"), dict)


def require_same(settings: Settings, stored: object, where: Path) -> None:
    """Refuse what belongs to a run of other settings.

    Raises:
        ValueError: naming a setting, its stored and its given value.
    """
    try:
        other = stored_settings(stored)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if other.kind != settings.kind:
        raise ValueError(f"{where} is of a run of the kind {other.kind}, got {settings.kind}")
    for field in fields(settings):  # those too that are not stored where they are as usual
        theirs, ours = (
            list(value) if isinstance(value, tuple) else value
            for value in (getattr(each, field.name) for each in (other, settings))
        )
        if theirs != ours:
            raise ValueError(f"{where} is of a run with {field.name} {theirs}, got {ours}")


def finished_summary(settings: Settings, out: Path) -> dict[str, Any] | None:
    """The summary of this run if the folder holds all its results, else None.

    Raises:
        ValueError: The folder holds another run.
    """
    if not (out / CONFIG).exists():
        return None
    require_same(settings, read_config(out)["settings"], out / CONFIG)
    if not has_results(out):
        return None
    return read_summary(out)


def has_results(out: Path) -> bool:
    """Whether a run wrote all there, which it does at its end."""
    return all((out / name).exists() for name in (METRICS, SUMMARY))


State = Literal["not begun", "running", "cut short", "finished", "older version"]


def state_of(out: Path, settings: Settings) -> State:
    """Where a run stands, by its folder alone.

    Returns:
        "older version" if it has finished, or has come as far as a checkpoint, with code whose results
        are of another version.

    Raises:
        ValueError: The folder holds another run, or what is there cannot be read.
    """
    if not (out / CONFIG).exists():
        return "not begun"
    config = read_config(out)
    require_same(settings, config["settings"], out / CONFIG)
    if is_locked(out):
        return "running"
    finished = has_results(out)
    if not finished and not (out / CHECKPOINT).exists():
        return "not begun"
    if any(sitting["results_version"] != RESULTS_VERSION for sitting in config["sittings"]):
        return "older version"
    return "finished" if finished else "cut short"


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        steps: Environment steps of a lane, so far.
        total: Environment steps of a lane, in all.
        speed: Steps of a lane in a second, since its process began.
    """

    steps: int
    total: int
    speed: float

    @property
    def seconds_left(self) -> float | None:
        """How long still; None if it has not moved yet."""
        return (self.total - self.steps) / self.speed if self.speed else None


def write_progress(out: Path, steps: int, total: int, speed: float) -> None:
    """Say how far the run is."""
    write_json(Progress(steps, total, speed)._asdict(), str(out / PROGRESS))


def read_progress(out: Path) -> Progress | None:
    """How far the run said it was, if it did."""
    try:
        said = Progress(**read_json(out / PROGRESS))
    except (ValueError, TypeError):
        return None
    numbers = all(isinstance(each, (int, float)) for each in said)
    return said if numbers and 0 <= said.steps <= said.total and said.total > 0 else None
