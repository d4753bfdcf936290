"""What `mbgen env list` and `mbgen env render` do."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
from PIL import Image

from experiments.commands.env.listing import list_environments
from experiments.commands.env.render import render


def test_the_list_names_every_environment_with_its_settings(capsys):
    assert list_environments(json="-") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed] == ["PanFlute", "ButtonGrid", "ProcMaze", "OpenGrid"]
    assert listed[1]["settings"]["grid_size"] == 5
    assert [row["episodic"] for row in listed] == [False, False, True, True]


@pytest.mark.parametrize("name", ["panflute", "ButtonGrid", "PROCMAZE", "OpenGrid"])
def test_a_picture_shows_the_copies_side_by_side(tmp_path, name):
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert render(name, out=one, copies=1, steps=2, size=3) == 0
    assert render(name, out=two, copies=2, steps=2, size=3) == 0
    first, both = np.asarray(Image.open(one)), np.asarray(Image.open(two))
    assert np.array_equal(both[:, : first.shape[1]], first)
    assert both.shape[1] > 1.8 * first.shape[1]


def test_a_film_has_a_frame_for_every_state(tmp_path):
    path = tmp_path / "film.gif"
    render("PanFlute", out=path, copies=1, steps=5, size=3)
    with Image.open(path) as film:
        # A frame equal to the one before is drawn as a longer one.
        assert 3 <= film.n_frames <= 6
        assert film.is_animated


def test_the_film_ends_with_the_picture(tmp_path):
    film, last = tmp_path / "film.gif", tmp_path / "last.png"
    for path in (film, last):
        render("ButtonGrid", out=path, copies=2, steps=7, size=2, seed=3)
    with Image.open(film) as frames:
        frames.seek(frames.n_frames - 1)
        difference = np.asarray(frames.convert("RGB"), dtype=int) - np.asarray(Image.open(last))
    assert np.abs(difference).max() < 16  # a GIF has 256 colours


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Flute", {}, "environment must be one of .*, got 'Flute'"),
        (
            "PanFlute",
            {"grid_size": 3},
            "grid_size is 3; accepted with ButtonGrid alone, not PanFlute",
        ),
        ("ProcMaze", {"size": 9}, "grid_size must be an integer from 1 to 7, got 9"),
        ("ProcMaze", {"copies": 0}, "copies is 0; accepted: 1 to 100"),
        ("ProcMaze", {"steps": -1}, "steps is -1; accepted: 0 to 100,000"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, name, options, message):
    path = tmp_path / "x.png"
    with pytest.raises(ValueError, match=message):
        render(name, out=path, **options)
    assert not path.exists()


def test_a_path_that_is_no_picture_or_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"accepted: \.png, \.gif"):
        render("PanFlute", out=tmp_path / "picture.jpeg")
    with pytest.raises(ValueError, match="there is no folder"):
        render("PanFlute", out=tmp_path / "nowhere" / "picture.png")
