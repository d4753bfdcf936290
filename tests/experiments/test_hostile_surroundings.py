"""Commands where a disc has no room, and with names of every kind: the work done or one line, and nothing lost."""

import resource
from contextlib import contextmanager

import pytest

from experiments.cli import main

WRITERS = {
    "a page": ("theorem explore smallest-witness --out", "new.html"),
    "a picture": ("theorem check smallest-witness --out", "new.png"),
    "a drawing": ("theorem check smallest-witness --out", "new.svg"),
    "figures": ("theorem gallery --json", "new.json"),
    "a certificate": ("theorem witness smallest-witness --out", "new.json"),
    "arrays": ("theorem export smallest-witness --format npz --out", "new.npz"),
    "a model": ("theorem export smallest-witness --format dot --out", "new.dot"),
    "states": ("env render PanFlute --out", "new.png"),
}
NEEDS = {"a page": "jinja2", "states": "torch"}


@pytest.fixture(params=WRITERS)
def writer(request):
    """The words of a command up to the name of what it writes, and that name."""
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    words, name = WRITERS[request.param]
    return words.split(), name


@contextmanager
def no_room():
    """Within, no file may grow beyond a hundred bytes: to a program, a disc that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_room_what_was_there_stays_and_nothing_else_is_left(tmp_path, writer, capsys):
    words, name = writer
    target = tmp_path / name
    assert main([*words, str(target)]) == 0
    before = contents(tmp_path)
    assert before
    capsys.readouterr()
    with no_room():
        assert main([*words, str(target)]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"mbgen: {target}")
    assert complaint.endswith(" cannot be written: File too large\n")
    assert complaint.count("\n") == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["a b ü.html", "a\nb.html", "$HOME'\"%s[bold]{0}.html", "-x.html"])
def test_any_name_is_a_files_name(tmp_path, monkeypatch, name, capsys):
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    assert main(["theorem", "explore", "smallest-witness", f"--out={name}"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert capsys.readouterr().err == ""
