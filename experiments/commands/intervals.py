"""How far the intervals can be trusted: `mbgen intervals`."""

from __future__ import annotations

from experiments.analysis.interval_coverage import (
    DISTRIBUTIONS,
    SEEDS,
    coverage_table,
    interval_coverage,
)
from experiments.commands.arguments import Json
from experiments.commands.terminal import console, progress, table
from experiments.storage.json_files import write_json
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import require_writable


def intervals(
    *, samples: int = 20_000, bootstrapped: int = 1_000, seed: int = 0, json: Json = None
) -> int:
    """How often each 95 % interval covers the truth, by simulation: with few seeds, skewed data and ties.

    Args:
        samples: How many to simulate for each line, at least 100.
        bootstrapped: How many where the interval is a bootstrap's, at least 10.
        seed: Of the simulation.
        json: Write every coverage as JSON; "-" is standard output.
    """
    for name, value, least in (("samples", samples, 100), ("bootstrapped", bootstrapped, 10)):
        if value < least:
            raise ValueError(f"{name} is {value}; accepted: {least} or more")
    if seed < 0:
        raise ValueError(f"seed is {seed}; accepted: 0 or more")
    require_writable(json)
    found = []
    with progress("simulating") as report_progress:
        lines = len(SEEDS) * (6 * len(DISTRIBUTIONS) + 1)
        for coverage in interval_coverage(samples, bootstrapped, seed=seed):
            found.append(coverage)
            report_progress(len(found) / lines)
    screen = console(json)
    screen.print(table("Share of samples whose interval covers the truth", *coverage_table(found)))
    for data in DISTRIBUTIONS.values():
        screen.print(f"  {data.about}")
    content = {
        "samples": samples,
        "bootstrapped": bootstrapped,
        "seed": seed,
        "coverage": [each._asdict() for each in found],
        "provenance": provenance(),
    }
    write_json(content, json)
    return 0
