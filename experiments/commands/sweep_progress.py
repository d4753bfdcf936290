"""How far a sweep is: a bar on a terminal, a line for each event elsewhere; and what went wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from experiments.sweep.local import Standing
from experiments.sweep.run_log import RunLog
from experiments.sweep.task import Task

SHOWN_RUNS = 4
_TAIL = 5


@contextmanager
def shown_progress() -> Iterator[tuple[Callable[[Standing], None], Callable[[str], None]]]:
    """Within, the two functions to tell where the sweep stands and what happened."""
    screen = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.fields[done]} of {task.total} runs"),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}", markup=False),
        console=screen,
        transient=True,
    )
    task = bar.add_task("starting", total=None, done=0, left="")
    last: list[Standing] = []

    def report(standing: Standing) -> None:
        last[:] = [standing]
        shown = [
            f"{name} {share:.0%}" for name, share in list(standing.running.items())[:SHOWN_RUNS]
        ]
        more = len(standing.running) - len(shown)
        bar.update(
            task,
            total=standing.total,
            completed=standing.done,
            done=standing.done,
            left=f"{in_words(standing.seconds_left)} left",
            description=", ".join(shown) + (f" and {more} more" if more else ""),
        )

    def tell(event: str) -> None:
        place = ""
        if last:
            place = f"[{last[0].done}/{last[0].total}, {in_words(last[0].seconds_left)} left] "
        line = f"{time.strftime('%H:%M:%S')} {place}{event}"
        if screen.is_terminal:
            bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    with bar if screen.is_terminal else nullcontext():
        yield report, tell


def in_words(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 3.5 h, 2.1 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86400:.1f} days"


def tell_failed(failed: Sequence[Task], logs: Path) -> None:
    """Print the end of the log of each run that failed."""
    for task in failed:
        print(f"mbgen: {task.id} failed; the end of its log:", file=sys.stderr)
        print(RunLog.of(task.id, logs).tail(_TAIL), file=sys.stderr)
