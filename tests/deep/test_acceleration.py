"""What acceleration asks of the process."""

import subprocess
import sys

import pytest
import torch

from deep.acceleration import Acceleration

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


class Stream:
    def wait_stream(self, other):
        pass


def test_a_failed_capture_puts_the_stream_back_and_keeps_its_cause(monkeypatch):
    before, current = Stream(), []

    class GraphThatCannotEnd:
        """As CUDA's: after an error, its end fails too, and its stream stays current."""

        def __init__(self, graph, stream):
            self.stream = stream

        def __enter__(self):
            current.append(self.stream)

        def __exit__(self, *_):
            raise RuntimeError("capture_end")

    class StreamContext:
        def __init__(self, entered):
            self.entered = entered

        def __enter__(self):
            self.left = current[-1]
            current.append(self.entered)

        def __exit__(self, *_):
            current.append(self.left)

    current.append(before)
    monkeypatch.setattr("deep.acceleration._capture_stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: current[-1])
    monkeypatch.setattr(torch.cuda, "stream", StreamContext)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", GraphThatCannotEnd)
    calls = iter(range(4))

    def function():
        if next(calls) == 3:
            raise ArithmeticError("the cause")

    with pytest.raises(RuntimeError, match="capture_end") as raised:
        Acceleration(captured=True).capture(function, (torch.zeros(1),))
    assert isinstance(raised.value.__context__, ArithmeticError)
    assert current[-1] is before
