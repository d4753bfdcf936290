"""The examples in docs/offline.md run."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parent.parent.parent / "docs" / "offline.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs_as_printed(number):
    exec(compile(EXAMPLES[number], f"example {number}", "exec"), {})


def test_there_are_examples():
    assert len(EXAMPLES) == 2
