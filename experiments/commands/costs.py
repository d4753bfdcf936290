"""What the studies took, and what a whole scale would take: `mbgen costs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from experiments.analysis.costs import Sitting, makespan, spent
from experiments.commands.arguments import Json, require_results
from experiments.commands.terminal import console, table
from experiments.runs.costs import estimated_seconds
from experiments.runs.lane_settings import require_integer, require_one_of
from experiments.runs.scales import SCALES, ScaleName
from experiments.runs.stored_run import StoredRun, read_run
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.studies.registry import STUDIES
from experiments.studies.study import manifest
from experiments.sweep.plan import by_turn, states_of

_HOUR = 3600.0


def costs(
    *,
    results: Path = Path("results"),
    scale: str = "paper",
    nodes: int = 100,
    cores: int = 2,
    json: Json = None,
) -> int:
    """What finished runs took on which device, and what all runs of a scale would take.

    A run's estimate is the one by which a sweep orders its runs, on one core. What a GPU is worth is measured: the
    estimates of all runs that it made, divided by the hours in which it worked on at least one of them. Machines and
    clusters are filled as a sweep fills them, a run to each core.

    Args:
        results: Folder of the results, with a folder for each scale.
        scale: What is estimated: smoke, desk or paper.
        nodes: Of the cluster.
        cores: Of each node, and of this machine.
        json: Write all of it as JSON; "-" is standard output.
    """
    require_results(results)
    require_one_of("scale", scale, SCALES)
    require_integer("nodes", nodes, 1, 1_000_000)
    require_integer("cores", cores, 1, 1_000)
    require_writable(json)
    screen = console(json)
    finished = _finished(results)
    took = [row for name, own in finished.items() for row in _took(name, own)]
    screen.print(
        table(
            "What finished runs took",
            list(took[0]) if took else ("nothing",),
            [list(row.values()) for row in took],
        )
    )
    worth = _worth([run for own in finished.values() for run in own])
    whole = [
        _needs(name, cast("ScaleName", scale), nodes, cores, worth) for name in (*STUDIES, "all")
    ]
    screen.print(
        table(
            f"What all of scale {scale} would take, in hours",
            list(whole[0]),
            [list(row.values()) for row in whole],
        )
    )
    for device, factor in worth.items():
        screen.print(f"  {device}: {factor:.3g} cores' worth, in finished runs")
    write_json({"took": took, "whole": whole, "worth": worth, "scale": scale}, json)
    return 0


def _finished(results: Path) -> dict[str, list[StoredRun]]:
    """Every finished run once, by the study that its folder is named by."""
    found: dict[str, list[StoredRun]] = {name: [] for name in STUDIES}
    for scale in get_args(ScaleName):
        folder = results / scale
        if not folder.is_dir():
            continue
        for run_id, state in states_of(manifest(STUDIES.values(), scale), folder).items():
            if state == "finished":
                found[run_id.split("/")[0]].append(read_run(folder / run_id))
    return found


def _sittings(run: StoredRun) -> Iterator[Sitting]:
    device = run.provenance["place"]["device_name"]
    for each in run.provenance["sittings"]:
        yield Sitting(device, datetime.fromisoformat(each["started"]).timestamp(), each["seconds"])


def _took(study: str, runs: list[StoredRun]) -> Iterator[dict[str, object]]:
    for on in spent(sitting for run in runs for sitting in _sittings(run)):
        made = sum(run.provenance["place"]["device_name"] == on.device for run in runs)
        yield {
            "study": study, "device": on.device, "runs": made,
            "hours of processes": on.seconds / _HOUR, "hours": on.occupied / _HOUR,
        }  # fmt: skip


def _worth(runs: list[StoredRun]) -> dict[str, float]:
    """For each GPU, how many cores made as much as it did, by the estimates of its finished runs."""
    on_gpu = [run for run in runs if run.provenance["place"]["device"] == "cuda"]
    worth = {}
    for on in spent(sitting for run in on_gpu for sitting in _sittings(run)):
        own = [run for run in on_gpu if run.provenance["place"]["device_name"] == on.device]
        worth[on.device] = sum(estimated_seconds(run.settings) for run in own) / on.occupied
    return worth


def _needs(
    name: str, scale: ScaleName, nodes: int, cores: int, worth: Mapping[str, float]
) -> dict[str, object]:
    planned = manifest(STUDIES.values() if name == "all" else [STUDIES[name]], scale)
    seconds = [estimated_seconds(run.settings) for run in by_turn(planned)]
    return {
        "study": name, "runs": len(seconds), "core hours": sum(seconds) / _HOUR,
        f"on {cores} cores": makespan(seconds, cores) / _HOUR,
        **{device: sum(seconds) / factor / _HOUR for device, factor in worth.items()},
        f"on {nodes} nodes": makespan(seconds, nodes * cores) / _HOUR,
    }  # fmt: skip
