"""The picture of a witness: labels that stand clear, and a limit."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from experiments.figures.witness import RADIUS, arrows, place_labels, require_drawable
from theory import GALLERY, mdp_class, option, option_class


def test_only_a_class_of_few_states_is_drawn():
    require_drawable(GALLERY["binary-factors-2"].make())
    with pytest.raises(
        ValueError, match=r"^binary-factors-3 has 8 states; accepted for a picture: 5 or fewer$"
    ):
        require_drawable(GALLERY["binary-factors-3"].make())


def test_with_chance_each_arrow_says_how_likely_it_is_and_what_is_earned_where_that_is_unknown():
    half = Fraction(1, 2)
    waits = [option(0, {0: half, 1: half}, 1), option(1, {0: half, 1: half}, 1)]
    problem = mdp_class(option_class(1, 2, [waits, [option(3, {1: 1}, 1)]]), [[0, 3]], "1/2")
    q = ((Fraction(5, 4), Fraction(3)),)
    nodes = np.array([[-1.0, 0.0], [1.0, 0.0]])
    drawn = arrows(problem, ((0, 0),), q, ((0, 0, 1),), nodes)
    told = {line for arrow in drawn for line in arrow.text.splitlines()}
    assert told == {"a0 earning 0: 5/4 by 1/2", "a1: 3", "a0 earning 1 by 1/2"}
    assert len(drawn) == 4  # to either node, as it is and as D has it


def test_a_label_stands_where_no_other_curve_passes():
    along = np.linspace(-1, 1, 101)
    level = np.stack([along, 0 * along], axis=1)
    upright = np.stack([0 * along, along], axis=1)
    halves = np.full((2, 2), 0.1)
    nodes = np.array([[-1.2, 0.0], [1.2, 0.0], [0.0, -1.2], [0.0, 1.2]])
    places = place_labels([level, upright], halves, nodes)
    # The crossing is at the origin: in the middle of both, where a label would stand by itself.
    assert abs(places[0, 0]) > 0.1
    assert abs(places[1, 1]) > 0.1
    assert (np.abs(places[0] - places[1]) > 0.2).any()
    beyond = np.maximum(np.abs(places[:, None] - nodes) - halves[:, None], 0)
    assert (np.hypot(beyond[..., 0], beyond[..., 1]) > RADIUS).all()


def test_the_only_label_stands_on_its_curve():
    along = np.linspace(-1, 1, 101)
    level = np.stack([along, 0 * along], axis=1)
    nodes = np.array([[-1.2, 0.0], [1.2, 0.0]])
    (place,) = place_labels([level], np.full((1, 2), 0.1), nodes)
    assert place == pytest.approx([0, 0], abs=0.03)
