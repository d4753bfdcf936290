"""The guided tour: what it shows of runs that are stored, and of one that it makes."""

import pytest

from experiments.cli import main
from experiments.commands import demo
from experiments.commands.terminal import console
from experiments.runs.stored_run import read_run
from experiments.studies.study import PlannedRun
from tests.experiments.called import is_a_picture


def test_the_demo_checks_certifies_and_draws(capsys, tmp_path):
    assert main(["demo", "--steps", "0", "--out", str(tmp_path / "new" / "folder")]) == 0
    out = capsys.readouterr().out
    assert "push-tree" in out
    pictures = list((tmp_path / "new" / "folder").glob("*.png"))
    assert len(pictures) >= 7
    assert all(is_a_picture(picture) for picture in pictures)


def test_without_stored_runs_it_says_how_they_are_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "RESULTS", tmp_path)
    demo._show_stored(console(), tmp_path)
    assert "mbgen sweep desk --study online" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_an_agent_learns_while_one_waits_and_stored_runs_are_drawn(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    demo._learn_online(console(), tmp_path, 1_010)
    assert "PanFlute 3, high data" in capsys.readouterr().out
    assert (tmp_path / "panflute-3-live.png").exists()

    made = read_run(tmp_path / "panflute-3-live").settings
    planned = PlannedRun("panflute-3-live", made)
    monkeypatch.setattr("experiments.studies.online.online_run", lambda *_: planned)
    monkeypatch.setattr("experiments.runs.settings.AGENTS", ("er",))
    monkeypatch.setattr(demo, "RESULTS", tmp_path)
    demo._show_stored(console(), tmp_path)
    assert "left out" not in capsys.readouterr().out
    assert (tmp_path / "procmaze-4-online.png").exists()
