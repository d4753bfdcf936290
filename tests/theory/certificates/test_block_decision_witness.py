"""Decision-relevant datasets by blocks, against enumeration and the definition."""

import pytest
from hypothesis import given, settings

from tests.theory.certificates.product_classes import built, product_classes
from tests.theory.certificates.test_witness import assert_is_what_it_says, decides
from theory import (
    factored,
    find_block_decision_witness,
    find_decision_witness,
    gallery_class,
    mdp_class,
    solve,
)
from theory.certificates import block_decision_witness as module
from theory.certificates.witness import WitnessSearchTooLargeError


@given(product_classes())
@settings(deadline=None, max_examples=60)
def test_in_small_classes_it_is_found_exactly_where_enumeration_finds_one(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    expected = find_decision_witness(solved)
    try:
        witness = find_block_decision_witness(problem)
    except WitnessSearchTooLargeError:
        witness = None
    assert (witness is None) == (expected is None)
    if witness is not None:
        assert_is_what_it_says(problem, solved, witness)
        assert witness.decision in decides(problem, solved, witness.dataset)
        assert witness.at_least <= len(expected.dataset) <= len(witness.dataset)


def push_tree_and_more():
    """push-tree with a third factor, which one more action moves about and nothing depends on."""
    one_changes = [((0,), None, None), (None, (1,), None)]
    wiggle = [(None, None, (2,))]
    meal = [(s, 1, 8) for s in (6, 7)]
    transitions = factored([2] * 3, [one_changes, one_changes, wiggle], fixed=meal)
    return mdp_class(transitions, [[0, int(s >= 6), 0] for s in range(8)], "9/10")


@pytest.mark.parametrize("listed", [64, 1])
def test_it_is_found_among_a_few_models_at_a_time_and_shown_one_by_one_or_by_bounds(
    monkeypatch, listed
):
    problem = push_tree_and_more()
    assert problem.transitions.size == 7 * 7 * 4
    monkeypatch.setattr(module, "MAX_FAMILY", 98)
    monkeypatch.setattr(module, "MAX_LISTED", listed)
    witness = find_block_decision_witness(problem, tried=20)
    solved = solve(problem)
    assert_is_what_it_says(problem, solved, witness)
    assert witness.decision in decides(problem, solved, witness.dataset)


def test_that_there_is_none_is_said_where_no_inclusion_is_proper_and_open_elsewhere():
    assert find_block_decision_witness(gallery_class("tabular-4x3-sparse")) is None
    with pytest.raises(WitnessSearchTooLargeError, match="among 1 families of up to 300 models"):
        find_block_decision_witness(gallery_class("smallest-witness"))
    with pytest.raises(WitnessSearchTooLargeError, match="within 0 s, among 0 families"):
        find_block_decision_witness(gallery_class("binary-factors-8"), time_limit=0.0)
