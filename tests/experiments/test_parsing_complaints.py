"""What is said of words that are no arguments: one line, with the option, the value and what is accepted."""

import pytest

from experiments.cli import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "theorem identify push-tree --samples nan",
            "--samples is 'nan'; accepted: a whole number",
        ),
        ("theorem identify push-tree --truth 1.5", "--truth is '1.5'; accepted: a whole number"),
        ("theorem prove --time-limit x", "--time-limit is 'x'; accepted: a number"),
        ("theorem check push-tree --allow x", "--allow is 'x'; accepted: likelihood, support"),
        ("theorem check push-tree --json", "--json needs a value"),
        ("theorem check push-tree --policies yes", "not understood: yes"),
        (
            "theorem identify push-tree --trut 3",
            "not understood: --trut, 3; perhaps you meant --truth",
        ),
        ("claims --out a b", "not understood: b"),
        ("theorem identify push-tree --seed 1" + 20 * "0", "accepted: whole numbers below 2^63"),
    ],
)
@pytest.mark.parametrize("colour", ["0", "1"])
def test_a_word_that_cannot_be_parsed_is_named_with_what_is_accepted(
    capsys, monkeypatch, words, told, colour
):
    monkeypatch.setenv("FORCE_COLOR", colour)
    assert main(words.split(" ")) == 2
    said = capsys.readouterr().err
    assert said.startswith("mbgen: ")
    assert said.endswith(told + "\n")
    assert said.count("\n") == 1


def test_a_missing_argument_is_named_with_its_help(capsys):
    assert main(["theorem", "export", "push-tree", "--format", "dot"]) == 2
    assert capsys.readouterr().err.startswith("mbgen: theorem export needs --out\n")


def test_what_a_terminal_would_obey_is_written_out(capsys):
    assert main(["theorem", "verify", "\x1b[31mred"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert r"\x1b[31mred" in said
