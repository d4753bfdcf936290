"""The examples in docs/environments.md and docs/offline.md run."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{page}-{number}")
    for page in ("environments", "offline")
    for number, example in enumerate(
        re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text("utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_as_printed(example):
    exec(compile(example, "example", "exec"), {})


def test_there_are_examples():
    assert len(EXAMPLES) == 4
