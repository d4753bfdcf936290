"""The changes of the mutation check are each one, and what they need is there."""

import pytest

from tests.theory.mutation_check import FILES, ROOT, mutants


@pytest.mark.parametrize("file", FILES)
def test_each_change_of_a_file_that_decides_is_another_program(file):
    text = (ROOT / file).read_text()
    found = list(mutants(file, text))
    assert len(found) > 20
    assert len({mutant.text for mutant in found} - {text}) == len(found)
    for mutant in found[:: max(1, len(found) // 20)]:
        compile(mutant.text, file, "exec")
    assert all((ROOT / test).exists() for test in FILES[file])


def test_operators_numbers_and_quantifiers_are_changed_and_messages_are_not():
    text = """
def f(x: int = 1) -> bool:
    "1 < 2"
    if x < 3 and all(x):
        raise ValueError(f"{x + 1}")
    return not x
"""
    changes = {(m.right, m.wrong) for m in mutants("f.py", text)}
    assert changes == {
        ("x < 3 and all(x)", "x < 3 or all(x)"),
        ("x < 3", "x <= 3"),
        ("3", "4"),
        ("all(x)", "any(x)"),
        ("not x", "x"),
    }
