"""Files are whole or absent; names are printed as they are."""

import os
import stat
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from rich.console import Console

from experiments.commands.terminal import cell, console, progress, table
from experiments.storage.json_files import plain
from experiments.storage.whole_files import (
    LONGEST_WRITE,
    PART,
    names_in,
    require_folder,
    require_writable,
    write_whole,
)


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "new.json"
    path.write_text("old and longer")
    write_whole(path, lambda whole: whole.write_text("new"))
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_what_stops_the_writing_leaves_the_old_file(tmp_path, stop):
    path = tmp_path / "kept.json"
    path.write_text("old")

    def fail(whole: Path) -> None:
        whole.write_text("half")
        raise stop

    with pytest.raises(stop):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_not_replaced(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write_whole(link, lambda whole: whole.write_text("new"))
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_device_is_written_to_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, lambda whole: whole.write_text("through"))
        assert os.read(reader, 100) == b"through"
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


@pytest.mark.parametrize("target", ["/dev/null", "real"])
def test_who_writes_sees_the_ending_that_was_asked_for_wherever_a_link_leads(tmp_path, target):
    link = tmp_path / "picture.png"
    link.symlink_to(target)
    seen = []
    write_whole(link, seen.append)
    assert [path.suffix for path in seen] == [".png"]


def test_what_a_killed_process_left_is_removed_an_hour_later_and_what_is_being_written_stays(
    tmp_path,
):
    old, young = tmp_path / f"{PART}0.html", tmp_path / f"{PART}1.html"
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (time.time() - LONGEST_WRITE - 1,) * 2)
    write_whole(tmp_path / "page.html", lambda whole: whole.write_text("whole"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "page.html"]


def test_a_folder_in_which_a_file_was_only_half_written_counts_as_new(tmp_path):
    (tmp_path / f"{PART}0.json").touch()
    assert names_in(tmp_path) == set()
    require_folder(tmp_path, overwrite=False)


def test_a_new_file_has_the_modes_that_the_user_asked_for(tmp_path):
    old = os.umask(0o077)
    try:
        write_whole(tmp_path / "private", lambda whole: whole.write_text("mine"))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["folder", "none/file", "file/below", "x" * 300])
def test_what_cannot_be_written_is_refused_in_one_line_that_names_it(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"accepted|cannot be written") as refusal:
        require_writable(tmp_path / name)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("name", ["[/x]", "[bold]x[/bold]", "{x}", ":smile:"])
def test_names_are_printed_as_they_are(capsys, name):
    console().print(table(name, (name, "n"), [(name, 1)]))
    assert capsys.readouterr().out.count(name) == 3


def test_any_description_of_progress_will_do(capsys):
    with progress("{x} [/y] %s") as report:
        report(0.5)
    assert capsys.readouterr().err == ""  # no terminal, no bar


def test_json_on_standard_output_has_it_to_itself(capsys):
    console("-").print("a table")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "yes"), (1234567, "1,234,567"), (0.12345, "0.1235"), (1e7, "10,000,000")],
)
def test_numbers_and_answers_are_written_for_people(value, text):
    assert cell(value) == text


def test_exact_numbers_and_records_become_plain_json():
    @dataclass
    class Record:
        value: Fraction
        path: Path

    made = plain({1: [Record(Fraction(1, 3), Path("a/b")), (float("nan"), float("inf"), 0.5)]})
    assert made == {"1": [{"value": "1/3", "path": "a/b"}, [None, None, 0.5]]}


def test_tables_fit_eighty_columns(capsys):
    screen = Console(width=80, markup=False)
    screen.print(table("t", ("name", "about", "n"), [("x" * 30, "word " * 40, 12345678)]))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "12,345,678" in out
