"""Tasks whose runs count (`counting_run.py`), and whether they are done."""

import sys
from pathlib import Path

from experiments.sweep.task import Task

SCRIPT = str(Path(__file__).with_name("counting_run.py"))


def counting_task(results, name, count=1, memory=2**20, pause=0.05):
    folder = results / "study" / name
    command = (sys.executable, SCRIPT, str(folder), str(count), str(pause))
    return Task(f"study/{name}", folder, command, count * pause, memory)


def is_done(task):
    return (task.folder / "summary.json").exists()


def processes(task):
    """The processes that were started for the task's run, the first one first."""
    file = task.folder / "starts"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def break_run(task):
    """Make every process of the task's run fail."""
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / "broken").touch()
