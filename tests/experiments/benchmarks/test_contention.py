"""`mbgen bench contention`: what it measures, what it refuses, and that it leaves no busy process behind."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch

from experiments.benchmarks import contention
from experiments.benchmarks.contention import TOLERANCE, busy_processes, fair_share
from experiments.cli import main

QUICK = ["--lanes", "1", "--acceleration", "none", "--seconds", "0.1", "--busy", "1"]


@pytest.fixture
def started(monkeypatch):
    """The processes that the benchmark starts."""
    found, real = [], subprocess.Popen

    def popen(*arguments, **options):
        found.append(real(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(contention.subprocess, "Popen", popen)
    return found


@pytest.mark.parametrize(
    ("threads", "busy", "cores", "share"),
    [
        (1, 1, 2, 1),
        (2, 1, 2, 2 / 3),
        (1, 1, 1, 1 / 2),
        (2, 1, 4, 1),
        (4, 1, 2, 4 / 5),
        (1, 3, 2, 1 / 2),
    ],
)
def test_the_share_is_that_of_the_cores_which_threads_have_alone(threads, busy, cores, share):
    assert fair_share(threads, busy, cores) == pytest.approx(share)


def test_updates_are_measured_alone_and_beside_a_busy_process_that_is_ended(capsys, started):
    before = torch.get_num_threads()
    status = main(["bench", "contention", *QUICK, "--threads", "1", "--json", "-"])
    told = json.loads(capsys.readouterr().out)
    (figure,) = told["figures"]
    assert (figure["what"], told["agent"], told["busy"]) == ("1 thread", "er", 1)
    assert figure["value"] == pytest.approx(figure["ms_beside"] / figure["ms_alone"])
    assert figure["share"] == fair_share(1, 1, told["cores"])
    assert figure["target"] == f"below {TOLERANCE / figure['share']:g}"
    assert status == int(not figure["met"])
    assert torch.get_num_threads() == before
    (process,) = started
    assert process.returncode is not None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_busy_process_works_and_is_held_as_it_is_told(started):
    with busy_processes(1) as let_work:
        (process,) = started
        for work, states in ((False, "T"), (True, "RS"), (False, "T")):
            let_work(work)
            wait_for(lambda process=process, states=states: state(process) in states)
    assert process.returncode is not None


def state(process):
    """As the kernel has it: R runs, S sleeps, T is held."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_interrupt_ends_the_busy_process(capsys, started, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(contention, "best_rates", interrupt)
    assert main(["bench", "contention", *QUICK, "--threads", "1"]) == 130
    (process,) = started
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agent", "dqn"], "agent is 'dqn'; accepted: er, simple"),
        (["--lanes", "0"], "lanes is 0; accepted: 1 or more"),
        (["--threads", "0"], "threads are (0,); accepted"),
        (["--busy", "0"], "busy is 0; accepted: 1 or more"),
        (["--seconds", "0"], "seconds is 0.0; accepted: more than 0"),
        (["--acceleration", "magic"], "acceleration must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused(capsys, started, arguments, message):
    assert main(["bench", "contention", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not started
