"""The command, called in a test: what it prints, what it complains of, and a class for it to read."""

import json
from pathlib import Path

from PIL import Image

from experiments.cli import main

CLASS = {
    "states": 2,
    "actions": 1,
    "gamma": "1/2",
    "rewards": [[-1], [-1]],
    "transitions": {"models": [[[0], [2]], [[1], [0]]]},
}


def run_json(capsys, *arguments: str):
    """The JSON that a command prints when nothing else may go to standard output."""
    assert main([*arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys, *arguments: str) -> str:
    """The one line that a command says to bad input."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mbgen: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) > len("mbgen: x\n")
    return captured.err


def is_a_picture(path: Path) -> bool:
    with Image.open(path) as image:
        colours = image.convert("RGB").getcolors(maxcolors=1 << 24)
        return min(image.size) > 100 and colours is not None and len(colours) > 10
