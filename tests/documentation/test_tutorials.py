"""The tutorials' examples print what stands below them, and the example scripts run."""

import re
import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


@pytest.mark.usefixtures("without_type_checks", "own_environments")
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_one_after_the_other_the_examples_of_a_tutorial_print_what_stands_below_them(
    path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    namespace, blocks = {}, BLOCK.findall(path.read_text("utf-8"))
    assert len(blocks) > 3
    for example, printed in blocks:
        output = StringIO()
        with redirect_stdout(output):
            exec(compile(example, path.name, "exec"), namespace)
        assert output.getvalue() == printed


def test_there_is_a_tutorial_for_each_reader():
    assert [path.stem for path in TUTORIALS] == [
        "environments", "experiments", "questions", "theory",
    ]  # fmt: skip


def test_there_are_four_short_examples():
    assert len(EXAMPLES) == 4
    assert all(len(path.read_text("utf-8").splitlines()) < 40 for path in EXAMPLES)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says_from_wherever_it_is_run(path, tmp_path, monkeypatch):
    text = path.read_text("utf-8")
    if "import torch" in text:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    output = StringIO()
    with redirect_stdout(output):
        runpy.run_path(str(path))
    expected = text.split('"""')[1].split("It prints:\n\n")[1]
    assert output.getvalue().split() == expected.split()
