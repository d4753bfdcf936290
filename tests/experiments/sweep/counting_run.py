"""Stands in for a run: `python counting_run.py FOLDER COUNT [SECONDS]`, then counts, a number every SECONDS.

As a run does, it goes on from the checkpoint in its folder, writes one when it is interrupted and
exits with status 130, and leaves summary.json when it is done. The folder also lists the processes
that were started for it, and a file `broken` in it makes them fail.
"""

import os
import signal
import sys
import time
from pathlib import Path


def main(folder, count, pause=0.05):
    folder.mkdir(parents=True, exist_ok=True)
    interrupted = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: interrupted.append(number))
    with (folder / "starts").open("a") as file:
        print(os.getpid(), file=file)
    if (folder / "broken").exists():
        print("the disc is on fire")
        return 3
    checkpoint = folder / "checkpoint"
    reached = int(checkpoint.read_text()) if checkpoint.exists() else 0
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
    print(f"counting from {reached} on GPU {gpu}", flush=True)
    while reached < count:
        time.sleep(pause)
        reached += 1
        if (
            interrupted
        ):  # asked for after a number, so that whoever interrupts it early waits for one too
            break
    checkpoint.write_text(str(reached))
    if reached < count:
        return 130
    (folder / "summary.json").write_text("{}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])))
