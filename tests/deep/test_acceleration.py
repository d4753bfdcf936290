"""What acceleration asks of the process."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from deep.acceleration import keep_freed_memory
if {keep} and not keep_freed_memory():
    raise SystemExit(3)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(10_000_000)
before = faults()
for _ in range(100):
    torch.ones(10_000_000)
print(faults() - before)
"""


def faults(keep):
    """Pages that a hundred tensors of 40 MB take anew, one freed before the next is made."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(keep=keep)], capture_output=True, text=True
    )
    if done.returncode == 3:
        pytest.skip("needs glibc")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the page faults of Linux")
def test_memory_that_was_freed_is_used_again():
    assert faults(keep=True) < faults(keep=False) / 10
