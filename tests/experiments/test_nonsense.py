"""Every option of every command, given a value that means nothing: one line, status 2, before any work."""

import pytest

from experiments.cli import main
from experiments.commands.completion import options_of
from tests.experiments.test_command_registry import COMMANDS

NONSENSE = "no such/place \x1b[31mü"
# What a command needs besides the option in question.
NEEDED = {
    "theorem census": "--states 2 --actions 1",
    "theorem verify": "certificate.json",
    "theorem export": "push-tree --format dot --out class.dot",
    "theorem explore": "push-tree --out page.html",
    "env render": "PanFlute --out states.png",
    "env scopes": "PanFlute --size 3",
    "env optimum": "PanFlute",
    "tabular": "--out curves",
    "run": "--out run",
    "sweep": "smoke",
    "ask": "--env PanFlute --out question",
    "status": "folder",
    "report": "--out report",
    "compare": "folder",
    "completion": "bash",
} | {
    f"theorem {name}": "push-tree"
    for name in ("check", "identify", "samples", "truths", "witness", "rewards", "discount")
}
# Folders that are made if they are not there.
MADE = {("demo", "--out"), ("theorem decide", "--results"), ("sweep", "--results")}


ALL = [
    pytest.param(name.removeprefix("mbgen "), command, id=name.removeprefix("mbgen "))
    for name, command in COMMANDS.items()
    if command.study in (None, "online")  # studies have the same options
]


@pytest.mark.parametrize(("name", "command"), ALL)
def test_a_value_that_means_nothing_is_refused_in_one_line_before_the_work(
    name, command, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for option in options_of(command):
        if (name, option) in MADE:
            continue
        words = NEEDED.get(name, "").split()
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
        assert main([*name.split(), *words, option, NONSENSE]) == 2, option
        captured = capsys.readouterr()
        assert captured.out == "", option
        assert captured.err.startswith("mbgen: "), option
        assert captured.err.count("\n") == 1, option
        assert "\x1b" not in captured.err, option
        assert not list(tmp_path.iterdir()), option


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            "theorem export push-tree --format dot --out m.dot --fold-discount",
            "--fold-discount is for Storm and PRISM; accepted: with drn or prism",
        ),
        (
            "theorem export push-tree --format npz --out m.npz --start 3",
            "--start is for Storm and PRISM; accepted: with drn or prism",
        ),
        (
            "theorem truths push-tree --steps 1000000000",
            "1000000000 steps, 1000 samples, seed 0; accepted: 0 to 10,000, 2 or more, 0 or more",
        ),
        (
            "theorem check push-tree --datasets walk.json --value-equivalence 1001",
            "--value-equivalence is 1001; accepted: 1 to 1,000 steps",
        ),
        ("env scopes lamps.py", "lamps.py names no rule; accepted: FILE.py:RULE"),
        (
            "tabular --env PanFlute --agents replay --parents statistical --out curves",
            "--parents is given without the agent factored; accepted: with it",
        ),
        (
            "theorem census 2 2",
            "theorem census needs --states, --actions; not understood: 2 2",
        ),
        ("theorem check", "theorem check needs CLASS"),
    ],
)
def test_what_contradicts_itself_or_is_never_read_is_refused(
    words, complaint, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"mbgen: {complaint}\n"
    assert not list(tmp_path.iterdir())
