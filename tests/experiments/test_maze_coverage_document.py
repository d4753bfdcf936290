"""The tables in docs/maze-coverage.md are what the exact answer gives."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from experiments.commands.terminal import table
from tabular import agent_table, cell_table, class_table, coverage_answers, maze_moves

TEXT = (Path(__file__).parent.parent.parent / "docs" / "maze-coverage.md").read_text("utf-8")
TABLES = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
CLASSES = re.findall(r"\| (?:any|to the)[^|]*\|([^\n]*)\|\n", TEXT)


@pytest.mark.parametrize("number", range(3))
def test_a_table_is_what_is_found(number):
    screen = Console(file=StringIO(), width=120, highlight=False, markup=False)
    make = (class_table, cell_table, agent_table)[number]
    screen.print(table("", *make(coverage_answers())))
    printed = [line.rstrip() for line in screen.file.getvalue().splitlines()]
    assert TABLES[number].splitlines() == [line for line in printed if line]


@pytest.mark.parametrize(("number", "reach"), list(enumerate(["anywhere", "beside", "ahead"])))
def test_a_class_settles_so_many_cells(number, reach):
    _, rows = class_table(coverage_answers(reach=reach))
    expected = [f"{maze_moves(reach=reach).size:.1e}", *(str(row[4]) for row in rows)]
    assert [entry.strip() for entry in CLASSES[number].split("|")] == expected
    assert {row[1:3] for row in rows} == {(1, 12)}


def test_there_are_three_tables_and_three_classes():
    assert (len(TABLES), len(CLASSES)) == (3, 3)
