"""A sweep whose processes are killed again and again: `python -m tests.experiments.sweep.soak --runs 200 --kills 50`.

At random moments the sweep itself or one of its runs gets a SIGKILL; a sweep that is gone is started again. In the end
every run must be finished, nothing half-written and no process left, and runs that are made once more without any
disturbance must have the same bits. Linux alone, as it looks for processes in /proc.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.runs.execution import execute
from experiments.runs.run_folder import METRICS
from experiments.runs.settings import run_settings
from experiments.storage.parquet_table import read_table
from experiments.studies.study import PlannedRun
from experiments.sweep.manifest import write_manifest
from tests.experiments.runs.killed_runs import TINY

LONGEST_PAUSE = 8.0  # seconds between two kills
COMPARED = 5


def planned_runs(count):
    agents = ("er", "simple")
    return [
        PlannedRun(f"soak/{k}", run_settings(**TINY | {"agent": agents[k % 2], "seed": 2 * k}))
        for k in range(count)
    ]


def processes(folder):
    """Processes that name the folder, but this one, with whether each is the sweep."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if any(os.fsencode(folder) in word for word in words):
            found[int(entry.name)] = b"sweep" in words
    return found


def start(manifest, folder, workers):
    words = [
        "sweep",
        manifest,
        "--results",
        folder,
        "--workers",
        str(workers),
        "--device",
        "cpu",
        "--retries",
        "50",
    ]
    with (folder / "soak.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "experiments", *map(str, words)], stdout=log, stderr=log
        )


def soak(folder, runs, kills, workers, seed):
    chance, killed = random.Random(seed), {True: 0, False: 0}
    manifest = folder / "runs.jsonl"
    write_manifest(manifest, runs)
    sweep = start(manifest, folder, workers)
    while sum(killed.values()) < kills and sweep.poll() is None:
        time.sleep(chance.uniform(0.5, LONGEST_PAUSE))
        there = processes(folder)
        if all(there.values()):  # runs have not begun yet
            continue
        victim = chance.choice(sorted(there))
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed[there[victim]] += 1
        if there[victim]:
            sweep.wait()
            sweep = start(manifest, folder, workers)
    return sweep.wait(), killed


def faults(folder, runs, status):
    """What is not as it should be, in words."""
    if status != 0:
        yield f"the sweep ended with exit status {status}"
    results = folder / "runs"
    for run in runs:
        if not (results / run.id / "summary.json").exists():
            yield f"{run.id} is not finished"
    yield from (f"left half-written: {path}" for path in results.rglob("*.part"))
    yield from (f"a process is left: {number}" for number in processes(folder))
    for run in runs[:: max(1, len(runs) // COMPARED)]:
        again = folder / "undisturbed" / run.id
        again.parent.mkdir(parents=True, exist_ok=True)
        execute(run.settings, again, device="cpu")
        one, other = (
            read_table(place / run.id / METRICS)[0] for place in (results, folder / "undisturbed")
        )
        same = one.keys() == other.keys() and all(
            np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
            for name in one
        )
        if not same:
            yield f"{run.id} differs from the same run undisturbed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("runs", 200), ("kills", 50), ("workers", 2), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder, runs = Path(name), planned_runs(options.runs)
        status, killed = soak(folder, runs, options.kills, options.workers, options.seed)
        found = list(faults(folder, runs, status))
        if found:
            print((folder / "soak.log").read_text(errors="replace")[-2000:])
    print("\n".join(found) or "all runs are finished and whole")
    print(
        f"{len(runs)} runs, {killed[False]} of them and {killed[True]} sweeps killed, {time.monotonic() - began:.0f} s"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
