"""The work is done, and its status told, whatever becomes of standard output."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.lasting_output import LastingOutput

MBGEN = (sys.executable, "-c", "import sys; from experiments.cli import main; sys.exit(main())")
GALLERY = ("theorem", "gallery")
FULL = Path("/dev/full")


def run(words, *, stdout, **options):
    """Exit status and errors of a command whose standard output is what is given."""
    done = subprocess.run(
        [*MBGEN, *map(str, words)], stdout=stdout, stderr=subprocess.PIPE, check=False, **options
    )
    return done.returncode, done.stderr.decode()


@pytest.fixture
def unread():
    """The writing end of a pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def test_a_reader_that_has_left_does_not_stop_the_work(tmp_path, unread):
    picture, figures = tmp_path / "picture.png", tmp_path / "figures.json"
    words = ("theorem", "check", "smallest-witness", "--out", picture, "--json", figures)
    assert run(words, stdout=unread) == (0, "")
    assert picture.exists()
    assert json.loads(figures.read_text())["models"] == 2


@pytest.mark.parametrize(
    "words", [(*GALLERY, "--json", "-"), ("--help",), ("theorem", "check", "--help")]
)
def test_json_and_help_may_go_unread(unread, words):
    assert run(words, stdout=unread) == (0, "")


def test_the_answer_is_told_to_who_does_not_listen(unread):
    words = ("theorem", "check", "gamma-one", "--allow-zero-sum")
    assert run(words, stdout=unread) == (1, "")


@pytest.mark.parametrize("words", [GALLERY, (*GALLERY, "--json", "-"), ("--help",)])
def test_standard_output_may_be_closed_from_the_start(words):
    close = {"preexec_fn": lambda: os.close(1)}
    assert run(words, stdout=None, **close) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_a_full_disc_under_standard_output_is_told_after_the_work(tmp_path):
    figures = tmp_path / "figures.json"
    with FULL.open("w") as full:
        status, errors = run((*GALLERY, "--json", figures), stdout=full)
    assert status == 2
    assert errors == "mbgen: standard output failed: No space left on device\n"
    assert json.loads(figures.read_text())


def test_errors_may_go_unread(unread):
    done = subprocess.run([*MBGEN, "nothing"], stderr=unread, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_sign_that_the_encoding_lacks_costs_only_itself(tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    path = tmp_path / "class.json"
    path.write_text(
        '{"states": 1, "actions": 1, "gamma": "1/2", "rewards": [[1]], "transitions": "tabular",'
        ' "state_names": ["caf\\u00e9"]}'
    )
    done = subprocess.run(
        [*MBGEN, "theorem", "check", str(path), "--datasets", "/dev/stdin"],
        input=b"[]",
        capture_output=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"caf?" in done.stdout


def test_what_was_written_arrives():
    stream = io.StringIO()
    output = LastingOutput(stream)
    assert output.write("four") == 4
    output.flush()
    assert stream.getvalue() == "four"
    assert output.failure is None
