"""The example in docs/online.md runs, and its tables are what the stored runs give."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from experiments.cli import main

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "online.md").read_text(encoding="utf-8")
TABLES = re.findall(
    r" {4}mbgen compare ([^\n]+) --out [^\n]+\n\n```text\n(.*?)```", TEXT, re.DOTALL
)


def test_the_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(example, "docs/online.md", "exec"), {})
    assert capsys.readouterr().out == "100 updates in each of 2 lanes\n"


@pytest.mark.parametrize(("runs", "table"), TABLES)
def test_a_table_is_what_mbgen_compare_prints(runs, table, capsys):
    rows = [line.split() for line in table.splitlines()]
    assert main(["compare", *(str(ROOT / folder) for folder in runs.split())]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row not in printed] == []


def test_there_are_tables():
    assert len(TABLES) == 2
