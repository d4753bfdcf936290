"""One task in a process of its own: `python -m experiments.gpu_check.worker DEVICE SCRATCH TASK`.

Prints a line of JSON for each finding. Before it measures speed it prints `TURN`, and waits for a line on standard
input: then the device does nothing else.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import cast

import torch

from deep.layers import Precision
from experiments.gpu_check.findings import Facts, failure
from experiments.gpu_check.host_sync import never_waits
from experiments.gpu_check.loop import size_on
from experiments.gpu_check.parity import same_agent, same_draws, same_transitions
from experiments.gpu_check.tasks import TURN, Case, Task
from experiments.gpu_check.update_speed import update_speed


def find(task: Task, case: Case, device: torch.device, scratch: Path) -> Facts:
    """Do what the case asks; a failure is a finding too."""
    start = time.monotonic()
    try:
        facts = {"ok": True} | _work(task, case, device, scratch)()
    except Exception as error:  # noqa: BLE001  # what fails is a finding, and the others go on
        facts = failure(error)
    seconds = round(time.monotonic() - start, 3)
    found = {"stage": case.stage, "case": case.name, "on": device.type}
    return found | facts | {"seconds": seconds}


def _work(task: Task, case: Case, device: torch.device, scratch: Path) -> Callable[[], Facts]:
    size = size_on(device)
    if task.agent is None:
        if case.name == "draws":
            return partial(same_draws, device, size)
        return partial(same_transitions, case.name, device, size)
    match case.stage:
        case "parity":
            return partial(same_agent, task.agent, task.way, device, size, scratch)
        case "sync":
            return partial(never_waits, task.agent, task.way, device, size)
    precision = cast("Precision", task.precision)
    return partial(update_speed, task.agent, task.way, precision, task.lanes, device, size)


def main(device: str, scratch: str, text: str) -> int:
    """Make the findings of a task; 1 if whoever gives turns has gone."""
    told = sys.stdout
    task = Task.read(text)
    with redirect_stdout(sys.stderr):  # what libraries print is no finding
        for case in task.cases:
            if case.stage == "speed":
                print(TURN, file=told, flush=True)
                if not sys.stdin.readline():
                    return 1
            found = find(task, case, torch.device(device), Path(scratch))
            print(json.dumps(found), file=told, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
