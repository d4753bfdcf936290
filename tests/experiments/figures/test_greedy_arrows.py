"""Figure 1: its marks and verdicts are the paper's rule, and its arrows stay in their cells."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from experiments.figures.greedy_arrows import (
    Mazes,
    Panel,
    arrow,
    draw_greedy_arrows,
    verdict,
    wrong_cells,
)

STAY, DOWN, RIGHT = 0, 3, 4
WALLS = [[cell in (3, 4) for cell in range(9)], [cell in (1, 4) for cell in range(9)]]
BEST = np.zeros((2, 9, 5), dtype=bool)
BEST[:, :, DOWN] = True
MAZES = Mazes(np.eye(9, dtype=bool)[1:], np.array(WALLS), np.array([6, 2]), BEST)


def panel(agent="DQN", dataset="All", fails=None, expected=False, right=np.nan):
    frequency = np.full((2, 9, 5), 0.0 * right)
    frequency[:, :, DOWN] = right
    frequency[:, :, STAY] = 1 - right
    return Panel(agent, dataset, frequency, fails, expected)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_runs_of_every_kind_are_drawn(tmp_path, suffix):
    path = tmp_path / f"figure.{suffix}"
    panels = [
        panel("DQN\nreplays", "All\nevery\ntransition", fails=False, right=1.0),
        panel("DQN\nreplays", "None", fails=True, expected=False, right=0.3),
        panel("model", "All\nevery\ntransition"),
    ]
    draw_greedy_arrows(path, "a figure", MAZES, panels)
    assert path.stat().st_size > 0


def test_a_cell_is_marked_if_more_than_half_of_the_runs_are_wrong():
    assert wrong_cells(panel(right=14 / 30).frequency, BEST).sum() == 18
    assert not wrong_cells(panel(right=15 / 30).frequency, BEST).any()
    assert not wrong_cells(panel().frequency, BEST).any()


def test_agents_are_asked_in_the_six_open_cells_that_are_not_the_goal():
    assert [np.flatnonzero(cells).tolist() for cells in MAZES.decided] == [
        [1, 2, 5, 6, 7, 8],
        [2, 3, 5, 6, 7, 8],
    ]


def test_half_of_the_runs_are_no_majority_however_their_shares_are_rounded():
    for wrong in range(16):
        frequency = np.zeros((1, 2, 5))
        frequency[0, 1] = [wrong / 30, (15 - wrong) / 30, 0, 15 / 30, 0]
        assert not wrong_cells(frequency, BEST[:1, :2]).any()


@pytest.mark.parametrize(
    ("fails", "expected", "said"),
    [
        (True, True, "fails, as in the paper"),
        (False, False, "succeeds, as in the paper"),
        (True, False, "fails; paper: succeeds"),
        (False, True, "succeeds; paper: fails"),
        (None, True, "not finished; paper: fails"),
    ],
)
def test_a_verdict_stands_beside_that_of_the_paper(fails, expected, said):
    assert verdict(panel(fails=fails, expected=expected)) == said


def test_an_arrow_grows_with_its_share_and_stays_in_its_cell():
    lengths = []
    for share in (1 / 30, 0.5, 1.0):
        outline = arrow(0.04, share, np.array([1, 0]))
        assert np.abs(outline).max() < 0.5
        lengths.append(np.ptp(outline[:, 0]))
    assert lengths == sorted(lengths)


def test_an_arrow_points_where_its_action_goes():
    for direction in ([0, -1], [-1, 0], [0, 1], [1, 0]):
        outline = arrow(0.04, 1.0, np.array(direction))
        tip = outline[np.abs(outline).sum(axis=1).argmax()]
        assert tip @ direction == pytest.approx(np.abs(outline).max())
