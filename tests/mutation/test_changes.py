"""Each change is one, and leaves a program."""

from tests.mutation.changes import changes

TEXT = """
def f(x: int = 1) -> bool:
    "1 < 2"
    if x < 3 and all(x):
        raise ValueError(f"{x + 1}")
    x += 0.5
    y: Array[2] = x * x
    assert x > 1
    return not -x.mean().detach()
"""
WHAT = {
    "x < 3 and all(x) -> x < 3 or all(x)",
    "x < 3 -> x <= 3",
    "3 -> 4",
    "all(x) -> any(x)",
    "x += 0.5 -> x -= 0.5",
    "0.5 -> 1.0",
    "x * x -> x / x",
    "not -x.mean().detach() -> -x.mean().detach()",
    "-x.mean().detach() -> x.mean().detach()",
    "x.mean().detach() -> x.mean()",
    "x.mean -> x.sum",
}


def test_operators_signs_numbers_and_quantifiers_are_changed_and_messages_are_not():
    assert {change.what for change in changes(TEXT)} == WHAT


def test_each_change_is_another_program_that_differs_in_its_line_alone():
    found = changes(TEXT)
    assert len({change.text for change in found} - {TEXT}) == len(found)
    for change in found:
        compile(change.text, "f.py", "exec")
        lines = zip(TEXT.splitlines(), change.text.splitlines(), strict=True)
        assert [n for n, (a, b) in enumerate(lines, 1) if a != b] == [change.line]


def test_an_operand_that_is_replaced_stays_one_operand():
    text = "def f(a, b):\n    return 2 * (a + b)\n"
    (inner,) = [change for change in changes(text) if change.what == "a + b -> a - b"]
    assert "2 * ((a - b))" in inner.text
