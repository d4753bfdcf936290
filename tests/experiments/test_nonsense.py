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
