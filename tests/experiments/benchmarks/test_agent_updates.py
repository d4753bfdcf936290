"""`mbgen bench deep`: what it counts, and what it refuses."""

import json

import pytest

pytest.importorskip("torch")

from experiments.benchmarks.measurement import Measurement
from experiments.cli import main


def test_the_benchmark_counts_what_it_measures(capsys):
    arguments = ["--agents", "er", "--lanes", "1", "--acceleration", "none", "--seconds", "0.1"]
    assert main(["bench", "deep", *arguments, "--json", "-"]) == 0
    (figure,) = json.loads(capsys.readouterr().out)["figures"]
    # 320 transitions; the target, and forward and backward twice but for the first layer's input.
    forward = 2 * 320 * (64 * 200 + 2 * 200 * 200 + 200 * 5)
    assert figure["gflop_a_lane"] == (4 * forward - 2 * 320 * 64 * 200) / 1e9
    assert figure["value"] == pytest.approx(
        figure["gflop_a_lane"] / figure["ms_a_lane"] * 1e3 / figure["gflop_a_second"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agents", "dqn"], "agent is 'dqn'; accepted: er, simple"),
        (["--lanes", "0"], "lanes are (0,); accepted"),
        (["--seconds", "0"], "seconds is 0.0; accepted"),
        (["--precision", "fp8"], "precision is 'fp8'; accepted"),
        (["--acceleration", "magic"], "acceleration must be one of"),
    ],
)
def test_the_benchmark_refuses_what_it_does_not_know(capsys, arguments, message):
    assert main(["bench", "deep", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_was_measured_until_an_interrupt_is_told(capsys, monkeypatch):
    def measured(name, count, *_):
        if count == 8:
            raise KeyboardInterrupt
        return Measurement(name, 0.5, "of the rate", details={"lanes": count})

    monkeypatch.setattr("experiments.benchmarks.agent_updates.measure", measured)
    few = ["bench", "deep", "--acceleration", "none", "--agents", "er", "--lanes"]
    assert main([*few, "1", "8", "--json", "-"]) == 130
    assert [each["lanes"] for each in json.loads(capsys.readouterr().out)["figures"]] == [1]
    assert main([*few, "8"]) == 130
    assert "interrupted" in capsys.readouterr().err
