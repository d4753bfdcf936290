"""How every picture is saved."""

import pytest

from experiments.figures.style import picture


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figures_give_the_same_file(tmp_path, monkeypatch, suffix):
    drawn = []
    for day in ("0", "1700000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", day)  # the time that matplotlib takes for now
        path = tmp_path / f"{day}.{suffix}"
        with picture(path, 3.0, 2.0) as figure:
            figure.subplots().plot([1, 2, 3], label="a curve")
        drawn.append(path.read_bytes())
    assert drawn[0] == drawn[1]
