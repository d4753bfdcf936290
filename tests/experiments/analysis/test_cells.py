"""What a cell comes down to, and how cells are found, ordered and told."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.analysis import cells
from experiments.analysis.cells import VARIANT, Cell, Cells, variant
from experiments.analysis.reference import Reference
from experiments.runs.settings import RunSettings
from tests.experiments.studies.made_up import stored

SEEDS = (0, 1, 2, 3)


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    monkeypatch.setattr(cells, "reference_of", lambda *_: Reference(-4.0, 0.0, -24.0, 0.0))


def settings(agent="er", **others):
    usual = {
        "env": "OpenGrid", "size": 3, "regime": "high", "steps": 5000, "buffer": 5000, "learning_starts": 1000,
        "seeds": SEEDS, "step_sizes": (1e-4,) * 4, "temperatures": (1.0,) * 4,
        "rollout_length": 1 if agent == "er" else 10,
    }  # fmt: skip
    return RunSettings(agent=agent, **usual | others)


def cell(agent="er", level=-14.0, spread=0.0, **others):
    planned = settings(agent, **others)
    return Cell(planned, None if level is None else stored(planned, level, spread))


def test_a_score_is_0_for_the_random_policy_and_1_for_the_best():
    for level, score in ((-24.0, 0.0), (-9.0, 0.75), (-4.0, 1.0)):
        assert cell(level=level).score.tolist() == [score] * 4


def test_seeds_that_end_half_of_the_way_have_taken_off():
    # The lanes end at -1, -0.4, 0 and 0.5 times the spread from the level.
    assert [cell(level=level, spread=1.0).taken_off for level in (-15.0, -14.0, -13.0)] == [0, 2, 4]


def test_a_cell_is_good_at_the_step_at_which_its_mean_first_comes_nine_tenths_of_the_way():
    good, not_quite = cell(level=-6.0), cell(level=-6.1)
    assert good.steps_to_good == good.run.measured.step[0]
    assert not_quite.steps_to_good is None


def test_of_a_cell_that_has_not_finished_nothing_is_known():
    missing = cell(level=None)
    assert (
        missing.final,
        missing.mean,
        missing.score,
        missing.taken_off,
        missing.steps_to_good,
    ) == (None,) * 5
    row = dict(zip(*table_of(missing), strict=True))
    assert row["final"] is row["±"] is row["took off"] is row["optimal"] is row["uniform"] is None


def table_of(*given):
    found = collected(*given)
    columns, rows = found.table()
    return columns, rows[0]


def collected(*given):
    stored_runs = {each.settings.digest: each.run for each in given if each.run is not None}
    return Cells([each.settings for each in given], stored_runs)


def test_cells_are_found_by_what_is_named_and_are_as_usual_in_all_else():
    usual, short, quirky = (
        cell("simple"),
        cell("simple", rollout_length=5),
        cell("simple", real_share=0.5),
    )
    found = collected(short, quirky, usual, cell("er", level=-20.0))
    assert found.find(agent="simple").settings == usual.settings
    assert found.find(agent="simple", rollout_length=5).settings == short.settings
    assert found.find(agent="simple", real_share=0.5).settings == quirky.settings
    assert found.find(agent="simple", real_share=0.25) is None
    assert found.final(agent="er").tolist() == [-20.0] * 4
    assert found.final(agent="gaussian") is None
    assert found.values("rollout_length", agent="simple") == [5, 10]


def test_the_table_goes_by_task_and_within_it_by_agent():
    found = collected(cell("simple", size=4), cell("simple"), cell("er", size=4), cell("er"))
    columns, rows = found.table()
    assert [row[:3] for row in rows] == [
        ["OpenGrid 3", "high", "er"], ["OpenGrid 3", "high", "simple"],
        ["OpenGrid 4", "high", "er"], ["OpenGrid 4", "high", "simple"],
    ]  # fmt: skip
    first = dict(zip(columns, rows[0], strict=True))
    assert (first["seeds"], first["final"], first["optimal"], first["uniform"]) == (
        4,
        -14.0,
        -4.0,
        -24.0,
    )


def test_words_tell_agents_from_the_best_to_the_worst():
    words = collected(cell("er", level=-20.0), cell("simple", level=-5.0)).in_words()
    assert words.index("simple -5") < words.index("er -20")
    assert words.endswith("the best policy -4, the random one -24.")


CHANGED = {
    "spontaneous": (False, "no spontaneous event"),
    "stale_reset_observation": (True, "stale resets"),
    "updates_per_step": (5, "5 updates a step"),
    "prioritized": (True, "by priority"),
    "counterfactual": (True, "recombined"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_variant_is_told_by_what_is_not_as_usual(name):
    value, words = CHANGED[name]
    assert variant(settings("er", **{name: value})) == words


def test_what_is_as_usual_is_not_told():
    assert variant(settings("er")) == variant(settings("simple")) == ""
    assert variant(settings("simple", rollout_length=1)) == "rollouts of 1"
    assert (
        variant(settings("simple", clipped_logit_sampling=True, real_share=0.5))
        == "clipped logits, 50% real"
    )
    assert all(getattr(settings("simple"), name) == value for name, value in VARIANT.items())


def test_over_all_tasks_a_mean_is_over_tasks_that_every_agent_has_finished():
    found = collected(
        cell("er", level=-24.0), cell("simple", level=-14.0),
        cell("er", size=4, level=-14.0), cell("simple", size=4, level=-4.0),
        cell("er", size=5, level=-4.0), cell("simple", size=5, level=None),
    )  # fmt: skip
    columns, rows = found.across_tasks()
    table = {row[1]: dict(zip(columns, row, strict=True)) for row in rows}
    assert (table["er"]["tasks"], table["er"]["mean"], table["simple"]["mean"]) == (2, 0.25, 0.75)
    assert (table["simple"]["improves on ER"], table["er"]["improves on ER"]) == (1.0, None)
    np.testing.assert_allclose([table["er"]["low"], table["er"]["high"]], 0.25)


def test_an_agent_that_is_not_planned_on_all_finished_tasks_is_left_out():
    found = collected(
        cell("er"), cell("simple"), cell("er", size=4), cell("simple", size=4), cell("perfect"),
    )  # fmt: skip
    _, rows = found.across_tasks()
    assert [row[1] for row in rows] == ["er", "simple"]


def test_seeds_that_diverged_are_counted_and_told():
    own, run = settings("er"), stored(settings("er"), -14.0, 0.0)
    performance = run.measured.performance.copy()
    performance[:, 1:3] = np.nan
    diverged = Cell(own, replace(run, measured=run.measured._replace(performance=performance)))
    assert diverged.diverged == 2
    assert float(diverged.mean.estimate) == -14.0
    assert "er -14 ± 0 (2 of 4 seeds diverged)" in collected(diverged).in_words()


def test_an_agent_whose_seeds_all_diverged_is_told_last():
    own, run = settings("er"), stored(settings("er"), -14.0, 0.0)
    nothing = np.full_like(run.measured.performance, np.nan)
    lost = Cell(own, replace(run, measured=run.measured._replace(performance=nothing)))
    words = collected(lost, cell("perfect", level=-20.0), cell("simple", level=-5.0)).in_words()
    assert words.index("simple -5") < words.index("perfect -20") < words.index("er nan")
