"""Runs a tiny run in processes that are killed: `python killed_runs.py FOLDER SEED KILLS`.

The processes are forked from one that has imported torch, so that many fit in a test. Each is killed
with SIGKILL: every third one while the file of a checkpoint is being written, the others after a
random time. The last one is left alone. Prints how often each happened.
"""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from experiments.runs.execution import execute
from experiments.runs.run_folder import CHECKPOINT
from experiments.runs.settings import run_settings

TINY = {
    "agent": "simple",
    "env": "ProcMaze",
    "size": 2,
    "regime": "high",
    "lanes": 2,
    "steps": 40,
    "precision": "highest",
    "learning_starts": 15,
    "evaluation_interval": 10,
}


def fork_run(out):
    child = os.fork()
    if child == 0:
        try:
            execute(run_settings(**TINY), out, device="cpu", resume=True, checkpoint_seconds=0)
            os._exit(0)
        except ValueError as error:
            print(error, file=sys.stderr, flush=True)
        finally:
            os._exit(1)
    return child


def ended(child):
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main(out, seed, kills):
    torch.set_num_threads(1)
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # what is forked has all imported, so that kills reach the work
        for name in ("first", "second"):
            began = time.monotonic()
            execute(run_settings(**TINY), Path(folder) / name, device="cpu", checkpoint_seconds=0)
        whole = time.monotonic() - began
    chance = random.Random(seed)
    part = out / f"{CHECKPOINT}.part"
    killed, writing, finished = 0, 0, 0
    for attempt in range(kills):
        child = fork_run(out)
        while_writing = attempt % 3 == 0
        if not while_writing:
            time.sleep(chance.uniform(0, whole / 2))
        else:
            part.unlink(missing_ok=True)  # left by a kill before; the other attempts keep it
            end = time.monotonic() + 10
            while time.monotonic() < end and not part.exists() and not ended(child):
                time.sleep(1e-4)  # a checkpoint takes milliseconds to write
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        finished += os.WIFEXITED(status)
        writing += while_writing and part.exists()
    _, status = os.waitpid(fork_run(out), 0)
    print(killed, writing, finished)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
