"""Commands that write pages, killed again and again: `python -m tests.experiments.soak --kills 50`.

Each is forked from this process, which has carried it out once, and gets a SIGKILL at a random moment of the time that
it takes undisturbed. Whatever it writes must then be there as it was before, or new and whole; and in the end, left
alone, it must write what it writes undisturbed. The runs of the question are made up: `tests.experiments.sweep.soak`
kills those of a sweep.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from operator import ne
from pathlib import Path

from experiments.cli import main as mbgen
from experiments.commands import ask
from experiments.runs.stored_settings import read_settings
from experiments.storage.whole_files import PART
from experiments.studies.study import PlannedRun
from experiments.sweep.local import Ended
from tests.experiments.questions.made_up_runs import finish

RESULTS = Path(__file__).parents[2] / "results"
OLD = b"what was there before"
LEVELS = {"er": 0.0, "simple": 0.6, "perfect": 0.5}
COMMANDS = {
    "claims --results results --out claims.md --json claims.json": ("claims.md", "claims.json"),
    "report --results results --out report": ("report/index.html",),
    "theorem explore push-tree --out page.html": ("page.html",),
    "ask --env PanFlute --size 2 --scale smoke --out question": ("question/answer.json",),
}
"""By command, the files that it writes and that are the same each time."""


def made_up(tasks, logs, *, done, **_):
    """Carries out the runs of a question at once, each at the level of its agent."""
    for task in tasks:
        if not done(task):
            settings = read_settings(task.folder / "config.json")
            out = task.folder.parents[task.id.count("/")]
            finish(PlannedRun(task.id, settings), out, LEVELS[settings.agent])
    return Ended(tuple(tasks), (), (), None)


def started(words, folder):
    """The process of a command that works in the folder and says nothing."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            os.chdir(folder)
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            status = mbgen(words.split())
        finally:
            os._exit(status)
    return child


def undisturbed(words, paths, folder):
    """What the command leaves at the paths, and how many seconds it takes."""
    began = time.monotonic()
    _, status = os.waitpid(started(words, folder), 0)
    if status:
        raise RuntimeError(f"mbgen {words} ended with {os.waitstatus_to_exitcode(status)}")
    return [(folder / path).read_bytes() for path in paths], time.monotonic() - began


def laid_out(folder):
    """A folder with some results, as a command is to find it."""
    shutil.copytree(RESULTS / "theorem", folder / "results" / "theorem")
    shutil.copytree(RESULTS / "desk" / "smoothing", folder / "results" / "desk" / "smoothing")
    return folder


def soak(words, paths, folder, kills, chance):
    """Faults in words; how often which of the files were new, or the command was done before it was killed."""
    first = laid_out(folder / "undisturbed")
    with chdir(first), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        mbgen(words.split())  # imports what its forks then need not
    whole, seconds = undisturbed(words, paths, first)
    place, found, faults = laid_out(folder / "killed"), Counter(), []
    for _ in range(kills):
        before = [OLD if (place / path).exists() else None for path in paths]
        for path, old in zip(paths, before, strict=True):
            if old is not None:
                (place / path).write_bytes(old)
        child = started(words, place)
        time.sleep(chance.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        there = [(place / path).read_bytes() if (place / path).exists() else None for path in paths]
        faults += [
            f"mbgen {words}: {path} is neither the old file nor the new one"
            for path, old, new, one in zip(paths, before, whole, there, strict=True)
            if one not in (old, new)
        ]
        found["killed" if os.WIFSIGNALED(status) else "done before"] += 1
        found["new files"] += sum(map(ne, before, there))
    found["left half-written"] = len(list(place.rglob(f"{PART}*")))
    if undisturbed(words, paths, place)[0] != whole:
        faults.append(
            f"mbgen {words}: after the kills it does not write what it writes undisturbed"
        )
    return faults, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("kills", 50), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    chance, faults = random.Random(options.seed), []
    ask.carry_out = made_up
    for number, (words, paths) in enumerate(COMMANDS.items()):
        with tempfile.TemporaryDirectory() as name:
            kills = len(range(number, options.kills, len(COMMANDS)))
            wrong, found = soak(words, paths, Path(name), kills, chance)
        print(f"mbgen {words}: {', '.join(f'{key} {n}' for key, n in found.items())}", flush=True)
        faults += wrong
    print("\n".join(faults) or "every file is the old one or the new one, whole")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
