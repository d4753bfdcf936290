"""A folder is held by one process, and a crash lets it go."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiments.storage.folder_lock import LOCK, is_locked, lock

HOLD = """
import sys, time
from pathlib import Path
from experiments.storage.folder_lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_a_kill(tmp_path):
    folder = tmp_path / "run"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    assert is_locked(folder)
    with pytest.raises(ValueError, match="is in use: another process works there"), lock(folder):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert not is_locked(folder)
    with lock(folder):
        assert is_locked(folder)


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"), lock(tmp_path / "file" / "run"):
        pass


def test_whoever_only_looks_refuses_nobody(tmp_path):
    with lock(tmp_path):
        pass
    with (tmp_path / LOCK).open() as looking, ThreadPoolExecutor() as pool:
        fcntl.flock(looking, fcntl.LOCK_SH)
        pool.submit(lambda: (time.sleep(0.05), fcntl.flock(looking, fcntl.LOCK_UN)))
        with lock(tmp_path):
            assert is_locked(tmp_path)
