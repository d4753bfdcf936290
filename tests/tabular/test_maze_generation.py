"""The law of mazes against all histories of the search, and mazes that are drawn against the law."""

from collections import Counter, defaultdict
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from scipy import stats

from tabular import ProcMaze
from tabular.environments.grid import neighbours
from tabular.environments.maze_generation import (
    estimated_mazes,
    maze_classes,
    maze_distribution,
    random_maze,
)


def histories(size, opened, stack, probability):
    """Every history of the depth-first search, none merged: the plain text of the rule."""
    if not stack:
        yield frozenset(opened), probability
        return
    *below, cell = stack
    choices = [
        other
        for other in neighbours(cell, size)
        if other not in opened and sum(near in opened for near in neighbours(other, size)) == 1
    ]
    if not choices:
        yield from histories(size, opened, below, probability)
    for chosen in choices:
        yield from histories(size, opened | {chosen}, [*stack, chosen], probability / len(choices))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_maze_probabilities_are_those_of_all_histories_one_by_one(size):
    expected = defaultdict(Fraction)
    for start in range(size**2):
        for opened, probability in histories(size, {start}, [start], Fraction(1, size**2)):
            expected[tuple(cell not in opened for cell in range(size**2))] += probability
    assert maze_distribution(size) == expected


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_the_open_cells_of_every_maze_form_a_tree(size):
    assert sum(maze_distribution(size).values()) == 1
    for walls in maze_classes(size):
        openings = [cell for cell, wall in enumerate(walls) if not wall]
        graph = nx.Graph()
        graph.add_nodes_from(openings)
        graph.add_edges_from(
            (cell, other)
            for cell in openings
            for other in neighbours(cell, size)
            if not walls[other]
        )
        assert nx.is_tree(graph)


def test_drawn_mazes_have_the_exact_distribution():
    generator, exact = np.random.default_rng(0), maze_distribution(3)
    drawn = Counter(random_maze(3, generator) for _ in range(5000))
    assert set(drawn) <= set(exact)
    expected = [float(probability) * 5000 for probability in exact.values()]
    test = stats.chisquare([drawn[walls] for walls in exact], expected)
    assert test.pvalue > 1e-6


def test_the_estimated_number_of_mazes_is_near_the_true_one():
    assert estimated_mazes(3) == len(maze_distribution(3))
    assert 0.8 < estimated_mazes(5) / len(maze_distribution(5)) < 1.25


@pytest.mark.parametrize("size", [45, 50, 1000])
def test_mazes_without_number_are_refused_in_a_line(size):
    with pytest.raises(ValueError, match=rf"grid_size {size} has about \de\+\d+ mazes; at most"):
        maze_classes(size)
    with pytest.raises(ValueError, match=r"starts in about \de\+\d+ states; at most 1,000,000 are"):
        ProcMaze(size).initial_distribution()
