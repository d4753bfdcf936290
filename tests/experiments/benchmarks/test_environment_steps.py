"""What `mbgen bench environments` measures."""

import json

import pytest

pytest.importorskip("torch")

from experiments.benchmarks.environment_steps import bench_environments


def test_the_benchmark_measures_every_environment_and_the_single_one_beside_it(capsys):
    status = bench_environments(copies=(1, 3), seconds=0.001, repeats=1, json="-")
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert len(figures) == 4 * 3 + 1
    assert {figure["copies"] for figure in figures[:3]} == {None, 1, 3}
    assert all(figure["value"] > 0 for figure in figures)
    assert status == int(any(figure["met"] is False for figure in figures))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"copies": (0,)}, "copies are"),
        ({"repeats": 0}, "repeats is 0"),
        ({"seconds": 0.0}, "seconds is 0.0"),
        ({"threads": 0}, "threads is 0"),
        ({"drawn_at_once": 0}, "drawn_at_once is 0"),
    ],
)
def test_a_benchmark_without_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        bench_environments(**options)
