"""Time that devices were occupied, and schedules of runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.costs import Sitting, Spent, makespan, spent
from experiments.cli import main

times = st.integers(0, 30)


def test_what_overlaps_is_counted_once_and_devices_apart():
    sittings = [
        Sitting("gpu", 0, 10),
        Sitting("gpu", 5, 10),
        Sitting("gpu", 20, 1),
        Sitting("cpu", 0, 3),
    ]
    assert spent(sittings) == [Spent("cpu", 3, 3), Spent("gpu", 21, 16)]


@given(st.lists(st.tuples(times, times), max_size=8))
def test_a_device_is_occupied_in_each_second_in_which_a_run_goes_on(spans):
    seconds = {second for began, length in spans for second in range(began, began + length)}
    found = spent(Sitting("gpu", began, length) for began, length in spans)
    assert sum(each.occupied for each in found) == len(seconds)


def test_a_task_goes_to_the_first_place_that_is_free():
    assert makespan([4, 3, 2, 5], 2) == 9  # 4, then 5 beside 3 and 2
    assert makespan([], 3) == 0


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(1, 5))
def test_a_schedule_lies_between_its_bounds(tasks, places):
    least = max(max(tasks), sum(tasks) / places)
    assert least <= makespan(tasks, places) <= sum(tasks) / places + max(tasks)
    assert makespan(tasks, 1) == sum(tasks)


def test_no_place_is_refused():
    with pytest.raises(ValueError, match="0 places; accepted: 1 or more"):
        makespan([1], 0)


def test_the_command_tells_what_was_spent_and_what_a_scale_needs(capsys, tmp_path):
    assert (
        main(
            ["costs", "--results", str(tmp_path), "--scale", "desk", "--nodes", "3", "--json", "-"]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["took"], told["worth"]) == ([], {})
    whole = {row["study"]: row for row in told["whole"]}
    alone, of_six = whole["all"]["core hours"], whole["all"]["on 3 nodes"]
    assert alone / 6 <= of_six < alone / 2
    assert alone < sum(
        row["core hours"] for name, row in whole.items() if name != "all"
    )  # shared runs count once


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scale", "large"], "scale must be one of smoke, desk, paper, got 'large'"),
        (["--nodes", "0"], "nodes must be a whole number, 1 to 1000000, got 0"),
        (["--cores", "-1"], "cores must be a whole number, 1 to 1000, got -1"),
        (["--results", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_bad_input_is_refused_in_one_line(capsys, words, message):
    assert main(["costs", *words]) == 2
    assert message in capsys.readouterr().err
