"""The pictures of the theory: any names, labels that stand clear, and limits."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from experiments.figures import theory_pictures as pictures
from theory import GALLERY, check_class, find_witness, identify, solve
from theory.discount_strata import find_strata

NASTY = ["$x_{$", "状態", "x" * 500, r"\frac{", "two\nlines"]


@pytest.mark.parametrize("name", NASTY)
def test_any_name_is_drawn_without_a_warning(tmp_path, name):
    problem = GALLERY["smallest-witness"].make()
    problem = replace(
        problem,
        name=name,
        state_names=tuple(f"{name}{s}" for s in range(problem.states)),
        action_names=tuple(f"{name}{a}" for a in range(problem.actions)),
    )
    found = find_witness(solve(problem))
    assert found is not None
    drawn = [tmp_path / f"{number}.png" for number in range(4)]
    pictures.draw_witness(problem, found, drawn[0])
    pictures.draw_sizes(check_class(problem, "realizable"), drawn[1])
    pictures.draw_identifiability(identify(problem, 0), drawn[2])
    pictures.draw_strata(find_strata(problem), drawn[3])
    assert all(path.stat().st_size > 0 for path in drawn)


def test_only_a_class_of_few_states_is_drawn():
    pictures.require_drawable(GALLERY["binary-factors-2"].make())
    with pytest.raises(
        ValueError, match=r"^binary-factors-3 has 8 states; accepted for a picture: 5 or fewer$"
    ):
        pictures.require_drawable(GALLERY["binary-factors-3"].make())


def test_a_label_stands_where_no_other_curve_passes():
    along = np.linspace(-1, 1, 101)
    level = np.stack([along, 0 * along], axis=1)
    upright = np.stack([0 * along, along], axis=1)
    halves = np.full((2, 2), 0.1)
    nodes = np.array([[-1.2, 0.0], [1.2, 0.0], [0.0, -1.2], [0.0, 1.2]])
    places = pictures.place_labels([level, upright], halves, nodes)
    # The crossing is at the origin: in the middle of both, where a label would stand by itself.
    assert abs(places[0, 0]) > 0.1
    assert abs(places[1, 1]) > 0.1
    assert (np.abs(places[0] - places[1]) > 0.2).any()
    beyond = np.maximum(np.abs(places[:, None] - nodes) - halves[:, None], 0)
    assert (np.hypot(beyond[..., 0], beyond[..., 1]) > pictures.RADIUS).all()


def test_the_only_label_stands_on_its_curve():
    along = np.linspace(-1, 1, 101)
    level = np.stack([along, 0 * along], axis=1)
    nodes = np.array([[-1.2, 0.0], [1.2, 0.0]])
    (place,) = pictures.place_labels([level], np.full((1, 2), 0.1), nodes)
    assert place == pytest.approx([0, 0], abs=0.03)
