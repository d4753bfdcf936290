"""With which Python a sweep starts its runs."""

import sys
from pathlib import Path

import pytest

from experiments.sweep.task import interpreter


@pytest.mark.parametrize(("path", "options"), [([], ("-P",)), ([""], ()), ([str(Path.cwd())], ())])
def test_a_run_imports_from_the_current_folder_only_if_the_sweep_does(monkeypatch, path, options):
    elsewhere = [each for each in sys.path if each not in ("", str(Path.cwd()))]
    monkeypatch.setattr(sys, "path", [*path, *elsewhere])
    assert interpreter() == (sys.executable, *options)
