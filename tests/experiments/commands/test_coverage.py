"""`mbgen env coverage`: the exact answer to section 2's question, printed."""

import json

import pytest

from experiments.cli import main
from tabular import agent_table, class_table, coverage_answers
from tests.experiments.called import complaint


def test_it_prints_what_tabular_finds(capsys):
    assert main(["env", "coverage", "--terminal-step", "from-goal", "--json", "-"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answers = coverage_answers("from-goal")
    for name, make in (("classes", class_table), ("agents", agent_table)):
        columns, rows = make(answers)
        assert printed[name] == [dict(zip(columns, row, strict=True)) for row in rows]
    assert main(["env", "coverage"]) == 0
    assert "347,892,350,976" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reach", "far"], "reach must be one of anywhere, beside, ahead, got 'far'"),
        (["--terminal-step", "goal"], "terminal_step must be one of into-goal, from-goal"),
    ],
)
def test_what_is_unknown_is_refused_on_one_line(words, message, capsys):
    assert message in complaint(capsys, "env", "coverage", *words)
