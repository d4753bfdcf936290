"""Minimum hitting sets against going through all subsets."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.certificates.hitting_sets import (
    Deadline,
    HittingSet,
    OutOfTimeError,
    Puzzle,
    _descent,
    greedy,
    hitting_set,
    minimal_sets,
    packing,
    smallest_hitting_set,
)

families = st.lists(st.integers(1, 63), max_size=7)


def smallest_by_trying_all(masks, allowed=lambda chosen: True):
    sizes = [c.bit_count() for c in range(64) if all(c & mask for mask in masks) and allowed(c)]
    return min(sizes, default=None)


@settings(deadline=None)
@given(families)
def test_a_hitting_set_is_as_small_as_any_and_lies_between_the_bounds(masks):
    smallest = smallest_by_trying_all(masks)
    family = minimal_sets(masks)
    assert family <= set(masks)
    assert all(any(mask & small == small for small in family) for mask in masks)
    assert all(one == other or one & other != other for one in family for other in family)
    for size in range(7):
        found = hitting_set(family, size)
        assert (found is None) == (size < smallest)
        if found is not None:
            assert all(found & mask for mask in masks)
            assert found.bit_count() <= size
    quick = greedy(Puzzle("", family))
    assert all(quick & mask for mask in masks)
    assert packing(family) <= smallest <= quick.bit_count()


@settings(deadline=None)
@given(st.lists(st.tuples(families, st.lists(st.integers(1, 63), max_size=3)), max_size=4))
def test_of_several_puzzles_the_smallest_solution_is_found_whatever_may_not_be_chosen(drawn):
    """Choices that contain one of a few forbidden sets are refused."""

    def test(forbidden):
        return lambda chosen: all(chosen & mask != mask for mask in forbidden)

    puzzles = [
        Puzzle(i, minimal_sets(masks), test(forbidden))
        for i, (masks, forbidden) in enumerate(drawn)
    ]
    sizes = [smallest_by_trying_all(masks, test(forbidden)) for masks, forbidden in drawn]
    found = smallest_hitting_set(puzzles)
    assert (None if found is None else len(found.elements)) == min(
        (size for size in sizes if size is not None), default=None
    )
    if found is not None:
        chosen = sum(1 << element for element in found.elements)
        assert found.at_least == len(found.elements)
        assert all(chosen & mask for mask in puzzles[found.label].family)
        assert puzzles[found.label].allowed(chosen)


def test_thirty_disjoint_pairs_need_thirty_elements_and_no_search():
    matching = Puzzle("matching", frozenset(3 << 2 * i for i in range(30)))
    found = smallest_hitting_set([matching], deadline=Deadline(60.0))
    assert found == HittingSet("matching", list(range(0, 60, 2)), 30)


def test_the_best_of_several_puzzles_is_labelled():
    puzzles = [
        Puzzle("large", frozenset([1, 2, 4])),
        Puzzle("none", frozenset([0])),
        Puzzle("small", frozenset([3])),
    ]
    assert smallest_hitting_set(puzzles) == HittingSet("small", [0], 1)
    assert smallest_hitting_set([Puzzle("none", frozenset([0, 1]))]) is None


def test_a_bound_known_beforehand_ends_the_search_where_it_is_met():
    asked = []

    def puzzles():
        for size in (2, 3, 1):
            asked.append(size)
            yield Puzzle(size, frozenset(1 << i for i in range(size)))

    assert smallest_hitting_set(puzzles(), at_least=2) == HittingSet(2, [0, 1], 2)
    assert asked == [2]


def fours():
    """100 random sets of four out of thirty."""
    draw = random.Random(1)
    masks = [sum(1 << element for element in draw.sample(range(30), 4)) for _ in range(100)]
    return Puzzle("", minimal_sets(masks))


def test_the_choices_that_are_left_are_estimated_before_each_size_is_gone_through():
    puzzle, deadline, told = fours(), Deadline(), []

    def tell(estimate):
        told.append((estimate, deadline.checks))

    found = smallest_hitting_set([puzzle], deadline=deadline, tell=tell)
    sizes = range(packing(puzzle.family), len(found.elements) + 1)
    assert [estimate.what for estimate, _ in told] == [f"size {size}" for size in sizes][
        : len(told)
    ]
    done = [after - before for (_, before), (_, after) in pairwise(told)]  # the last size is left
    assert max(done) > 300
    for (estimate, _), actual in zip(told, done, strict=False):
        assert actual / 4 < estimate.choices < 4 * actual
        assert estimate.seconds > 0


def test_random_descents_stand_for_the_whole_tree_on_average():
    puzzle, rng, deadline = fours(), random.Random(0), Deadline()
    assert hitting_set(puzzle.family, 9, deadline=deadline) is None
    assert deadline.checks > 50  # the nodes of the tree, all of which were gone through
    descents = [_descent(puzzle, 9, rng)[1] for _ in range(1000)]
    assert abs(sum(descents) / len(descents) / deadline.checks - 1) < 0.15


def test_out_of_time_while_deepening_the_sizes_gone_through_are_a_bound():
    """All 35 triples of 7: a set of 4 misses one, 5 meet all, and disjoint triples show 2. Time ends in size 4."""
    triples = frozenset(mask for mask in range(128) if mask.bit_count() == 3)
    told = []
    found = smallest_hitting_set([Puzzle("", triples)], progress=told.append)
    assert found == HittingSet("", [0, 1, 2, 3, 4], 5)
    assert told == [1 / 5, 2 / 5, 3 / 5, 4 / 5, 1]

    class StopsAt(Deadline):
        def __init__(self, looks):
            super().__init__()
            self.left = looks

        def check(self):
            self.left -= 1
            if self.left < 0:
                raise OutOfTimeError

    bounds = []
    for looks in range(1, 60, 3):
        found = smallest_hitting_set([Puzzle("", triples)], deadline=StopsAt(looks))
        assert len(found.elements) == 5
        assert (None if found.left is None else found.left.what) == (
            None if found.at_least == 5 else f"size {found.at_least}"
        )
        bounds.append(found.at_least)
    assert bounds == sorted(bounds)
    assert bounds[0] == 2
    assert bounds[-1] == 5
    with pytest.raises(OutOfTimeError):
        smallest_hitting_set([Puzzle("", triples)], deadline=StopsAt(0))
