"""What only a machine with a GPU can tell: whether results agree there, whether anything waits, how fast it is.

    python -m experiments.gpu_check --out results/gpu

Runs from the source tree, without installation. Each finding is one line of JSON, on standard output and at the end
of `findings.jsonl` in the folder given, from the moment it is made; what is well there is not checked again.
"""

from __future__ import annotations

import argparse
import math
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from os import environ
from pathlib import Path

import torch

from experiments.gpu_check.findings import Facts, Findings
from experiments.gpu_check.loop import size_on
from experiments.gpu_check.processes import carry_out
from experiments.gpu_check.tasks import AGENTS, PRECISIONS, STAGES, WAYS, waves

SECONDS = 360.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the checks that were asked for.

    Returns:
        0, 1 if something found is not well, or 2 if the findings of the folder cannot be read or written.
    """
    options = _options(arguments)
    deadline = time.monotonic() + options.seconds
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "--device cuda: torch finds no GPU; --device cpu tries everything but the GPU"
        )
    findings = Findings(options.out)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        well = findings.well(device.type)
    except (OSError, ValueError) as error:
        print(f"--out {options.out}: {error}", file=sys.stderr)
        return 2
    findings.tell({"stage": "machine", "case": "", "ok": True} | machine(device))
    left = carry_out(
        waves(
            options.agents,
            options.ways or ways_on(device),
            options.precisions,
            size_on(device).speed_lanes,
            options.stages,
        ),
        device.type,
        deadline,
        findings.tell,
        set() if options.again else well,
    )
    if left:
        cases = [" ".join(case) for case in left]
        findings.tell({"stage": "left", "case": "", "ok": True, "cases": cases})
    return 0 if findings.all_well else 1


def ways_on(device: torch.device) -> tuple[str, ...]:
    """The ways that a machine has: all on a GPU, where the lack of a compiler is a finding."""
    if device.type == "cuda":
        return WAYS
    return ("compile", "eager") if shutil.which(environ.get("CXX", "g++")) else ("eager",)


def machine(device: torch.device) -> Facts:
    """What it is found on."""
    facts: Facts = {"python": platform.python_version(), "torch": torch.__version__}
    if device.type != "cuda":
        return facts | {"device": platform.machine(), "threads": torch.get_num_threads()}
    properties = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    return facts | {
        "device": properties.name,
        "gib": total / 2**30,
        "free_gib": free / 2**30,
        "cuda": torch.version.cuda,
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.gpu_check", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="folder of findings")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--stages", nargs="+", default=STAGES, choices=STAGES)
    parser.add_argument("--agents", nargs="+", default=AGENTS, choices=AGENTS)
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, help="default: all that this machine can"
    )
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="stop whatever goes on after so many"
    )
    parser.add_argument(
        "--again", action="store_true", help="also what was found to be well before"
    )
    options = parser.parse_args(arguments)
    if not math.isfinite(options.seconds):
        parser.error(f"argument --seconds: a number, got {options.seconds:g}")
    return options


if __name__ == "__main__":
    sys.exit(main())
