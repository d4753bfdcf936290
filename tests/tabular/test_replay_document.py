"""The examples in docs/replay.md print what stands below them."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

TEXT = (Path(__file__).parent.parent.parent / "docs" / "replay.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)


def test_one_after_the_other_the_examples_print_what_stands_below_them():
    namespace = {}
    for example, printed in EXAMPLES:
        output = StringIO()
        with redirect_stdout(output):
            exec(compile(example, "docs/replay.md", "exec"), namespace)
        assert output.getvalue() == printed


def test_every_example_has_its_output():
    assert len(EXAMPLES) == TEXT.count("```python") > 0
