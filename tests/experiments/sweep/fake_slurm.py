"""Slurm, whose programs are played by one of our own."""

import json
import os
import sys

from experiments.sweep import slurm

# Plays sbatch and squeue: notes how it was called, fails as it was told to, and keeps a queue.
PROGRAM = """#!{python} -SE
import json, sys
from pathlib import Path
folder, name = Path({folder!r}), Path(sys.argv[0]).name
with (folder / f"{{name}}.calls").open("a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
troubles = json.loads((folder / f"{{name}}.troubles").read_text())
obeyed, said = troubles.pop(0) if troubles else (True, "")
(folder / f"{{name}}.troubles").write_text(json.dumps(troubles))
queue = folder / "queue"
if name == "sbatch" and obeyed:
    given = dict(argument[2:].split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    last = int(given["array"].split("%")[0].split("-")[1])
    with queue.open("a") as file:
        for index in range(last + 1):
            print(index, given["job-name"], file=file)
if name == "squeue" and obeyed:
    print("N/A another job of mine")
    print(queue.read_text(), end="")
sys.exit(said or 0)
"""


class FakeSlurm:
    def __init__(self, folder):
        self.folder = folder
        for name in ("sbatch", "squeue"):
            program = folder / name
            program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
            program.chmod(0o755)
            self.trouble(name)
        self.empty_queue()

    def trouble(self, name, *troubles):
        """The next answers of a program: whether it does as it is told, and what it complains of."""
        (self.folder / f"{name}.troubles").write_text(json.dumps(troubles))

    def empty_queue(self):
        (self.folder / "queue").write_text("")

    def calls(self, name):
        file = self.folder / f"{name}.calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def queued(self):
        return len((self.folder / "queue").read_text().splitlines())


def played(folder, monkeypatch):
    """Its programs in a folder, found before any others."""
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm, "PAUSES", (0.0, 0.0))
    return FakeSlurm(folder)
