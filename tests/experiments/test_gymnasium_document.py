"""The example of an environment that is explored in docs/gymnasium.md, and the pair in docs/environments.md, run."""

import json
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("gymnasium")

from experiments.cli import main

pytestmark = pytest.mark.usefixtures("own_environments")
DOCS = Path(__file__).parent.parent.parent / "docs"
SECTION = (DOCS / "gymnasium.md").read_text("utf-8").partition("## What is explored")[2]


def test_the_environment_of_the_document_has_the_scopes_that_are_printed_below_it(
    tmp_path, monkeypatch, capsys
):
    (module,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    (command,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "row_of_lamps.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(shlex.split(command)[1:]) == 0
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert len(printed.splitlines()) > 5
    assert [line for line in printed.splitlines() if line not in shown] == []


def test_an_environment_of_this_package_has_the_same_optimum_but_for_where_episodes_begin(capsys):
    pytest.importorskip("torch")
    text = (DOCS / "environments.md").read_text("utf-8")
    optima = []
    for line in re.findall(r"^mbgen (env optimum .*)$", text, re.MULTILINE):
        assert main([*shlex.split(line), "--json", "-"]) == 0
        (entry,) = json.loads(capsys.readouterr().out)
        optima.append(entry["optimal"]["value"])
    counted, exact = optima
    assert counted == pytest.approx(exact, abs=0.2)
