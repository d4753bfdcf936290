"""Intervals cover as often as they say where their assumptions hold, and it is said where they do not."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.analysis.interval_coverage import DISTRIBUTIONS, SEEDS, Coverage, interval_coverage
from experiments.analysis.statistics import CONFIDENCE
from experiments.cli import main

SAMPLES, BOOTSTRAPPED = 4_000, 24
FOUND = {
    (each.interval, each.data, each.seeds): each
    for each in interval_coverage(SAMPLES, BOOTSTRAPPED, seeds=(3, 10))
}
STORED = Path(__file__).parents[3] / "results" / "intervals.json"


def unlikely(coverage, other=CONFIDENCE):
    """Whether a simulation of so many samples would hardly ever cover so rarely, or so often."""
    hits = round(coverage.covered * coverage.samples)
    return stats.binomtest(hits, coverage.samples, other).pvalue < 1e-4


@pytest.mark.parametrize("seeds", [3, 10])
def test_students_interval_covers_normal_data_as_often_as_it_says(seeds):
    assert not unlikely(FOUND["mean, Student", "normal", seeds])


def test_students_interval_covers_skewed_and_tied_data_too_rarely_with_few_seeds():
    for data in ("skewed", "tied"):
        coverage = FOUND["mean, Student", data, 3]
        assert unlikely(coverage)
        assert coverage.covered < CONFIDENCE
        assert coverage.too_low > coverage.too_high  # the long tail is seen too rarely


@pytest.mark.parametrize("seeds", [3, 10])
def test_welchs_intervals_cover_normal_data_nearly_as_often_as_they_say(seeds):
    for interval in ("difference, Welch", "difference of differences, Welch"):
        assert FOUND[interval, "normal", seeds].covered == pytest.approx(CONFIDENCE, abs=0.03)


@pytest.mark.parametrize("seeds", [3, 10])
def test_the_exact_interval_of_a_proportion_covers_at_least_as_often_as_it_says(seeds):
    assert FOUND["proportion, exact", "tied", seeds].covered >= CONFIDENCE


def test_a_bootstrap_of_three_seeds_is_too_short():
    for interval in ("mean of 2 tasks, bootstrap", "interquartile mean of 2 tasks, bootstrap"):
        assert FOUND[interval, "normal", 3].covered < CONFIDENCE


def test_what_is_missed_is_above_or_below():
    for each in FOUND.values():
        assert each.covered + each.too_high + each.too_low == pytest.approx(1.0)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_has_the_mean_that_it_says(name):
    data = DISTRIBUTIONS[name]
    drawn = data.draw(np.random.default_rng(0), (40_000,))
    assert drawn.mean() == pytest.approx(data.mean, abs=5 * drawn.std() / 200)


def test_what_is_stored_is_what_a_smaller_simulation_finds_again():
    stored = json.loads(STORED.read_text("utf-8"))
    kept = {
        (each["interval"], each["data"], each["seeds"]): Coverage(**each)
        for each in stored["coverage"]
    }
    assert {seeds for *_, seeds in kept} == set(SEEDS)
    assert set(FOUND) <= set(kept)
    for key, each in FOUND.items():
        spread = (each.covered * (1 - each.covered) / each.samples) ** 0.5
        assert (
            abs(each.covered - kept[key].covered) < 5 * spread + 0.06 * (each.samples < 100) + 0.01
        )


def test_the_command_prints_a_line_for_each_interval_and_distribution(capsys):
    assert main(["intervals", "--samples", "100", "--bootstrapped", "10", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {(each["interval"], each["data"]) for each in told["coverage"]} == {
        key[:2] for key in FOUND
    }


@pytest.mark.parametrize("words", [("--samples", "9"), ("--bootstrapped", "0"), ("--seed", "-1")])
def test_a_size_that_is_none_is_refused_on_one_line(capsys, words):
    assert main(["intervals", *words]) == 2
    assert f"is {words[1]}; accepted" in capsys.readouterr().err
