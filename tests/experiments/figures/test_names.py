"""The pictures of the theory draw any names."""

from dataclasses import replace

import pytest

pytest.importorskip("matplotlib")

from experiments.figures.all_truths import draw_truths
from experiments.figures.discount_strata import draw_strata
from experiments.figures.several_rewards import draw_gap
from experiments.figures.version_spaces import draw_identifiability, draw_sizes
from experiments.figures.witness import draw_witness
from theory import (
    GALLERY,
    check_class,
    find_witness,
    gap_by_rewards,
    goal_rewards,
    identify,
    over_all_truths,
    solve,
)
from theory.discount.discount_strata import find_strata

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
    drawn = [tmp_path / f"{number}.png" for number in range(6)]
    draw_witness(problem, found, drawn[0])
    draw_sizes(check_class(problem, "realizable"), drawn[1])
    draw_identifiability(identify(problem, 0), drawn[2])
    draw_strata(find_strata(problem), drawn[3])
    draw_gap(gap_by_rewards(problem, goal_rewards(problem)), drawn[4])
    draw_truths(over_all_truths(problem), drawn[5])
    assert all(path.stat().st_size > 0 for path in drawn)
