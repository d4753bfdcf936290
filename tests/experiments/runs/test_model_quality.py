"""What a run stores of its model's quality: from the buffer it has, over cases that can be counted."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from deep import Agent, Lanes, OnlineLoop, PerfectModel, Protocol, SimpleModel
from deep.environments import OpenGrid, PanFlute, ProcMaze
from experiments.runs import model_quality
from experiments.runs.execution import execute
from experiments.runs.model_quality import CASES, measure_model_quality, require_words
from experiments.runs.quality_table import HORIZONS, NOVELTY, read_model_quality
from experiments.runs.settings import run_settings
from experiments.runs.stored_run import read_run
from tests.experiments.runs.killed_runs import TINY

SETTINGS = run_settings(**TINY, structured=True, model_quality=True)


@pytest.mark.usefixtures("without_type_checks", "small_networks")
def test_a_run_stores_what_its_model_gets_right(tmp_path, monkeypatch):
    monkeypatch.setattr(model_quality, "DRAWS", 2)
    execute(SETTINGS, tmp_path / "asked", device="cpu", acceleration="none")
    stored = read_run(tmp_path / "asked").model_quality
    lanes = len(SETTINGS.seeds)
    assert stored.accuracy.shape == (lanes, len(HORIZONS), len(NOVELTY))
    known = stored.cases > 0
    assert ((stored.accuracy >= 0) & (stored.accuracy <= 1))[known].all()
    assert np.isnan(stored.accuracy[~known]).all()
    assert known[:, 0, 0].all()
    # Nothing is shut after 25 updates: all pairs of the six factors, of which goal and walls read themselves
    # alone, and the agent all but the goal.
    assert (stored.scopes.gates == 1).all()
    assert (stored.scopes.learned == 36).all()
    assert (stored.scopes.true == 10).all()
    np.testing.assert_allclose(stored.scopes.precision, 10 / 36)
    assert (stored.scopes.recall == 1).all()
    (tmp_path / "asked" / "model_quality.parquet").unlink()
    assert read_run(tmp_path / "asked").model_quality is None


def test_settings_say_so_only_where_it_is_asked_so_that_others_keep_their_digest():
    assert SETTINGS.stored()["model_quality"] is True
    assert "model_quality" not in replace(SETTINGS, model_quality=False).stored()


@pytest.mark.parametrize("environment", [PanFlute(3), ProcMaze(2)], ids=str)
def test_of_the_perfect_model_every_case_is_right_and_a_seen_one_is_in_the_buffer(environment):
    certain = replace(environment, spontaneous=False)
    lanes = Lanes(torch.tensor([5, 6]), torch.full((2,), 1e-4), torch.ones(2))
    loop = OnlineLoop(Agent(PerfectModel(certain)), Protocol(300, 1, 100), lanes)
    loop.advance(200)
    state = loop.state
    found = measure_model_quality(loop.agent, state.learner, state.buffer, lanes)
    assert (found.accuracy[found.cases > 0] == 1).all()
    assert (found.of(1, "seen") == 1).all()
    one, ten = found.cases[:, 0], found.cases[:, 1]
    assert (ten <= one).all()
    assert (one.sum(1) <= 2 * CASES).all()
    if (
        not certain.episodic
    ):  # nothing ends, so that all cases count, with those that the buffer gave
        assert (one.sum(1) == 2 * CASES).all()
        assert (one[:, 0] >= CASES).all()
        assert (one[:, 1:] > 0).any()


def test_a_table_that_is_none_is_refused(tmp_path):
    from experiments.storage.parquet_table import write_table

    path = tmp_path / "model_quality.parquet"
    write_table(path, {"lane": np.arange(3)}, {})
    with pytest.raises(ValueError, match="holds no model quality; accepted: what a run wrote"):
        read_model_quality(tmp_path, 1)


def test_a_model_whose_courses_take_more_words_than_a_draw_has_is_refused_before_the_run(tmp_path):
    options = {"agent": "simple", "env": "OpenGrid", "regime": "high", "lanes": 1, "steps": 10}
    large = run_settings(size=82, model_quality=True, **options)
    with pytest.raises(
        ValueError, match="takes 34,426,880 random words a draw; accepted: 33,554,432"
    ):
        execute(large, tmp_path, device="cpu", acceleration="none")
    require_words(SimpleModel(OpenGrid(80)))
